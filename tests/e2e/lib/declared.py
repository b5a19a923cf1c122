"""Metrics as common/base/metrics.def declares them, and whether a PromQL expression speaks of these alone."""
import collections
import os
import re

from daemons import TOP

Metric = collections.namedtuple("Metric", "kind name labels values")

SUFFIX = {"COUNTER": ("_total",), "GAUGE": ("",), "HISTOGRAM": ("_bucket", "_sum", "_count")}
# Of Prometheus itself, and of whom it asks.
THEIRS = {"up": {}, "ALERTS": {"alertname": None, "alertstate": None}}
TARGET = {"job", "instance"}
WORDS = {"sum", "max", "min", "count", "topk", "rate", "increase", "changes", "histogram_quantile", "time", "vector", "and", "or",
         "by", "on", "ignoring", "offset"}


def metrics():
    with open(os.path.join(TOP, "common/base/metrics.def"), encoding="utf-8") as f:
        found = re.findall(r'^METRIC\(\w+, \w+, (\w+), "([^"]+)", "([^"]*)", "([^"]*)"', f.read(), re.M)
    assert len(found) > 30, "metrics.def is not read as it is written"
    for kind, name, labels, values in found:
        yield Metric(kind, name, [n for n in labels.split(",") if n], [v for v in values.split(",") if v])


def samples():
    """Names as they are scraped: for each the values of its labels, or None where any will do."""
    found = dict(THEIRS)
    for m in metrics():
        for suffix in SUFFIX[m.kind]:
            found[m.name + suffix] = {label: set(m.values) or None for label in m.labels}
            if suffix == "_bucket":
                found[m.name + suffix]["le"] = None
    return found


def faults(expression, known):
    """What an expression names that nobody declares: metrics, labels, and values that a label cannot have."""
    bad, named = [], {}

    def selector(m):
        name, matchers = m[1], m[2] or ""
        labels = known.get(name)
        if labels is None:
            return m[0]
        named.update(labels)
        for label, how, text in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', matchers):
            values = labels.get(label)
            if label not in TARGET and label not in labels:
                bad.append(f"{name} has no label {label}")
            elif values and "$" not in text:
                alternatives = text.split("|") if "~" in how else [text]
                bad.extend(f"{name} has no {label} {v}" for v in alternatives if v not in values)
        return " "

    rest = re.sub(r"([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?", lambda m: selector(m) if m[2] or m[1] in known else m[0], expression)

    def grouping(m):
        bad.extend(f"nothing here has a label {n}" for n in re.findall(r"\w+", m[1])
                   if n not in named and n not in TARGET)
        return " "

    rest = re.sub(r"\b(?:by|on|ignoring)\s*\(([^)]*)\)", grouping, rest)
    rest = re.sub(r"\[[^\]]*\]|\b\d+(\.\d+)?[smhd]?\b", " ", rest)
    bad += [f"nobody declares {n}" for n in re.findall(r"[a-zA-Z_:][\w:]*", rest) if n not in WORDS]
    return bad
