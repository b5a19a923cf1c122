"""Measures registrars in turn, several times, and prints how they compare.

Every number is measured for all servers one after the other before the next number is, so that what
the machine does meanwhile falls on all of them; ratios are of runs in the same round."""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time

import countersign
import kamailio
import load
import process
import report
from redis import Redis

SERVERS = [countersign.Countersign, kamailio.ByHand, kamailio.DatabaseOnly, kamailio.InMemory,
           kamailio.WriteThrough]
USUAL = [s.name for s in SERVERS if s is not kamailio.WriteThrough]
INFLIGHT = 64
STEADY = 4000  # fresh exchanges a second, open loop


def read_options():
    names = [s.name for s in SERVERS]
    p = argparse.ArgumentParser(
        prog="register", description="Compares Countersign with Kamailio at REGISTER: CPU time, "
        "latency and memory, in turn and several times. Exit status 0 when everything ran and "
        "every answer was right, whatever the numbers; 1 when a server gave wrong answers; 2 when "
        "something could not run.")
    p.add_argument("--rounds", type=int, default=3, help="how many times (3)")
    p.add_argument("--seconds", type=float, default=4, help="length of each measurement (4)")
    p.add_argument("--quick", action="store_true",
                   help="one short round, to see that all of it works")
    p.add_argument("--only", metavar="NAME", action="append", choices=names,
                   help="may be repeated: " + ", ".join(names) + " (the last one is left out else)")
    p.add_argument("--users", type=int, default=10000, help="phones (10000)")
    p.add_argument("--bindings", type=int, default=100000, help="for the memory figure (100000)")
    p.add_argument("--algorithm", default="MD5", choices=kamailio.HASHES, help="digest (MD5)")
    p.add_argument("--appendfsync", default="no", choices=["no", "everysec", "always"],
                   help="of Redis, for all who use it (no: written before the answer, synced "
                   "later)")
    p.add_argument("--build", metavar="DIR", help="folder of the bench build (build/bench)")
    p.add_argument("--no-install", action="store_true", help="install no packages")
    p.add_argument("--keep", action="store_true",
                   help="keep the folder with logs and configurations")
    p.add_argument("-o", "--output", choices=["text", "json"], default="text")
    p.add_argument("--markdown", action="store_true", help="print the table as README has it")
    o = p.parse_args()
    if o.quick:
        o.rounds, o.seconds, o.bindings = 1, 1.5, min(o.bindings, 20000)
    return o


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    def __init__(self, options, work):
        self.o = options
        self.work = work
        self.wrong = []
        self.runs = []  # {"round", "server", "metric", and what the generator said}
        self.memory = {}
        self.program = os.path.join(options.build, "tests", "bench", "sipload")
        self.classes = [s for s in SERVERS if s.name in (options.only or USUAL)]

    def users(self, n):
        """A file of n phones, one of the same with wrong passwords, and the list."""
        text = process.run([self.program, "--print-users", "-n", n]).decode()
        good, bad = (os.path.join(self.work, f"{kind}-{n}.csv") for kind in ("users", "wrong"))
        with open(good, "w") as f:
            f.write(text)
        with open(bad, "w") as f:
            f.write(text.replace("\n", "-not\n"))
        return good, bad, [tuple(line.split(",")) for line in text.splitlines()]

    def must(self, server, complaint):
        if complaint:
            self.wrong.append(f"{server.name}: {complaint}")
            say(f"  WRONG: {server.name}: {complaint}")

    def measure(self, run, number, server, metric, *options):
        result = run(server, "-t", self.o.seconds, *options)
        self.runs.append({"round": number, "server": server.name, "metric": metric, **result})
        if result["wrong"]:
            self.must(server, f"{metric}: {result['errors']}, first {result['first_wrong']!r}")
        say(f"  {metric:7} {server.name:22} {result.get('cpu_us_per_op', 0):7.1f} us  "
            f"{result['ops_per_s']:8.0f}/s  p50 {result['latency_us']['p50'] / 1000:7.2f} ms  "
            f"p99 {result['latency_us']['p99'] / 1000:7.2f} ms  "
            + " ".join(f"{what} {us:.1f}" for what, us in result["parts"].items()))
        return result

    def round(self, run, number, servers):
        say(f"round {number} of {self.o.rounds}")
        order = servers if number % 2 else servers[::-1]
        closed = ("-w", min(1, self.o.seconds / 4), "-i", INFLIGHT)
        capacity = {}
        for server in order:
            result = self.measure(run, number, server, "fresh", "-m", "fresh", *closed)
            capacity[server] = result["ops_per_s"]
        for server in order:
            self.measure(run, number, server, "cached", "-m", "cached", *closed)
        for server in order:
            self.measure(run, number, server, "half", "-r", max(capacity[server] / 2, 1), *closed)
        for server in order:
            self.measure(run, number, server, "steady", "-r", STEADY, *closed)

    def speed(self):
        good, bad, users = self.users(self.o.users)
        run = load.Load(self.program, good, self.o.algorithm)
        folder = os.path.join(self.work, "speed")
        servers = [c(folder, users, self.o.algorithm) for c in self.classes]
        try:
            for server in servers:
                say(f"starting {server.name}")
                server.start()
                self.must(server, load.registers(run, server, self.o.users))
            for number in range(1, self.o.rounds + 1):
                self.round(run, number, servers)
            for server in servers:
                self.must(server, load.refuses(run, server, bad))
        finally:
            for server in servers:
                server.stop()

    def fill(self, server, run):
        """Bytes that a binding costs. Before, a few phones register as often as all will, so that
        what is kept for the traffic's sake (answers, nonce counts) is there already."""
        first = max(self.o.bindings // 20, 1)
        server.start()
        self.must(server, load.registers(run, server, first))
        traffic = run(server, "-n", first, "-w", 0, "-t", 0.5)
        run(server, "-n", first, "-w", 0, "-t",
            min(self.o.bindings / max(traffic["ops_per_s"], 1) + 0.1, 20))
        before = server.memory()
        redis = server.redis.used_memory() if server.redis else 0
        result = run(server, "-m", "fill")
        if result["wrong"]:
            self.must(server, f"fill: {result['errors']}, first {result['first_wrong']!r}")
        more = self.o.bindings - first
        after = server.memory()
        growth = {what: (after[what] - before[what]) / more for what in after}
        figures = {"server": sum(growth.values()), "server_parts": growth,
                   "server_total": sum(after.values())}
        if server.redis:
            figures["redis"] = (server.redis.used_memory() - redis) / more
            figures["record"] = server.redis.memory_of(server.location_keys) / self.o.bindings
        self.memory[server.name] = figures
        say(f"  memory  {server.name:22} {figures['server']:7.0f} B server  "
            f"{figures.get('redis', 0):7.0f} B redis, for each binding  "
            + " ".join(f"{what} {size:.0f}" for what, size in growth.items()))

    def fill_all(self):
        good, _, users = self.users(self.o.bindings)
        run = load.Load(self.program, good, self.o.algorithm)
        say(f"memory for {self.o.bindings} bindings")
        for c in self.classes:
            server = c(os.path.join(self.work, "memory"), users, self.o.algorithm)
            try:
                self.fill(server, run)
            finally:
                server.stop()


def main():
    o = read_options()
    work = tempfile.mkdtemp(prefix="register-bench-")
    try:
        say("building")
        o.build = countersign.build(o.build)
        countersign.Countersign.build = o.build
        Redis.appendfsync = o.appendfsync
        started = time.strftime("%Y-%m-%d %H:%M:%S %z")
        busy = report.busy_share()
        bench = Bench(o, work)
        bench.speed()
        bench.fill_all()
        result = {"started": started, "machine": report.machine(busy), "options": vars(o),
                  "versions": {"countersign": countersign.version(),
                               "kamailio": kamailio.version()},
                  "runs": bench.runs, "memory": bench.memory, "wrong": bench.wrong}
        result["summary"] = report.summary(result, [(c.name, c.title) for c in bench.classes])
        if o.output == "json":
            print(json.dumps(result, indent=2))
        else:
            print(report.markdown(result) if o.markdown else report.text(result))
        return 1 if bench.wrong else 0
    except process.Failure as e:
        say(f"register: {e}")
        o.keep = True
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        if o.keep:
            say(f"register: logs and configurations are in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
