"""One worker against several: throughput, and what each process uses of its core."""

import statistics

import cgroup
import report
from bench import Bench, say
from countersign import Countersign
from load import Load

SOCKETS = 64  # so that the kernel has what it can spread over workers
INFLIGHT = 4 * SOCKETS
SPEEDUP = 0.85  # of what N workers could do at best
CPU = 1.10  # at most, of what a REGISTER costs one worker's installation


def setup(n):
    """Countersign with n workers; all else is the same for any n."""
    return type("Workers", (Countersign,), {"name": f"workers-{n}", "title": str(n), "workers": n,
                                            "link": "unix"})


class Workers(Bench):
    def __init__(self, options, work):
        super().__init__(options, work)
        self.share = options.worker_share / 100
        self.note = None  # why there are no limited runs
        self.servers = []

    def pids(self):
        """Of all that works for phones."""
        return [pid for server in self.servers for pid, what in server.parts().items()
                if what.startswith(("worker", "registrar"))]

    def pair(self, run, number, limit):
        for mode in ("fresh", "cached"):
            for server in self.order:
                self.measure(run, number, server, mode + limit, "-m", mode, "-w",
                             min(1, self.o.seconds / 4), "-i", INFLIGHT, "-s", SOCKETS)

    def run(self):
        good, _, users = self.users(self.o.users)
        run = Load(self.program, good, self.o.algorithm)
        self.servers = [setup(n)(self.work, users, self.o.algorithm) for n in (1, self.o.workers)]
        with self.serving(self.servers, run):
            for number in range(1, self.o.rounds + 1):
                self.order = self.in_turn(number, self.servers)
                self.pair(run, number, "")
                try:
                    with cgroup.limited(self.pids(), self.share):
                        self.pair(run, number, "-limited")
                except cgroup.Unwritable as e:
                    self.note = f"No run with limited workers: {e}."
                    say(f"  {self.note}")

    def cell(self, server, metric, names):
        """What processes used for a REGISTER, and of a core."""
        rate = statistics.median(r["ops_per_s"] for r in self.of(server, metric).values())
        each = [self.part(server, metric, what) for what in names]
        return " + ".join(f"{us:.1f}" for us in each) + " µs, " + " + ".join(
            f"{us * rate / 1e6:.0%}" for us in each)

    def row(self, server, metric):
        runs = self.of(server, metric).values()
        rate = statistics.median(r["ops_per_s"] for r in runs)
        own = statistics.median(r["generator"] for r in runs)
        cpu = report.spread(r["cpu_us_per_op"] for r in runs)
        names = next(iter(runs))["parts"]
        front = sorted(what for what in names if what not in ("authd", "redis", "supervisor"))
        return [f"{self.share:.0%}" if "limited" in metric else "a core", metric.partition("-")[0],
                server.title, f"{rate:.0f}", report.show(cpu), self.cell(server, metric, front),
                self.cell(server, metric, ["authd"]), self.cell(server, metric, ["redis"]),
                f"{own:.1f} µs, {own * rate / 1e6:.0%}", f"{(cpu['median'] + own) * rate / 1e6:.2f}"]

    def targets(self):
        one, many = self.servers
        for mode in ("fresh", "cached"):
            ours, theirs = (self.of(s, mode + "-limited") for s in (many, one))
            for what, key, target, sign in (
                    ("throughput", "ops_per_s", SPEEDUP * self.o.workers, 1),
                    ("CPU for a REGISTER", "cpu_us_per_op", CPU, -1)):
                ratio = report.spread(ours[n][key] / theirs[n][key] for n in ours)
                yield [f"{what}, {mode}", report.show(ratio, 2),
                       f"at {'least' if sign > 0 else 'most'} {target:.2f}",
                       "yes" if sign * ratio["median"] >= sign * target else "no"]

    def report(self):
        limits = [""] if self.note else ["", "-limited"]
        rows = [self.row(server, mode + limit) for limit in limits
                for mode in ("fresh", "cached") for server in self.servers]
        tables = [(["a worker may use", "REGISTER", "workers", "a second", "CPU, all servers, µs",
                    "workers", "authd", "Redis", "generator", "cores in use"],
                   rows)]
        if not self.note:
            tables.append(([f"{self.o.workers} workers against one, {self.share:.0%} of a core "
                            "each", "measured", "target", "met"], list(self.targets())))
        notes = ["CPU for one REGISTER, and the share of a core that a process used meanwhile; "
                 f"{INFLIGHT} in flight over {SOCKETS} sockets. All of them together cannot use "
                 "more cores than there are, less what others use; with limited workers there is "
                 "room for authd, Redis and the generator."]
        return {"tables": tables, "notes": notes + ([self.note] if self.note else [])}
