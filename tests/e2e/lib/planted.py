"""Sends requests of all kinds with secrets that can be told apart, and prints the secrets, one a line.

Usage: planted.py HOST:PORT DOMAIN USER PASSWORD [later]

With "later" every answer has to be 503. Exits with 1 when an answer is not the one to be expected.
"""
import hashlib
import re
import socket
import sys
import uuid

BASIC = "cGxhbnRlZDpiYXNpYy1zZWNyZXQ="


def md5(*parts):
    return hashlib.md5(":".join(parts).encode()).hexdigest()


class Planter:
    def __init__(self, server, domain, user, password):
        host, port = server.rsplit(":", 1)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(10)
        self.socket.connect((host, int(port)))
        self.local = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.domain, self.user, self.password = domain, user, password
        self.secrets = {password, md5(user, domain, password)} # its verifier is as good as it
        self.cseq = 0
        self.failed = False

    def secret(self, what):
        """A value that was never seen before."""
        value = f"planted{what}{uuid.uuid4().hex}"
        self.secrets.add(value)
        return value

    def ask(self, method, wanted, *lines, user=None, target=None, raw_head="", body=""):
        """Sends a request; the answer, which must have a wanted status."""
        self.cseq += 1
        target = target or (f"sip:{self.domain}" if method == "REGISTER" else f"sip:1002@{self.domain}")
        user = user or self.user
        to = user if method == "REGISTER" else "1002"
        branch = f"z9hG4bK{uuid.uuid4().hex}"
        head = [
            f"{method} {target} SIP/2.0", *([raw_head] if raw_head else []),
            f"Via: SIP/2.0/UDP {self.local};branch={branch};rport", "Max-Forwards: 70",
            f"From: <sip:{user}@{self.domain}>;tag=1", f"To: <sip:{to}@{self.domain}>",
            f"Call-ID: {uuid.uuid4().hex}", f"CSeq: {self.cseq} {method}",
            f"Contact: <sip:{user}@{self.local}>", "User-Agent: planted", *lines, f"Content-Length: {len(body)}",
        ]
        self.socket.send("\r\n".join([*head, "", body]).encode())
        while True:
            answer = self.socket.recv(65536).decode()
            if branch in answer and not answer.startswith("SIP/2.0 1"):
                break
        for nonce in re.findall(r'nonce="([^"]+)"', answer):
            self.secrets.add(nonce)
        status = int(answer.split(" ", 2)[1])
        if status not in wanted:
            self.failed = True
            print(f"{method} {lines}: {answer.splitlines()[0]}, not {wanted}", file=sys.stderr)
        return answer

    def credentials(self, method, answer, user=None, password=None, **changes):
        """Digest credentials that answer the MD5 challenge of the answer, with values changed."""
        nonce = next(re.search(r'nonce="([^"]+)"', line)[1] for line in answer.splitlines()
                     if "-Authenticate:" in line and "algorithm=MD5" in line)
        uri = f"sip:{self.domain}" if method == "REGISTER" else f"sip:1002@{self.domain}"
        p = {"username": user or self.user, "realm": self.domain, "nonce": nonce, "uri": uri,
             "cnonce": self.secret("cnonce")}
        p["response"] = md5(md5(p["username"], self.domain, password or self.password), nonce,
                            "00000001", p["cnonce"], "auth", md5(method, uri))
        p.update(changes)
        self.secrets |= {p["nonce"], p["response"], p["cnonce"]}
        name = "Authorization" if method == "REGISTER" else "Proxy-Authorization"
        return (f"{name}: Digest " + ", ".join(f'{k}="{v}"' for k, v in p.items())
                + ", algorithm=MD5, qop=auth, nc=00000001")

    def plant(self):
        for method in ("REGISTER", "INVITE", "MESSAGE", "SUBSCRIBE", "PUBLISH", "BYE"):
            register = method == "REGISTER"
            challenge = (401,) if register else (407,)
            refused = challenge + (403,)
            fresh = self.ask(method, challenge)
            right = self.credentials(method, fresh)
            self.ask(method, (200,) if register else (480, 404, 481), right)
            self.ask(method, refused, right)  # a replay
            for changes in ({"response": "0" * 24 + uuid.uuid4().hex[:8]}, {"nonce": self.secret("nonce")},
                            {"realm": "elsewhere.test"}, {"uri": "sip:elsewhere.test"},
                            {"response": self.secret("response")}, {"opaque": "no-secret"},
                            {"password": self.secret("password")}, {"user": "nobody"}):
                fresh = self.ask(method, refused)
                if "WWW-Auth" in fresh or "Proxy-Auth" in fresh:
                    self.ask(method, refused + (200, 404, 480, 481), self.credentials(method, fresh, **changes))
            name = "Authorization" if register else "Proxy-Authorization"
            cut = right.split(": Digest ")[1][:-40]
            for odd in (f"Bearer {self.secret('bearer')}", f"Basic {BASIC}", f"Digest {cut}, {cut}",
                        f'Digest username="x", nonce="{self.secret("nonce")}"',
                        f'Digest response="{self.secret("unclosed")}', f"Odd {self.secret('odd')}",
                        f'DPoP {self.secret("dpop")}'):
                self.ask(method, refused + (400,), f"{name}: {odd}")
        self.secrets.add(BASIC)
        # What others than authd have to keep to themselves: keys of media, cookies.
        lines = [f"Cookie: session={self.secret('cookie')}", "Content-Type: application/sdp"]
        body = f"v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{self.secret('key')}\r\n"
        fresh = self.ask("INVITE", (407,), *lines, body=body)
        self.ask("INVITE", (404, 480), *lines, self.credentials("INVITE", fresh), body=body)
        # Messages that do not get as far as a question to authd.
        self.ask("REGISTER", (400,), f"Authorization: Digest nonce=\"{self.secret('nonce')}\"",
                 raw_head="CSeq: 1 INVITE")
        self.ask("REGISTER", (403,), f"Authorization: Bearer {self.secret('bearer')}",
                 target="sip:elsewhere.test")
        self.ask("ODD", (405,), f"Authorization: Bearer {self.secret('bearer')}")
        self.ask("OPTIONS", (200,), f"Authorization: Bearer {self.secret('bearer')}",
                 target=f"sip:{self.domain}")
        self.ask("REGISTER", (401,), user="nobody")

    def plant_later(self):
        for method in ("REGISTER", "INVITE"):
            self.ask(method, (503,), f"Authorization: Digest {self.secret('later')}")


def main():
    planter = Planter(*sys.argv[1:5])
    if sys.argv[5:] == ["later"]:
        planter.plant_later()
    else:
        planter.plant()
    print("\n".join(sorted(planter.secrets)))
    sys.exit(planter.failed)


if __name__ == "__main__":
    main()
