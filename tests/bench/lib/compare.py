"""Measures registrars in turn, several times, and prints how they compare.

Every number is measured for all servers one after the other before the next number is, so that what
the machine does meanwhile falls on all of them; ratios are of runs in the same round."""

import argparse
import os
import sys

import bench
import cgroup
import countersign
import kamailio
import load
import peers
from anatomy import Anatomy
from bench import Bench, say
from hop import Hop
from redis import Redis
from scale import FEW, Scale
from workers import Workers

SERVERS = [countersign.Countersign, kamailio.ByHand, kamailio.DatabaseOnly, kamailio.InMemory,
           kamailio.WriteThrough]
USUAL = [s.name for s in SERVERS if s is not kamailio.WriteThrough]
INFLIGHT = 64
STEADY = 4000  # fresh exchanges a second, open loop


def read_options():
    names = [s.name for s in SERVERS]
    p = argparse.ArgumentParser(
        prog="register", description="Compares Countersign with Kamailio at REGISTER: CPU time, "
        "latency and memory, in turn and several times; or, by --workers, --hop, --anatomy or "
        "--scale, measures one thing about Countersign. Exit status 0 when everything ran and "
        "every answer was right, whatever the numbers; 1 when a server gave wrong answers; 2 when "
        "something could not run.")
    instead = p.add_mutually_exclusive_group()
    instead.add_argument("--workers", type=int, metavar="N",
                         help="compare one worker with N: throughput, and what each process uses")
    instead.add_argument("--hop", action="store_true",
                         help="what a MESSAGE costs to a phone of another registrar")
    instead.add_argument("--anatomy", action="store_true",
                         help="CPU, context switches and system calls of each process for one "
                         "REGISTER, of Countersign and of Kamailio with hand-written Redis")
    instead.add_argument("--scale", type=int, metavar="N", nargs="?", const=1000000,
                         help="compare 10,000 bindings with N (1000000): what a REGISTER costs")
    p.add_argument("--worker-share", type=float, default=20, metavar="PERCENT",
                   help="of a core that each worker may use in the limited runs of --workers (20)")
    bench.add_options(p, seconds=4)
    p.add_argument("--only", metavar="NAME", action="append", choices=names,
                   help="may be repeated: " + ", ".join(names) + " (the last one is left out else)")
    p.add_argument("--users", type=int, default=10000, help="phones (10000)")
    p.add_argument("--bindings", type=int, default=100000, help="for the memory figure (100000)")
    p.add_argument("--algorithm", default="MD5", choices=kamailio.HASHES, help="digest (MD5)")
    p.add_argument("--appendfsync", default="no", choices=["no", "everysec", "always"],
                   help="of Redis, for all who use it (no: written before the answer, synced "
                   "later)")
    o = p.parse_args()
    if o.workers is not None and not 2 <= o.workers <= 32:
        p.error("--workers: 2 to 32")
    if not 100 * cgroup.LEAST <= o.worker_share <= 100:
        p.error("--worker-share: 10 to 100")
    if o.scale is not None and o.scale < FEW:
        p.error(f"--scale: at least {FEW}")
    if o.quick:
        o.rounds, o.seconds, o.bindings = 1, 1.5, min(o.bindings, 20000)
    return o


class Comparison(Bench):
    def __init__(self, options, work):
        super().__init__(options, work)
        self.memory = {}
        self.classes = [s for s in SERVERS if s.name in (options.only or USUAL)]

    def round(self, run, number, servers):
        order = self.in_turn(number, servers)
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
        with self.serving(servers, run):
            for number in range(1, self.o.rounds + 1):
                self.round(run, number, servers)
            for server in servers:
                self.must(server, load.refuses(run, server, bad))

    def fill(self, server, run):
        """Bytes that a binding costs. Before, half of the phones register as often as all will, so
        that what is kept for the traffic's sake (answers, nonce counts) and caches of a fixed size
        are full already."""
        first = max(self.o.bindings // 2, 1)
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


    def run(self):
        self.speed()
        self.fill_all()

    def report(self):
        return peers.report(self, [(c.name, c.title) for c in self.classes])


def main():
    o = read_options()
    kind = Workers if o.workers else Hop if o.hop else Anatomy if o.anatomy else Scale if o.scale else Comparison
    Redis.appendfsync = o.appendfsync
    return bench.main("register", o, kind, ["sipload", "registrar", "authd", "csctl"], lambda: (
        f"Countersign {countersign.version()}, Kamailio {kamailio.version()}. "
        f"UDP, {o.algorithm}, {o.users} users; Redis writes an append-only file "
        f"(appendfsync {o.appendfsync}), Countersign its audit log."))


if __name__ == "__main__":
    sys.exit(main())
