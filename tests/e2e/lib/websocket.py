"""SIP over WebSocket (RFC 7118) from the client's side: frames byte by byte (RFC 6455), a phone that
speaks through them, and a world whose registrars listen for it."""
import base64
import hashlib
import os
import re
import socket
import ssl
import struct
import time

from daemons import free_port, wait_for
from phone import Phone
from sip import Message, token
from world import World

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MORE = 0 # a continuation
ORIGIN = "https://phone.example.test"


def hello(name, port, path="/", **headers):
    """The handshake that asks for SIP, and what the answer accepts it by. headers are added, and one whose value is
    None is left out."""
    key = base64.b64encode(os.urandom(16)).decode()
    say = {"Host": f"{name}:{port}", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade",
           "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13", "Origin": ORIGIN,
           "Sec-WebSocket-Protocol": "sip"}
    say.update({name.replace("_", "-"): value for name, value in headers.items()})
    lines = "".join(f"{name}: {value}\r\n" for name, value in say.items() if value is not None)
    want = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode(), base64.b64encode(want).decode()


def frame(opcode, payload=b"", fin=True, masked=True, bits=0):
    n = len(payload)
    head = bytes([(0x80 if fin else 0) | bits << 4 | opcode])
    flag = 0x80 if masked else 0
    head += (bytes([flag | n]) if n < 126 else bytes([flag | 126]) + struct.pack(">H", n) if n < 65536
             else bytes([flag | 127]) + struct.pack(">Q", n))
    if masked:
        mask = os.urandom(4)
        payload = mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
    return head + payload


def take_frame(b):
    """(opcode, payload) of the first of these bytes, and the rest; None while it is not whole."""
    if len(b) < 2:
        return None
    assert b[0] & 0x70 == 0 and b[1] & 0x80 == 0, "reserved bits, or a mask"
    n, at = b[1] & 0x7f, 2
    if n == 126:
        n, at = struct.unpack(">H", b[2:4])[0], 4
    elif n == 127:
        n, at = struct.unpack(">Q", b[2:10])[0], 10
    if len(b) < at + n:
        return None
    return (b[0] & 15, b[at:at + n]), b[at + n:]


class Refused(Exception):
    def __init__(self, status, headers, body):
        super().__init__(f"{status} {body}")
        self.status, self.headers, self.body = status, headers, body


class WebSocket:
    """One connection. path may carry a query; headers are those of hello()."""

    def __init__(self, address, path="/", tls=None, name="127.0.0.1", source="127.0.0.1", **headers):
        self.sock = socket.create_connection(address, timeout=5, source_address=(source, 0))
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname=name)
        self.buffer = b""
        request, accept = hello(name, address[1], path, **headers)
        self.sock.sendall(request)
        status, self.headers = self._answer()
        if status != 101:
            body = self.buffer
            while more := self.sock.recv(4096):
                body += more
            self.sock.close()
            raise Refused(status, self.headers, body.decode())
        assert self.headers["sec-websocket-accept"] == accept
        assert self.headers["sec-websocket-protocol"] == "sip"
        assert "sec-websocket-extensions" not in self.headers

    def _answer(self):
        while b"\r\n\r\n" not in self.buffer:
            data = self.sock.recv(4096)
            assert data, f"closed behind {self.buffer!r}"
            self.buffer += data
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        start, *lines = head.decode().split("\r\n")
        return int(start.split()[1]), {n.lower(): v.strip() for n, v in (line.split(":", 1) for line in lines)}

    def send(self, opcode, payload=b"", **more):
        self.sock.sendall(frame(opcode, payload, **more))

    def receive(self, timeout=3.0):
        """(opcode, payload) of the next frame, None when nothing comes; EOFError at the end."""
        end = time.monotonic() + timeout
        while True:
            taken = take_frame(self.buffer)
            if taken:
                got, self.buffer = taken
                return got
            self.sock.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = self.sock.recv(65536)
            except (TimeoutError, ssl.SSLWantReadError):
                return None
            if not data:
                raise EOFError
            self.buffer += data

    def expect_close(self, code):
        """The server says this code, and ends the connection once we agree."""
        opcode, payload = self.receive()
        assert opcode == CLOSE, (opcode, payload)
        got = struct.unpack(">H", payload[:2])[0] if payload else None
        assert got == code, f"closed with {got} {payload[2:]!r}, not {code}"
        try:
            self.send(CLOSE, payload[:2])
            assert self.receive() is None, "it did not end"
        except (EOFError, ConnectionError):
            pass
        return payload[2:].decode()

    def close(self):
        self.sock.close()


class WsPhone(Phone):
    """A phone in a browser: it cannot be reached but by its connection, and says so."""

    def __init__(self, world, user=None, at=0, domain=None, **more):
        self.world, self.seen = world, set()
        secure = world.secure and world.tls_context()
        self.sip = ("127.0.0.1", (world.wss if secure else world.ws)[at])
        self.ws = WebSocket(self.sip, tls=secure or None, **more)
        self.sock = self.ws.sock
        super(Phone, self).__init__(user, domain or world.domain, world.passwords,
                                    "wss" if secure else "ws", f"{token(6)}.invalid", 0)
        self.opcode, self.uri_transport = TEXT, "ws"
        world.phones.append(self)

    @property
    def contact(self):
        return f"<sip:{self.user}@{self.host};transport={self.uri_transport}>"

    @property
    def via(self):
        return f"SIP/2.0/{self.transport.upper()} {self.host};branch=z9hG4bK{token()}"

    def send(self, message):
        data = message if isinstance(message, bytes) else bytes(message)
        self.ws.send(self.opcode, re.sub(rb"Content-Length: \d+\r\n", b"", data))
        return message

    def receive(self, timeout=3.0):
        got = self.ws.receive(timeout)
        if got is None:
            return None
        assert got[0] in (TEXT, BINARY), got
        return Message.parse(got[1])


class WsWorld(World):
    """Each registrar has a listener for WebSockets as well."""
    secure = False
    websocket = f"{{ origins: ['{ORIGIN}'] }}"

    def __init__(self, build, **more):
        super().__init__(build, **more)
        self.ws = [free_port() for _ in self.nodes]

    def listeners(self, i):
        return f"""  - {{ name: ws, transport: ws, address: "127.0.0.1:{self.ws[i]}", websocket: {self.websocket} }}
"""

    def write_configurations(self):
        super().write_configurations()
        with open(self.path("authd.yaml"), "a", encoding="utf-8") as f:
            f.write("defence: { exempt: [127.0.0.1/32] }\n")
        for i, node in enumerate(self.nodes):
            with open(self.path(f"{node}.yaml"), encoding="utf-8") as f:
                text = f.read()
            with open(self.path(f"{node}.yaml"), "w", encoding="utf-8") as f:
                f.write(text.replace("limits:", self.listeners(i) + "limits:", 1))

    def browser(self, user=None, register=True, **more):
        p = WsPhone(self, user or self.user(), **more)
        if register:
            p.register()
        return p
