"""SCCP as a handset writes and reads it. Written from descriptions of the protocol and sharing nothing with the
server, so that one mistake is not on both sides; it refuses what a real phone would stumble over."""
import re
import socket
import struct

SENT = {  # by the phone
    "KeepAlive": 0x00, "Register": 0x01, "IpPort": 0x02, "KeypadButton": 0x03, "EnblocCall": 0x04, "Stimulus": 0x05,
    "OffHook": 0x06, "OnHook": 0x07, "ForwardStatReq": 0x09, "SpeedDialStatReq": 0x0a, "LineStatReq": 0x0b,
    "ConfigStatReq": 0x0c, "TimeDateReq": 0x0d, "ButtonTemplateReq": 0x0e, "VersionReq": 0x0f,
    "CapabilitiesRes": 0x10, "ServerReq": 0x12, "Alarm": 0x20, "OpenReceiveChannelAck": 0x22,
    "ConnectionStatisticsRes": 0x23, "SoftKeySetReq": 0x25, "SoftKeyEvent": 0x26, "Unregister": 0x27,
    "SoftKeyTemplateReq": 0x28, "RegisterTokenReq": 0x29, "HeadsetStatus": 0x2b, "RegisterAvailableLines": 0x2d,
    "UpdateCapabilities": 0x30, "ServiceURLStatReq": 0x33, "FeatureStatReq": 0x34, "MediaPathEvent": 0x49,
    "StartMediaTransmissionAck": 0x154}


class Malformed(Exception):
    """What would make a phone reset."""


def frame(name, body=b"", version=0):
    body += bytes(-len(body) % 4)
    return struct.pack("<III", 4 + len(body), version, SENT.get(name, name)) + body


def unframe(buffer):
    """Header version, id, body and the rest; or None."""
    if len(buffer) < 12:
        return None
    length, version, which = struct.unpack_from("<III", buffer)
    if not 4 <= length <= 4096:
        raise Malformed(f"length {length}")
    if len(buffer) < 8 + length:
        return None
    return version, which, buffer[12:8 + length], buffer[8 + length:]


def text(s, width):
    raw = s.encode()
    assert len(raw) < width, s
    return raw.ljust(width, b"\0")


def words(*values):
    return struct.pack(f"<{len(values)}I", *values)


def address(host, version):
    packed = socket.inet_aton(host)
    return packed if version < 17 else words(0) + packed + bytes(12)


# ---- what the phone says, in the form that phones of a version have ----

def register(version, name, kind, host, lines=2, load="SCCP-test"):
    utf8 = version > 11
    body = text(name, 16) + words(0, 1) + socket.inet_aton(host) + words(kind, 5, 0)
    body += bytes([version, 0x00, 0x72 if utf8 else 0x60, 0x85]) + words(0, 0)
    if version >= 11:
        body += bytes.fromhex(name[3:15]).ljust(12, b"\0")
    if version >= 17:
        body += words(0, lines) + bytes(16) + words(0) + text(load, 32)
    if version >= 22:
        body += text("", 48)
    return body


def token_request(name, kind, host):
    return text(name, 16) + words(0, 1) + socket.inet_aton(host) + words(kind) + bytes(20)


def alarm(name):
    return words(2) + text(f"Name={name} Load=test Last=Initialized", 80) + words(0, 0)


def capabilities(version, codecs):
    """The name of the message, and its body."""
    slots = b"".join(words(c, 40) + bytes(8) for c in codecs) + b"\x55" * 16 * (18 - len(codecs)) # garbage
    if version < 17:
        return "CapabilitiesRes", words(len(codecs)) + slots
    return "UpdateCapabilities", (words(len(codecs), 0, 0, 0, 0) + bytes(292) + slots).ljust(1840, b"\0")


def hook(version, line, call):
    return b"" if version < 7 else words(line, call)


