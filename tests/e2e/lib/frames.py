"""Frames of proto/auth.proto and records of proto/store.proto, as few as the tests need."""
import os
import re
import socket
import struct


def varint(n):
    out = b""
    while True:
        out += bytes([n & 0x7F | (0x80 if n > 0x7F else 0)])
        n >>= 7
        if not n:
            return out


def field(number, value):
    """An int is a varint, text and bytes are length-delimited."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fixed64(number, value):
    return varint(number << 3 | 1) + struct.pack("<Q", value)


def frame(payload):
    return struct.pack("!I", len(payload)) + payload


REGISTRAR, B2BUA, TOOL = 2, 3, 4


def hello(role=TOOL):
    return frame(field(1, field(1, 1) + field(2, role) + field(3, "test")))


def check(number, call_id, user, realm, nonce, response, user_agent="Tester/1.0 \x1b[31m"):
    credentials = (field(2, user) + field(3, realm) + field(4, nonce) + field(5, "sip:example.com") +
                   field(6, response) + field(7, "MD5") + field(8, "auth") + field(9, "00000001") +
                   field(10, "planted-cnonce"))
    body = (field(1, number) + field(10, "udp") + field(11, 1) + field(12, b"\xc0\x00\x02\x07") +
            field(13, 5060) + field(20, "REGISTER") + field(21, "sip:example.com") +
            field(22, "example.com") + field(23, "sip:alice@example.com") +
            field(24, "sip:alice@example.com") + field(26, call_id) + field(27, 1) +
            field(28, user_agent) + field(31, 1) + field(40, credentials))
    return frame(field(2, body))


def read_frame(s):
    def take(n):
        data = b""
        while len(data) < n:
            more = s.recv(n - len(data))
            assert more, "authd closed the connection"
            data += more
        return data
    return take(struct.unpack("!I", take(4))[0])


def put(path, question, role=TOOL, times=1):
    """Says hello, puts one question, so often at once; returns the payloads that come back."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(path)
        s.sendall(hello(role))
        read_frame(s)
        s.sendall(question * times)
        return [read_frame(s) for _ in range(times)]


def ask(path, *args):
    return put(path, check(*args))[0]


def fields(payload):
    """The values of a message by number: varints and what is length-delimited."""
    def take():
        nonlocal payload
        n = shift = 0
        while True:
            byte, payload = payload[0], payload[1:]
            n |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return n
    found = {}
    while payload:
        tag = take()
        value = take()
        if tag & 7 == 2:
            payload, value = payload[value:], payload[:value]
        found.setdefault(tag >> 3, []).append(value)
    return found


def cause(name):
    """The number of a cause, as proto/auth.proto says."""
    with open(os.path.join(os.path.dirname(__file__), "../../../proto/auth.proto"), encoding="utf-8") as f:
        return int(re.search(rf"^  {name} = (\d+);", f.read(), re.M).group(1))


def sign(path, trunk, method, uri, challenges, role=B2BUA, times=1, **more):
    """The value that authd signs, or None; its cause, and the id of the decision. Of many at once, the last."""
    numbers = {"body": 5, "proxy": 7, "realm": 8, "user": 9, "route": 10, "call_id": 11}
    body = field(1, 1) + field(2, trunk) + field(3, method) + field(4, uri)
    body += b"".join(field(6, c) for c in challenges)
    body += b"".join(field(numbers[name], value) for name, value in more.items())
    answer = fields(fields(put(path, frame(field(4, body)), role, times)[-1])[4][0])
    value = answer[2][0].decode() if 2 in answer else None
    return value, answer[3][0], answer[4][0].decode()


def location(contact, expires_ms):
    """The value of the one field of cs:loc:{<aor>}."""
    binding = (field(1, contact) + field(2, "call-1") + field(3, 7) + fixed64(4, expires_ms) +
               field(5, 500) + field(8, "<sip:edge.example.com;lr>") +
               field(12, "Phone/1.0") + field(13, "alice@example.com") +
               field(14, "192.0.2.9:5060") + fixed64(15, expires_ms - 3600_000))
    return field(2, 1) + field(4, binding)


def flood(path, n, call_id):
    """n Checks of strangers, a hundred at a time; waits for the answers."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(path)
        s.sendall(hello())
        read_frame(s)
        for first in range(0, n, 100):
            s.sendall(b"".join(check(i + 1, call_id, f"u{i}", "example.com", "nonce", "response")
                               for i in range(first, first + 100)))
            for _ in range(100):
                read_frame(s)
