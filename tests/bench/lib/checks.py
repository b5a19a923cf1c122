"""What a verdict costs authd: digest and tokens, over its socket and over REST."""

import argparse
import base64
import json
import os
import sys
import time

import bench
import countersign
import report
from load import Load
from server import DOMAIN

try:
    import jwt
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
except ImportError:
    sys.exit("authd: python3-jwt and python3-cryptography are missing; run without --no-install")

INFLIGHT = (1, 8, 64)
REST_INFLIGHT = 8
TOKENS = 4000  # of each kind; twice what authd remembers, so that each is new to it in its turn
FEW = 100  # of them all are remembered
BESIDE = 2000  # new RS256 tokens a second
DIGESTS = 1000  # digest checks a second beside them, open loop
MAY_COST = 5.0  # us of authd for a digest check, 16 and more at once
MAY_DELAY = 2.0  # ms at the 99th percentile

AUTHD = """\
listen: {{ socket: {folder}/auth.sock, users: ["{uid}"] }}
redis: {{ socket: {redis} }}
nonce_key_file: {folder}/nonce.key
seal_key_file: {folder}/seal.key
http: {{ listen: "127.0.0.1:{rest}", admin_token_file: {folder}/admin.token }}
audit: {{ file: {folder}/audit.log }}
log: {{ level: warn }}
limits: {{ cached_tokens: 2000 }}
realms:
  - {{ name: {domain}, verifiers: [{algorithm}] }}
token_issuers:
  - name: login
    issuer: https://login.example
    audiences: [sip]
    keys: {{ files: [{folder}/keys.json] }}
    identity: {{ claim: sub, domain: {domain} }}
peer_groups:
  - name: window
    match: {{ domain: [{domain}], listener: [window] }}
    require: {{ all_of: [digest] }}
    digest: {{ realm: {domain}, algorithms: [{algorithm}], nc: shared }}
  - name: udp
    match: {{ domain: [{domain}], listener: [udp] }}
    require: {{ all_of: [digest] }}
    digest: {{ realm: {domain}, algorithms: [{algorithm}], nc: "off" }}
  - name: tls
    match: {{ domain: [{domain}], transport: [tls] }}
    require: {{ all_of: [token] }}
    token: {{ realm: {domain} }}
"""


