"""A Cisco handset: registers as phones of its version do, answers what a phone must answer, shows what it is
told to show, and speaks and hears G.711, by SRTP where it is given keys."""
import collections
import os
import select
import socket
import ssl
import struct
import threading
import time

import g711
import sccp_wire as wire

KINDS = {3: 6, 7: 30007, 11: 7, 17: 434, 20: 30016, 22: 585} # which phone is of that version
PCMA, PCMU, G722, G729, G729A, G729AB, EVENTS = 2, 4, 6, 11, 12, 16, 257 # which says that it has telephone-events
LAWS = {PCMU: g711.PCMU, PCMA: g711.PCMA, G722: g711.G722, G729: g711.G729, G729A: g711.G729, G729AB: g711.G729}
SETS = ["on hook", "connected", "on hold", "ring in", "off hook", "transfer", "digits", "conference", "ring out",
        "off hook with feature", "in use", "stealable"]
SOFT_KEYS = {"redial": 1, "new call": 2, "hold": 3, "transfer": 4, "forward": 5, "backspace": 8, "end call": 9,
             "resume": 10, "answer": 11, "conference": 13, "park": 14, "pickup": 17, "group pickup": 18,
             "remove last": 0x39, "do not disturb": 0x3f}
CALL_STATES = {1: "off hook", 2: "on hook", 3: "ring out", 4: "ring in", 5: "connected", 6: "busy", 7: "congestion",
               8: "hold", 9: "call waiting", 12: "proceed", 13: "in use", 14: "invalid number"}


class Closed(Exception):
    """The server closed the connection."""