def keypad(version, key, line, call):
    code = {"*": 0xe, "#": 0xf, "+": 0x10}.get(key) or int(key, 16)
    return words(code) if version < 7 else words(code, line, call)


def enbloc(version, number, line):
    if version < 17:
        return text(number, 24)
    if version < 19:
        return text(number, 24) + words(line)
    if version < 22:
        return text(number, 25) + bytes(3) + words(line) # aligned, as 8945 does
    return text(number, 25) + words(line) + bytes(3) # packed, as 7970 does


def opened(version, status, host, port, party, call):
    return words(status) + address(host, version) + words(port, party) + (b"" if version < 7 else words(call))


def transmitting(version, conference, party, call, host, port):
    return words(conference, party, call) + address(host, version) + words(port, 0)


def statistics(version, number, call, mode, sent, received):
    head = text(number, 24 if version < 19 else 28) + words(call)
    head += bytes([mode]) if version >= 22 else words(mode)
    return head + words(sent, sent * 160, received, received * 160, 0, 0, 0, 0)


# ---- what it hears ----

class Reader:
    def __init__(self, body, version):
        self.body, self.version, self.at = body, version, 0

    def take(self, n):
        if self.at + n > len(self.body):
            raise Malformed(f"{n} bytes at {self.at} of {len(self.body)}")
        self.at += n
        return self.body[self.at - n:self.at]

    def u8(self):
        return self.take(1)[0]

    def u16(self):
        return struct.unpack("<H", self.take(2))[0]

    def u32(self):
        return struct.unpack("<I", self.take(4))[0]

    def s(self, width):
        raw = self.take(width)
        if b"\0" not in raw:
            raise Malformed(f"a text without an end: {raw}")
        return self.decode(raw[:raw.index(b"\0")])

    def z(self):
        end = self.body.find(b"\0", self.at)
        if end < 0:
            raise Malformed("a dynamic text without an end")
        return self.decode(self.take(end + 1 - self.at)[:-1])

    def decode(self, raw):
        """Labels stand before what is text, and are read as <17>; UTF-8 is what Register asked for."""
        labels = re.match(rb"(?:\x80[^\0])*", raw)[0]
        rest = raw[len(labels):].decode("utf-8" if self.version > 11 else "latin-1")
        return "".join(f"<{b:02x}>" for b in labels[1::2]) + rest

    def address(self):
        if self.version < 17:
            return socket.inet_ntoa(self.take(4))
        family, raw = self.u32(), self.take(16)
        return socket.inet_ntop(socket.AF_INET6, raw) if family == 1 else socket.inet_ntoa(raw[:4])

    def crypto(self):
        algorithm, key, salt = self.u32(), self.u16(), self.u16()
        found = self.take(16)[:key], self.take(16)[:salt]
        self.take(8) # MKI, key derivation rate
        return dict(algorithm=algorithm, key=found[0], salt=found[1])


def numbers(*names):
    return lambda r: {n: r.u32() for n in names}


def call_info(r):
    names = ["calling_name", "calling", "called_name", "called"]
    got = {n: r.s(40 if n.endswith("name") else 24) for n in names}
    got.update(line=r.u32(), call=r.u32(), type=r.u32())
    for n in ("original_name", "original", "redirecting_name", "redirecting"):
        got[n] = r.s(40 if n.endswith("name") else 24)
    r.take(8 + 4 * 24)
    got.update(instance=r.u32(), security=r.u32(), restricted=r.u32())
    return got


def call_info_dynamic(r):
    got = dict(line=r.u32(), call=r.u32(), type=r.u32())
    r.take(8)
    got.update(instance=r.u32(), security=r.u32(), restricted=r.u32())
    for n in ("calling alternate called original redirecting vm1 vm2 vm3 vm4 calling_name called_name original_name "
              "redirecting_name hunt hunt_name").split():
        got[n] = r.z()
    return got


