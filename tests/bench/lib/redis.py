"""A private redis-server: the same settings for everybody who is measured."""

import os
import shutil

import process


class Redis:
    appendfsync = "no"  # one setting for all: set once

    def __init__(self, folder):
        """Listens on a Unix socket, and on loopback TCP for who cannot use that."""
        self.folder = folder
        self.socket = os.path.join(folder, "redis.sock")
        self.port = process.free_port()
        os.makedirs(folder)
        log = os.path.join(folder, "redis.log")
        self.process = process.start(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--unixsocket",
             self.socket, "--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync",
             self.appendfsync, "--auto-aof-rewrite-percentage", "0", "--daemonize", "no",
             "--hash-max-listpack-value", "1024", "--hz", "5"], log,
            # redis-tools has the server's binary too, told apart by its name.
            executable=shutil.which("redis-server") or shutil.which("redis-check-rdb"))
        process.wait_for(lambda: os.path.exists(self.socket), self.process, log, "redis-server")

    def stop(self):
        process.stop(self.process)

    def cli(self, *args, text=""):
        return process.run(["redis-cli", "-s", self.socket, *args], input=text.encode()).decode()

    def load(self, commands):
        """Runs many commands, one of which is a list of words without spaces."""
        self.cli("--pipe", text="".join(" ".join(words) + "\r\n" for words in commands))

    def used_memory(self):
        for line in self.cli("info", "memory").splitlines():
            if line.startswith("used_memory:"):
                return int(line.partition(":")[2])
        raise process.Failure("redis-server does not tell its memory")

    def memory_of(self, pattern):
        """Bytes of all keys that match, as Redis counts them."""
        keys = self.cli("--scan", "--pattern", pattern).splitlines()
        sizes = self.cli(text="".join(f'memory usage "{key}" samples 0\n' for key in keys))
        return sum(int(size) for size in sizes.split())
