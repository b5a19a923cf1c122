"""Countersign: authd and one registrar, from a bench build, with the audit log on."""

import json
import os
import secrets
import urllib.request

import process
from server import DOMAIN, Server

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))

AUTHD = """\
listen: {{ socket: {folder}/auth.sock, users: ["{uid}"] }}
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
node: bench
log: {{ level: warn }}
authd: {{ socket: {folder}/auth.sock }}
redis: {{ socket: {redis} }}
http: {{ listen: "127.0.0.1:{health}" }}
domains: [{domain}]
listeners:
  - {{ name: udp, transport: udp, address: "127.0.0.1:{port}" }}
"""


def build(folder):
    """The bench build: release flags, with the load generator. Returns its folder."""
    folder = folder or os.path.join(SOURCE, "build", "bench")
    process.run(["cmake", "--preset", "bench", "-B", folder], cwd=SOURCE)
    process.run(["cmake", "--build", folder, "--target", "sipload", "registrar", "authd", "csctl"],
                cwd=SOURCE)
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

    def program(self, *names):
        return os.path.join(self.build, *names)

    def launch(self):
        rest, health = process.free_port(), process.free_port()
        values = {"folder": self.folder, "redis": self.redis.socket, "domain": DOMAIN, "rest": rest,
                  "health": health, "port": self.port, "algorithm": self.algorithm,
                  "uid": os.getuid()}
        self.write("nonce.key", secrets.token_hex(32) + "\n")
        self.write("seal.key", secrets.token_hex(32) + "\n")
        self.write("admin.token", secrets.token_hex(32) + "\n")
        authd = self.write("authd.yaml", AUTHD.format(**values))
        registrar = self.write("registrar.yaml", REGISTRAR.format(**values))

        self.spawn("authd", [self.program("authd", "authd"), "--config", authd],
                   lambda: is_ready(rest))
        self.provision(rest)
        self.spawn("registrar", [self.program("registrar", "registrar"), "--config", registrar],
                   lambda: is_ready(health))

    def provision(self, rest):
        lines = (json.dumps({"user": name, "realm": DOMAIN, "password": password})
                 for name, password in self.users)
        users = self.write("users.jsonl", "\n".join(lines) + "\n")
        environment = {**os.environ, "CSCTL_URL": f"http://127.0.0.1:{rest}",
                       "CSCTL_TOKEN_FILE": self.path("admin.token")}
        process.run([self.program("common", "tools", "csctl"), "user", "import", users],
                    env=environment)


def is_ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False
