"""sipp on both sides of a server: lines that call, and the trunk that they call."""

import os
import re
import subprocess
import time

import process
from countersign import SOURCE
from server import DOMAIN

SCENARIOS = os.path.join(SOURCE, "tests", "sipp")
LINES, TRUNK = "127.0.0.6", "127.0.0.7"
TRUNK_USER, TRUNK_PASSWORD, TRUNK_REALM = "us", "correct-horse-trunk", "carrier.example"
NUMBER = "9123"
PATIENCE = 20  # seconds, behind the last call's end


class Trunk:
    """A carrier for one server."""

    def __init__(self, folder):
        os.makedirs(folder)
        self.folder, self.port, self.process = folder, process.free_port(), None

    def start(self, hold):
        """Hangs up after so many seconds."""
        self.stop()
        log = os.path.join(self.folder, "sipp.log")
        self.process = process.start(
            ["sipp", "-sf", os.path.join(SCENARIOS, "trunk_challenges.xml"), "-i", TRUNK, "-p", str(self.port),
             "-mp", str(process.free_port(2)), "-nostdin",
             "-d", str(round(hold * 1000))], log)
        process.wait_for(lambda: process.udp_is_bound(self.port), self.process, log, "sipp")

    @property
    def address(self):
        return f"{TRUNK}:{self.port}"

    def stop(self):
        process.stop(self.process)


class Lines:
    """Calls of lines to a number outside, and what they cost a server."""

    def __init__(self, work, users):
        self.folder = os.path.join(work, "sipp")
        os.makedirs(self.folder)
        self.fields = os.path.join(self.folder, "lines.csv")
        self.numbered = 0
        with open(self.fields, "w", encoding="ascii") as f:
            f.write("SEQUENTIAL\n")
            for name, password in users:
                f.write(f"{name};[authentication username={name} password={password}];{DOMAIN};{NUMBER}\n")

    def start(self, server, calls, rate, hold):
        """So many calls, that many a second, each of which the trunk ends after hold seconds."""
        self.numbered += 1
        name = os.path.join(self.folder, f"{self.numbered}-{server.name}")
        timeout = calls / rate + hold + PATIENCE
        os.makedirs(name)
        with open(os.path.join(name, "said"), "wb") as said:
            return name, subprocess.Popen(
                ["sipp", "-sf", os.path.join(SCENARIOS, "line_calls_out.xml"), "-inf", self.fields, "-i", LINES, "-p",
                 str(process.free_port()), "-mp", str(process.free_port(2)), "-m", str(calls), "-r", str(rate), "-l",
                 str(calls), "-timeout", f"{timeout:.0f}s", "-timeout_error",
                 "-recv_timeout", str(round(500 * PATIENCE + 1000 * hold)), "-auth_uri", f"{NUMBER}@{DOMAIN}", "-nostdin", "-trace_err", "-error_file",
                 os.path.join(name, "errors"), "-trace_shortmsg", "-shortmessage_file", os.path.join(name, "messages"),
                 server.address()], cwd=name, stdin=subprocess.DEVNULL, stdout=said, stderr=said)

    @staticmethod
    def setups(folder):
        """How long each call took to stand, in ms, in order. What sipp itself says of that is in steps of 4 ms."""
        begun, took = {}, {}
        with open(os.path.join(folder, "messages"), encoding="utf-8", errors="replace") as f:
            for line in f:
                day, clock, stamp, way, call, cseq, said = line.rstrip("\n").split("\t")
                if way == "S" and said.startswith("INVITE"):
                    begun.setdefault(call, float(stamp))
                elif way == "R" and said.startswith("SIP/2.0 200") and cseq.endswith("INVITE"):
                    took.setdefault(call, 1000 * (float(stamp) - begun[call]))
        return sorted(took.values())

    def measure(self, server, calls, rate, hold):
        """As load.Load.read() has it."""
        parts = server.parts()
        before = {pid: process.cpu_ns(pid) for pid in parts}
        begun = time.monotonic()
        folder, child = self.start(server, calls, rate, hold)
        status = child.wait()
        seconds = time.monotonic() - begun
        used = {}
        for pid, what in parts.items():
            used[what] = used.get(what, 0) + (process.cpu_ns(pid) - before[pid]) / 1000 / calls
        setups = self.setups(folder)
        wrong = status != 0 or len(setups) != calls
        return {"ops": calls, "ops_per_s": calls / seconds, "seconds": seconds, "parts": used,
                "cpu_us_per_op": sum(used.values()), "wrong": wrong, "errors": self.errors(folder),
                "latency_us": {f"p{n}": self.quantile(setups, n) * 1000 for n in (50, 99)}}

    @staticmethod
    def quantile(values, percent):
        return values[(len(values) - 1) * percent // 100] if values else 0.0

    @staticmethod
    def errors(folder):
        path = os.path.join(folder, "errors")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as f:
            return re.sub(r"\s+", " ", f.read(400))