class Channel:
    """A stream of RTP of a call: what it sends is a tone, what it hears is kept."""

    def __init__(self, host, call):
        self.call, self.to, self.law, self.hz, self.sent, self.at, self.ms = call, None, None, 440, 0, 0, 20
        self.heard, self.packets, self.before = collections.deque(maxlen=g711.RATE // 2), 0, 0
        self.open, self.opened = False, None
        self.ssrc, self.next = int.from_bytes(os.urandom(4), "big"), 0.0
        self.seal, self.unseal, self.forged = None, None, 0 # SRTP, where there are keys
        self.saying, self.digits = [], [] # by telephone-events: packets to be sent, and what was heard
        while True:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind((host, 0))
            self.port = self.socket.getsockname()[1]
            if self.port % 2 == 0:
                break
            self.socket.close()

    def send(self, to):
        payload, data, at = self.law.payload, self.law.tone(self.hz, self.at, self.ms * g711.RATE // 1000), self.at
        if self.saying:
            begun, event, end, duration = self.saying.pop(0)
            payload, at = self.started["events"] | (0x80 if duration == g711.FRAME else 0), begun
            data = struct.pack("!BBH", event, 0x80 * end | 10, duration)
        packet = struct.pack("!BBHII", 0x80, payload, self.sent & 0xffff, at & 0xffffffff, self.ssrc) + data
        self.socket.sendto(self.seal.protect(packet) if self.seal else packet, to)
        self.sent += 1
        self.at += self.ms * g711.RATE // 1000

    def say(self, key):
        """In its place in the stream: 100 ms."""
        event, begun = "0123456789*#ABCD".index(key), self.at + g711.FRAME
        self.saying += [(begun, event, n > 4, min(n, 5) * g711.FRAME) for n in range(1, 8)]

    def receive(self):
        packet = self.socket.recv(4096)
        if self.unseal:
            try:
                packet = self.unseal.unprotect(packet)
            except Exception: # of another key, or changed on the way
                self.forged += 1
                return
        if self.opened and self.opened["events"] and packet[1] & 0x7f == self.opened["events"]:
            event, flags = packet[12:14]
            said = struct.unpack("!I", packet[4:8])[0], "0123456789*#ABCD"[event]
            if flags & 0x80 and said not in self.digits: # its end is said thrice
                self.digits.append(said)
        law = {law.payload: law for law in LAWS.values()}.get(packet[1] & 0x7f)
        if law and self.open:
            self.heard.extend(law.decode(packet[12:]))
            self.packets += 1


class SccpPhone:
    """tls: a context, with the name that the server's certificate says; codecs: by their numbers, best first."""

    def __init__(self, server, name, version=17, host="127.0.0.1", tls=None, tls_name=None, codecs=(PCMU, PCMA),
                 register=True):
        self.server, self.name, self.offered, self.host, self.codecs = server, name, version, host, codecs
        self.tls, self.tls_name = tls, tls_name
        self.kind = KINDS.get(version, 30016)
        self.lock, self.wire = threading.Condition(), threading.Lock()
        self.socket, self.version = None, 0
        self.forget()
        self.hz = 440 # what is spoken
        if register:
            self.connect()
            self.register()

    def forget(self):
        """As after a restart."""
        self.version, self.buffer, self.failure, self.alive = 0, b"", None, False
        self.said, self.heard, self.frames = [], [], []  # all messages, by name; and what came, as it came
        self.unread = collections.deque()
        self.calls, self.lines, self.speed_dials, self.forwards, self.features = {}, {}, {}, {}, {}
        self.prompts, self.lamps, self.buttons, self.soft_keys, self.sets = {}, {}, [], [], []
        self.tone, self.ringer, self.speaker, self.selected, self.time = 0, 1, 2, {}, None
        self.notice, self.channels, self.keepalive, self.pongs = None, {}, 0, 0
        self.keys = [] # of SRTP: none comes twice

    # ---- the wire ----

    def connect(self):
        self.close()
        self.forget()
        self.socket = socket.create_connection(self.server, timeout=5, source_address=(self.host, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            self.socket = self.tls.wrap_socket(self.socket, server_hostname=self.tls_name)
        self.socket.setblocking(False) # who hears nothing waits on
        self.alive = True
        self.reader = threading.Thread(target=self.read, args=(self.socket,), daemon=True)
        self.reader.start()
        self.media = threading.Thread(target=self.speak, daemon=True)
        self.media.start()

    def send(self, name, body=b""):
        self.said.append(name)
        try:
            with self.wire:
                self.socket.sendall(wire.frame(name, body, self.version if self.version >= 10 else 0))
        except OSError as e:
            raise Closed(name) from e

    def hear(self, sock):
        """What comes next; OpenSSL must not hear and speak at once."""
        there = select.poll()
        there.register(sock, select.POLLIN)
        while True:
            there.poll()
            try:
                with self.wire:
                    return sock.recv(65536)
            except (ssl.SSLWantReadError, BlockingIOError):
                pass

    def read(self, sock):
        try:
            while data := self.hear(sock):
                self.feed(data)
        except OSError:
            pass # closed is closed
        except Exception as e: # a phone would reset: the test shall know
            self.failure = e
        with self.lock:
            self.alive = False
            self.lock.notify_all()

    def feed(self, data):
        self.buffer += data
        while found := wire.unframe(self.buffer):
            head, which, body, rest = found
            self.frames.append(self.buffer[:len(self.buffer) - len(rest)])
            self.buffer = rest
            if head > (self.version or 99) or (self.version < 10 and self.version and head):
                raise wire.Malformed(f"version {head} in a header, and {self.version} agreed on")
            name, fields = wire.read(which, body, self.version or self.offered)
            with self.lock:
                self.heard.append(name)
                self.take(name, fields)
                self.unread.append((name, fields))
                self.lock.notify_all()

    def take(self, name, f):
        """What a phone does by itself."""
        act = getattr(self, "on_" + name, None)
        if act:
            act(f)

    def wait(self, condition, seconds=5, what="it"):
        with self.lock:
            self.lock.wait_for(lambda: condition() or not self.alive or self.failure, seconds)
            if self.failure:
                raise self.failure
            if condition():
                return
            raise (AssertionError if self.alive else Closed)(
                f"{self.name} waited for {what}; last it heard {self.heard[-8:]}")

    def expect(self, name, seconds=5, **wanted):
        """The next message of that name that says this; those before it are read over."""
        found = []

        def there():
            while self.unread and not found:
                n, f = self.unread.popleft()
                if n == name and all(f[k] == v for k, v in wanted.items()):
                    found.append(f)
            return found
        self.wait(there, seconds, f"{name} {wanted or ''}")
        return found[0]

    def ask(self, request, answer, body=b"", **wanted):
        self.send(request, body)
        return self.expect(answer, **wanted)

    def closed(self, seconds=5):
        """Waits until the server has closed the connection."""
        with self.lock:
            assert self.lock.wait_for(lambda: not self.alive, seconds), f"{self.name} is still connected"
        if self.failure:
            raise self.failure

    def close(self):
        if not self.socket:
            return
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.reader.join(5)
        self.socket.close()
        self.media.join(5)
        self.socket = None

    # ---- registration ----

    def register(self):
        self.send("Alarm", wire.alarm(self.name))
        self.send("Register", wire.register(self.offered, self.name, self.kind, self.host))
        if self.offered < 17:
            self.send("IpPort", wire.words(16384))
        self.expect("RegisterAck")
        self.expect("CapabilitiesReq")
        self.send(*wire.capabilities(self.version, self.codecs))
        self.ask("VersionReq", "Version")
        self.ask("ButtonTemplateReq", "ButtonTemplate")
        self.ask("SoftKeyTemplateReq", "SoftKeyTemplateRes")
        self.ask("SoftKeySetReq", "SoftKeySetRes")
        self.expect("SelectSoftKeys", set=0)
        kinds = [kind for _, kind in self.buttons]
        for i in range(1, kinds.count(9) + 1):
            self.ask("LineStatReq", "LineStat", wire.words(i), line=i)
            self.ask("ForwardStatReq", "ForwardStat", wire.words(i), line=i)
        for instance, kind in self.buttons:
            if kind == 2:
                self.ask("SpeedDialStatReq", "SpeedDialStat", wire.words(instance), index=instance)
            elif kind in (0x13, 0x15):
                body = wire.words(instance) if self.version < 15 else wire.words(instance, 1)
                self.ask("FeatureStatReq", "FeatureStat", body, index=instance)
        self.ask("ConfigStatReq", "ConfigStat")
        self.ask("ServerReq", "ServerRes")
        self.send("RegisterAvailableLines", wire.words(kinds.count(9)))
        self.ask("TimeDateReq", "DefineTimeDate")

    def ask_token(self):
        """True, or how many seconds to wait."""
        self.send("RegisterTokenReq", wire.token_request(self.name, self.kind, self.host))
        self.wait(lambda: {"RegisterTokenAck", "RegisterTokenReject"} & set(self.heard), what="a token")
        return True if "RegisterTokenAck" in self.heard else self.expect("RegisterTokenReject")["wait"]

    def unregister(self):
        return self.ask("Unregister", "UnregisterAck", b"" if self.version < 11 else wire.words(0))["status"]

    def keep_alive(self, seconds=5):
        """Says that it is there; how long the answer took."""
        before, pongs = time.monotonic(), self.pongs
        self.send("KeepAlive")
        self.wait(lambda: self.pongs > pongs, seconds, "KeepAliveAck")
        return time.monotonic() - before

    def on_RegisterAck(self, f):
        assert 3 <= f["version"] <= self.offered, f
        self.version, self.keepalive, self.date = f["version"], f["keepalive"], f["date"]

    def on_KeepAliveAck(self, _):
        self.pongs += 1

    def on_ButtonTemplate(self, f):
        self.buttons = self.buttons[:f["offset"]] + f["buttons"]

    def on_SoftKeyTemplateRes(self, f):
        self.soft_keys = self.soft_keys[:f["offset"]] + f["keys"]

    def on_SoftKeySetRes(self, f):
        self.sets = self.sets[:f["offset"]] + f["sets"]

    def on_LineStat(self, f):
        self.lines[f["line"]] = f

    def on_SpeedDialStat(self, f):
        self.speed_dials[f["index"]] = f

    def on_ForwardStat(self, f):
        self.forwards[f["line"]] = f

    def on_DefineTimeDate(self, f):
        self.time = f

    # ---- what it shows ----

    def on_CallState(self, f):
        call = self.calls.setdefault(f["call"], dict(line=f["line"], info=None, states=[]))
        call["state"] = CALL_STATES[f["state"]]
        call["states"].append(call["state"])

    def on_CallInfo(self, f):
        self.calls.setdefault(f["call"], dict(line=f["line"], states=[], state=None))["info"] = f

    def on_DialedNumber(self, f):
        self.calls[f["call"]]["dialed"] = f["number"]

    def on_StartTone(self, f):
        self.tone = f["tone"]

    def on_StopTone(self, _):
        self.tone = 0

    def on_SetRinger(self, f):
        self.ringer = f["mode"]

    def on_SetLamp(self, f):
        self.lamps[f["button"], f["instance"]] = f["mode"]

    def on_SetSpeakerMode(self, f):
        self.speaker = f["mode"]

    def on_DisplayPromptStatus(self, f):
        self.prompts[f["line"], f["call"]] = f["text"]

    def on_ClearPromptStatus(self, f):
        self.prompts.pop((f["line"], f["call"]), None)

    def on_DisplayPriNotify(self, f):
        self.notice = f["text"]

    on_DisplayNotify = on_DisplayPriNotify

    def on_FeatureStat(self, f):
        self.features[f["index"]] = f

    def on_SelectSoftKeys(self, f):
        self.selected[f["call"]] = (SETS[f["set"]], f["mask"])

    def keys_of(self, call=0):
        """The events of the softkeys that are shown for a call."""
        which, mask = self.selected[call]
        indices, _ = self.sets[SETS.index(which)]
        return [self.soft_keys[n - 1][1] for i, n in enumerate(indices) if n and mask >> i & 1]

    # ---- what its user does ----

    def off_hook(self, line=0, call=0):
        self.send("OffHook", wire.hook(self.version, line, call))

    def on_hook(self, line=0, call=0):
        self.send("OnHook", wire.hook(self.version, line, call))

    def press(self, keys, line=0, call=0):
        for key in keys:
            for c in self.channels.values():
                if c.to and EVENTS in self.codecs and c.started["events"]:
                    c.say(key)
            self.send("KeypadButton", wire.keypad(self.version, key, line, call))

    def soft_key(self, name, line=0, call=0):
        self.wait(lambda: SOFT_KEYS[name] in self.keys_of(call), 2, f"{name} to be shown") # behind the call's state
        self.send("SoftKeyEvent", wire.words(SOFT_KEYS[name], line, call))

    def push(self, button, instance):
        self.send("Stimulus", wire.words(button, instance, *([0] if self.version >= 11 else [])))

    def dial(self, number, line=0):
        self.send("EnblocCall", wire.enbloc(self.version, number, line))

    def call_in(self, state, seconds=5):
        """The reference of the call that is, or comes, in that state."""
        def found():
            return [ref for ref, c in self.calls.items() if c["state"] == state]
        self.wait(found, seconds, f"a call in state {state}")
        return found()[-1]

    # ---- media ----

    def srtp(self, crypto, outbound):
        """What seals or opens packets by the keys of a message; None where it has none."""
        if not crypto["algorithm"]:
            return None
        key = crypto["key"] + crypto["salt"]
        assert self.tls, "keys in the clear"
        assert len(key) == 30 and key not in self.keys, "no key of its own"
        self.keys.append(key)
        import sdes # which not all have
        suite = {1: "AES_CM_128_HMAC_SHA1_32", 2: "AES_CM_128_HMAC_SHA1_80"}[crypto["algorithm"]]
        return sdes.session(suite, key, outbound)

    def on_OpenReceiveChannel(self, f):
        if f["codec"] not in self.codecs:
            self.send("OpenReceiveChannelAck", wire.opened(self.version, 6, "0.0.0.0", 0, f["party"], f["call"]))
            return
        channel = self.channels.get(f["party"]) or Channel(self.host, f["call"])
        channel.open = True
        if channel.opened and channel.packets == channel.before and channel.opened["crypto"] == f["crypto"]:
            self.keys = self.keys[:-1] # nothing was heard by it: it may be another codec's, too
        channel.opened, channel.before = f, channel.packets
        channel.unseal = self.srtp(f["crypto"], outbound=False)
        channel.heard.clear()
        self.channels[f["party"]] = channel
        self.send("OpenReceiveChannelAck",
                  wire.opened(self.version, 0, self.host, channel.port, f["party"], f["call"]))

    def on_StartMediaTransmission(self, f):
        channel = self.channels.setdefault(f["party"], Channel(self.host, f["call"]))
        channel.seal = self.srtp(f["crypto"], outbound=True)
        channel.law, channel.ms = LAWS[f["codec"]], f["packet"]
        channel.to, channel.hz, channel.started, channel.next = (f["address"], f["port"]), self.hz, f, time.monotonic()
        if self.version >= 17:
            self.send("StartMediaTransmissionAck", wire.transmitting(
                self.version, f["conference"], f["party"], f["call"], self.host, channel.port))

    def on_CloseReceiveChannel(self, f):
        if f["party"] in self.channels:
            self.channels[f["party"]].open = False

    def on_StopMediaTransmission(self, f):
        if f["party"] in self.channels:
            self.channels[f["party"]].to = None

    def on_ConnectionStatisticsReq(self, f):
        channel = next((c for c in self.channels.values() if c.call == f["call"]), None)
        self.send("ConnectionStatisticsRes", wire.statistics(
            self.version, f["number"], f["call"], f["mode"], *((channel.sent, channel.packets) if channel else (0, 0))))

    def speak(self):
        while self.alive:
            channels = list(self.channels.values())
            now = time.monotonic()
            for c in channels:
                to = c.to # which may be taken back meanwhile
                if to and c.next <= now:
                    c.send(to)
                    c.next += c.ms / 1000
            ready = select.select([c.socket for c in channels], [], [], 0.005)[0] if channels else time.sleep(0.02)
            for c in channels:
                if ready and c.socket in ready:
                    c.receive()
        for c in self.channels.values():
            c.socket.close()

    def channel(self, call):
        """The one that is open, or will be: another codec takes a moment."""
        def found():
            return [c for c in list(self.channels.values()) if c.call == call and c.open]
        self.wait(found, what="an open channel")
        return found()[0]

    def hears(self, call, *tones, seconds=8):
        """Waits until what comes in are these tones, for half a second."""
        end, samples = time.monotonic() + seconds, []
        while time.monotonic() < end:
            samples = [x for c in list(self.channels.values()) if c.call == call and c.open for x in list(c.heard)]
            if g711.is_of(samples, *tones):
                return
            time.sleep(0.05)
        found = {hz: round(g711.share(samples, hz), 2) for hz in tones}
        raise AssertionError(f"{self.name} hears {found}, {len(samples)} samples")
