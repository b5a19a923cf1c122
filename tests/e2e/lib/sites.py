"""Three sites, each a host with a registrar and an authd, and phones behind a line of their own; hosts are
joined by a bridge, the trunk. Redis is at the first one, over TLS and under its users. To be run inside
namespaces.enter(..., "--net")."""
import collections
import http.client
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess

import pki
from crowd import Caller
from daemons import TOP, Daemons, wait_for
from namespaces import Line, add_host, inside, ip, own_names

SITES, REST, STATUS, DOMAIN = 3, 8080, 8081, "example.test"
PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061, "wss": 5443}
PHONES = "198.51.100.0/24"

AUTHD = """
listen: {{ socket: {own}/auth.sock, mode: "0600", users: ["{uid}"] }}
redis: {{ {redis}, user: authd, password_file: {keys}/authd.password }}
nonce_key_file: {keys}/nonce.key
seal_key_file: {keys}/seal.key
http: {{ listen: "127.0.0.1:{rest}", admin_token_file: {keys}/admin.token }}
audit: {{ file: {own}/audit.log }}
realms: [ {{ name: {domain} }} ]
defence: {{ exempt: [{phones}] }}
peer_groups:
  - {{ name: phones, digest: {{ realm: {domain}, attempts: 0 }}, expires: {{ min: 1s, max: 2h }} }}
"""

REGISTRAR = """
node: {name}
flow_key_file: {keys}/flow.key
authd: {{ socket: {own}/auth.sock, deadline: 2s }}
redis: {{ {redis}, user: registrar, password_file: {keys}/registrar.password }}
http: {{ listen: "127.0.0.1:{status}" }}
link: {{ listen: "{host}:5062", certificate_file: {keys}/{name}.crt, key_file: {keys}/{name}.key,
    ca_file: {keys}/ca.crt }}
domains: [{domain}]
listeners:
  - {{ name: udp, transport: udp, address: "{host}:5060" }}
  - {{ name: tcp, transport: tcp, address: "{host}:5060" }}
  - {{ name: tls, transport: tls, address: "{host}:5061", tls: {tls} }}
  - {{ name: wss, transport: wss, address: "{host}:5443", tls: {tls}, websocket: {{ origins: [any] }} }}
limits: {{ connections_per_address: 20000 }}
log: {{ level: debug }}
"""


