"""Namespaces of a test's own, which end with it; networks in them, and lines that lose and delay."""
import contextlib
import ctypes
import fcntl
import heapq
import os
import random
import select
import shutil
import struct
import subprocess
import sys
import threading
import time

from daemons import skip

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454ca, 0x0002, 0x1000
FRAME_MAX, ETHERTYPE_IPV4, PROTOCOL_UDP = 2048, b"\x08\x00", 17

libc = ctypes.CDLL(None, use_errno=True)


def enter(marker, programs, packages, *more):
    """Again in namespaces of its own, so that nothing outlives it: processes, mounts, and more of what
    unshare(1) knows. marker is an environment variable that says we are there."""
    if os.environ.get(marker):
        return
    missing = [p for p in programs if not shutil.which(p)]
    if missing:
        skip(f"{', '.join(missing)} is not installed: apt-get install {packages}")
    if os.getuid() != 0:
        skip("only root can make the namespaces it runs in")
    argv = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
            "--mount-proc", *more]
    if subprocess.run([*argv, "true"], check=False, stderr=subprocess.DEVNULL).returncode:
        skip("this machine does not let root make namespaces")
    os.environ[marker] = "1"
    os.execvp(argv[0], [*argv, sys.executable, *sys.argv])


# ---- networks ----

def ip(*words, at=None):
    subprocess.run(["ip", *(["-n", at] if at else []), *map(str, words)], check=True)


def own_names():
    """What `ip netns` calls a namespace is known to this test alone."""
    os.makedirs("/run/netns", exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run/netns"], check=True)


def add_host(name):
    ip("netns", "add", name)
    ip("link", "set", "lo", "up", at=name)


@contextlib.contextmanager
def inside(name):
    """What this thread opens here belongs to that network, and stays there."""
    with open("/proc/thread-self/ns/net", "rb") as ours, open(f"/run/netns/{name}", "rb") as theirs:
        if libc.setns(theirs.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {name}")
        try:
            yield
        finally:
            if libc.setns(ours.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"cannot leave {name}")


def open_tap(host, device):
    with inside(host):
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
    return fd


class Line(threading.Thread):
    """Carries frames between two devices that it makes, (host, name) each; start() it when both are up. Of
    UDP over IPv4 it loses a share, and doubles a share, by dice that always fall the same; everything comes
    late by delay seconds, what is the double of something by up to as much again."""

    def __init__(self, one, other):
        super().__init__(daemon=True)
        self.ends = [open_tap(*one), open_tap(*other)]
        self.loss, self.delay, self.double = 0.0, 0.0, 0.0
        self.lost, self.carried, self.doubled = 0, 0, 0
        self.dice, self.late = random.Random(1), []

    def run(self):
        while True:
            now = time.monotonic()
            while self.late and self.late[0][0] <= now:
                _, _, end, frame = heapq.heappop(self.late)
                self._put(end, frame)
            wait = self.late[0][0] - now if self.late else None
            for fd in select.select(self.ends, [], [], wait)[0]:
                self._take(fd)

    def _take(self, fd):
        try:
            frame = os.read(fd, FRAME_MAX)
        except BlockingIOError:
            return
        end = self.ends[1 - self.ends.index(fd)]
        self.carried += 1
        udp = frame[12:14] == ETHERTYPE_IPV4 and frame[23] == PROTOCOL_UDP
        if udp and self.dice.random() < self.loss:
            self.lost += 1
            return
        self._send(end, frame, self.delay)
        if udp and self.double and self.dice.random() < self.double:
            self.doubled += 1
            self._send(end, frame, self.delay * (1 + self.dice.random()))

    def _send(self, end, frame, delay):
        if delay:
            heapq.heappush(self.late, (time.monotonic() + delay, self.carried + self.doubled, end, frame))
        else:
            self._put(end, frame)

    @staticmethod
    def _put(end, frame):
        try:
            os.write(end, frame)
        except BlockingIOError:
            pass  # the queue of the device is full: lost, as on any line
