"""rtpengine in user space, told of calls by its ng protocol."""

import os
import re
import secrets
import socket

import process
from server import Server

HOST = "127.0.0.11"
CONTROL = 2.0  # seconds that an answer may take


def version():
    return re.search(r"[\d.]+", process.run(["dpkg-query", "-W", "-f", "${Version}",
                                             "rtpengine-daemon"]).decode()).group()


def bencode(value):
    if isinstance(value, dict):
        return b"d" + b"".join(bencode(k) + bencode(v) for k, v in sorted(value.items())) + b"e"
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    value = value if isinstance(value, bytes) else value.encode()
    return b"%d:%s" % (len(value), value)


def bdecode(text, at=0):
    """The value there, and where the next one is."""
    kind = text[at:at + 1]
    if kind == b"i":
        end = text.index(b"e", at)
        return int(text[at + 1:end]), end + 1
    if kind in (b"l", b"d"):
        values, at = [], at + 1
        while text[at:at + 1] != b"e":
            value, at = bdecode(text, at)
            values.append(value)
        if kind == b"d":
            return {k.decode(): v for k, v in zip(values[::2], values[1::2])}, at + 1
        return values, at + 1
    colon = text.index(b":", at)
    end = colon + 1 + int(text[at:colon])
    return text[colon + 1:end], end


class Rtpengine(Server):
    name = "rtpengine"
    title = "rtpengine"
    uses_redis = False
    threads = 1

    def launch(self):
        self.control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.control.settimeout(CONTROL)
        self.control.connect(("127.0.0.1", self.port))
        self.spawn("rtpengine", [
            "rtpengine", "--foreground", "--log-stderr", "--log-level=3", "--config-file=none",
            "--table=-1", f"--interface={HOST}", f"--listen-ng=127.0.0.1:{self.port}",
            "--port-min=10000", "--port-max=39999", f"--num-threads={self.threads}",
            "--timeout=86400", "--silent-timeout=86400", "--offer-timeout=86400"], self.answers)

    def ask(self, command, **words):
        cookie = secrets.token_hex(4).encode()
        self.control.send(cookie + b" " + bencode({"command": command, **words}))
        while True:
            said, _, answer = self.control.recv(65536).partition(b" ")
            if said == cookie:
                break
        answer = bdecode(answer)[0]
        if answer["result"] not in (b"ok", b"pong"):
            raise process.Failure(f"rtpengine: {command}: {answer}")
        return answer

    def answers(self):
        try:
            return bool(self.ask("ping"))
        except OSError:
            return False

    def connect(self, caller, callee):
        call, a, b = (secrets.token_hex(8) for _ in range(3))
        common = {"call-id": call, "from-tag": a, "ICE": "remove", "DTLS": "off",
                  "replace": ["origin", "session-connection"]}
        offered = self.ask("offer", **common, sdp=caller.offer(), **{
            "transport-protocol": "RTP/SAVP" if callee.suite else "RTP/AVP"})
        answered = self.ask("answer", **common, **{"to-tag": b}, sdp=callee.answer(offered["sdp"]))
        caller.hear(answered["sdp"])
