"""Medians and their spread, as text or as Markdown tables, and on what machine."""

import os
import platform
import statistics
import time


def busy_share():
    """Share of the machine that others use, over a second."""
    def times():
        with open("/proc/stat") as f:
            values = [int(v) for v in f.readline().split()[1:]]
        return sum(values), values[3] + values[4]
    total, idle = times()
    time.sleep(1)
    total2, idle2 = times()
    return 1 - (idle2 - idle) / max(total2 - total, 1)


def machine(busy):
    with open("/proc/cpuinfo") as f:
        models = [line.partition(":")[2].strip() for line in f if line.startswith("model name")]
    return {"cpu": models[0] if models else platform.machine(),
            "cores": len(os.sched_getaffinity(0)), "kernel": platform.release(), "busy_before": round(busy, 3)}


def spread(values):
    values = [v for v in values if v is not None]
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def show(s, digits=1):
    """Median, and how far the runs lay apart."""
    if not s:
        return "-"
    if s["min"] == s["max"]:
        return f"{s['median']:.{digits}f}"
    return f"{s['median']:.{digits}f} ({s['min']:.{digits}f}-{s['max']:.{digits}f})"


def as_markdown(head, body):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in body])


def as_text(head, body):
    widths = [max(len(row[i]) for row in [head, *body]) for i in range(len(head))]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
            for row in [head, ["-" * w for w in widths], *body]]
    return "\n".join(rows)


def footing(result):
    m, o = result["machine"], result["options"]
    lines = [f"{m['cores']} cores ({m['cpu']}), Linux {m['kernel']}, {result['started']}; "
             f"{result['about']} Medians of {o['rounds']} interleaved rounds of {o['seconds']:g} s (least to most).", *result["notes"]]
    if m["busy_before"] > 0.1:
        lines.append(f"The machine was not quiet: others used {m['busy_before']:.0%} of it before "
                     "the first run.")
    return lines


def document(result, table):
    parts = [table(*t) for t in result["tables"]]
    parts.append("\n".join(footing(result)))
    parts += [f"WRONG: {complaint}" for complaint in result["wrong"]]
    return "\n\n".join(parts)


def markdown(result):
    return document(result, as_markdown)


def text(result):
    return document(result, as_text)
