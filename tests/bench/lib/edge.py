"""TLS and WebSocket, Countersign beside Kamailio: handshakes, REGISTER on kept connections, memory of
idle ones. As in compare.py each number is measured for both before the next is; ratios are of runs in
the same round."""

import argparse
import os
import shutil
import statistics
import sys
import time

import bench
import countersign
import kamailio
import load
import process
import report
from flood import Flood

TRANSPORTS = {"tls": "TLS", "wss": "WSS"}
SOURCES = "127.1.0.0/24"  # so that ports suffice for connections that have ended a minute ago
INFLIGHT = 64
SHAKING = 16
KEPT = 2000  # connections, each with a phone
FEW = 100
TRIES = 10
SETTLE = 2  # seconds until what a connection's begin took is given back
SHARES = {"memory": 0.5, "register": 0.6}  # of Kamailio's, at most
HANDSHAKES = {(version, how): ("--tls", version, *(("--resume",) if how else ()))
              for version in ("1.3", "1.2") for how in ("", "resumed")}


def certify(folder):
    """The certificate that both show."""
    process.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-days", "2", "-keyout", "tls.key", "-out", "tls.crt", "-subj", "/CN=bench",
                 "-addext", "subjectAltName=DNS:localhost"], cwd=folder)


def cost_of(run):
    return run["cpu_us_per_op"]


def rate_of(run):
    return 1e6 / run["cpu_us_per_op"]


class Countersign(countersign.Countersign):
    listeners = """\
  - name: tls
    transport: tls
    address: "127.0.0.1:{tls}"
    tls: {{ certificates: [{{ certificate_file: {shown}/tls.crt, key_file: {shown}/tls.key }}] }}
  - name: wss
    transport: wss
    address: "127.0.0.1:{wss}"
    tls: {{ certificates: [{{ certificate_file: {shown}/tls.crt, key_file: {shown}/tls.key }}] }}
    websocket: {{ origins: [any] }}
"""
    more = "limits: {{ connections_per_address: 20000, first_message: 1m, strangers: 20000 }}\n"
    shown = ""  # folder of the certificate, set once

    def __init__(self, *args):
        super().__init__(*args)
        self.secure = {transport: process.free_port() for transport in TRANSPORTS}

    def values(self):
        return {"shown": self.shown, **self.secure}

    def address(self, transport="udp"):
        return f"127.0.0.1:{self.secure.get(transport, self.port)}"


class Kamailio(kamailio.ByHand):
    """With two children of TCP a REGISTER costs it less, as they share the way to Redis and back. But
    with OpenSSL 3 two crash sooner or later (https://github.com/kamailio/kamailio/issues/3791), of
    handshakes at once, and do not take each other's tickets."""
    name = "kamailio"
    title = "Kamailio"
    children = 1  # of TCP
    shared = 4096
    shown = ""

    def __init__(self, *args):
        super().__init__(*args)
        self.secure = process.free_port()
        self.defines = (*kamailio.ByHand.defines, "WITH_TLS", f'CERTIFICATE="{self.shown}/tls.crt"',
                        f'KEY="{self.shown}/tls.key"')
        self.options = ("-N", str(self.children), "-l", f"tls:127.0.0.1:{self.secure}")

    def address(self, transport="udp"):
        return f"127.0.0.1:{self.port if transport == 'udp' else self.secure}"


class Registering(Kamailio):
    children = 2


class Idle(Kamailio):
    allocator = "tlsf"  # takes least


