"""Carries whole calls through Countersign and through Asterisk in turn, and prints how they compare."""

import argparse
import os
import sys
import time

import asterisk
import bench
import process
import report
import sipp
from asterisk import Asterisk
from bridge import Office
from countersign import version

RATES = [10, 50, 100]  # calls a second
HOLD = 1.0  # seconds that a call stands
STANDING = 200  # calls, for the memory figure
STANDING_RATE, STANDING_HOLD = 100, 12
LINES = 50
CPU, P99, MEMORY = 0.30, 1.0, 0.25  # of Asterisk's
SERVERS = [Office, Asterisk]


class Calls(bench.Bench):
    def __init__(self, options, work):
        super().__init__(options, work)
        users = [(f"line{i:03}", f"correct-horse-{i:03}") for i in range(LINES)]
        self.lines = sipp.Lines(work, users)
        self.servers = [s(work, users, "MD5") for s in SERVERS]
        self.memory = {}

    def place(self, number, server, rate, seconds):
        result = self.lines.measure(server, round(rate * seconds), rate, HOLD)
        metric = f"{rate}/s"
        if result["wrong"]:
            self.must(server, f"{metric}: calls failed: {result['errors']}")
        self.record(result, number, server, metric)

    @staticmethod
    def memory_of(server):
        """Bytes of each of its programs, Redis among them."""
        return {what: process.memory([pid]) for pid, what in server.parts().items()}

    def fill(self, server):
        """Bytes of all its programs before there was a call, and with so many."""
        before = self.memory_of(server)
        self.trunks[server].start(STANDING_HOLD)
        folder, child = self.lines.start(server, STANDING, STANDING_RATE, STANDING_HOLD)
        time.sleep(STANDING / STANDING_RATE + 2)
        up = self.memory_of(server)
        if child.wait() != 0:
            self.must(server, f"{STANDING} calls: {self.lines.errors(folder)}")
        self.memory[server.name] = {"idle": before, "up": up}
        growth = ", ".join(f"{what} {(up[what] - before[what]) / STANDING / 1e3:.1f}" for what in up)
        bench.say(f"  {STANDING} calls {server.name:12} {sum(up.values()) / 1e6:6.1f} MB; kB for each: {growth}")

    def run(self):
        self.trunks = {}
        try:
            for server in self.servers:
                trunk = self.trunks[server] = sipp.Trunk(os.path.join(self.work, f"trunk-{server.name}"))
                server.trunk, server.trunk_password = trunk.address, sipp.TRUNK_PASSWORD
                bench.say(f"starting {server.name}")
                server.start()
                self.fill(server)
                trunk.start(HOLD)
            for number in range(1, self.o.rounds + 1):
                order = self.in_turn(number, self.servers)
                for rate in self.o.rates:
                    for server in order:
                        self.place(number, server, rate, self.o.seconds)
        finally:
            for server in self.servers:
                server.stop()
            for trunk in self.trunks.values():
                trunk.stop()

    # ---- what is told ----

    def spread(self, server, rate, value):
        return report.spread(value(r) for r in self.of(server, f"{rate}/s").values())

    def ratio(self, rate, value):
        ours, theirs = (self.of(s, f"{rate}/s") for s in self.servers)
        return report.spread(value(ours[n]) / max(value(theirs[n]), 1e-9) for n in ours)

    def rows(self):
        for rate in self.o.rates:
            for server in self.servers:
                metric = f"{rate}/s"
                names = next(iter(self.of(server, metric).values()))["parts"]
                yield [f"{rate}", server.title, report.show(self.spread(server, rate, cpu), 2),
                       ", ".join(f"{what} {self.part(server, metric, what) / 1000:.2f}" for what in names),
                       report.show(self.spread(server, rate, p50), 1), report.show(self.spread(server, rate, p99), 1)]

    def targets(self):
        for rate in self.o.rates:
            for what, value, most in (("CPU for a call", cpu, CPU), ("p99 of set-up", p99, P99)):
                yield self.target(f"{what}, {rate} calls a second", self.ratio(rate, value), most)
        for what, of in ((f"memory with {STANDING} calls up", 1), (f"memory that {STANDING} calls add", 2)):
            ours, theirs = (self.sizes(s)[of] for s in self.servers)
            yield self.target(what, report.spread([ours / max(theirs, 1)]), MEMORY)

    def sizes(self, server):
        """MB with no call and with many, and what these make of it."""
        idle, up = (sum(self.memory[server.name][when].values()) / 1e6 for when in ("idle", "up"))
        return idle, up, up - idle

    @staticmethod
    def target(what, ratio, most):
        return [what, report.show(ratio, 2), f"{most:.2f}", "yes" if ratio["median"] <= most else "no"]

    def report(self):
        memory = []
        for server in self.servers:
            idle, up, more = self.sizes(server)
            of_parts = self.memory[server.name]
            memory.append([server.title, f"{idle:.1f}", f"{up:.1f}", f"{more / STANDING * 1e3:.1f}", ", ".join(
                f"{what} {(of_parts['up'][what] - size) / STANDING / 1e3:.1f}"
                for what, size in of_parts["idle"].items())])
        return {"memory": self.memory, "tables": [
            (["calls a second", "server", "CPU for a call, ms", "by program", "set-up p50, ms", "set-up p99, ms"],
             list(self.rows())),
            (["memory", "no call, MB", f"{STANDING} calls up, MB", "for a call, kB", "by program"],
             memory),
            (["as a share of Asterisk's", "measured", "at most", "met"], list(self.targets()))],
            "notes": [f"A line that is challenged calls a number behind a trunk that challenges, for {HOLD:g} s: "
                      "17 messages of SIP, less a 100 where the 200 comes before that is due, and no media; the trunk "
                      "hangs up. CPU and memory of all processes of a server, Redis among them. "
                      "Set-up is from the first INVITE to the 200, sipp's own time on both sides in it. Countersign "
                      "writes its call records, its journal of calls and its audit log meanwhile, and Redis an "
                      "append-only file; Asterisk writes nothing."]}


def cpu(run):
    return run["cpu_us_per_op"] / 1000


def p50(run):
    return run["latency_us"]["p50"] / 1000


def p99(run):
    return run["latency_us"]["p99"] / 1000


def main():
    p = argparse.ArgumentParser(
        prog="call", description="Compares whole calls with Asterisk: CPU time, set-up time and memory, with sipp on both "
        "sides, in turn. Exit status 0 when every call went as it must, whatever the numbers; 1 when not; 2 when "
        "something could not run.")
    bench.add_options(p, seconds=10)
    p.add_argument("--rates", type=int, nargs="+", default=RATES, metavar="N",
                   help=f"calls a second ({' '.join(map(str, RATES))})")
    p.add_argument("--asterisk", metavar="DIR",
                   help="folder of the Debian that has it, made when there is none (build/asterisk)")
    o = p.parse_args()
    if not all(1 <= r <= 200 for r in o.rates):
        p.error("--rates: 1 to 200")
    if o.quick:
        o.rounds, o.seconds = 1, 2
    if os.getuid() != 0:
        p.error("root alone can run an Asterisk in another Debian")
    try:
        Asterisk.root = asterisk.system(o.asterisk)
    except process.Failure as e:
        bench.say(f"call: {e}")
        return 2
    return bench.main("call", o, Calls, ["registrar", "b2bua", "authd", "csctl"], lambda: (
        f"Countersign {version()}, Asterisk {Asterisk.version()}."))


if __name__ == "__main__":
    sys.exit(main())
