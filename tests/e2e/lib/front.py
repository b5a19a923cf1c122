"""A front that speaks proto/auth.proto with authd: says facts, and shows what it hears."""
import os
import re
import socket
import struct

from daemons import TOP
from frames import TOOL, field, frame, hello, read_frame

UDP, TCP, TLS, WS, WSS, SCCP, SCCPS, LINK = 1, 2, 3, 4, 5, 6, 7, 8
B2BUA = 3


def enum(name):
    """The words of an enum of the contract, by number."""
    with open(os.path.join(TOP, "proto/auth.proto"), encoding="utf-8") as f:
        body = re.search(r"enum %s \{(.*?)\n\}" % name, f.read(), re.S).group(1)
    return {int(n): word for word, n in re.findall(r"^\s*(\w+) = (\d+);", body, re.M)}


CAUSES, KINDS = enum("Cause"), enum("VerdictKind")


def fields(data):
    """Number and value of each field; a message is its bytes."""
    at = 0

    def varint():
        nonlocal at
        n = shift = 0
        while True:
            byte = data[at]
            at += 1
            n |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return n
    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
        elif tag & 7 == 1:
            yield tag >> 3, struct.unpack("<Q", data[at:at + 8])[0]
            at += 8
        else:
            n = varint()
            yield tag >> 3, data[at:at + n]
            at += n


class Verdict:
    def __init__(self, data):
        self.challenges, self.grant, self.aors, self.token = [], {}, [], {}
        self.status = self.user = self.identity = self.certificate = self.device = None
        self.srtp = False
        self.rests_on = []
        for number, value in fields(data):
            if number == 1:
                self.id = value
            elif number == 2:
                self.kind = KINDS[value].lower()
            elif number == 3:
                self.decision = value.decode()
            elif number == 4:
                self.cause = CAUSES[value].lower()
            elif number == 5:
                self.read_grant(value)
            elif number == 6:
                self.status = value
            elif number == 7:
                self.challenges.append(value.decode())

    def read_grant(self, data):
        names = {4: "min", 5: "max", 6: "default", 15: "srtp", 16: "mode"}
        for number, value in fields(data):
            if number == 1:
                self.user = value.decode()
            elif number == 2:
                self.aors.append(value.decode())
            elif number == 3:
                self.identity = value.decode()
            elif number == 20:
                self.rests_on = [value[i:i + 8] for i in range(0, len(value), 8)]
            elif number in names:
                self.grant[names[number]] = value
                self.srtp = bool(self.grant.get("srtp"))
            elif number == 13:
                self.certificate = value
            elif number == 14:
                self.device = value.decode()
            elif number == 12:
                texts = {1: "iss", 2: "sub", 3: "jti", 4: "sid", 5: "iat", 6: "exp"}
                self.token = {texts[n]: v.decode() if isinstance(v, bytes) else v
                              for n, v in fields(value)}

    @property
    def schemes(self):
        return [c.split()[0] for c in self.challenges]

    def __repr__(self):
        return f"{self.kind} {self.status} {self.cause} {self.challenges} {self.grant}"


def credentials(c, proxy=False):
    """DigestCredentials of a dictionary."""
    numbers = {"username": 2, "realm": 3, "nonce": 4, "uri": 5, "response": 6, "algorithm": 7,
               "qop": 8, "nc": 9, "cnonce": 10, "userhash": 12, "malformed": 13}
    return field(1, int(proxy)) + b"".join(field(numbers[k], v) for k, v in c.items())


class Revoked:
    """What a front is told that has fallen."""

    def __init__(self, data):
        found = {}
        for number, value in fields(data):
            found.setdefault(number, []).append(value)
        self.user = found.get(1, [b""])[0].decode()
        self.event = found.get(2, [b""])[0].decode()
        self.aors = [a.decode() for a in found.get(3, [])]
        self.lost = bool(found.get(4, [0])[0])
        self.rests_on = found.get(5, [None])[0]
        self.issued_before = found.get(6, [None])[0]


