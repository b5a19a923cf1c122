"""Where the time goes: CPU, context switches and system calls of each process for one REGISTER."""

import re
import shutil
import subprocess
import threading

import kamailio
import report
from bench import Bench, say
from countersign import Countersign
from load import Load

RATE = 4000
INFLIGHT = 64
LOADS = {"steady": (f"{RATE:,}/s", ("-r", RATE)), "full": (f"{INFLIGHT} in flight", ())}
SETTLE = 0.3  # seconds of the run that perf leaves out at its begin


def can_trace():
    """Why system calls cannot be counted, or None."""
    if not shutil.which("perf"):
        return "perf is not installed"
    done = subprocess.run(["perf", "stat", "-e", "raw_syscalls:sys_enter", "true"],
                          capture_output=True, text=True)
    return None if done.returncode == 0 else "perf may not trace raw_syscalls here"


def watch(pids, seconds):
    return subprocess.Popen(
        ["perf", "stat", "-x", ";", "-e", "raw_syscalls:sys_enter", "-p",
         ",".join(map(str, pids)), "--", "sleep", str(seconds)], stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True)


class Anatomy(Bench):
    def trace(self, run, number, server, metric, options):
        """System calls by program, in a run of their own: being counted has its cost."""
        by_part = {}
        for pid, what in server.parts().items():
            by_part.setdefault(what, []).append(pid)
        calls = {}

        def count():
            watchers = {what: watch(pids, self.o.seconds - SETTLE) for what, pids in by_part.items()}
            for what, child in watchers.items():
                found = re.search(r"^(\d+);", child.communicate()[1], re.M)
                calls[what] = int(found.group(1)) / (self.o.seconds - SETTLE) if found else 0

        warm = options[options.index("-w") + 1]
        timer = threading.Timer(warm + SETTLE / 2, count)
        timer.start()
        rate = self.measure(run, number, server, metric + "-traced", *options)["ops_per_s"]
        timer.join()
        self.runs[-1]["calls"] = {what: n / max(rate, 1) for what, n in calls.items()}

    def run(self):
        self.note = can_trace()
        if self.note:
            say(f"no system calls: {self.note}")
        good, _, users = self.users(self.o.users)
        run = Load(self.program, good, self.o.algorithm)
        self.servers = [c(self.work, users, self.o.algorithm)
                        for c in (Countersign, kamailio.ByHand)]
        closed = ("-w", min(1, self.o.seconds / 4), "-i", INFLIGHT)
        with self.serving(self.servers, run):
            for number in range(1, self.o.rounds + 1):
                order = self.in_turn(number, self.servers)
                for metric, (_, options) in LOADS.items():
                    for server in order:
                        self.measure(run, number, server, metric, *closed, *options)
                    for server in order if not self.note else ():
                        self.trace(run, number, server, metric, (*closed, *options))

    def rows(self):
        kinds = [("parts", ""), ("waits", ""), ("preempted", ""), ("calls", "-traced")]
        for metric, (load, _) in LOADS.items():
            for server in self.servers:
                names = next(iter(self.of(server, metric).values()))["parts"]
                cells = {what: [self.part(server, metric + suffix, what, kind)
                                for kind, suffix in kinds] for what in names}
                for what, values in [*cells.items(), ("all", map(sum, zip(*cells.values())))]:
                    us, *counts = values
                    counts = [f"{n:.2f}" for n in counts]
                    if self.note:
                        counts[-1] = "-"
                    yield [load, server.title, what, f"{us:.1f}", *counts]

    def report(self):
        head = ["load", "server", "program", "CPU, µs", "woken", "preempted", "system calls"]
        notes = ["For one fresh REGISTER (REGISTER, 401, REGISTER, 200). Woken: the process had "
                 "nothing to do, slept and was woken; preempted: it had to let others run."]
        if self.note:
            notes.append(f"System calls were not counted: {self.note}.")
        return {"tables": [(head, list(self.rows()))], "notes": notes}
