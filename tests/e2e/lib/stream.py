"""A follower of GET /v1/stream, or of another path, over a socket of its own."""
import json
import socket
import time


class Stream:
    def __init__(self, port, token, query="", last_id=None, room=None,
                 path="/v1/stream", greeting=b"retry: 2000\n\n"):
        self.socket = socket.socket()
        if room:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(10)
        more = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        self.socket.sendall(f"GET {path}{query} HTTP/1.0\r\nHost: localhost\r\n{more}"
                            f"Authorization: Bearer {token}\r\n\r\n".encode())
        self.buffer = b""
        self.last_id = last_id
        self.head = self._until(b"\r\n\r\n").decode()
        self.status = int(self.head.split()[1])
        if self.status == 200:
            assert self._until(b"\n\n") == greeting, "the greeting"

    def _until(self, end):
        while end not in self.buffer:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more
        n = self.buffer.index(end) + len(end)
        text, self.buffer = self.buffer[:n], self.buffer[n:]
        return text

    def next(self):
        """The next event: its kind, and what it holds."""
        while True:
            fields = dict(line.split(": ", 1) for line in self._until(b"\n\n").decode().splitlines()
                          if ": " in line)
            if "data" not in fields:
                continue # a heartbeat
            self.last_id = fields.get("id", self.last_id)
            return fields["event"], json.loads(fields["data"])

    def is_quiet(self, seconds=0.3):
        self.socket.settimeout(seconds)
        try:
            return not self.buffer and not self.socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(10)

    def ended(self, seconds):
        """Reads to the end; None if it did not come in time, else how much came before it."""
        n, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                more = self.socket.recv(65536)
            except ConnectionError:
                return n
            if not more:
                return n
            n += len(more)
        return None

    def close(self):
        self.socket.close()