class Attached:
    """What a b2bua is told of a desk phone."""

    def __init__(self, data):
        self.status = 403 # as a Verdict that refuses has it
        self.lines, self.buttons, self.record, self.challenges = [], [], {}, []
        for number, value in fields(data):
            if number == 2:
                self.kind = KINDS[value].lower()
            elif number == 3:
                self.decision = value.decode()
            elif number == 4:
                self.cause = CAUSES[value].lower()
            elif number == 5:
                self.group = value.decode()
            elif number == 7:
                self.read_record(value)
            elif number == 9:
                self.valid = value

    def read_record(self, data):
        names = {1: "name", 2: "security", 5: "model", 6: "softkeys", 7: "time_zone", 8: "date_format", 9: "locale",
                 10: "dnd"}
        line = {1: "user", 2: "aor", 3: "display_name", 4: "pass", 5: "fault", 6: "all", 7: "busy", 8: "no_answer"}
        button = {1: "kind", 2: "label", 3: "line", 4: "number"}
        for number, value in fields(data):
            if number in names:
                self.record[names[number]] = value.decode() if isinstance(value, bytes) else value
                continue
            of = line if number == 3 else button
            (self.lines if number == 3 else self.buttons).append(
                {of[n]: v.decode() if isinstance(v, bytes) else v for n, v in fields(value)})

    def __repr__(self):
        return f"{self.kind} {self.cause} {self.record} {self.lines} {self.buttons}"


class Front:
    """One connection. Questions may be put together; answers are told apart by their ids."""

    def __init__(self, path, role=TOOL):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(10)
        self.s.connect(path)
        self.s.sendall(hello(role=role))
        read_frame(self.s)
        self.last = 0

    def close(self):
        self.s.close()

    def put(self, method="REGISTER", token=None, user="alice", transport=TLS, listener="main",
            domain="example.test", to=None, certificate=None, repeated=False, digest=None,
            deadline=None, x509=None, source=b"\xc6\x33\x64\x07", basic=False, call_id=None, serial=None,
            issuer=None):
        self.last += 1
        aor = f"sip:{user}@{domain}"
        body = (field(1, self.last) + field(10, listener) + field(11, transport) +
                field(12, source) + field(13, 5061) + field(20, method) +
                field(21, f"sip:{domain}") + field(22, domain) + field(23, aor) +
                field(24, to or aor) + field(26, call_id or f"call-{self.last}") + field(27, 1) +
                field(28, "Softphone/1.0") + field(31, 1))
        if deadline:
            body += field(2, deadline)
        if digest:
            body += field(40, credentials(digest, method != "REGISTER"))
        if basic:
            body += field(41, 1)
        if token is not None:
            body += field(42, token)
        if repeated:
            body += field(43, 1)
        if certificate:
            body += field(44, certificate)
        if serial:
            body += field(45, field(6, issuer) + field(7, serial))
        if x509: # an X509, see x509.py
            body += field(44, x509.sha256) + field(45, x509.message())
        self.s.sendall(frame(field(2, body)))
        return self.last

    def follow(self):
        """From here on revocations are told."""
        self.s.sendall(frame(field(5, b"")))

    def hear(self, seconds=2):
        """The next revocation but those that only tell a place; None if none comes."""
        self.s.settimeout(seconds)
        try:
            while True:
                for number, value in fields(read_frame(self.s)):
                    told = Revoked(value) if number == 5 else None
                    if told and (told.user or told.aors or told.lost or told.rests_on):
                        return told
        except TimeoutError:
            return None
        finally:
            self.s.settimeout(10)

    def answer(self, body):
        """The next message of that kind."""
        while True:
            for number, value in fields(read_frame(self.s)):
                if number == body:
                    return value

    def attach(self, device, listener="desks", transport=SCCP, source=b"\x0a\x14\x00\x07", token=False, x509=None):
        """What is said of a desk phone."""
        self.last += 1
        body = (field(1, self.last) + field(10, listener) + field(11, transport) + field(12, source) +
                field(13, 50000) + field(20, device) + field(21, 436) + field(22, 20) + field(23, "SCCP45.9-4-2") +
                field(24, int(token)))
        if x509:
            body += field(44, x509.sha256) + field(45, x509.message())
        self.s.sendall(frame(field(9, body)))
        return Attached(self.answer(9))

    def keep(self, device, user=None, all=None, busy=None, no_answer=None, dnd=None):
        """What became of it, a cause."""
        self.last += 1
        body = field(1, self.last) + field(2, device)
        for number, value in enumerate((user, all, busy, no_answer, dnd), 3):
            body += field(number, value) if value is not None else b""
        self.s.sendall(frame(field(10, body)))
        return next(CAUSES[value].lower() for number, value in fields(self.answer(10)) if number == 2)

    def hear_changed(self):
        """The device that has another record, None: any may have."""
        return dict(fields(self.answer(11))).get(1, b"").decode() or None

    def take(self):
        while True:
            for number, value in fields(read_frame(self.s)):
                if number == 2:
                    return Verdict(value)

    def ask(self, **facts):
        number = self.put(**facts)
        verdict = self.take()
        assert verdict.id == number
        return verdict