class Edge(bench.Bench):
    def __init__(self, options, work):
        super().__init__(options, work)
        self.memory = {}  # (server, transport): bytes by program, for a connection
        Countersign.shown = Kamailio.shown = work
        certify(work)

    def started(self, run, server, act):
        """What act() returns of a server that was started for it; Kamailio again when it crashed."""
        for _ in range(TRIES):
            server.start()
            try:
                complaint = load.registers(run, server, FEW)
                if complaint:
                    raise process.Failure(f"{server.name}: {complaint}")
                return act()
            except process.Failure as e:
                if server is self.ours:
                    raise
                bench.say(f"  once more: {e}")
            finally:
                server.stop()
                shutil.rmtree(server.folder)
        raise process.Failure(f"{server.name}: crashed {TRIES} times in a row")

    def measure(self, run, number, server, metric, *options):
        def act():
            result = run(server, "-t", self.o.seconds, *options)
            if result["wrong"]:
                raise process.Failure(f"{server.name}: {metric}: {result['errors']}")
            return self.record(result, number, server, metric)

        if server is self.ours:
            return super().measure(run, number, server, metric, *options)
        return self.started(run, server, act)

    def shake(self, run, number, servers):
        for (version, how), options in HANDSHAKES.items():
            for server in servers:
                result = self.measure(run, number, server, f"handshake-{version}-{how}", "-m", "handshake",
                                      *options, "-i", SHAKING, "-w", 0.5, "-S", SOURCES)
                if how and result["resumed"] < 0.99 * result["ops"]:
                    self.must(server, f"resumes {result['resumed']} of {result['ops']} sessions")

    def register(self, over, number, servers):
        common = ("-n", min(KEPT, self.o.users), "-S", SOURCES, "-w", min(1, self.o.seconds / 4), "-i", INFLIGHT)
        for transport, run in over.items():
            for mode in ("fresh", "cached"):
                for server in servers:
                    self.measure(run, number, server, f"{mode}-{transport}", "-m", mode, *common)

    def weigh(self, server, run, transport):
        """Bytes that an idle connection costs. All phones have registered before, so that what is kept
        of them, and caches of a fixed size, are no part of it."""
        n = self.o.connections
        self.must(server, load.registers(load.Load(run.program, run.users_file, run.algorithm), server, n))
        time.sleep(SETTLE)
        before = server.memory()
        with run.holding(server, "-m", "fill", "-n", n, "-S", SOURCES) as filled:
            time.sleep(SETTLE)
            after = server.memory()
        if filled["errors"] or filled["lost"]:
            self.must(server, f"idle: {filled['errors']}, {filled['lost']} lost")
        self.memory[server.name, transport] = {what: (after[what] - before[what]) / n for what in after}
        bench.say(f"  memory  {server.name:22} {transport} "
                  + " ".join(f"{what} {size:.0f}" for what, size in self.memory[server.name, transport].items()))

    def run(self):
        good, _, users = self.users(max(self.o.users, self.o.connections))
        over = {t: load.Load(self.program, good, self.o.algorithm, t) for t in TRANSPORTS}
        setups = [c(self.work, users, self.o.algorithm) for c in (Countersign, Kamailio, Registering, Idle)]
        self.ours, shaking, registering, idle = setups
        kept = ("-s", FEW, "-S", SOURCES)
        with self.serving([self.ours], over["tls"], None, *kept):
            for number in range(1, self.o.rounds + 1):
                self.shake(over["tls"], number, self.in_turn(number, [self.ours, shaking]))
                self.register(over, number, [self.ours, registering][::1 if number % 2 else -1])
        bench.say(f"memory of {self.o.connections} idle connections")
        for transport, run in over.items():
            for server in (self.ours, idle):
                shutil.rmtree(server.folder, ignore_errors=True)
                self.started(run, server, lambda server=server, run=run: self.weigh(server, run, transport))

    def row(self, what, ours, theirs, target, most=True, digits=1):
        """Of figures by round."""
        ratio = report.spread(ours[n] / theirs[n] for n in ours)
        met = ratio["median"] <= target if most else ratio["median"] >= target
        return [what, *(report.show(report.spread(f.values()), digits) for f in (ours, theirs)), report.show(ratio, 2),
                f"{'at most' if most else 'at least'} {target:.2f}", "yes" if met else "no"]

    def figures(self, metric, key):
        return [{n: key(r) for n, r in self.of(server, metric).items()} for server in (Countersign, Kamailio)]

    def rows(self):
        for transport, name in TRANSPORTS.items():
            ours, theirs = ({1: sum(self.memory[s.name, transport].values())} for s in (Countersign, Kamailio))
            yield self.row(f"bytes of memory for an idle {name} connection", ours, theirs, SHARES["memory"], digits=0)
        for transport, name in TRANSPORTS.items():
            for mode in ("fresh", "cached"):
                yield self.row(f"CPU for a REGISTER over {name}, {mode}, µs", *self.figures(
                    f"{mode}-{transport}", cost_of), SHARES["register"])
        for version, how in HANDSHAKES:
            yield self.row(f"handshakes of TLS {version} for a second of CPU{', resumed' if how else ''}", *self.figures(
                f"handshake-{version}-{how}", rate_of), 1, most=False, digits=0)

    def parts(self):
        metrics = [(f"REGISTER over {name}, {mode}, µs", f"{mode}-{t}")
                   for t, name in TRANSPORTS.items() for mode in ("fresh", "cached")]
        metrics += [(f"handshake of TLS {version}{', resumed' if how else ''}, µs", f"handshake-{version}-{how}")
                    for version, how in HANDSHAKES]
        for what, metric in metrics:
            for server in (Countersign, Kamailio):
                runs = self.of(server, metric).values()
                names = next(iter(runs))["parts"]
                late = [statistics.median(r["latency_us"][p] for r in runs) / 1000 for p in ("p50", "p99")]
                yield [what, server.title, ", ".join(f"{part} {self.part(server, metric, part):.1f}" for part in names),
                       f"{statistics.median(r['ops_per_s'] for r in runs):,.0f}", *(f"{ms:.2f}" for ms in late)]

    def report(self):
        return {"memory": {" ".join(key): sizes for key, sizes in self.memory.items()},
                "tables": [(["", "Countersign", "Kamailio", "ratio", "target", "met"], list(self.rows())),
                           (["for one", "server", "CPU by program, µs", "a second", "p50, ms", "p99, ms"],
                            list(self.parts()))],
                "notes": [f"CPU of all server processes with Redis. REGISTER: {KEPT} kept connections, {INFLIGHT} in "
                          "flight, state in Redis on both sides (Kamailio by a hand-written pipeline). Handshake: with "
                          f"its connection, accepted and closed, {SHAKING} at a time; P-256 key, ECDHE on P-256, "
                          "AES-128-GCM; without a session cache, by tickets. Memory: private and shared, of "
                          f"{self.o.connections} phones that registered and are silent, each with a connection."]}


