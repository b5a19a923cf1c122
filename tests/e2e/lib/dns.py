"""A name server on 127.0.0.1:53 that knows a few records.

Usage: dns.py NAME=ADDRESS ... NAME=PORT:TARGET ...       A records, and SRV records
"""
import socket
import struct
import sys

A, SRV = 1, 33


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def read_records(words):
    records = {}
    for word in words:
        name, value = word.split("=", 1)
        port, colon, target = value.partition(":")
        data = struct.pack("!HHH", 0, 0, int(port)) + encode(target) if colon else socket.inet_aton(value)
        records.setdefault((encode(name), SRV if colon else A), []).append(data)
    return records


def answer(query, records):
    end = query.index(b"\0", 12) + 1
    name, kind = query[12:end].lower(), struct.unpack("!H", query[end:end + 2])[0]
    found = records.get((name, kind), [])
    known = any(name == n for n, _ in records)
    head = query[:2] + struct.pack("!HHHHH", 0x8580 | (0 if known else 3), 1, len(found), 0, 0)
    rest = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(d)) + d for d in found)
    return head + query[12:end + 4] + rest


def main():
    records = read_records(sys.argv[1:])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 53))
        while True:
            query, peer = s.recvfrom(4096)
            if len(query) > 16 and b"\0" in query[12:] and not query.startswith(b"OPTIONS"):
                s.sendto(answer(query, records), peer)


if __name__ == "__main__":
    main()
