"""Runs the load generator."""

import contextlib
import json
import subprocess

from process import Failure
from server import DOMAIN


class Load:
    def __init__(self, program, users_file, algorithm, transport="udp"):
        self.program = program
        self.users_file = users_file
        self.algorithm = algorithm
        self.transport = transport
        self.common = ["-d", DOMAIN, "-a", algorithm]
        if transport != "udp":
            self.common += ["-T", transport]

    def argv(self, server, *options, users_file=None):
        pids = ",".join(map(str, server.parts()))
        return [self.program, *self.common, "-u", users_file or self.users_file, "-p", pids,
                *map(str, options), server.address(self.transport)]

    def __call__(self, server, *options, **more):
        """What the generator measured; "wrong" tells whether an answer was not as it must be."""
        argv = self.argv(server, *options, **more)
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace")
        if done.returncode not in (0, 1):
            raise Failure(f"{' '.join(argv)}: {done.stderr.strip()}")
        return self.read(server, done.stdout, done.stderr, done.returncode)

    @staticmethod
    def read(server, said, complained, status):
        parts = server.parts()
        result = json.loads(said)
        ops = max(result["ops"], 1)
        # For an operation, by program: CPU us, and how often it was woken and preempted.
        kinds = {"parts": "us", "waits": "waits", "preempted": "preempted"}
        result.update({kind: {} for kind in kinds})
        for used in result.pop("cpu"):
            what = parts[used["pid"]]
            for kind, key in kinds.items():
                result[kind][what] = round(result[kind].get(what, 0) + used[key] / ops, 3)
        result["generator"] = result.pop("own_cpu_us") / ops
        result["wrong"] = status == 1 or result["ops"] == 0
        result["first_wrong"] = "".join(complained.splitlines(keepends=True)[1:2]).strip()
        return result

    @contextlib.contextmanager
    def holding(self, server, *options):
        """The connections of a run stay until the end of the with statement."""
        argv = self.argv(server, "--hold", *options)
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, errors="replace")
        said = ""
        for line in child.stdout:
            said += line
            if line == "}\n":
                break
        try:
            if not said:
                raise Failure(f"{' '.join(argv)}: {child.communicate()[1].strip()}")
            yield self.read(server, said, "", 0)
        finally:
            complained = child.communicate()[1]
        if child.returncode != 0:
            raise Failure(f"{' '.join(argv)}: connections were lost\n{complained}")


def registers(load, server, users, *options):
    """Registers so many phones once. None, or why this is not a registrar."""
    good = load(server, "-m", "fill", "-n", users, *options)
    if good["wrong"]:
        return f"does not register phones: {good['errors']}, first {good['first_wrong']!r}"
    return None


def refuses(load, server, wrong_passwords):
    """None, or why it is cheaper than it may be: a nonce count or a wrong password passes."""
    replay = load(server, "-m", "cached", "--repeat-nc", "-n", 100, "-w", 0, "-t", 0.3)
    refused = replay["errors"].get("refused", 0) + replay["stale"]
    if refused == 0 or replay["ops"] > 1.1 * refused + 100:
        return f"accepts a nonce count again: {replay['ops']} passed, {refused} were refused"
    bad = load(server, "-n", 20, "-w", 0, "-t", 0.2, users_file=wrong_passwords)
    if bad["ops"] > 0 or set(bad["errors"]) != {"refused"}:
        return f"does not refuse wrong passwords: {bad['ops']} passed, errors {bad['errors']}"
    return None
