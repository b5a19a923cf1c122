"""Relays media through the b2bua and through rtpengine in turn, and prints how they compare."""

import argparse
import collections
import contextlib
import os
import resource
import statistics
import sys

import bench
import load
import report
import rtpengine
import streams
from bridge import Bridge
from countersign import version
from rtpengine import Rtpengine

# Suites of the two ends; no ratio: rtpengine hands one key on where both have one suite, and opens nothing.
Kind = collections.namedtuple("Kind", "name title caller callee ratio")
CM, GCM = "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"
KINDS = [Kind("rtp", "RTP to RTP", None, None, 0.70), Kind("rtp-srtp", "RTP to SRTP", None, CM, 0.68),
         Kind("srtp", "SRTP to SRTP", CM, GCM, 0.65), Kind("srtp-keys", "SRTP to SRTP, one suite", CM, CM, None)]
SERVERS = [Bridge, Rtpengine]
STREAMS = [100, 500, 1000, 1400, 2000]
COMPARED = (500, 1000)  # streams
LOSSLESS = 1400
LOST = 0.01  # percent, up to so many SRTP streams
MEMORY = 12  # kB for a stream
FILL = 0.5  # seconds
FILES = 65536  # four sockets for each stream of each kind


class Load(load.Load):
    """The generator, which plays the streams of one kind."""

    def __init__(self, program):
        self.program = program
        self.next = collections.Counter()  # sequence number, by file

    def argv(self, server, *options):
        *options, path = options
        return [self.program, "-a", f"{streams.CALLER}:{streams.FIRST}", "-b",
                f"{streams.CALLEE}:{streams.FIRST}", "-s", str(streams.SOCKETS), "-p",
                ",".join(map(str, server.parts())), "-f", str(self.next[path] + 1),
                *map(str, options), path]

    def __call__(self, server, path, *options):
        result = super().__call__(server, *options, path)
        self.next[path] = result["next"]
        result["lost_percent"] = 100 * result["lost"] / max(result["sent"], 1)
        return result


