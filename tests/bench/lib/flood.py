"""What a flood of INVITEs of one source costs others who register meanwhile."""

import json
import statistics
import subprocess

import report
from bench import Bench, say
from countersign import Countersign
from load import Load

CALM, STRANGER, KNOWN = "no flood", "a stranger's", "of a source where a phone is registered"
FLOODERS = {STRANGER: "127.3.0.1/32", KNOWN: "127.3.0.2/32"}
OTHERS = ("-S", "127.2.0.0/26", "-s", 64)
REGISTERS = 500  # fresh ones a second, open loop
BUDGET = 200  # messages a second of one source
FILL = 5000  # a second, before anything is measured
LENGTH, SETTLE = 5, 5  # times as long as other measurements
SUCCESS, P99, GROWTH = 99.9, 100, 1.0  # percent; ms; MB


class Guarded(Countersign):
    title = "Countersign"
    policy = "defence: {{ exempt: [127.0.0.1/32] }}\n"
    more = f"floods: {{{{ source: {{{{ rate: {BUDGET}, burst: {2 * BUDGET} }}}} }}}}\n"


class Flood(Bench):
    def beside(self, run, number, server, metric):
        """REGISTERs of others while the flood lasts."""
        child, seconds = None, LENGTH * self.o.seconds
        before = sum(server.memory().values())
        if metric in FLOODERS:
            argv = [run.program, "-d", run.common[1], "-m", "flood", "-r", self.o.flood, "-t", seconds + 2,
                    "-S", FLOODERS[metric], server.address()]
            child = subprocess.Popen(list(map(str, argv)), stdout=subprocess.PIPE, text=True)
        result = run(server, "-r", REGISTERS, "-w", 1, "-t", seconds, *OTHERS)
        flood = json.loads(child.communicate()[0]) if child else {"ops_per_s": 0, "answers": 0}
        errors = sum(result["errors"].values())
        self.record(result, number, server, metric)
        self.runs[-1].update(sent=flood["ops_per_s"], answers=flood["answers"],
                             success=100 * result["ops"] / (result["ops"] + errors),
                             grown=(sum(server.memory().values()) - before) / 1e6)
        say(f"          {flood['ops_per_s']:.0f} INVITE/s, {flood['answers']} answers, grown by "
            f"{self.runs[-1]['grown']:.2f} MB")

    def run(self):
        good, _, users = self.users(self.o.users)
        run = Load(self.program, good, self.o.algorithm)
        self.server = Guarded(self.work, users, self.o.algorithm)
        with self.serving([self.server], run, None, *OTHERS):
            run(self.server, "-m", "fill", "-n", 1, "-S", FLOODERS[KNOWN], "-s", 1)
            # The memory for answers that may be asked for again is used round and round: all of it before.
            run(self.server, "-r", FILL, "-w", 0, "-t", max(10, SETTLE * self.o.seconds), *OTHERS)
            for number in range(1, self.o.rounds + 1):
                for metric in self.in_turn(number, [CALM, *FLOODERS]):
                    self.beside(run, number, self.server, metric)

    def spread(self, metric, key):
        return report.spread(key(r) for r in self.of(self.server, metric).values())

    def rows(self):
        for metric in (CALM, *FLOODERS):
            runs = self.of(self.server, metric).values()
            own = statistics.median(r["parts"]["registrar"] * r["ops_per_s"] / 1e4 for r in runs)
            yield [metric, f"{statistics.median(r['sent'] for r in runs):,.0f}",
                   f"{sum(r['answers'] for r in runs):,}", f"{statistics.median(r['ops_per_s'] for r in runs):,.0f}",
                   report.show(self.spread(metric, lambda r: r["success"]), 2), str(sum(r["retransmits"] for r in runs)),
                   *(report.show(self.spread(metric, lambda r, p=p: r["latency_us"][p] / 1000), 2) for p in ("p50", "p99")),
                   f"{own:.0f} %", report.show(self.spread(metric, lambda r: r["grown"]), 2)]

    def targets(self):
        def over(key, runs=statistics.median):
            return [runs(key(r) for r in self.of(self.server, metric).values()) for metric in FLOODERS]

        worst = min(over(lambda r: r["success"], min))
        late = max(over(lambda r: r["latency_us"]["p99"] / 1000))
        grown = max(over(lambda r: r["grown"]))
        yield ["REGISTERs of others that succeed, %, the worst run", f"{worst:.2f}", f"at least {SUCCESS}",
               "yes" if worst >= SUCCESS else "no"]
        yield ["p99 of them, ms", f"{late:.2f}", f"at most {P99}", "yes" if late <= P99 else "no"]
        yield ["memory that registrar and authd grow by in a flood, MB", f"{grown:.2f}", f"at most {GROWTH:.1f}",
               "yes" if grown <= GROWTH else "no"]

    def report(self):
        return {"tables": [(["flood", "INVITE/s", "answers to it", "REGISTER/s", "succeeded, %", "sent again",
                             "p50, ms", "p99, ms", "registrar, of a core", "grown, MB"], list(self.rows())),
                           (["", "measured", "target", "met"], list(self.targets()))],
                "notes": [f"INVITEs of one source over UDP while phones of 64 others register, {REGISTERS} fresh a "
                          f"second, open loop. Each source may say {BUDGET} messages a second, a stranger 20; loopback "
                          "is not exempt here."]}
