"""Phones that register again and again while Redis fails over, and what became of their bindings."""
import json
import os
import sys

LIB = os.path.dirname(os.path.realpath(__file__))
PHONES, RATE, PASSWORD = 60, 120, "correct-horse-battery"


def add_phones(world):
    """The users of two loads, u and v."""
    lines = "user,password\n" + "".join(f"{p}{i},{PASSWORD}\n" for p in "uv" for i in range(PHONES))
    code, out, err = world.csctl("user", "import", "-", stdin=lines)
    assert code == 0, out + err


class Load:
    """Phones of their own that register again and again."""

    def __init__(self, world, name, prefix):
        self.world, self.name, self.log = world, name, world.path(f"{name}.json")
        world.start(name, sys.executable, os.path.join(LIB, "phones.py"), "%s:%d" % world.sip, world.domain,
                    PASSWORD, str(PHONES), str(RATE), self.log, prefix)

    def answers(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as f:
            return [json.loads(line) for line in f.read().split("\n")[:-1]] # the last is being written

    def answered(self, status, **bounds):
        after, before = bounds.get("after", 0), bounds.get("before", float("inf"))
        return [a for a in self.answers() if a["status"] in status and a["credentials"]
                and a["sent"] > after and a["got"] < before]

    def stop(self):
        assert self.world.stop(self.name) == 0


def acknowledged_and_lost(world, phones):
    """Of each phone what was acknowledged last has to be there, or what it sent later."""
    code, out, err = world.csctl("bindings", "-o", "json")
    assert code == 0, err
    there = {}
    for binding in json.loads(out):
        if not binding["call_id"].endswith("@phones"): # another scenario's
            continue
        user, n = binding["aor"].split(":")[1].split("@")[0], int(binding["call_id"].split("-")[0])
        there[user] = max(n, there.get(user, 0))
    acknowledged = {}
    for a in phones.answered([200]):
        acknowledged[a["user"]] = max(a["n"], acknowledged.get(a["user"], 0))
    assert len(acknowledged) == PHONES
    return [user for user, n in acknowledged.items() if there.get(user, 0) < n]
