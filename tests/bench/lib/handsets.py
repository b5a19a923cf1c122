"""Many desk phones of Cisco in one thread: those of the tests from the wire, whose media others play."""

import collections
import os
import selectors
import socket
import sys
import time

import streams
from countersign import SOURCE

sys.path.append(os.path.join(SOURCE, "tests", "e2e", "lib"))
import sccp_wire as wire  # noqa: E402
from sccp_phone import PCMU, SccpPhone  # noqa: E402

VERSION, HOST = 17, "127.0.0.6"


class Handset(SccpPhone):
    """Its user answers at once. end: where its media come from, when it is in a call."""

    def __init__(self, crowd, server, name):
        self.crowd, self.end, self.numbered, self.asked = crowd, None, 0, 0.0
        super().__init__(server, name, VERSION, HOST, codecs=(PCMU,), register=False)

    def forget(self):
        super().forget()
        self.at = {}  # when what happened last
        self.frames = collections.deque(maxlen=0)
        self.said = collections.deque(maxlen=8)
        self.heard = collections.deque(maxlen=8)

    def connect(self):
        self.forget()
        self.socket = socket.create_connection(self.server, timeout=5, source_address=(self.host, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.alive = True
        self.crowd.selector.register(self.socket, selectors.EVENT_READ, self)

    def close(self):
        if self.socket:
            self.crowd.selector.unregister(self.socket)
            self.socket.close()
        self.socket = None

    def wait(self, condition, seconds=5, what="it"):
        self.crowd.run(condition, seconds)
        assert condition(), f"{self.name} waited for {what}"

    def read_some(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError(f"{self.name}: the server closed the connection")
        self.feed(data)
        if len(self.unread) > 64:  # whom nobody waits for
            self.unread.clear()

    def on_KeepAliveAck(self, f):
        super().on_KeepAliveAck(f)
        self.crowd.answers.append(time.perf_counter() - self.asked)

    # ---- calls ----

    def on_CallState(self, f):
        super().on_CallState(f)
        state = self.calls[f["call"]]["state"]
        self.at[state] = time.perf_counter()
        self.numbered = f["call"]
        if state == "ring in":
            self.off_hook(f["line"], f["call"])

    def call(self, number):
        self.at["dialled"] = time.perf_counter()
        self.dial(number, 1)

    def on_OpenReceiveChannel(self, f):
        self.send("OpenReceiveChannelAck",
                  wire.opened(self.version, 0, self.end.host, self.end.port, f["party"], f["call"]))

    def on_StartMediaTransmission(self, f):
        self.end.server = f"{f['address']}:{f['port']}"
        self.at["speaks"] = time.perf_counter()
        self.send("StartMediaTransmissionAck", wire.transmitting(
            self.version, f["conference"], f["party"], f["call"], self.end.host, self.end.port))

    def on_CloseReceiveChannel(self, f):
        pass

    def on_StopMediaTransmission(self, f):
        pass

    def on_ConnectionStatisticsReq(self, f):
        self.send("ConnectionStatisticsRes", wire.statistics(self.version, f["number"], f["call"], f["mode"], 0, 0))


class Crowd:
    def __init__(self, server, names, keepalive):
        self.selector, self.keepalive = selectors.DefaultSelector(), keepalive
        self.phones = [Handset(self, server, name) for name in names]
        self.due = 0.0  # the next keepalive
        self.spoke = 0  # how many of them were said
        self.answers = []  # how long each took to come
        self.registered = []  # who says keepalives, in turn

    def run(self, condition, seconds):
        """Until it holds, or so long; each says its keepalives meanwhile."""
        end = time.monotonic() + seconds
        while not condition() and (now := time.monotonic()) < end:
            if self.registered and now >= self.due:
                p = self.registered[self.spoke % len(self.registered)]
                p.asked = time.perf_counter()
                p.send("KeepAlive")
                self.spoke += 1
                self.due = max(self.due + self.keepalive / len(self.registered), now - 1)
            left = min(end, self.due if self.registered else end) - now
            for key, _ in self.selector.select(max(left, 0)):
                key.data.read_some()

    def idle(self, seconds):
        self.run(lambda: False, seconds)

    def register(self):
        """One after the other; how long each took."""
        took = []
        for p in self.phones:
            began = time.perf_counter()
            p.connect()
            p.register()
            took.append(time.perf_counter() - began)
        self.registered, self.due = self.phones, time.monotonic()
        return took

    def place(self, pairs, rate):
        """Calls of one to the number of another, that many a second, all of which stay up."""
        begun = time.monotonic()
        for i, (caller, callee, number) in enumerate(pairs):
            caller.end, callee.end = streams.End(streams.CALLER, i, None), streams.End(streams.CALLEE, i, None)
            self.idle(begun + i / rate - time.monotonic())
            caller.at, callee.at = {}, {}
            caller.call(number)
        self.run(lambda: all("speaks" in p.at and "connected" in p.at for pair in pairs for p in pair[:2]), 10)

    def hang_up(self, pairs):
        for caller, callee, _ in pairs:
            caller.on_hook(1, caller.numbered)
        self.run(lambda: all(p.calls and p.calls[p.numbered]["state"] == "on hook" for pair in pairs for p in pair[:2]), 10)

    def close(self):
        for p in self.phones:
            p.close()
        self.selector.close()
