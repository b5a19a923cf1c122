"""A redis-server, an authd and registrars on loopback, users with passwords, and the scenarios that
run against them."""
import collections
import http.client
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import traceback
import urllib.request

from daemons import TOP, Daemons, free_port, free_ports, wait_for
from phone import Phone

# Peers are told apart by their addresses: all of 127.0.0.0/8 is this machine.
EDGE, GATEWAY, TRUSTED, ELSEWHERE = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"

AUTHD = """
listen: {{ socket: {auth}, mode: "0600", users: ["{uid}"], signers: ["{uid}"] }}
redis: {{ {redis}, user: authd, password_file: authd.password }}
nonce_key_file: nonce.key
seal_key_file: seal.key
http: {{ listen: "127.0.0.1:{rest}", admin_token_file: admin.token }}
audit: {{ file: audit.log }}
realms: [ {{ name: {domain} }}, {{ name: {tenant} }} ]
peer_groups:
  - {{ name: edge, match: {{ source: [{edge}/32] }}, path: true, digest: {{ realm: {domain} }} }}
  - {{ name: gateway, match: {{ source: [{gateway}/32] }}, contact_routing: true,
      digest: {{ realm: {domain} }} }}
  - {{ name: trusted, match: {{ source: [{trusted}/32] }}, trusted: true,
      digest: {{ realm: {domain} }} }}
  - {{ name: tenant, match: {{ domain: [{tenant}] }}, digest: {{ realm: {tenant} }} }}
  - name: phones
    digest: {{ realm: {domain} }}
    expires: {{ min: 1s, max: 2h, default: 50m }}
    max_contacts: 30
"""

REGISTRAR = """
node: {node}
workers: {workers}
flow_key_file: flow.key
link: {link}
authd: {{ socket: {auth}, deadline: 3s }}
redis: {{ {redis}, user: registrar, password_file: registrar.password }}
http: {{ listen: "127.0.0.1:{status}" }}
domains: [{domain}, {tenant}]
listeners:
  - {{ name: udp, transport: udp, address: "127.0.0.1:{sip}" }}
  - {{ name: tcp, transport: tcp, address: "127.0.0.1:{sip}" }}
limits: {{ connections_per_address: 1000{limits_more} }}
timers: {{ t1: 40ms, t2: 200ms, t4: 200ms, ring: 1s }}
log: {{ level: debug }}
{registrar_more}"""


