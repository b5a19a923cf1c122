"""CPU limits of single processes, by control groups of either version, gone when they are done."""

import contextlib
import os

PERIOD = 10000  # microseconds: short, so that a limited process is a slow one, not a stuttering one


class Unwritable(Exception):
    """Control groups cannot be made here; the message says why."""


def mounted():
    """(folder, version) of the hierarchy that limits CPU."""
    with open("/proc/mounts") as f:
        mounts = [line.split()[1:4] for line in f]
    for folder, kind, options in mounts:
        if kind == "cgroup" and "cpu" in options.split(","):
            return folder, 1
    for folder, kind, _ in mounts:
        if kind == "cgroup2":
            with open(os.path.join(folder, "cgroup.controllers")) as f:
                if "cpu" in f.read().split():
                    return folder, 2
    raise Unwritable("no control group hierarchy limits CPU here")


def write(text, *path):
    with open(os.path.join(*path), "w") as f:
        f.write(str(text))


def home(root, version, pid):
    """The group that a process is in."""
    with open(f"/proc/{pid}/cgroup") as f:
        for line in f:
            number, controllers, path = line.strip().split(":", 2)
            if "cpu" in controllers.split(",") if version == 1 else number == "0":
                return root + path
    return root


@contextlib.contextmanager
def limited(pids, share):
    """Each of these processes may use so much of one core."""
    made, enabled = [], False
    try:
        root, version = mounted()
        control = os.path.join(root, "cgroup.subtree_control")
        if version == 2:
            with open(control) as f:
                enabled = "cpu" not in f.read().split()
            if enabled:
                write("+cpu", control)
        for pid in pids:
            group = os.path.join(root, f"countersign-bench-{pid}")
            before = home(root, version, pid)
            os.mkdir(group)
            made.append((group, before, pid))
            if version == 2:
                write(f"{share * PERIOD:.0f} {PERIOD}", group, "cpu.max")
            else:
                write(PERIOD, group, "cpu.cfs_period_us")
                write(f"{share * PERIOD:.0f}", group, "cpu.cfs_quota_us")
            write(pid, group, "cgroup.procs")
    except OSError as e:
        release(root, made, enabled)
        raise Unwritable(f"{e.filename}: {e.strerror}") from e
    try:
        yield
    finally:
        release(root, made, enabled)


def release(root, made, enabled):
    for group, before, pid in made:
        with contextlib.suppress(ProcessLookupError):
            write(pid, before, "cgroup.procs")
        os.rmdir(group)
    if enabled:
        with contextlib.suppress(OSError):  # somebody else needs it by now
            write("-cpu", root, "cgroup.subtree_control")
