"""Registers desk phones of Cisco at one b2bua, has some of them call each other, and prints what a phone costs."""

import argparse
import contextlib
import http.client
import json
import os
import resource
import statistics
import subprocess
import sys
import time

import bench
import load
import process
import report
import streams
from bridge import HOST, OFFICE, Office
from countersign import version
from handsets import HOST as HANDSETS
from handsets import Crowd
from server import DOMAIN
from sipp import Lines

PHONES, CALLS, RATE = 1000, 100, 20  # calls a second
KEEPALIVE = 30  # seconds, as b2bua has it
SAMPLES = 5  # seconds at least, of what little an idle phone costs
FILES = 16384
STRANGERS = 10000  # who never register

GROUP = """peer_groups:
  - name: desks
    match: {{ listener: [desks], transport: [sccp], source: [%s/32] }}
    require: {{ all_of: [address] }}
""" % HANDSETS

SCCP = f"""
sccp:
  listeners: [ {{{{ name: desks, address: "{HOST}:{{sccp}}" }}}} ]
  keepalive: {KEEPALIVE}s
  unregistered: 100000
  unregistered_of_source: 100000
  register_within: 10m
"""


class Desks(Office):
    """Registrar, authd, b2bua and Redis, and a device for each of the users."""

    office = OFFICE.replace("entries: [ ", "entries: [ {{ pattern: \"1T\", to: [ {{ line: \"{{called}}\" }} ] }}, ") + SCCP
    trunk = f"{streams.CALLEE}:5060"  # whom nobody calls
    trunk_password = "correct-horse-trunk"

    def launch_authd(self, config):
        values = super().launch_authd(config.replace("peer_groups:\n", GROUP, 1))
        values["sccp"] = self.sccp = process.free_port()
        connection = http.client.HTTPConnection("127.0.0.1", values["rest"])
        with open(self.path("admin.token"), encoding="ascii") as f:
            head = {"Authorization": f"Bearer {f.read().strip()}", "Content-Type": "application/json"}
        for i, (name, _) in enumerate(self.users):
            connection.request("POST", "/v1/devices", json.dumps(
                {"device": device(i), "lines": [f"{name}@{DOMAIN}"]}), head)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 201:
                raise process.Failure(f"device {device(i)}: {answer.status} {said.decode()}")
        connection.close()
        return values


def device(i):
    return f"SEP{i:012X}"


