"""Runs the load generator."""

import json
import subprocess

from process import Failure
from server import DOMAIN


class Load:
    def __init__(self, program, users_file, algorithm):
        self.program = program
        self.users_file = users_file
        self.common = ["-d", DOMAIN, "-a", algorithm]

    def command(self, server, pids, options, users_file=None):
        return [self.program, *self.common, "-u", users_file or self.users_file, "-p", pids, *options,
                server.address()]

    def __call__(self, server, *options, **more):
        """What the generator measured; "wrong" tells whether an answer was not as it must be."""
        parts = server.parts()
        argv = self.command(server, ",".join(map(str, parts)), map(str, options), **more)
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace")
        if done.returncode not in (0, 1):
            raise Failure(f"{' '.join(argv)}: {done.stderr.strip()}")
        result = json.loads(done.stdout)
        ops = max(result["ops"], 1)
        # For an operation, by program: CPU us, and how often it was woken and preempted.
        kinds = {"parts": "us", "waits": "waits", "preempted": "preempted"}
        result.update({kind: {} for kind in kinds})
        for used in result.pop("cpu"):
            what = parts[used["pid"]]
            for kind, key in kinds.items():
                result[kind][what] = round(result[kind].get(what, 0) + used[key] / ops, 3)
        result["generator"] = result.pop("own_cpu_us") / ops
        result["wrong"] = done.returncode == 1 or result["ops"] == 0
        result["first_wrong"] = "".join(done.stderr.splitlines(keepends=True)[1:2]).strip()
        return result


def registers(load, server, users):
    """Registers so many phones once. None, or why this is not a registrar."""
    good = load(server, "-m", "fill", "-n", users)
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
