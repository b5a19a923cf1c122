"""What it costs to reach a phone that another registrar holds."""

import statistics
import time

import report
from bench import Bench
from countersign import Countersign
from load import Load
from process import Failure
from server import DOMAIN

RATE = 2000  # messages a second, open loop
INFLIGHT = 64


class Unix(Countersign):
    name = "hop-unix"
    nodes = ("caller", "callee")
    link = "unix"
    more = "limits: {{ transactions: 1000000 }}\n"  # those of five seconds


class Tls(Unix):
    name = "hop-tls"
    link = "tls"


class At(Load):
    """Messages to phones at one of the registrars."""

    def __init__(self, load, node):
        super().__init__(load.program, load.users_file, load.algorithm)
        self.node = node

    def __call__(self, server, *options, **more):
        there = f"127.0.0.1:{server.ports[self.node]}"
        return super().__call__(server, "-m", "message", "-c", there, *options, **more)


class Hop(Bench):
    def meet(self, run, server):
        """Waits until the registrars know each other, which takes them a second or two."""
        deadline = time.monotonic() + 15
        while run(server, "-n", 2, "-w", 0, "-t", 0.1)["wrong"]:
            if time.monotonic() > deadline:
                raise Failure(f"{server.name}: no message reaches the other registrar")

    def run(self):
        good, _, users = self.users(self.o.users)
        run = Load(self.program, good, self.o.algorithm)
        here, there = At(run, "caller"), At(run, "callee")
        unix, tls = (c(self.work, users, self.o.algorithm) for c in (Unix, Tls))
        self.ways = [("the same registrar", unix, here, "same"),
                     ("another, Unix link", unix, there, "other"),
                     ("another, TLS link", tls, there, "other")]
        closed = ("-w", min(1, self.o.seconds / 4), "-i", INFLIGHT)
        with self.serving([unix, tls], run):
            for server in (unix, tls):
                self.meet(there, server)
            for number in range(1, self.o.rounds + 1):
                ways = self.in_turn(number, self.ways)
                for load, options in (("full", ()), ("steady", ("-r", RATE))):
                    for _, server, way, metric in ways:
                        self.measure(way, number, server, f"{load}-{metric}", *closed, *options)

    def rows(self, load, title):
        base = self.of(self.ways[0][1], f"{load}-same")
        for name, server, _, metric in self.ways:
            metric = f"{load}-{metric}"
            runs = self.of(server, metric)
            more = report.spread(r["cpu_us_per_op"] - base[n]["cpu_us_per_op"]
                                 for n, r in runs.items())
            yield [name, title, *(f"{self.part(server, metric, what):.1f}"
                                  for what in ("caller", "callee", "authd", "redis")),
                   report.show(report.spread(r["cpu_us_per_op"] for r in runs.values())),
                   "-" if metric.endswith("same") else report.show(more)]

    def report(self):
        rate = statistics.median(r["ops_per_s"] for r in self.of(self.ways[0][1], "full-same").values())
        body = [*self.rows("full", f"{INFLIGHT} in flight"), *self.rows("steady", f"{RATE:,}/s")]
        return {"tables": [(["the phone is at", "load", "caller's registrar, µs",
                             "the other one, µs", "authd, µs", "Redis, µs", "all, µs",
                             "more than at the same, µs"], body)],
                "notes": [f"CPU for one MESSAGE between registered phones of {DOMAIN}: 407, MESSAGE "
                          "with digest, passed on, answered 200 by the phone. With 64 in flight "
                          f"{rate:,.0f} a second passed within one registrar."]}