def number64(n):
    return base64.urlsafe_b64encode(n.to_bytes((n.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


class Mint:
    """An issuer's keys, and tokens signed by them."""

    def __init__(self):
        self.keys = {"RS256": rsa.generate_private_key(65537, 2048),
                     "ES256": ec.generate_private_key(ec.SECP256R1())}

    def jwks(self):
        r = self.keys["RS256"].public_key().public_numbers()
        e = self.keys["ES256"].public_key().public_numbers()
        width = [base64.urlsafe_b64encode(n.to_bytes(32, "big")).rstrip(b"=").decode()
                 for n in (e.x, e.y)]
        return {"keys": [{"kty": "RSA", "kid": "RS256", "alg": "RS256", "use": "sig",
                          "n": number64(r.n), "e": number64(r.e)},
                         {"kty": "EC", "crv": "P-256", "kid": "ES256", "alg": "ES256", "use": "sig",
                          "x": width[0], "y": width[1]}]}

    def tokens(self, algorithm, names, n):
        now = int(time.time())
        for i in range(n):
            claims = {"iss": "https://login.example", "aud": "sip", "sub": names[i % len(names)],
                      "jti": f"{algorithm}-{i}", "iat": now, "exp": now + 3600,
                      "scope": "register call presence"}
            yield jwt.encode(claims, self.keys[algorithm], algorithm, headers={"kid": algorithm})


class Authd(countersign.Countersign):
    name = "authd"
    mint = Mint()

    def launch(self):
        self.write("keys.json", json.dumps(self.mint.jwks()))
        self.rest = self.launch_authd(AUTHD)["rest"]

    def address(self, transport="udp"):
        return self.path("auth.sock")


class Checks(bench.Bench):
    def __init__(self, options, work):
        super().__init__(options, work)
        self.program = os.path.join(options.build, "tests", "bench", "authload")
        self.ways = []  # what is shown, where, metric, options

    def file_of(self, name, lines):
        path = os.path.join(self.work, name)
        with open(path, "w", encoding="ascii") as f:
            f.writelines(line + "\n" for line in lines)
        return path

    def users_of(self, n):
        """A file of n users with passwords of their own, and the list."""
        users = [(f"user{i:05}", f"password-of-{i:05}-{i * 7919:x}") for i in range(n)]
        return self.file_of("users.csv", map(",".join, users)), users

    def run(self):
        path, users = self.users_of(self.o.users)
        names = [name for name, _ in users]
        bench.say("minting tokens")
        files = {}
        for algorithm in ("RS256", "ES256"):
            tokens = list(Authd.mint.tokens(algorithm, names, TOKENS))
            files[algorithm, "first seen"] = self.file_of(algorithm, tokens)
            files[algorithm, "cached"] = self.file_of(algorithm + "-few", tokens[:FEW])
        shown = [("nothing: a challenge", "challenge", ("-m", "challenge")),
                 ("digest, nonce count not kept", "digest", ("-m", "digest")),
                 ("digest, nonce count in Redis", "window", ("-m", "digest", "-l", "window"))]
        shown += [(f"{algorithm} token, {how}", f"{algorithm}-{how.split()[0]}",
                   ("-m", "token", "-l", "tls", "-k", file)) for (algorithm, how), file in files.items()]
        load = Load(self.program, path, self.o.algorithm)
        server = Authd(self.work, users, self.o.algorithm)
        try:
            bench.say("starting authd")
            server.start()
            rest = ("-R", f"127.0.0.1:{server.rest}", "-K", server.path("admin.token"))
            self.ways = [(title, f"{n}", f"{metric}-{n}", (*options, "-i", n))
                         for title, metric, options in shown for n in INFLIGHT]
            self.ways += [(title, f"REST, {REST_INFLIGHT}", f"{metric}-rest",
                           (*options, "-i", REST_INFLIGHT, *rest)) for title, metric, options in shown]
            beside = ("-m", "digest", "-r", DIGESTS, "-k", files["RS256", "first seen"])
            for number in range(1, self.o.rounds + 1):
                for _, _, metric, options in self.in_turn(number, self.ways):
                    self.measure(load, number, server, metric, *options, "-w", 0.5)
                self.measure(load, number, server, "alone", *beside)
                self.measure(load, number, server, "beside", *beside, "-b", BESIDE)
        finally:
            server.stop()

    def cost(self, metric, what="authd"):
        return report.spread(r["parts"].get(what, 0) for r in self.of(Authd, metric).values())

    def late(self, metric):
        return report.spread(r["latency_us"]["p99"] / 1000 for r in self.of(Authd, metric).values())

    def rows(self):
        for title, inflight, metric, _ in self.ways:
            runs = self.of(Authd, metric).values()
            yield [title, inflight, f"{report.spread(r['ops_per_s'] for r in runs)['median']:,.0f}",
                   report.show(self.cost(metric)), report.show(self.cost(metric, "redis")),
                   report.show(report.spread(r["latency_us"]["p50"] / 1000 for r in runs), 2),
                   report.show(self.late(metric), 2)]

    def targets(self):
        cost = self.cost(f"digest-{INFLIGHT[-1]}")
        alone, beside = self.of(Authd, "alone"), self.of(Authd, "beside")
        delay = report.spread((beside[n]["latency_us"]["p99"] - alone[n]["latency_us"]["p99"]) / 1000
                              for n in alone)
        rate = report.spread(r["beside"] / r["seconds"] for r in beside.values())["median"]
        yield [f"authd's CPU for a digest check, {INFLIGHT[-1]} in flight, µs", report.show(cost),
               f"at most {MAY_COST:.1f}", "yes" if cost["median"] <= MAY_COST else "no"]
        yield [f"99th percentile of {DIGESTS:,} digest checks a second, ms later beside "
               f"{rate:,.0f} new RS256 tokens a second", report.show(delay, 2),
               f"at most {MAY_DELAY:.1f}", "yes" if delay["median"] <= MAY_DELAY else "no"]

    def report(self):
        return {"tables": [(["shown", "in flight", "a second", "authd, µs", "Redis, µs", "p50, ms",
                             "p99, ms"], list(self.rows())),
                           (["", "measured", "target", "met"], list(self.targets()))],
                "notes": ["CPU for one verdict; the generator used the other core. Verifiers are in "
                          f"authd's cache; {TOKENS} tokens are shown in turn to an authd that "
                          f"remembers half as many (first seen), or {FEW} (cached)."]}


def main():
    p = argparse.ArgumentParser(
        prog="authd", description="Measures what a verdict costs authd, over its socket and over "
        "REST. Exit status 0 when every verdict was right, whatever the numbers; 1 when one was "
        "wrong; 2 when something could not run.")
    bench.add_options(p, seconds=2)
    p.add_argument("--users", type=int, default=1000, help="users (1000)")
    p.add_argument("--algorithm", default="MD5", choices=["MD5", "SHA-256"], help="digest (MD5)")
    o = p.parse_args()
    if o.quick:
        o.rounds, o.seconds = 1, 0.5
    return bench.main("authd", o, Checks, ["authload", "authd", "csctl"], lambda: (
        f"Countersign {countersign.version()}, {o.algorithm}, {o.users} users of {DOMAIN}, audit "
        "log on."))


if __name__ == "__main__":
    sys.exit(main())
