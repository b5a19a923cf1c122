"""The real OpenID provider of tests/e2e/oidc, and its clients: client credentials, and authorization
code with PKCE as a browser and a softphone do it."""
import base64
import hashlib
import http.client
import http.cookiejar
import json
import os
import re
import secrets
import shutil
import urllib.error
import urllib.parse
import urllib.request

import npm
from daemons import free_port, wait_for


def install(build):
    return npm.install(build, "oidc", "provider.js")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    def __init__(self, world, name="issuer"):
        self.world, self.name, self.port = world, name, free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        folder = install(self.world.build)
        log = self.world.path(f"{self.name}.log")
        self.world.start(self.name, shutil.which("node"), os.path.join(folder, "provider.js"),
                         str(self.port))
        wait_for("the provider", lambda: b"ready" in open(log, "rb").read(), 40) # it makes keys first

    def stop(self):
        self.world.stop(self.name)
        os.remove(self.world.path(f"{self.name}.log"))

    def tell(self, **what):
        self.request("PUT", "/test", json.dumps(what))

    def count(self, path):
        return json.loads(self.request("GET", "/test")[1]).get(path, 0)

    def request(self, method, path, body=None, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            return r.status, r.read().decode()
        finally:
            c.close()

    def form(self, path, client, **values):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if client:
            pair = ":".join(urllib.parse.quote(v, safe="") for v in client)
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        status, text = self.request("POST", path, urllib.parse.urlencode(values), headers)
        assert status == 200, f"{path}: {status} {text}"
        return json.loads(text) if text else None

    def token(self, alg="RS256", user="alice", scope="register call presence", resource="sip"):
        """By client credentials: the client is the user."""
        return self.form("/token", (user, f"secret of {user}: %&+"), scope=scope,
                         grant_type="client_credentials",
                         resource=f"urn:{resource}:{alg}")["access_token"]

    def revoke(self, token, user="alice"):
        self.form("/token/revocation", (user, f"secret of {user}: %&+"), token=token)

    def token_by_code(self, user, scope="openid register call", resource="urn:sip:ES256"):
        """Signs in at the provider's pages (authorization code, PKCE with S256)."""
        browser = urllib.request.build_opener(
            NoRedirect, urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        verifier = secrets.token_urlsafe(48)
        query = urllib.parse.urlencode({
            "client_id": "softphone", "response_type": "code", "scope": scope,
            "redirect_uri": "http://127.0.0.1/callback", "resource": resource,
            "code_challenge": base64url(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256", "state": "s"})

        def follow(url, form=None):
            data = urllib.parse.urlencode(form).encode() if form else None
            try:
                with browser.open(url, data, timeout=10) as page:
                    return page.read().decode(), None
            except urllib.error.HTTPError as e:
                assert e.code in (302, 303), f"{url}: {e.code} {e.read()[:500]}"
                return None, urllib.parse.urljoin(url, e.headers["Location"])
        page, url = follow(f"{self.url}/auth?{query}")
        for _ in range(12):
            if url and url.startswith("http://127.0.0.1/callback"):
                break
            if url:
                page, url = follow(url)
                continue
            action = re.search(r'action="([^"]+)"', page).group(1)
            prompt = re.search(r'name="prompt" value="(\w+)"', page).group(1)
            form = {"prompt": prompt}
            if prompt == "login":
                form.update(login=user, password="any")
            page, url = follow(urllib.parse.urljoin(self.url, action), form)
        code = urllib.parse.parse_qs(urllib.parse.urlparse(url).query)["code"][0]
        return self.form("/token", None, grant_type="authorization_code", code=code,
                         client_id="softphone", redirect_uri="http://127.0.0.1/callback",
                         code_verifier=verifier, resource=resource)["access_token"]