class Site:
    def __init__(self, number):
        self.number, self.name, self.phones = number, f"site{number}", f"phones{number}"
        self.host, self.gateway = f"192.0.2.{number}", f"198.51.100.{16 * number + 1}"
        self.network, self.phone_host = f"198.51.100.{16 * number}/28", f"198.51.100.{16 * number + 2}"
        self.line = None

    def build(self):
        add_host(self.name)
        add_host(self.phones)
        ip("link", "add", f"port{self.number}", "type", "veth", "peer", "name", "trunk", "netns", self.name)
        ip("link", "set", f"port{self.number}", "master", "trunk", "up")
        ip("address", "add", f"{self.host}/24", "dev", "trunk", at=self.name)
        self.line = Line((self.name, "phones"), (self.phones, "line"))
        for host, device, address in ((self.name, "phones", self.gateway),
                                      (self.phones, "line", self.phone_host)):
            ip("address", "add", f"{address}/28", "dev", device, at=host)
            ip("link", "set", device, "up", at=host)
        self.line.start()
        ip("link", "set", "trunk", "up", at=self.name)
        ip("route", "add", "default", "via", self.gateway, at=self.phones)
        subprocess.run(["ip", "netns", "exec", self.name, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"],
                       check=True)

    def meet(self, other):
        ip("route", "add", other.network, "via", other.host, at=self.name)

    def cut(self):
        """Frames from and to its host go nowhere, and nobody is told."""
        ip("link", "set", f"port{self.number}", "nomaster")

    def mend(self):
        ip("link", "set", f"port{self.number}", "master", "trunk")

    def make_socket(self, kind):
        with inside(self.phones):
            return socket.socket(socket.AF_INET, kind)

    def get(self, port, target, method="GET", body=None, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            with inside(self.name):
                c.connect()
            c.request(method, target, body=body, headers=headers or {})
            r = c.getresponse()
            return r.status, r.read()
        finally:
            c.close()

    def is_ready(self, port):
        try:
            return self.get(port, "/readyz")[0] == 200
        except OSError:
            return False


class Sites(Daemons):
    domain = DOMAIN

    def __init__(self, build):
        super().__init__(build)
        self.sites = [Site(i + 1) for i in range(SITES)]
        self.passwords, self.unused, self.callers, self.port = {}, [], [], REST

    def start_at(self, site, name, *argv):
        os.makedirs(self.path(site.name), exist_ok=True)
        with open(self.path(f"{name}.log"), "ab") as log:
            self.processes[name] = subprocess.Popen(["ip", "netns", "exec", site.name, *argv], stdout=log,
                                                    stderr=log, cwd=self.path(site.name))

    def start_all(self, users):
        own_names()
        ip("link", "add", "trunk", "type", "bridge")
        ip("link", "set", "trunk", "up")
        for site in self.sites:
            site.build()
        for site in self.sites:
            for other in self.sites:
                if site is not other:
                    site.meet(other)
        self.start_redis()
        self.tls = ssl.create_default_context(cafile=self.path("ca.crt"))
        subprocess.run([self.binary("authd/authd"), "--make-keys", self.dir], check=True,
                       stdout=subprocess.DEVNULL)
        for site in self.sites:
            self.start_daemons(site)
        self.add_users(users)
        wait_for("all registrars to know each other", self.all_met)

    def start_redis(self):
        first = self.sites[0]
        subprocess.run([os.path.join(TOP, "deploy/redis/make-users"), self.dir], check=True)
        pki.authority(self.dir, "ca")
        for name in ["redis", *(s.name for s in self.sites)]:
            pki.certificate(self.dir, "ca", name, f"DNS:{name}")
        self.start_at(first, "redis", "redis-server", "--port", "0", "--tls-port", "6379", "--bind", first.host,
                      "--tls-auth-clients", "no", "--tls-ca-cert-file", self.path("ca.crt"),
                      "--tls-cert-file", self.path("redis.crt"), "--tls-key-file", self.path("redis.key"),
                      "--appendonly", "yes", "--save", "", "--aclfile", self.path("users.acl"))

    def start_daemons(self, site):
        redis = f'address: "{self.sites[0].host}:6379", tls: {{ ca_file: {self.dir}/ca.crt, server_name: redis }}'
        words = dict(uid=os.getuid(), keys=self.dir, own=self.path(site.name), rest=REST, status=STATUS,
                     domain=DOMAIN, name=site.name, host=site.host, redis=redis, phones=PHONES,
                     tls=f"{{ certificates: [ {{ certificate_file: {self.dir}/{site.name}.crt, "
                         f"key_file: {self.dir}/{site.name}.key }} ] }}")
        for daemon, text, port in (("authd", AUTHD, REST), ("registrar", REGISTRAR, STATUS)):
            name = f"{site.name}.{daemon}"
            path = self.path(f"{name}.yaml")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text.format(**words))
            self.start_at(site, name, self.binary(f"{daemon}/{daemon}"), "--config", path)
            wait_for(name, lambda port=port: site.is_ready(port))

    def start_registrar(self, site):
        """Once more."""
        name = f"{site.name}.registrar"
        self.start_at(site, name, self.binary("registrar/registrar"), "--config", self.path(f"{name}.yaml"))
        wait_for(name, lambda: site.is_ready(STATUS))

    def all_met(self, *again):
        """again: whose registrar has been started once more."""
        def met(site):
            back = 1 if again and site.number - 1 not in again else 0
            return self.log(site).count("a registrar appeared") >= SITES - 1 + back
        return all(map(met, self.sites))

    def log(self, site, daemon="registrar"):
        with open(self.path(f"{site.name}.{daemon}.log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def rest(self, method, target, body=None, media="application/json", site=0):
        with open(self.path("admin.token"), encoding="utf-8") as f:
            headers = {"Authorization": f"Bearer {f.read().strip()}", "Content-Type": media}
        status, data = self.sites[site].get(REST, target, method, body, headers)
        assert status < 300, f"{method} {target}: {status} {data[:300]!r}"
        return json.loads(data)

    def csctl(self, *argv, at=0, **more):
        with inside(self.sites[at].name):
            return super().csctl(*argv, **more)

    def add_users(self, n):
        """So many more."""
        new = [f"user{len(self.passwords) + i:05}" for i in range(n)]
        self.passwords.update({name: secrets.token_urlsafe(15) for name in new})
        lines = "".join(f"{name},{DOMAIN},{self.passwords[name]}\n" for name in new)
        code, out, err = self.csctl("user", "import", "-", stdin="user,realm,password\n" + lines)
        assert code == 0, out + err
        self.unused += new[::-1]

    def bindings(self, caller):
        return self.rest("GET", f"/v1/bindings/{caller.aor}")["bindings"]

    def all_bindings(self, at=0):
        """Contacts and registrars by AOR."""
        code, out, err = self.csctl("-o", "json", "bindings", at=at)
        assert code == 0, err
        found = collections.defaultdict(list)
        for b in json.loads(out):
            found[b["aor"]].append((b["contact"], b["registrar"]))
        return found

    def phone(self, at, transport="udp", **more):
        """Of a new user, behind the line of this site, whose registrar it asks first."""
        site = self.sites[at]
        p = Caller(self.unused.pop(), DOMAIN, self.passwords, [(s.host, PORTS[transport]) for s in self.sites],
                   transport, host=site.phone_host, at=at, make_socket=site.make_socket, tls=self.tls,
                   names=[s.name for s in self.sites], **more)
        self.callers.append(p)
        return p

    def close(self, keep):
        ends = {name: self.stop(name, signal.SIGTERM) for name in list(self.processes)[::-1]}
        bad = {name: code for name, code in ends.items() if code}
        super().close(keep or bad)
        return bad
