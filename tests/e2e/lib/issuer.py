"""A token issuer whose keys are a file: says whatever a test wants its tokens to say."""
import base64
import json
import os
import subprocess
import time

from sip import token as word


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    url = "https://login.example.net"

    def __init__(self, folder):
        self.key, self.keys = os.path.join(folder, "issuer.key"), os.path.join(folder, "issuer.json")
        self._openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.key)
        said = self._openssl("rsa", "-in", self.key, "-noout", "-modulus").decode().strip()
        modulus = bytes.fromhex(said.partition("=")[2])
        with open(self.keys, "w", encoding="utf-8") as f:
            json.dump({"keys": [{"kty": "RSA", "kid": "one", "alg": "RS256", "use": "sig", "e": "AQAB",
                                 "n": base64url(modulus)}]}, f)

    @staticmethod
    def _openssl(*argv, stdin=None):
        return subprocess.run(["openssl", *argv], input=stdin, capture_output=True, check=True).stdout

    def conf(self, domain):
        """An entry of token_issuers."""
        return (f"{{ name: idp, issuer: '{self.url}', audiences: [sip], keys: {{ files: ['{self.keys}'] }}, "
                f"identity: {{ claim: sub, domain: {domain} }}, lifetime: {{ min: 1s, max: 60m }} }}")

    def token(self, user, ttl=600, **claims):
        now = int(time.time())
        said = {"iss": self.url, "aud": "sip", "sub": user, "jti": word(), "iat": now, "exp": now + ttl,
                "scope": "register call presence", **claims}
        parts = [base64url(json.dumps(part).encode())
                 for part in ({"alg": "RS256", "kid": "one", "typ": "at+jwt"}, said)]
        signed = ".".join(parts)
        return signed + "." + base64url(self._openssl("dgst", "-sha256", "-sign", self.key,
                                                      stdin=signed.encode()))


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