def open_channel(r):
    got = dict(conference=r.u32(), party=r.u32(), packet=r.u32(), codec=r.u32(), echo=r.u32())
    r.take(4)
    got.update(call=r.u32(), crypto=r.crypto())
    r.take(8)
    got["events"] = r.u32()
    r.take(12)
    got.update(address=r.address(), port=r.u32())
    if r.version >= 17:
        got["kind"] = r.u32()
    if r.version >= 21:
        r.take(40)
    return got


def transmit(r):
    got = dict(conference=r.u32(), party=r.u32(), address=r.address(), port=r.u32(), packet=r.u32(), codec=r.u32(),
               tos=r.u32(), silence=r.u32())
    r.take(8)
    got.update(call=r.u32(), crypto=r.crypto())
    r.take(8)
    got["events"] = r.u32()
    r.take(12)
    if r.version >= 21:
        r.take(36)
    return got


def button_template(r):
    offset, count, total = r.u32(), r.u32(), r.u32()
    buttons = [(r.u8(), r.u8()) for _ in range(42)]
    if count > 42 or total < count:
        raise Malformed(f"{count} buttons of {total}")
    return dict(offset=offset, total=total, buttons=buttons[:count])


def soft_key_template(r):
    offset, count, total = r.u32(), r.u32(), r.u32()
    keys = [(r.s(16), r.u32()) for _ in range(32)]
    return dict(offset=offset, total=total, keys=keys[:count])


def soft_key_sets(r):
    offset, count, total = r.u32(), r.u32(), r.u32()
    sets = [([r.u8() for _ in range(16)], [r.u16() for _ in range(16)]) for _ in range(16)]
    return dict(offset=offset, total=total, sets=sets[:count])


def forwards(r):
    width = 24 if r.version < 19 else 25
    got = dict(active=r.u32(), line=r.u32())
    for which in ("all", "busy", "no_answer"):
        got[which] = (r.u32(), r.s(width))
    return got


def servers(r):
    names, ports = [r.s(48) for _ in range(5)], [r.u32() for _ in range(5)]
    return dict(servers=[(n, p, r.address()) for n, p in zip(names, ports)])


def register_ack(r):
    got = dict(keepalive=r.u32(), date=r.s(6))
    r.take(2)
    got.update(secondary=r.u32(), version=r.u8(), features=r.take(3))
    return got


