"""A world whose registrars are reached over WSS, with an authority of its own and a real OpenID provider."""
import json
import ssl

from daemons import free_port, wait_for
from oidc import Provider, install
from websocket import WsPhone, WsWorld

NAME = "sip.example.test" # what the certificate says

AUTHD = """tickets: {{ use_within: 2s, lifetime: 10m }}
token_issuers:
  - name: idp
    issuer: {url}
    audiences: [sip]
    identity: {{ claim: sub, domain: {domain} }}
    leeway: 0s
    lifetime: {{ min: 1s, max: 60m }}
peer_groups:
  - name: browsers
    match: {{ transport: [wss], domain: [{domain}] }}
    require: {{ any_of: [token, digest] }}
    tickets: true
    digest: {{ realm: {domain} }}
    expires: {{ min: 1s, max: 1h, default: 10m }}
"""


class SecureWorld(WsWorld):
    secure, domain = True, "example.test"

    def __init__(self, build, **more):
        super().__init__(build, **more)
        self.wss = [free_port() for _ in self.nodes]

    def start_all(self):
        install(self.build)
        self.idp = Provider(self)
        self.idp.start()
        super().start_all()

    def write_configurations(self):
        self.make_certificate("sip", says=NAME)
        super().write_configurations()
        with open(self.path("authd.yaml"), encoding="utf-8") as f:
            text = f.read()
        with open(self.path("authd.yaml"), "w", encoding="utf-8") as f:
            f.write(text.replace("peer_groups:\n", AUTHD.format(url=self.idp.url, domain=self.domain)))

    def listeners(self, i):
        return super().listeners(i) + f"""  - name: wss
    transport: wss
    address: "127.0.0.1:{self.wss[i]}"
    advertise: "{NAME}:{self.wss[i]}"
    websocket: {self.websocket}
    tls: {{ certificates: [ {{ certificate_file: sip.crt, key_file: sip.key }} ] }}
"""

    def add_users(self, n):
        super().add_users(n)
        for user in ("alice", "bob"):
            code, out, err = self.csctl("user", "add", user, "--realm", self.domain)
            assert code == 0, err
            self.passwords[user] = next(line.split()[1] for line in out.splitlines() if line.startswith("password"))
        wait_for("keys", lambda: b"TOKEN_" not in self.verify(self.idp.token()))

    def verify(self, token):
        return self.request("POST", "/v1/verify/token", json.dumps(
            {"aor": f"sip:alice@{self.domain}", "token": token, "transport": "wss"}),
            {"Authorization": f"Bearer {self.admin}", "Content-Type": "application/json"})[2]

    @property
    def admin(self):
        with open(self.path("admin.token"), encoding="utf-8") as f:
            return f.read().strip()

    def tls_context(self):
        return ssl.create_default_context(cafile=self.path("ca.crt"))

    def browser(self, user=None, register=True, **more):
        p = WsPhone(self, user or self.user(), name=NAME, **more)
        if register:
            p.register()
        return p

    def tokens_ttl(self, seconds):
        self.idp.tell(ttl=seconds)
