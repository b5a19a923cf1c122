"""Writes databases of countries, in the MaxMind DB file format 2.0."""
import ipaddress
import os


def value(v):
    """In the format of the data section: text, numbers, lists and maps."""
    if isinstance(v, str):
        text = v.encode()
        assert len(text) < 285
        return (bytes([2 << 5 | len(text)]) if len(text) < 29 else
                bytes([2 << 5 | 29, len(text) - 29])) + text
    if isinstance(v, dict):
        return bytes([7 << 5 | len(v)]) + b"".join(value(k) + value(x) for k, x in v.items())
    if isinstance(v, list):
        return bytes([len(v), 11 - 7]) + b"".join(map(value, v))
    kind, number = v
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return (bytes([kind << 5 | len(body)]) if kind < 8 else bytes([len(body), kind - 7])) + body


UINT16, UINT32, UINT64 = 5, 6, 9


def database(countries, built=1, section="country"):
    """countries: code by network; addresses of IPv4 are those of ::/96, as everywhere in the field."""
    nodes, data, places = [[None, None]], b"", {}
    for network, code in countries.items():
        net = ipaddress.ip_network(network)
        bits, length = int(net.network_address), net.prefixlen + (96 if net.version == 4 else 0)
        if code not in places:
            places[code] = len(data)
            data += value({section: {"iso_code": code}} if code else {"continent": {"code": "EU"}})
        at = 0
        for i in range(length):
            side = bits >> (127 - i) & 1
            if i == length - 1:
                nodes[at][side] = ("data", places[code])
            else:
                if nodes[at][side] is None:
                    nodes.append([None, None])
                    nodes[at][side] = len(nodes) - 1
                at = nodes[at][side]

    def record(r):
        n = len(nodes) if r is None else r if isinstance(r, int) else len(nodes) + 16 + r[1]
        return n.to_bytes(3, "big")
    tree = b"".join(record(left) + record(right) for left, right in nodes)
    about = value({"binary_format_major_version": (UINT16, 2), "binary_format_minor_version": (UINT16, 0),
                   "build_epoch": (UINT64, built), "database_type": "Countries-Of-Tests",
                   "description": {"en": "made by a test"}, "ip_version": (UINT16, 6), "languages": ["en"],
                   "node_count": (UINT32, len(nodes)), "record_size": (UINT16, 24)})
    return tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + about


def replace(path, content):
    """As updaters do it: written beside, and put in its place."""
    with open(path + ".new", "wb") as f:
        f.write(content)
    os.replace(path + ".new", path)
