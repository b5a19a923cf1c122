"""Frames of proto/auth.proto and records of proto/store.proto, as few as the tests need."""
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


def hello():
    return frame(field(1, field(1, 1) + field(2, 4) + field(3, "test")))


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


def ask(path, *args):
    """Says hello, puts one Check, returns the payload that comes back."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(path)
        s.sendall(hello())
        read_frame(s)
        s.sendall(check(*args))
        return read_frame(s)


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
