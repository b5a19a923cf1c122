"""Medians, spread, ratios and targets, as text or as a Markdown table."""

import os
import platform
import statistics
import time

# What Countersign should cost at most, as a share of each peer.
TARGETS = [
    ("kamailio-redis", "fresh", "cpu", 0.45, "CPU, fresh"),
    ("kamailio-redis", "cached", "cpu", 0.35, "CPU, cached"),
    ("kamailio-redis", "steady", "cpu", 0.90, "CPU at 4,000 fresh a second"),
    ("kamailio-redis", "half", "p99", 1.00, "p99 at half load"),
    ("kamailio-dbonly", "fresh", "cpu", 0.14, "CPU, fresh"),
    ("kamailio-dbonly", "cached", "cpu", 0.14, "CPU, cached"),
    ("kamailio-memory", "fresh", "cpu", 1.40, "CPU, fresh"),
]
REDIS_BYTES = 600  # of Redis for a binding with its Path
GROWTH_BYTES = 16  # of registrar and authd for a binding: none, but for the noise of the allocator


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


def value(run, quantity):
    if quantity == "cpu":
        return run.get("cpu_us_per_op")
    return run["latency_us"][quantity] / 1000


def spread(values):
    values = [v for v in values if v is not None]
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def summary(result, servers):
    runs = {}
    for run in result["runs"]:
        runs.setdefault((run["server"], run["metric"]), {})[run["round"]] = run

    def over_rounds(server, metric, quantity):
        return {n: value(r, quantity) for n, r in runs.get((server, metric), {}).items()}

    rows = []
    for name, title in servers:
        row = {"name": name, "title": title, "memory": result["memory"].get(name)}
        for metric in ("fresh", "cached", "half", "steady"):
            for quantity in ("cpu", "p50", "p99"):
                row[f"{metric}_{quantity}"] = spread(over_rounds(name, metric, quantity).values())
            row[f"{metric}_parts"] = {
                what: statistics.median(r["parts"][what] for r in of_metric.values())
                for of_metric in [runs.get((name, metric), {})]
                for what in next(iter(of_metric.values()), {"parts": {}})["parts"]}
        rows.append(row)

    ratios = []
    for peer, metric, quantity, target, what in TARGETS:
        ours, theirs = (over_rounds(s, metric, quantity) for s in ("countersign", peer))
        ratio = spread([ours[n] / theirs[n] for n in ours if theirs.get(n) and ours[n] is not None])
        if ratio:
            ratios.append({"peer": peer, "what": what, "target": target, "ratio": ratio,
                           "met": ratio["median"] <= target})
    return {"rows": rows, "ratios": ratios}


def show(s, digits=1):
    """Median, and how far the runs lay apart."""
    if not s:
        return "-"
    if s["min"] == s["max"]:
        return f"{s['median']:.{digits}f}"
    return f"{s['median']:.{digits}f} ({s['min']:.{digits}f}-{s['max']:.{digits}f})"


def bytes_of(memory, key):
    return f"{memory[key]:.0f}" if memory and key in memory else "-"


def cost_table(result):
    head = ["server", "fresh, µs", "cached, µs", "at 4,000/s, µs", "p50 at half load, ms",
            "p99 at half load, ms", "p99 at 4,000/s, ms", "B/binding, server", "B/binding, Redis"]
    return head, [[row["title"], show(row["fresh_cpu"]), show(row["cached_cpu"]),
                   show(row["steady_cpu"]), show(row["half_p50"], 2), show(row["half_p99"], 2),
                   show(row["steady_p99"], 2), bytes_of(row["memory"], "server"),
                   bytes_of(row["memory"], "redis")] for row in result["summary"]["rows"]]


def ratio_table(result):
    titles = {row["name"]: row["title"] for row in result["summary"]["rows"]}
    body = [[f"{r['what']}, against {titles[r['peer']]}", show(r["ratio"], 2), f"{r['target']:.2f}",
             "yes" if r["met"] else "no"] for r in result["summary"]["ratios"]]
    ours = result["memory"].get("countersign")
    if ours:
        body.append(["bytes of Redis for a binding's record", f"{ours['record']:.0f}",
                     str(REDIS_BYTES), "yes" if ours["record"] <= REDIS_BYTES else "no"])
        body.append(["bytes that registrar and authd grow by for a binding",
                     f"{ours['server']:.0f}", "0", "yes" if ours["server"] <= GROWTH_BYTES else "no"])
    return ["Countersign", "measured", "at most", "met"], body


def parts_table(result):
    """Where the time goes: medians by program."""
    body = []
    for row in result["summary"]["rows"]:
        for what in row["fresh_parts"]:
            body.append([row["title"], what] + [f"{row[f'{metric}_parts'].get(what, 0):.1f}"
                                                for metric in ("fresh", "cached", "steady")])
    return ["server", "program", "fresh, µs", "cached, µs", "at 4,000/s, µs"], body


def footing(result):
    m, o = result["machine"], result["options"]
    lines = [f"{m['cores']} cores ({m['cpu']}), Linux {m['kernel']}, {result['started']}; "
             f"Countersign {result['versions']['countersign']}, Kamailio {result['versions']['kamailio']}.",
             f"CPU µs of all server processes with Redis for one authenticated REGISTER over UDP, "
             f"{o['algorithm']}, {o['users']} users; fresh and cached with 64 in flight; medians "
             f"of {o['rounds']} interleaved rounds of {o['seconds']:g} s (least to most). Half load "
             "is half of what each server did with 64 in flight. Redis writes an append-only file "
             f"for all who use it (appendfsync {o['appendfsync']}); Countersign writes its audit log.",
             f"Memory: growth for each of {o['bindings']} bindings."]
    if m["busy_before"] > 0.1:
        lines.append(f"The machine was not quiet: others used {m['busy_before']:.0%} of it before "
                     "the first run.")
    return lines


def as_markdown(head, body):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in body])


def as_text(head, body):
    widths = [max(len(row[i]) for row in [head, *body]) for i in range(len(head))]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
            for row in [head, ["-" * w for w in widths], *body]]
    return "\n".join(rows)


def document(result, table):
    parts = [table(*cost_table(result))]
    ratios = ratio_table(result)
    if ratios[1]:
        parts.append(table(*ratios))
    parts.append(table(*parts_table(result)))
    parts.append("\n".join(footing(result)))
    parts += [f"WRONG: {complaint}" for complaint in result["wrong"]]
    return "\n\n".join(parts)


def markdown(result):
    return document(result, as_markdown)


def text(result):
    return document(result, as_text)