class Sccp(bench.Bench):
    def __init__(self, options, work):
        super().__init__(options, work)
        users = [(f"{10000 + i}", f"correct-horse-{i:05}") for i in range(options.phones)]
        self.server = Desks(work, users, "MD5")
        self.registering, self.memory = [], {}

    def used(self):
        """CPU time of each program, and of this one, in ns."""
        parts = self.server.parts()
        used = {"phones": time.process_time_ns()}
        for pid, what in parts.items():
            used[what] = used.get(what, 0) + process.cpu_ns(pid)
        return used

    @contextlib.contextmanager
    def costing(self, what, number, ops):
        """What each of so many is the dearer for."""
        before, begun = self.used(), time.monotonic()
        result = {"ops": ops, "latency_us": {"p50": 0, "p99": 0}}
        yield result
        result["seconds"] = time.monotonic() - begun
        result["ops_per_s"] = ops / result["seconds"]
        parts = {k: (v - before[k]) / 1000 / ops for k, v in self.used().items()}
        result["generator"] = parts.pop("phones")
        result["parts"], result["cpu_us_per_op"] = parts, sum(parts.values())
        self.record(result, number, self.server, what)

    @staticmethod
    def quantiles(seconds):
        took = sorted(1e6 * s for s in seconds)
        return {f"p{n}": Lines.quantile(took, n) for n in (50, 99)}

    def remember(self, when):
        self.memory[when] = {what: process.memory([pid]) for pid, what in self.server.parts().items()}

    def register(self):
        self.remember("nobody")
        with self.costing("register", 1, self.o.phones) as result:
            took = self.crowd.register()
            result["latency_us"] = self.quantiles(took)
        self.crowd.idle(2)
        self.remember("registered")

    def rest(self, number, metric="idle"):
        """Whoever is registered is idle."""
        with self.costing(metric, number, 1):
            self.crowd.idle(max(self.o.seconds, SAMPLES))

    def talk(self, number):
        n = self.o.calls
        phones, users = self.crowd.phones, self.server.users
        pairs = [(phones[i], phones[n + i], users[n + i][0]) for i in range(n)]
        with self.costing("set-up", number, n) as result:
            self.crowd.place(pairs, RATE)
            rings = [b.at["ring in"] - a.at["dialled"] for a, b, _ in pairs if "ring in" in b.at]
            speaks = [max(a.at["speaks"], b.at["speaks"]) - b.at["ring in"] for a, b, _ in pairs
                      if {"speaks"} <= a.at.keys() & b.at.keys()]
            result["latency_us"] = self.quantiles(rings)
            result["answered_us"] = self.quantiles(speaks)
        if len(speaks) != n:
            self.must(self.server, f"{n - len(speaks)} of {n} calls did not come about")
            return
        if number == 1:
            self.remember("talking")
        self.play(number, pairs)
        with self.costing("hang-up", number, n):
            self.crowd.hang_up(pairs)

    def play(self, number, pairs):
        path = os.path.join(self.work, f"streams-{number}")
        with open(path, "w", encoding="ascii") as f:
            f.writelines(f"{a.end.line()} {b.end.line()}\n" for a, b, _ in pairs)
        argv = [os.path.join(self.o.build, "tests", "bench", "mediaload"), "-a", f"{streams.CALLER}:{streams.FIRST}", "-b",
                f"{streams.CALLEE}:{streams.FIRST}", "-s", str(streams.SOCKETS), "-p", ",".join(map(str, self.server.parts())),
                "-t", str(self.o.seconds), "-w", "0.5", path]
        child = process.start_reading(argv)
        self.crowd.run(lambda: child.poll() is not None, self.o.seconds + 30)
        said, complained = child.communicate()
        if child.returncode not in (0, 1):
            raise process.Failure(f"mediaload: {complained}")
        result = load.Load.read(self.server, said, complained, child.returncode)
        result["lost_percent"] = 100 * result["lost"] / max(result["sent"], 1)
        if result["wrong"]:
            self.must(self.server, f"media: not what was sent: {result['errors']}")
        self.record(result, number, self.server, "media")

    def run(self):
        try:
            bench.say("starting countersign")
            self.server.start()
            self.crowd = Crowd((HOST, self.server.sccp), [device(i) for i in range(self.o.phones)], KEEPALIVE)
            self.rest(1, "empty")
            self.register()
            for number in range(1, self.o.rounds + 1):
                bench.say(f"round {number} of {self.o.rounds}")
                self.rest(number)
                self.talk(number)
            self.strangers()
            self.crowd.close()
        finally:
            self.server.stop()

    def strangers(self):
        """Connections beyond what is allowed where nothing is said: what they cost, and whom."""
        n, crowd = self.o.strangers, self.crowd
        said, answered = crowd.spoke, len(crowd.answers)
        self.remember("before")
        child = subprocess.Popen([sys.executable, "-B", os.path.join(os.path.dirname(__file__), "strangers.py"),
                                  f"{HOST}:{self.server.sccp}", str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            os.set_blocking(child.stdout.fileno(), False)
            crowd.run(lambda: child.poll() is not None or child.stdout.read(), 60)
            crowd.idle(KEEPALIVE)  # each of the phones once
            self.remember("crowded")
        finally:
            child.stdin.close()
            child.wait(60)
        crowd.idle(1)
        if crowd.spoke - said != len(crowd.answers) - answered:
            self.must(self.server, "a keepalive was not answered")
        self.answers = self.quantiles(crowd.answers[answered:]) | {"max": 1e6 * max(crowd.answers[answered:])}
        self.n_answers = crowd.spoke - said

    # ---- what is told ----

    def spread(self, metric, value):
        return report.spread(value(r) for r in self.of(self.server, metric).values())

    def row(self, what, metric, value=lambda r: r["cpu_us_per_op"], part=lambda r, us: us, digits=0):
        runs = list(self.of(self.server, metric).values())
        programs = ", ".join(f"{k} {statistics.median(part(r, r['parts'][k]) for r in runs):.{digits}f}"
                             for k in runs[0]["parts"])
        return [what, report.show(self.spread(metric, value), digits), programs,
                f"{statistics.median(part(r, r['generator']) for r in runs):.{digits}f}"]

    def rows(self):
        [empty] = self.of(self.server, "empty").values()
        def talking(r, us):
            return us * r["ops"] / r["seconds"] / self.o.calls / 1000
        yield self.row("a phone registers, µs", "register")
        for r in self.of(self.server, "idle").values():
            r["parts"] = {k: us / r["seconds"] - empty["parts"][k] / empty["seconds"] for k, us in r["parts"].items()}
            r["generator"] = r["generator"] / r["seconds"] - empty["generator"] / empty["seconds"]
        yield self.row(f"{self.o.phones:,} phones are idle for a second, µs", "idle", lambda r: sum(r["parts"].values()))
        yield self.row("a call is set up, µs", "set-up")
        yield self.row("a call is spoken for a second, ms", "media", lambda r: talking(r, r["cpu_us_per_op"]), talking, 2)
        yield self.row("a call is ended, µs", "hang-up")

    def times(self):
        for what, metric, key in (("a phone registers", "register", "latency_us"),
                                  ("dialled till the other rings", "set-up", "latency_us"),
                                  ("taken till both hear", "set-up", "answered_us"),
                                  ("a packet of media, longer on its way", "media", "latency_us")):
            yield [what, *(report.show(self.spread(metric, lambda r, n=n, key=key: r[key][n] / 1000), 2) for n in ("p50", "p99"))]

    def sizes(self):
        def each(later, before, n):
            return {k: (self.memory[later][k] - self.memory[before][k]) / n / 1024 for k in self.memory[later]}
        for what, later, before, n in (("a registered phone", "registered", "nobody", self.o.phones),
                                       ("a call", "talking", "registered", self.o.calls),
                                       ("a connection without a phone", "crowded", "before", self.o.strangers)):
            kb = each(later, before, n)
            yield [what, f"{sum(kb.values()):.1f}", ", ".join(f"{k} {v:.1f}" for k, v in kb.items())]

    def report(self):
        lost = max(r["lost_percent"] for r in self.of(self.server, "media").values())
        return {"memory": self.memory, "tables": [
            (["CPU", "all", "by program", "the phones' own"], list(self.rows())),
            (["time", "p50, ms", "p99, ms"], list(self.times())),
            (["memory", "all, kB", "by program"], list(self.sizes()))],
            "notes": [f"{self.o.phones:,} phones of version 17, one line each, keepalives every {KEEPALIVE} s; "
                      f"{self.o.calls} calls among them at once, {RATE} a second begun, G.711 without SRTP through b2bua; "
                      f"{lost:.3f} % of its packets were lost. The phones are a Python program of one thread, whose time, "
                      "a millisecond and more of each call, is in the times, and, but for media, which mediaload plays, in "
                      "the last column.",
                      f"While {self.o.strangers:,} connections were made and held on which nobody registered, the phones said "
                      f"{self.n_answers:,} keepalives: all were answered, half within {self.answers['p50'] / 1000:.2f} ms, 99 % within "
                      f"{self.answers['p99'] / 1000:.2f}, the last within {self.answers['max'] / 1000:.2f}."]}


def main():
    p = argparse.ArgumentParser(
        prog="sccp", description="Registers desk phones of Cisco at one b2bua and has some call each other: CPU time and "
        "memory for a phone that is idle and for one that talks, set-up times. Exit status 0 when every call went as it "
        "must; 1 when not; 2 when something could not run.")
    bench.add_options(p, seconds=10)
    p.add_argument("--phones", type=int, default=PHONES, metavar="N", help=f"how many ({PHONES})")
    p.add_argument("--calls", type=int, default=CALLS, metavar="N", help=f"at once ({CALLS})")
    p.add_argument("--strangers", type=int, default=STRANGERS, metavar="N",
                   help=f"connections at once on which nobody registers ({STRANGERS})")
    o = p.parse_args()
    if o.quick:
        o.rounds, o.seconds, o.phones, o.calls = 1, 1, min(o.phones, 100), min(o.calls, 20)
        o.strangers = min(o.strangers, 1000)
    if not 1 <= 2 * o.calls <= o.phones <= 4000:
        p.error("--phones: up to 4000, and two for each of --calls")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, most), most))
    return bench.main("sccp", o, Sccp, ["mediaload", "registrar", "b2bua", "authd", "csctl"], lambda: (
        f"Countersign {version()}."))


if __name__ == "__main__":
    sys.exit(main())