class World(Daemons):
    domain, tenant = "example.test", "tenant.test"
    registrar_more = limits_more = "" # in the configuration of each registrar
    others = [] # daemons besides

    def __init__(self, build, registrars=1, workers=1, tls=False):
        super().__init__(build)
        self.nodes = [f"registrar{i or ''}" for i in range(registrars)]
        self.sips = [("127.0.0.1", free_port()) for _ in self.nodes]
        self.statuses = [free_ports(workers) for _ in self.nodes] # each worker has one
        self.sip, self.status = self.sips[0], self.statuses[0]
        self.phones, self.passwords, self.unused = [], {}, []
        self.workers = workers # of each registrar
        self.tls = tls # they meet over TLS, as on several machines

    @property
    def redis_words(self):
        """Where Redis is, in the configuration of the daemons."""
        return f"socket: {self.redis_socket}"

    def start_all(self):
        self.write_configurations()
        self.start_redis()
        subprocess.run([self.binary("authd/authd"), "--make-keys", self.dir], check=True,
                       stdout=subprocess.DEVNULL)
        self.start_daemons()

    def write_configurations(self):
        words = dict(auth=self.auth_socket, redis=self.redis_words, uid=os.getuid(), rest=self.port,
                     domain=self.domain, tenant=self.tenant, edge=EDGE, gateway=GATEWAY,
                     trusted=TRUSTED, registrar_more=self.registrar_more, limits_more=self.limits_more)
        with open(self.path("authd.yaml"), "w", encoding="utf-8") as f:
            f.write(AUTHD.format(**words))
        for node, sip, status in zip(self.nodes, self.sips, self.statuses):
            with open(self.path(f"{node}.yaml"), "w", encoding="utf-8") as f:
                f.write(REGISTRAR.format(node=node, sip=sip[1], status=status, workers=self.workers,
                                         link=self.link_of(node), **words))

    def start_daemons(self):
        self.start_daemon("authd", self.port)
        for node in self.nodes:
            self.start_registrar(node)
        wait_for("all registrars to know each other", self._all_met)

    def link_of(self, node):
        if not self.tls:
            return f"{{ directory: {self.dir} }}"
        self.make_certificate(node)
        return (f"{{ listen: '127.0.0.1:{free_port()}', certificate_file: {node}.crt, key_file: {node}.key, "
                "ca_file: ca.crt }")

    def make_certificate(self, name, authority="ca", says=None, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        def openssl(*argv):
            subprocess.run(["openssl", *argv], cwd=self.dir, check=True, capture_output=True)
        new = ["-newkey", *key, "-nodes", "-days", "2"]
        if not os.path.exists(self.path(f"{authority}.crt")):
            openssl("req", "-x509", *new, "-keyout", f"{authority}.key", "-out", f"{authority}.crt", "-subj",
                    f"/CN={authority}")
        openssl("req", "-x509", *new, "-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", f"/CN={name}",
                "-addext", f"subjectAltName=DNS:{says or name}", "-CA", f"{authority}.crt", "-CAkey",
                f"{authority}.key", "-addext", "basicConstraints=critical,CA:FALSE")

    def start_registrar(self, node):
        status = self.statuses[self.nodes.index(node)]
        self.start_daemon(node, status)
        wait_for("its workers", lambda: all(self._is_up(status + i) for i in range(self.workers)))
        if self.workers > 1:
            wait_for("them to know each other", lambda: self.redis(
                "SCARD", "cs:{nodes}").strip() >= str(self.workers).encode())
            time.sleep(1.2) # between two looks

    def start_daemon(self, name, port):
        program = name.rstrip("0123456789")
        self.start(name, self.binary(f"{program}/{program}"), "--config", self.path(f"{name}.yaml"))
        wait_for(name, lambda: self._is_up(port) or self._is_gone(name))
        assert not self._is_gone(name), open(self.path(f"{name}.log"), encoding="utf-8").read()

    def _all_met(self):
        def met(name):
            with open(self.path(f"{name}.log"), encoding="utf-8", errors="replace") as f:
                return f.read().count("a registrar appeared") >= len(self.nodes) - 1
        return all(met(n) for n in self.nodes)

    @staticmethod
    def _is_up(port):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).status == 200
        except OSError:
            return False

    def _is_gone(self, name):
        return self.processes[name].poll() is not None

    def add_users(self, n):
        names = [f"user{i:03}" for i in range(n)]
        self.passwords = {name: secrets.token_urlsafe(15) for name in names}
        lines = "".join(f"{name},{realm},{word}\n" for name, word in self.passwords.items()
                        for realm in (self.domain, self.tenant))
        code, out, err = self.csctl("user", "import", "-", stdin="user,realm,password\n" + lines)
        assert code == 0, out + err
        self.unused = names[::-1]

    def user(self):
        """One that no other scenario has."""
        return self.unused.pop()

    def phone(self, transport="udp", host="127.0.0.1", user=None, register=True, domain=None, at=0,
              **more):
        """A phone of a user of its own, or another one of user; registered, at which registrar."""
        p = Phone(self, user or self.user(), transport, host, domain, self.sips[at])
        if register:
            p.register(**more)
        return p

    def flow_of(self, phone):
        """The token of the flow in the record of its AOR."""
        record = self.redis("HVALS", f"cs:loc:{{{phone.aor}}}")
        return re.search(rb"[\w-]{28,64}", record).group().decode()

    def bindings(self):
        """Contacts by AOR, of all."""
        code, out, err = self.csctl("-o", "json", "bindings")
        assert code == 0, err
        found = collections.defaultdict(list)
        for b in json.loads(out):
            found[b["aor"]].append(b["contact"])
        return found

    def counters(self, at=0, port=None):
        """Metrics by name and labels, of a registrar or of whose port it is."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port or self.statuses[at]}/metrics", timeout=5) as r:
            text = r.read().decode()
        return {name: float(value) for name, value in
                re.findall(r"^([a-z0-9_]+(?:\{[^}]*\})?) ([0-9.e+-]+)$", text, re.M)}

    def log(self, name="registrar"):
        with open(self.path(f"{name}.log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def tells_the_end_of(self, port):
        """The log, of the connection from this port of 127.0.0.1."""
        at = f'"127.0.0.1:{port}"'
        wait_for("the log to say so", lambda: any(
            "connection closed" in line and at in line for line in self.log().splitlines()))

    def post_reload(self, port=None):
        """Status and answer of the registrar, or of whose port it is."""
        c = http.client.HTTPConnection("127.0.0.1", port or self.status, timeout=5)
        try:
            c.request("POST", "/reload")
            r = c.getresponse()
            return r.status, json.loads(r.read())
        finally:
            c.close()

    def pause(self, name, how):
        self.processes[name].send_signal(how)


def run(scenarios, users=100, kind=World, **more):
    """Runs every test_ function, or those named behind the build folder; ends the process."""
    build = os.path.realpath(sys.argv[1]) if len(sys.argv) > 1 else os.path.join(TOP, "build/dev")
    wanted = sys.argv[2:]
    world, failed, began = kind(build, **more), 0, time.monotonic()
    try:
        world.start_all()
        world.add_users(users)
        for name, scenario in list(scenarios.items()):
            if not name.startswith("test_") or (wanted and name not in wanted):
                continue
            start = time.monotonic()
            try:
                scenario(world)
                verdict = "ok"
            except Exception: # the others shall run all the same
                traceback.print_exc()
                verdict, failed = "FAILED", failed + 1
            print(f"{verdict:7}{time.monotonic() - start:6.2f} s  {name}", flush=True)
            while world.phones:
                world.phones.pop().close()
    finally:
        ends = {name: world.stop(name) for name in world.others + world.nodes + ["authd", "redis"]
                if name in world.processes}
        for name, code in ends.items():
            if code: # with sanitizers also a leak
                failed += 1
                print(f"{name} ended with {code}")
                with open(world.path(f"{name}.log"), encoding="utf-8", errors="replace") as f:
                    print("".join(f.readlines()[-60:]))
        world.close(keep=failed > 0)
    print(f"{failed} failed, {time.monotonic() - began:.1f} s")
    sys.exit(1 if failed else 0)
