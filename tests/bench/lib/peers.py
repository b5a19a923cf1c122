"""Countersign beside its peers: medians, ratios and targets."""

import statistics

from report import show, spread

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


def value(run, quantity):
    if quantity == "cpu":
        return run.get("cpu_us_per_op")
    return run["latency_us"][quantity] / 1000


def summary(bench, servers):
    runs = {}
    for run in bench.runs:
        runs.setdefault((run["server"], run["metric"]), {})[run["round"]] = run

    def over_rounds(server, metric, quantity):
        return {n: value(r, quantity) for n, r in runs.get((server, metric), {}).items()}

    rows = []
    for name, title in servers:
        row = {"name": name, "title": title, "memory": bench.memory.get(name)}
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


def bytes_of(memory, key):
    return f"{memory[key]:.0f}" if memory and key in memory else "-"


def cost_table(rows):
    head = ["server", "fresh, µs", "cached, µs", "at 4,000/s, µs", "p50 at half load, ms",
            "p99 at half load, ms", "p99 at 4,000/s, ms", "B/binding, server", "B/binding, Redis"]
    return head, [[row["title"], show(row["fresh_cpu"]), show(row["cached_cpu"]),
                   show(row["steady_cpu"]), show(row["half_p50"], 2), show(row["half_p99"], 2),
                   show(row["steady_p99"], 2), bytes_of(row["memory"], "server"),
                   bytes_of(row["memory"], "redis")] for row in rows]


def ratio_table(rows, ratios, ours):
    titles = {row["name"]: row["title"] for row in rows}
    body = [[f"{r['what']}, against {titles[r['peer']]}", show(r["ratio"], 2), f"{r['target']:.2f}",
             "yes" if r["met"] else "no"] for r in ratios]
    if ours:
        body.append(["bytes of Redis for a binding's record", f"{ours['record']:.0f}",
                     str(REDIS_BYTES), "yes" if ours["record"] <= REDIS_BYTES else "no"])
        body.append(["bytes that registrar and authd grow by for a binding",
                     f"{ours['server']:.0f}", "0", "yes" if ours["server"] <= GROWTH_BYTES else "no"])
    return ["Countersign", "measured", "at most", "met"], body


def parts_table(rows):
    """Where the time goes: medians by program."""
    body = []
    for row in rows:
        for what in row["fresh_parts"]:
            body.append([row["title"], what] + [f"{row[f'{metric}_parts'].get(what, 0):.1f}"
                                                for metric in ("fresh", "cached", "steady")])
    return ["server", "program", "fresh, µs", "cached, µs", "at 4,000/s, µs"], body


def report(bench, servers):
    summed = summary(bench, servers)
    rows, ratios = summed["rows"], ratio_table(**summed, ours=bench.memory.get("countersign"))
    tables = [cost_table(rows), *([ratios] if ratios[1] else []), parts_table(rows)]
    notes = ["CPU µs of all server processes with Redis for one authenticated REGISTER; fresh and "
             "cached with 64 in flight. Half load is half of what each server did with 64 in "
             "flight.", f"Memory: growth for each of the second half of {bench.o.bindings} bindings."]
    return {"summary": summed, "memory": bench.memory, "tables": tables, "notes": notes}
