"""Ports of 127.0.0.1 for servers of a test. Nobody else has them while it lives: neither who connects, for they are
below those that the kernel gives away, nor a test beside it, for each block of them is locked by a file, as
tests/lib/countersign.sh does, too."""
import fcntl
import os
import random
import socket

FOLDER, FIRST, BLOCK = f"/tmp/countersign-ports-{os.getuid()}", 10000, 16
with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
    BLOCKS = (int(f.read().split()[0]) - FIRST) // BLOCK
locks, spare = [], set() # of this process; ports of its blocks that were not given out yet


def is_free(port):
    try:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as s:
                s.bind(("127.0.0.1", port))
        return True
    except OSError:
        return False


def lock(block):
    """What holds it until it is closed; None: it is another test's, or ours."""
    fd = os.open(os.path.join(FOLDER, str(FIRST + BLOCK * block)), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return fd
    except BlockingIOError:
        os.close(fd)
        return None


def reserve(n):
    """So many blocks in a row."""
    os.makedirs(FOLDER, exist_ok=True)
    while True:
        first = random.randrange(BLOCKS - n + 1)
        held = [lock(first + i) for i in range(n)]
        ports = range(FIRST + BLOCK * first, FIRST + BLOCK * (first + n))
        if None not in held and all(map(is_free, ports)):
            locks.extend(held)
            spare.update(ports)
            return
        for fd in filter(None, held):
            os.close(fd)


def free_ports(n):
    """The first of n ports in a row that are free, TCP and UDP; of several it is even."""
    while True:
        for first in sorted(spare):
            row = set(range(first, first + n))
            if row <= spare and (n == 1 or first % 2 == 0):
                spare.difference_update(row)
                if all(map(is_free, row)):
                    return first
        reserve(-(-n // BLOCK))


def free_port():
    """The one behind it stays free, too: many a program takes that unasked."""
    return free_ports(2)
