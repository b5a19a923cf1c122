"""One Redis and several nodes, each an authd and a registrar of its own, as one installation."""
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import threading
from urllib.parse import quote

from daemons import Daemons, free_port, wait_for
from world import World

AUTHD = """
listen: {{ socket: auth.sock, mode: "0600", users: ["{uid}"] }}
redis: {{ address: "127.0.0.1:{wire}", user: authd, password_file: {keys}/authd.password }}
nonce_key_file: {keys}/nonce.key
seal_key_file: {keys}/seal.key
http: {{ listen: "127.0.0.1:{rest}", admin_token_file: {keys}/admin.token }}
audit: {{ file: audit.log }}
realms: [ {{ name: {domain} }} ]
peer_groups:
  - {{ name: phones, digest: {{ realm: {domain}, attempts: 0 }}, expires: {{ min: 1s, max: 2h }}, max_contacts: 30 }}
"""

REGISTRAR = """
node: {name}
authd: {{ socket: auth.sock, deadline: 2s }}
redis: {{ socket: {redis}, user: registrar, password_file: {keys}/registrar.password }}
http: {{ listen: "127.0.0.1:{status}" }}
domains: [{domain}]
listeners:
  - {{ name: udp, transport: udp, address: "127.0.0.1:{sip}" }}
log: {{ level: debug }}
"""


class Wire:
    """The line between an authd and Redis: it can stall, and it can break."""

    def __init__(self, redis_socket):
        self.redis_socket = redis_socket
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = threading.Event()
        self.open.set()
        self.broken = False
        self.ends = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.broken:
                near.close()
                continue
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(self.redis_socket)
            except OSError:
                near.close()
                continue
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.ends |= {near, far}
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(a, b), daemon=True).start()

    def _carry(self, a, b):
        try:
            while data := a.recv(65536):
                self.open.wait()
                b.sendall(data)
        except OSError:
            pass
        for end in (a, b):
            self.ends.discard(end)
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def stall(self):
        """Bytes stay on the way until heal()."""
        self.open.clear()

    def cut(self):
        """Connections end, and new ones too, until heal()."""
        self.broken = True
        for end in list(self.ends):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def heal(self):
        self.broken = False
        self.open.set()

    def close(self):
        self.listener.close()
        self.open.set()
        self.cut()


class Node:
    """What a phone sees of one, and an operator."""

    def __init__(self, installation, name):
        self.installation, self.name = installation, name
        self.dir = installation.path(name)
        self.wire = Wire(installation.redis_socket)
        self.registrar_wire = Wire(installation.redis_socket)
        self.port, self.status = free_port(), free_port()
        self.sip = ("127.0.0.1", free_port())
        self.domain, self.passwords, self.phones = installation.domain, installation.passwords, []
        os.mkdir(self.dir)

    def start(self):
        keys = self.installation.dir
        words = dict(uid=os.getuid(), wire=self.wire.port, registrar_wire=self.registrar_wire.port, keys=keys,
                     rest=self.port, domain=self.domain, name=self.name, redis=self.installation.redis_socket, status=self.status, sip=self.sip[1])
        for daemon, text in (("authd", self.installation.authd), ("registrar", self.installation.registrar)):
            with open(os.path.join(self.dir, f"{daemon}.yaml"), "w", encoding="utf-8") as f:
                f.write(text.format(**words))
            self.run(daemon)

    def run(self, daemon):
        installation = self.installation
        installation.start(f"{self.name}.{daemon}", installation.binary(f"{daemon}/{daemon}"), "--config",
                           f"{daemon}.yaml", cwd=self.dir)
        wait_for(f"{self.name}.{daemon}", lambda: self.is_ready(daemon))

    def is_ready(self, daemon="authd"):
        try:
            return self._get(self.port if daemon == "authd" else self.status, "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    @staticmethod
    def _get(port, path):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            c.request("GET", path)
            r = c.getresponse()
            return r.status, r.read().decode()
        finally:
            c.close()

    def metric(self, name, daemon="registrar"):
        text = self._get(self.port if daemon == "authd" else self.status, "/metrics")[1]
        return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " "))

    def rest(self, method, target, body=None, want=200):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            c.request(method, target, body=None if body is None else json.dumps(body),
                      headers={"Authorization": f"Bearer {self.installation.token}",
                               "Content-Type": "application/json"})
            r = c.getresponse()
            data = r.read()
            assert r.status == want, f"{self.name}: {method} {target}: {r.status} {data[:300]!r}"
            return json.loads(data) if data else None
        finally:
            c.close()

    def bindings(self, aor):
        return self.rest("GET", f"/v1/bindings/{quote(aor, safe='')}")["bindings"]

    def pause(self, how, daemon="authd"):
        self.installation.processes[f"{self.name}.{daemon}"].send_signal(how)

    def log(self, daemon="authd"):
        with open(self.installation.path(f"{self.name}.{daemon}.log"), encoding="utf-8", errors="replace") as f:
            return f.read()


class Installation(Daemons):
    domain, authd, registrar = World.domain, AUTHD, REGISTRAR

    def __init__(self, build, names):
        super().__init__(build)
        self.passwords, self.count, self.names = {}, 0, names
        self.nodes = []

    def start(self, name, *argv, cwd=None):
        with open(self.path(f"{name}.log"), "ab") as log:
            self.processes[name] = subprocess.Popen(argv, stdout=log, stderr=log, cwd=cwd or self.dir)

    def start_all(self):
        self.start_redis()
        subprocess.run([self.binary("authd/authd"), "--make-keys", self.dir], check=True,
                       stdout=subprocess.DEVNULL)
        with open(self.path("admin.token"), encoding="utf-8") as f:
            self.token = f.read().strip()
        self.nodes = [Node(self, name) for name in self.names]
        for node in self.nodes:
            node.start()

    def user(self, *aors):
        """A new one with these AORs, or its own."""
        self.count += 1
        name = f"user{self.count:03}"
        self.passwords[name] = secrets.token_urlsafe(15)
        body = {"user": name, "realm": self.domain, "password": self.passwords[name]}
        if aors:
            body["aors"] = list(aors)
        self.nodes[0].rest("POST", "/v1/users", body, want=201)
        return name

    def close(self, keep):
        for node in self.nodes:
            for daemon in ("registrar", "authd"):
                if f"{node.name}.{daemon}" in self.processes:
                    node.pause(signal.SIGCONT, daemon)
            node.wire.heal()
            node.registrar_wire.heal()
        ends = {name: self.stop(name) for name in list(self.processes) if name != "redis"}
        for node in self.nodes:
            node.wire.close()
            node.registrar_wire.close()
        bad = {name: code for name, code in ends.items() if code}
        super().close(keep or bad)
        return bad