class Media(bench.Bench):
    def __init__(self, options, work):
        super().__init__(options, work)
        self.kinds = [k for k in KINDS if k.name in (options.only or [k.name for k in KINDS])]
        self.servers = [s(work, [("nobody", "calls-by-this-one")], "MD5") for s in SERVERS]
        self.files, self.memory = {}, {}

    @contextlib.contextmanager
    def apart(self):
        """Servers on a core of their own, where there are two."""
        all_cores = os.sched_getaffinity(0)
        one, *others = sorted(all_cores)
        try:
            os.sched_setaffinity(0, {others[0] if others else one})
            for server in self.servers:
                bench.say(f"starting {server.name}")
                server.start()
            os.sched_setaffinity(0, {one})
            yield
        finally:
            os.sched_setaffinity(0, all_cores)
            for server in self.servers:
                server.stop()

    def fill(self, run, server, kind):
        """Sets streams up, and lets each carry something; what they cost in memory."""
        n = max(self.o.streams)
        path = os.path.join(self.work, f"{server.name}-{kind.name}")
        before = server.memory()
        streams.connect(server, kind, n, path)
        run(server, path, "-t", FILL, "-w", 0)
        after = server.memory()
        self.files[server.name, kind.name] = path
        self.memory[server.name, kind.name] = kb = (sum(after.values()) - sum(before.values())) / n / 1024
        bench.say(f"  {kind.name:9} {server.name:12} {n} streams, {kb:5.1f} kB each")

    def play(self, run, number, server, kind, n):
        result = run(server, self.files[server.name, kind.name], "-n", str(n), "-t",
                     str(self.o.seconds), "-w", str(min(1, self.o.seconds / 4)), "-k", str(self.o.tick))
        metric = f"{kind.name}-{n}"
        self.runs.append({"round": number, "server": server.name, "metric": metric, **result})
        if result["wrong"]:
            self.must(server, f"{metric}: not what was sent: {result['errors']}")
        bench.say(f"  {metric:14} {server.name:12} {result.get('cpu_us_per_op', 0):6.2f} us  lost "
                  f"{result['lost_percent']:7.3f} %  p50 {result['latency_us']['p50'] / 1000:6.2f} ms  "
                  f"p99 {result['latency_us']['p99'] / 1000:7.2f} ms  generator "
                  f"{result['generator']:.1f} us, late {result['late_us'] / 1000:.1f} ms")

    def run(self):
        run = Load(os.path.join(self.o.build, "tests", "bench", "mediaload"))
        with self.apart():
            for kind in self.kinds:
                for server in self.servers:
                    self.fill(run, server, kind)
            for number in range(1, self.o.rounds + 1):
                order = self.in_turn(number, self.servers)
                for kind in self.kinds:
                    for n in self.o.streams:
                        for server in order:
                            self.play(run, number, server, kind, n)

    def spread(self, server, kind, n, value):
        return report.spread(map(value, self.of(server, f"{kind.name}-{n}").values()))

    def rows(self):
        for kind in self.kinds:
            for n in self.o.streams:
                for server in self.servers:
                    runs = self.of(server, f"{kind.name}-{n}").values()
                    yield [kind.title, f"{n:,}", server.title,
                           report.show(self.spread(server, kind, n, cpu), 2),
                           report.show(self.spread(server, kind, n, lambda r: r["lost_percent"]), 3),
                           report.show(self.spread(server, kind, n, p50), 2),
                           report.show(self.spread(server, kind, n, p99), 2),
                           f"{statistics.median(r['cpu_us'] / r['seconds'] for r in runs) / 1e6:.0%}",
                           f"{statistics.median(r['generator'] * r['ops_per_s'] for r in runs) / 1e6:.0%}"]

    def ratio(self, kind, n, value):
        ours, theirs = (self.of(s, f"{kind.name}-{n}") for s in self.servers)
        return report.spread(value(ours[i]) / max(value(theirs[i]), 1e-9) for i in ours)

    def targets(self):
        for kind in self.kinds:
            for n in (n for n in COMPARED if n in self.o.streams):
                for what, value, target in [("CPU", cpu, kind.ratio)] * bool(kind.ratio) + [
                        ("p99 of added latency", p99, 1.0)]:
                    ratio = self.ratio(kind, n, value)
                    yield self.target(f"{what}, {kind.title}, {n:,} streams, as a share of rtpengine's",
                                      ratio, 2, target)
            for n in (n for n in self.o.streams if n <= LOSSLESS and kind.callee):
                lost = self.spread(self.servers[0], kind, n, lambda r: r["lost_percent"])
                yield self.target(f"lost, {kind.title}, {n:,} streams, %", lost, 3, LOST)
            kb = self.memory[self.servers[0].name, kind.name]
            yield self.target(f"memory for a stream, {kind.title}, kB", report.spread([kb]), 1, MEMORY)

    @staticmethod
    def target(what, value, digits, most):
        return [what, report.show(value, digits), f"{most:.{digits}f}",
                "yes" if value["median"] <= most else "no"]

    def report(self):
        memory = [[kind.title, *(f"{self.memory[s.name, kind.name]:.1f}" for s in self.servers)]
                  for kind in self.kinds]
        return {"memory": {"/".join(k): v for k, v in self.memory.items()}, "tables": [
            (["media", "streams", "server", "CPU, µs", "lost, %", "p50, ms", "p99, ms",
              "of its core", "generator"], list(self.rows())),
            (["memory for a stream, kB", *(s.title for s in self.servers)], memory),
            (["", "measured", "at most", "met"], list(self.targets()))],
            "notes": [
                "CPU of the server for one packet; added latency from before a packet is sent until the "
                f"kernel has it at the other end. A stream is G.711 both ways, 2 x 50 packets a second; "
                f"what is due within {self.o.tick:g} ms is sent together. SRTP is {CM}, towards "
                f"{GCM} where both ends have it, or with other keys; there rtpengine has the ends use one key, and "
                "neither opens nor seals. One media thread each, on one core; the generator has "
                "another, and what it takes to deliver a packet to the server's socket is on its account; it "
                f"was {max(r['late_us'] for r in self.runs) / 1000:.0f} ms behind its pace at most.",
                "Memory is what all of the process takes for a stream: its call, SIP and caches included."]}


def cpu(run):
    return run.get("cpu_us_per_op", 0)


def p50(run):
    return run["latency_us"]["p50"] / 1000


def p99(run):
    return run["latency_us"]["p99"] / 1000


def main():
    names = [k.name for k in KINDS]
    p = argparse.ArgumentParser(
        prog="media", description="Compares the b2bua's media with rtpengine's in user space: CPU time, "
        "loss, latency and memory, on the same streams in turn. Exit status 0 when everything that came "
        "was what was sent, whatever the numbers; 1 when not; 2 when something could not run.")
    bench.add_options(p, seconds=4)
    p.set_defaults(rounds=5)
    p.add_argument("--only", metavar="KIND", action="append", choices=names,
                   help="may be repeated: " + ", ".join(names))
    p.add_argument("--streams", type=int, nargs="+", default=STREAMS, metavar="N",
                   help=f"how many ({' '.join(map(str, STREAMS))})")
    p.add_argument("--tick", type=float, default=0.5, metavar="MS",
                   help="what is due within it is sent together (0.5)")
    o = p.parse_args()
    if o.quick:
        o.rounds, o.seconds, o.streams = 1, 0.5, [n for n in o.streams if n <= 500][-2:] or [100]
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < FILES:
        with contextlib.suppress(ValueError, OSError):  # then a server says what it lacks
            resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    return bench.main("media", o, Media, ["mediaload", "b2bua", "authd", "csctl"], lambda: (
        f"Countersign {version()}, rtpengine {rtpengine.version()} in user space."))


if __name__ == "__main__":
    sys.exit(main())