HEARD = {
    0x81: ("RegisterAck", register_ack),
    0x82: ("StartTone", numbers("tone", "to", "line", "call")),
    0x83: ("StopTone", lambda r: dict(line=r.u32(), call=r.u32(), tone=r.u32() if r.version >= 11 else 0)),
    0x85: ("SetRinger", numbers("mode", "duration", "line", "call")),
    0x86: ("SetLamp", numbers("button", "instance", "mode")),
    0x88: ("SetSpeakerMode", numbers("mode")),
    0x89: ("SetMicroMode", numbers("mode")),
    0x8a: ("StartMediaTransmission", transmit),
    0x8b: ("StopMediaTransmission", numbers("conference", "party", "call")),
    0x8f: ("CallInfo", call_info),
    0x14a: ("CallInfo", call_info_dynamic),
    0x90: ("ForwardStat", forwards),
    0x91: ("SpeedDialStat", lambda r: dict(index=r.u32(), number=r.s(24), label=r.s(40))),
    0x92: ("LineStat", lambda r: dict(line=r.u32(), number=r.s(24), name=r.s(40), label=r.s(40), options=r.u32())),
    0x147: ("LineStat", lambda r: dict(line=r.u32(), options=r.u32(), number=r.z(), name=r.z(), label=r.z())),
    0x93: ("ConfigStat", lambda r: dict(name=r.s(16), user_id=r.u32(), instance=r.u32(), user=r.s(40),
                                        server=r.s(40), lines=r.u32(), speed_dials=r.u32())),
    0x142: ("ConfigStat", lambda r: dict(name=r.s(16), user_id=r.u32(), instance=r.u32(), lines=r.u32(),
                                         speed_dials=r.u32(), user=r.z(), server=r.z())),
    0x94: ("DefineTimeDate", numbers("year", "month", "weekday", "day", "hour", "minute", "second", "ms", "unix")),
    0x97: ("ButtonTemplate", button_template),
    0x98: ("Version", lambda r: dict(load=r.s(16))),
    0x9b: ("CapabilitiesReq", numbers()),
    0x9d: ("RegisterReject", lambda r: dict(reason=r.s(32))),
    0x9e: ("ServerRes", servers),
    0x9f: ("Reset", numbers("how")),
    0x100: ("KeepAliveAck", numbers()),
    0x105: ("OpenReceiveChannel", open_channel),
    0x106: ("CloseReceiveChannel", numbers("conference", "party", "call")),
    0x107: ("ConnectionStatisticsReq", lambda r: dict(number=r.s(24 if r.version < 19 else 28), call=r.u32(),
                                                      mode=r.u32())),
    0x108: ("SoftKeyTemplateRes", soft_key_template),
    0x109: ("SoftKeySetRes", soft_key_sets),
    0x110: ("SelectSoftKeys", numbers("line", "call", "set", "mask")),
    0x111: ("CallState", numbers("state", "line", "call", "privacy", "precedence", "domain")),
    0x112: ("DisplayPromptStatus", lambda r: dict(timeout=r.u32(), text=r.s(32), line=r.u32(), call=r.u32())),
    0x145: ("DisplayPromptStatus", lambda r: dict(timeout=r.u32(), line=r.u32(), call=r.u32(), text=r.z())),
    0x113: ("ClearPromptStatus", numbers("line", "call")),
    0x114: ("DisplayNotify", lambda r: dict(timeout=r.u32(), text=r.s(32))),
    0x143: ("DisplayNotify", lambda r: dict(timeout=r.u32(), text=r.z())),
    0x115: ("ClearNotify", numbers()),
    0x120: ("DisplayPriNotify", lambda r: dict(timeout=r.u32(), priority=r.u32(), text=r.s(32))),
    0x144: ("DisplayPriNotify", lambda r: dict(timeout=r.u32(), priority=r.u32(), text=r.z())),
    0x121: ("ClearPriNotify", numbers("priority")),
    0x116: ("ActivateCallPlane", numbers("line")),
    0x117: ("DeactivateCallPlane", numbers()),
    0x118: ("UnregisterAck", numbers("status")),
    0x119: ("BackSpaceRes", numbers("line", "call")),
    0x11a: ("RegisterTokenAck", numbers()),
    0x11b: ("RegisterTokenReject", numbers("wait")),
    0x11d: ("DialedNumber", lambda r: dict(number=r.s(24 if r.version < 19 else 25), line=r.u32(), call=r.u32())),
    0x11f: ("FeatureStat", lambda r: dict(index=r.u32(), feature=r.u32(), label=r.s(40), status=r.u32())),
    0x146: ("FeatureStat", lambda r: dict(index=r.u32(), feature=r.u32(), status=r.u32(), label=r.z())),
    0x12f: ("ServiceURLStat", lambda r: dict(index=r.u32(), url=r.s(256), label=r.s(40))),
    0x148: ("ServiceURLStat", lambda r: dict(index=r.u32(), url=r.z(), label=r.z())),
    0x130: ("CallSelectStat", numbers("selected", "call", "line")),
    0x156: ("CallHistoryDisposition", numbers("disposition", "line", "call")),
}
DYNAMIC = {0x14a, 0x147, 0x142, 0x145, 0x143, 0x144, 0x146, 0x148} # known to later phones


def read(which, body, version):
    """Its name and what it says, at the version agreed on."""
    if which not in HEARD:
        raise Malformed(f"no phone knows message {which:#x}")
    if which in DYNAMIC and version < 17:
        raise Malformed(f"message {which:#x} at version {version}")
    name, layout = HEARD[which]
    return name, layout(Reader(body, version))
