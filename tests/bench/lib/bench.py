"""What all benchmarks share: the phones, a measurement, its complaints."""

import contextlib
import json
import os
import shutil
import statistics
import sys
import tempfile
import time

import countersign
import load
import process
import report


def say(text):
    print(text, file=sys.stderr, flush=True)


def add_options(p, seconds):
    """What every benchmark takes."""
    p.add_argument("--rounds", type=int, default=3, help="how many times (3)")
    p.add_argument("--seconds", type=float, default=seconds,
                   help=f"length of each measurement ({seconds})")
    p.add_argument("--quick", action="store_true",
                   help="one short round, to see that all of it works")
    p.add_argument("--build", metavar="DIR", help="folder of the bench build (build/bench)")
    p.add_argument("--no-install", action="store_true", help="install no packages")
    p.add_argument("--keep", action="store_true",
                   help="keep the folder with logs and configurations")
    p.add_argument("-o", "--output", choices=["text", "json"], default="text")
    p.add_argument("--markdown", action="store_true", help="print the table as README has it")


class Bench:
    def __init__(self, options, work):
        self.o = options
        self.work = work
        self.wrong = []
        self.runs = []  # {"round", "server", "metric", and what the generator said}
        self.program = os.path.join(options.build, "tests", "bench", "sipload")

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

    @contextlib.contextmanager
    def serving(self, servers, run, users=None, *options):
        """All of them started, and found to be registrars."""
        try:
            for server in servers:
                say(f"starting {server.name}")
                server.start()
                self.must(server, load.registers(run, server, users or self.o.users, *options))
            yield
        finally:
            for server in servers:
                server.stop()

    def in_turn(self, number, servers):
        """The order of a round: who was first is last in the next."""
        say(f"round {number} of {self.o.rounds}")
        return servers if number % 2 else servers[::-1]

    def measure(self, run, number, server, metric, *options):
        result = run(server, "-t", self.o.seconds, *options)
        if result["wrong"]:
            self.must(server, f"{metric}: {result['errors']}, first {result['first_wrong']!r}")
        return self.record(result, number, server, metric)

    def record(self, result, number, server, metric):
        self.runs.append({"round": number, "server": server.name, "metric": metric, **result})
        say(f"  {metric:7} {server.name:22} {result.get('cpu_us_per_op', 0):7.1f} us  "
            f"{result['ops_per_s']:8.0f}/s  p50 {result['latency_us']['p50'] / 1000:7.2f} ms  "
            f"p99 {result['latency_us']['p99'] / 1000:7.2f} ms  "
            + " ".join(f"{what} {us:.1f}" for what, us in result["parts"].items()))
        return result

    def of(self, server, metric):
        """The runs of a server, by round."""
        return {r["round"]: r for r in self.runs
                if r["server"] == server.name and r["metric"] == metric}

    def part(self, server, metric, what, key="parts"):
        """The median of what one program used for an operation."""
        values = [r[key].get(what, 0) for r in self.of(server, metric).values()]
        return statistics.median(values) if values else 0


def main(name, o, kind, targets, about):
    """Builds, runs a Bench of this kind and prints what it reports; about() says of what and how."""
    work = tempfile.mkdtemp(prefix=f"{name}-bench-")
    try:
        say("building")
        o.build = countersign.build(o.build, targets)
        countersign.Countersign.build = o.build
        started = time.strftime("%Y-%m-%d %H:%M:%S %z")
        busy = report.busy_share()
        bench = kind(o, work)
        bench.run()
        result = {"started": started, "machine": report.machine(busy), "options": vars(o),
                  "about": about(), "runs": bench.runs, "wrong": bench.wrong, **bench.report()}
        if o.output == "json":
            print(json.dumps(result, indent=2))
        else:
            print(report.markdown(result) if o.markdown else report.text(result))
        return 1 if bench.wrong else 0
    except process.Failure as e:
        say(f"{name}: {e}")
        o.keep = True
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        if o.keep:
            say(f"{name}: logs and configurations are in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
