"""What every server under test has in common."""

import os

import process
from redis import Redis

DOMAIN = "bench.example"


class Server:
    """One setup of one registrar. A subclass says how it starts and how users get into it."""

    name = ""  # on the command line
    title = ""  # in tables
    uses_redis = True
    location_keys = ""  # pattern of the Redis keys that hold bindings

    def __init__(self, work, users, algorithm):
        """users: list of (name, password)."""
        self.folder = os.path.join(work, self.name)
        self.users = users
        self.algorithm = algorithm
        self.port = process.free_port()
        self.processes = []
        self.redis = None

    def address(self, transport="udp"):
        """Where this is spoken; most speak UDP alone."""
        return f"127.0.0.1:{self.port}"

    def start(self):
        os.makedirs(self.folder)
        if self.uses_redis:
            self.redis = Redis(os.path.join(self.folder, "redis"))
        self.launch()

    def launch(self):
        raise NotImplementedError

    def spawn(self, what, argv, ready):
        log = os.path.join(self.folder, what + ".log")
        child = process.start(argv, log)
        self.processes.append((what, child))
        process.wait_for(ready, child, log, f"{self.name}: {what}")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text, mode=0o600):
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as f:
            f.write(text)
        return self.path(name)

    def parts(self):
        """Which program each process is, Redis among them."""
        parts = {pid: what for what, child in self.processes
                 for pid in process.with_children(child.pid)}
        if self.redis:
            parts[self.redis.process.pid] = "redis"
        return parts

    def memory(self):
        """Bytes of each of its programs, Redis aside."""
        return {what: process.memory(process.with_children(child.pid))
                for what, child in self.processes}

    def stop(self):
        for _, child in reversed(self.processes):
            process.stop(child)
        self.processes = []
        if self.redis:
            self.redis.stop()
            self.redis = None