def main():
    p = argparse.ArgumentParser(
        prog="edge", description="Compares Countersign with Kamailio at TLS and WebSocket: handshakes, "
        "REGISTER on kept connections and memory of idle ones; or, by --flood, measures what a flood of one source "
        "costs others. Exit status 0 when everything ran and every answer was right, whatever the "
        "numbers; 1 when a server gave wrong answers; 2 when something could not run.")
    bench.add_options(p, seconds=4)
    p.add_argument("--flood", metavar="RATE", type=int, nargs="?", const=20000,
                   help="REGISTERs of others while one source sends so many INVITEs a second (20000)")
    p.add_argument("--users", type=int, default=10000, help="phones (10000)")
    p.add_argument("--connections", type=int, default=10000, help="that are idle, for the memory figure (10000)")
    p.add_argument("--algorithm", default="MD5", choices=kamailio.HASHES, help="digest (MD5)")
    o = p.parse_args()
    if o.quick:
        o.rounds, o.seconds, o.connections = 1, 1, min(o.connections, 1000)
    peer = "" if o.flood else f", Kamailio {kamailio.version()}"
    return bench.main("edge", o, Flood if o.flood else Edge, ["sipload", "registrar", "authd", "csctl"], lambda: (
        f"Countersign {countersign.version()}{peer}. {o.algorithm}, {o.users} users; Redis writes an append-only file "
        "(appendfsync no), Countersign its audit log."))


if __name__ == "__main__":
    sys.exit(main())
