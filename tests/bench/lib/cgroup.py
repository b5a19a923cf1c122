"""CPU limits of single processes, by control groups of either version, gone when they are done."""

import contextlib
import os

PERIOD = 10000  # microseconds: short, so that a limited process is a slow one, not a stuttering one
LEAST = 0.1  # of a core: the kernel takes no quota below a millisecond


class Unwritable(Exception):
    """Control groups cannot be made here; the message says why."""


def read(*path):
    with open(os.path.join(*path)) as f:
        return f.read()


def write(text, *path):
    with open(os.path.join(*path), "w") as f:
        f.write(str(text))


def mounted():
    """(folder, version) of the hierarchy that limits CPU."""
    mounts = [line.split()[1:4] for line in read("/proc/mounts").splitlines()]
    for folder, kind, options in mounts:
        if kind == "cgroup" and "cpu" in options.split(","):
            return folder, 1
    for folder, kind, _ in mounts:
        if kind == "cgroup2" and "cpu" in read(folder, "cgroup.controllers").split():
            return folder, 2
    raise Unwritable("no control group hierarchy limits CPU here")


def home(root, version, pid):
    """The group that a process is in."""
    for line in read("/proc", str(pid), "cgroup").splitlines():
        number, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(",") if version == 1 else number == "0":
            return root + path
    return root


class Limits:
    def __init__(self):
        self.root, self.version = mounted()
        self.made = []  # (group, where its process was before, process)
        self.enabled = False  # we did

    def enable(self):
        """Version 2 limits only where the group above says so."""
        if self.version == 2 and "cpu" not in read(self.root, "cgroup.subtree_control").split():
            write("+cpu", self.root, "cgroup.subtree_control")
            self.enabled = True

    def add(self, pid, share):
        group = os.path.join(self.root, f"countersign-bench-{pid}")
        before = home(self.root, self.version, pid)
        os.mkdir(group)
        self.made.append((group, before, pid))
        if self.version == 2:
            write(f"{share * PERIOD:.0f} {PERIOD}", group, "cpu.max")
        else:
            write(PERIOD, group, "cpu.cfs_period_us")
            write(f"{share * PERIOD:.0f}", group, "cpu.cfs_quota_us")
        write(pid, group, "cgroup.procs")

    def remove(self):
        for group, before, pid in self.made:
            with contextlib.suppress(ProcessLookupError):
                write(pid, before, "cgroup.procs")
            os.rmdir(group)
        if self.enabled:
            with contextlib.suppress(OSError):  # somebody else needs it by now
                write("-cpu", self.root, "cgroup.subtree_control")


@contextlib.contextmanager
def limited(pids, share):
    """Each of these processes may use so much of one core meanwhile."""
    limits = None
    try:
        try:
            limits = Limits()
            limits.enable()
            for pid in pids:
                limits.add(pid, share)
        except OSError as e:
            raise Unwritable(f"{e.filename or 'control groups'}: {e.strerror}") from e
        yield
    finally:
        if limits:
            limits.remove()
