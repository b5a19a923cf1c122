"""Countersign: authd and registrars, from a bench build, with the audit log on."""

import json
import os
import secrets
import urllib.request

import process
from server import DOMAIN, Server

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))

AUTHD = """\
listen: {{ socket: {folder}/auth.sock, users: ["{uid}"], signers: ["{uid}"] }}
redis: {{ socket: {redis} }}
nonce_key_file: {folder}/nonce.key
seal_key_file: {folder}/seal.key
http: {{ listen: "127.0.0.1:{rest}", admin_token_file: {folder}/admin.token }}
audit: {{ file: {folder}/audit.log }}
log: {{ level: warn }}
realms:
  - {{ name: {domain}, verifiers: [{algorithm}] }}
peer_groups:
  - name: phones
    match: {{ domain: [{domain}] }}
    require: {{ all_of: [digest] }}
    digest: {{ realm: {domain}, algorithms: [{algorithm}], nc: shared, nonce_lifetime: 5m }}
    expires: {{ min: 60s, max: 1h }}
"""

REGISTRAR = """\
node: {node}
workers: {workers}
log: {{ level: warn }}
authd: {{ socket: {folder}/auth.sock }}
redis: {{ socket: {redis} }}
http: {{ listen: "127.0.0.1:{health}" }}
domains: [{domain}]
listeners:
  - {{ name: udp, transport: udp, address: "127.0.0.1:{port}" }}
"""

# How registrars and workers reach each other's phones.
LINKS = {
    None: "",
    "unix": "flow_key_file: {folder}/flow.key\nlink: {{ directory: {folder} }}\n",
    "tls": """\
flow_key_file: {folder}/flow.key
link:
  listen: "127.0.0.1:{link}"
  certificate_file: {folder}/{node}.crt
  key_file: {folder}/{node}.key
  ca_file: {folder}/ca.crt
""",
}


def build(folder, targets):
    """The bench build: release flags, with the load generators. Returns its folder."""
    folder = folder or os.path.join(SOURCE, "build", "bench")
    process.run(["cmake", "--preset", "bench", "-B", folder], cwd=SOURCE)
    process.run(["cmake", "--build", folder, "--target", *targets], cwd=SOURCE)
    return folder


def version():
    try:
        return process.run(["git", "describe", "--always", "--dirty"], cwd=SOURCE).decode().strip()
    except (process.Failure, OSError):
        return "unknown"


class Countersign(Server):
    name = "countersign"
    title = "Countersign"
    location_keys = "cs:loc:*"
    build = ""  # folder of the build, set once
    nodes = ("registrar",)
    workers = 1
    link = None
    listeners = more = ""  # what is in the registrar's configuration besides
    policy = ""  # and in authd's

    def __init__(self, *args):
        super().__init__(*args)
        self.ports = {node: self.port if node == self.nodes[0] else process.free_port()
                      for node in self.nodes}

    def program(self, *names):
        return os.path.join(self.build, *names)

    def values(self):
        """What fills in listeners and more."""
        return {}

    def launch_authd(self, config):
        """authd with its users; returns what fills in a configuration."""
        rest = process.free_port()
        values = {"folder": self.folder, "redis": self.redis.socket, "domain": DOMAIN, "rest": rest,
                  "algorithm": self.algorithm, "uid": os.getuid(), "workers": self.workers}
        self.write("nonce.key", secrets.token_hex(32) + "\n")
        self.write("seal.key", secrets.token_hex(32) + "\n")
        self.write("admin.token", secrets.token_hex(32) + "\n")
        authd = self.write("authd.yaml", config.format(**values))
        self.spawn("authd", [self.program("authd", "authd"), "--config", authd],
                   lambda: is_ready(rest))
        self.provision(rest)
        return values

    def launch(self):
        values = self.launch_authd(AUTHD + self.policy)
        if self.link == "tls":
            self.certify()
        for node, port in self.ports.items():
            self.launch_registrar(node, {**values, "node": node, "port": port})

    def launch_registrar(self, node, values):
        health = process.free_port(self.workers)
        text = REGISTRAR + self.listeners + LINKS[self.link] + self.more
        config = self.write(node + ".yaml", text.format(
            **values, health=health, link=process.free_port(), **self.values()))
        self.spawn(node, [self.program("registrar", "registrar"), "--config", config],
                   lambda: all(is_ready(health + i) for i in range(self.workers)))

    def certify(self):
        """A certificate of one authority for each registrar."""
        new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-days", "2"]
        process.run([*new, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=bench"],
                    cwd=self.folder)
        for node in self.nodes:
            process.run([*new, "-keyout", f"{node}.key", "-out", f"{node}.crt", "-subj",
                         f"/CN={node}", "-addext", f"subjectAltName=DNS:{node}", "-CA", "ca.crt",
                         "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"],
                        cwd=self.folder)

    def parts(self):
        """Its workers apart from each other."""
        parts = super().parts()
        for what, child in self.processes:
            if self.workers > 1 and what in self.nodes:
                workers = sorted(set(process.with_children(child.pid)) - {child.pid})
                parts[child.pid] = "supervisor"
                parts.update({pid: f"worker {i}" for i, pid in enumerate(workers, 1)})
        return parts

    def provision(self, rest):
        lines = (json.dumps({"user": name, "realm": DOMAIN, "password": password})
                 for name, password in self.users)
        users = self.write("users.jsonl", "\n".join(lines) + "\n")
        process.run([self.program("common", "tools", "csctl"), "user", "import", users],
                    env=self.environment(rest))

    def environment(self, rest):
        """By which csctl finds authd."""
        return {**os.environ, "CSCTL_URL": f"http://127.0.0.1:{rest}", "CSCTL_TOKEN_FILE": self.path("admin.token")}


def is_ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False
