"""A redis-server and an authd of the test's own, in a directory that goes with it."""
import http.client
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote, urlencode

from issuer import Issuer
import measured
from ports import free_port, free_ports

SKIPPED = 77
TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def wait_for(what, condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {seconds} s")


class Daemons:
    turn_more = "" # in section turn of authd's configuration

    def __init__(self, build):
        self.build = build
        self.dir = tempfile.mkdtemp(prefix="cs-rest-")
        self.port = free_port()
        self.processes = {}
        self.redis_socket = self.path("redis.sock")
        self.auth_socket = self.path("auth.sock")
        for tool in (self.binary("authd/authd"), self.binary("common/tools/csctl")):
            if not os.access(tool, os.X_OK):
                skip(f"{tool} is not built")
        if not shutil.which("redis-server"):
            skip("redis-server is not installed")

    def path(self, name):
        return os.path.join(self.dir, name)

    def binary(self, name):
        return os.path.join(self.build, name)

    def start(self, name, *argv):
        with open(self.path(f"{name}.log"), "ab") as log:
            self.processes[name] = subprocess.Popen(argv, stdout=log, stderr=log, cwd=self.dir)

    def measure(self):
        """What the daemons show now counts for tests/metrics, as it does when they end."""
        for process in self.processes.values():
            measured.keep(process)

    def stop(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name)
        measured.keep(process)
        process.send_signal(how)
        return process.wait(20)

    def start_redis(self):
        """Under its users: each daemon has its own (self.path("authd.password")), and we are operator."""
        subprocess.run([os.path.join(TOP, "deploy/redis/make-users"), self.dir], check=True)
        self.start("redis", "redis-server", "--port", "0", "--unixsocket", self.redis_socket,
                   "--appendonly", "yes", "--save", "", "--dir", self.dir,
                   "--aclfile", self.path("users.acl"))
        wait_for("redis", lambda: self.redis("PING").strip() == b"PONG")

    def redis(self, *argv, stdin=None, user="operator"):
        with open(self.path(f"{user}.password"), encoding="utf-8") as f:
            env = dict(os.environ, REDISCLI_AUTH=f.read().strip())
        done = subprocess.run(["redis-cli", "-s", self.redis_socket, "--user", user, *argv],
                              input=stdin, capture_output=True, check=False, env=env)
        return done.stdout

    def start_authd(self):
        authd = self.binary("authd/authd")
        subprocess.run([authd, "--make-keys", self.dir], check=True, stdout=subprocess.DEVNULL)
        self.issuer = Issuer(self.dir)
        with open(self.path("turn.secret"), "w", encoding="utf-8",
                  opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write("what coturn knows, too\n")
        for argv in (["init", "phones"], ["issue", "phones", "SEP001122334455", "--out", "phone"]):
            subprocess.run([self.binary("common/tools/csctl"), "ca", *argv], cwd=self.dir, check=True,
                           stdout=subprocess.DEVNULL)
        with open(self.path("authd.yaml"), "w", encoding="utf-8") as f:
            f.write(f"""
listen: {{ socket: {self.auth_socket}, mode: "0600", users: ["{os.getuid()}"], signers: ["{os.getuid()}"] }}
redis: {{ socket: {self.redis_socket}, user: authd, password_file: authd.password }}
nonce_key_file: nonce.key
seal_key_file: seal.key
http: {{ listen: "127.0.0.1:{self.port}", admin_token_file: admin.token }}
audit: {{ file: audit.log }}
realms:
  - {{ name: example.com }}
  - {{ name: other.example }}
token_issuers: [ {self.issuer.conf("example.com")} ]
turn: {{ token: {{ realm: example.com }}, secret_file: turn.secret, uris: ["turn:turn.example.com"] {self.turn_more} }}
exchange: {{ token: {{ realm: example.com }} }}
certificate_authorities:
  - {{ name: phones, ca_file: phones/ca.crt }}
peer_groups:
  - name: phones
    require: {{ all_of: [digest] }}
    digest: {{ realm: example.com }}
""")
        with open(self.path("admin.token"), encoding="utf-8") as f:
            self.token = f.read().strip()
        self.start("authd", authd, "--config", self.path("authd.yaml"))
        wait_for("authd", lambda: self.is_ready() or self.processes["authd"].poll() is not None)
        assert self.processes["authd"].poll() is None, open(self.path("authd.log")).read()

    def is_ready(self):
        try:
            return self.request("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def request(self, method, target, body=None, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            c.request(method, target, body=body, headers=headers or {})
            r = c.getresponse()
            return r.status, r.headers, r.read()
        finally:
            c.close()

    def csctl(self, *argv, stdin=None, token=True):
        """Exit code, standard output, standard error."""
        env = dict(os.environ, CSCTL_URL=f"http://127.0.0.1:{self.port}")
        env["CSCTL_TOKEN_FILE"] = self.path("admin.token") if token else ""
        done = subprocess.run([self.binary("common/tools/csctl"), *argv], env=env, input=stdin,
                              capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def csctl_at_terminal(self, argv, talk):
        """With a terminal of its own; talk is (what to wait for, what to type). What the terminal
        showed, and the exit code (negative: the signal)."""
        pid, fd = pty.fork()
        if pid == 0:
            os.environ["CSCTL_URL"] = f"http://127.0.0.1:{self.port}"
            os.environ["CSCTL_TOKEN_FILE"] = self.path("admin.token")
            tool = self.binary("common/tools/csctl")
            os.execv(tool, [tool, *argv])
        shown, script = "", list(talk)
        while True:
            if script and shown.endswith(script[0][0]):
                os.write(fd, script.pop(0)[1].encode())
            try:
                more = os.read(fd, 4096)
            except OSError: # the other end is closed
                more = b""
            if not more:
                break
            shown += more.decode()
        os.close(fd)
        return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def close(self, keep):
        for name in list(self.processes):
            self.stop(name)
        if keep:
            print(f"logs are in {self.dir}")
        else:
            shutil.rmtree(self.dir)


class Api:
    """Requests by template, each held against the contract."""

    def __init__(self, daemons, contract):
        self.daemons = daemons
        self.contract = contract

    def call(self, want, method, template, query=None, body=None, token=None, media=None,
             strict=True, **params):
        target = template
        for name, value in params.items():
            target = target.replace("{%s}" % name, quote(value, safe=""))
        query = query or {}
        headers = {}
        if token is None:
            token = self.daemons.token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            if want < 300 and strict:
                self.contract.check_request(method, template, media or "application/json", body)
            body = json.dumps(body).encode()
        if body is not None:
            headers["Content-Type"] = media or "application/json"
        if want < 300:
            self.contract.check_query(method, template, query)
        if query:
            target += "?" + urlencode(query)
        status, headers, data = self.daemons.request(method, target, body, headers)
        assert status == want, f"{method} {target}: {status}, not {want}: {data[:400]!r}"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        return self.contract.check_response(method, template, status, headers, data)
