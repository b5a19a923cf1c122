"""Processes that a benchmark starts, watches and ends."""

import contextlib
import os
import signal
import socket
import subprocess
import time


class Failure(Exception):
    """Something could not be run; the message is for the person who started it."""


def start(argv, log_path, executable=None):
    with open(log_path, "ab") as log:
        try:
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    start_new_session=True, executable=executable)
        except OSError as e:
            raise Failure(f"{argv[0]}: {e.strerror}") from e


def start_reading(argv):
    """The same, whose output is to be read."""
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stop(process):
    if process and process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def run(argv, **kwargs):
    """Standard output of a command that must succeed."""
    done = subprocess.run([str(a) for a in argv], capture_output=True, **kwargs)
    if done.returncode != 0:
        said = (done.stdout[-2000:] + done.stderr[-2000:]).decode(errors="replace").strip()
        raise Failure(f"{' '.join(map(str, argv))}: {said}")
    return done.stdout


def with_children(pid):
    """A process and all its descendants."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as f:
                    parent = int(f.read().rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(entry))
            except OSError:
                pass  # ended meanwhile
    family = [pid]
    for member in family:
        family += parents.get(member, [])
    return family


def cpu_ns(pid):
    """CPU time of a process with all its threads, those that have ended too."""
    return time.clock_gettime_ns(~pid << 3 | 2)  # clock_getcpuclockid(3)


def memory(pids):
    """Bytes of memory, pages shared among processes counted once."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:")) * 1024
    return total


def free_port(n=1):
    """The first of n ports of 127.0.0.1 that are free for UDP and TCP."""
    while True:
        with contextlib.ExitStack() as opened:
            first = 0
            try:
                for i in range(n):
                    udp = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                    tcp = opened.enter_context(socket.socket())
                    udp.bind(("127.0.0.1", first and first + i))
                    tcp.bind(udp.getsockname())
                    first = first or udp.getsockname()[1]
            except (OSError, OverflowError):
                continue
            return first


def wait_for(condition, process, log_path, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            with open(log_path, errors="replace") as f:
                raise Failure(f"{what} did not start; its log ends:\n{f.read()[-2000:]}")
        time.sleep(0.05)


def udp_is_bound(port):
    with open("/proc/net/udp") as f:
        return any(line.split()[1].endswith(f":{port:04X}") for line in f.readlines()[1:])
