"""A phone on the wire: one UDP socket or TCP connection that says exactly what a test wants."""
import re
import select
import socket
import time

from sip import Message, answer_of, challenge_of, param, token, uri_of


class Party:
    """Who speaks, from where, and the messages he writes; send() is his line's. user may be None: a stranger."""

    def __init__(self, user, domain, passwords, transport, host, port):
        self.user, self.domain, self.passwords, self.transport = user, domain, passwords, transport
        self.host, self.port = host, port
        self.buffer, self.cseq, self.tag = b"", 1, token(4)
        self.call_id = f"{token()}@{host}"

    def send(self, message):
        raise NotImplementedError

    @property
    def aor(self):
        return f"sip:{self.user}@{self.domain}"

    @property
    def contact(self):
        more = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"<sip:{self.user}@{self.host}:{self.port}{more}>"

    @property
    def via(self):
        return f"SIP/2.0/{self.transport.upper()} {self.host}:{self.port};rport;branch=z9hG4bK{token()}"

    def framed(self):
        """The first message in the buffer of a stream, taken out of it, or None."""
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length:\s*(\d+)", head, re.I)
        if not end or not length or len(rest) < int(length.group(1)):
            return None
        size = len(head) + 4 + int(length.group(1))
        raw, self.buffer = self.buffer[:size], self.buffer[size:]
        return Message.parse(raw)

    # ---- requests ----

    def request(self, method, uri=None, to=None, headers=(), body=b"", call_id=None):
        """A request outside dialogs."""
        self.cseq += 1
        uri = uri or f"sip:{self.domain}"
        start = [("Via", self.via), ("Max-Forwards", "70"),
                 ("From", f"<{self.aor}>;tag={self.tag}"), ("To", f"<{to or uri}>"),
                 ("Call-ID", call_id or f"{token()}@{self.host}"), ("CSeq", f"{self.cseq} {method}")]
        if method in ("INVITE", "SUBSCRIBE", "REFER"):
            start.append(("Contact", self.contact))
        if method == "INVITE" and not body:
            body = "v=0\r\n"
        if body:
            start.append(("Content-Type", "application/sdp"))
        return Message(f"{method} {uri} SIP/2.0", start + [tuple(h) for h in headers], body)

    def authorize(self, request, answer, user=None, password=None, nc=1):
        """The request once more, with credentials for the challenge of this answer."""
        proxy = answer.status == 407
        offers = map(challenge_of, answer.all("Proxy-Authenticate" if proxy else "WWW-Authenticate"))
        offer = next(o for o in offers if o.get("algorithm", "MD5") in ("SHA-256", "MD5"))
        user = user or self.user
        value = answer_of(offer, request.method, request.uri, user,
                          password or self.passwords[user], nc)
        again = Message(request.start, request.headers, request.body)
        self.cseq = max(self.cseq, int(request["CSeq"].split()[0])) + 1
        vias = again.all("Via")
        again.set("Via", self.via, *vias[1:])
        again.set("CSeq", f"{self.cseq} {request.method}")
        again.headers.append(["Proxy-Authorization" if proxy else "Authorization", value])
        return again

    def ack(self, request, answer):
        """The ACK of a non-2xx answer (RFC 3261, 17.1.1.3)."""
        headers = [("Via", request.all("Via")[0]), ("Max-Forwards", "70")]
        headers += [("Route", r) for r in request.all("Route")]
        headers += [("From", request["From"]), ("To", answer["To"]),
                    ("Call-ID", request["Call-ID"]),
                    ("CSeq", f"{request['CSeq'].split()[0]} ACK")]
        return self.send(Message(f"ACK {request.uri} SIP/2.0", headers))

    def cancel(self, request):
        headers = [("Via", request.all("Via")[0]), ("Max-Forwards", "70"),
                   ("From", request["From"]), ("To", request["To"]),
                   ("Call-ID", request["Call-ID"]),
                   ("CSeq", f"{request['CSeq'].split()[0]} CANCEL")]
        return self.send(Message(f"CANCEL {request.uri} SIP/2.0", headers))

    def register_request(self, contacts=None, headers=(), aor=None):
        """contacts: None is the phone's own, () is a query."""
        contacts = [self.contact] if contacts is None else contacts
        return self.request("REGISTER", to=aor or self.aor, call_id=self.call_id,
                            headers=[("Contact", c) for c in contacts] + list(headers))

    # ---- answering ----

    def answer(self, request, status, reason="Reason", headers=(), body=b"", tag=None):
        headers = list(headers)
        to = request["To"]
        if status > 100 and param(to, "tag") is None:
            to += f";tag={tag or self.tag}"
        if request.method in ("INVITE", "SUBSCRIBE") and 100 < status < 300:
            headers += [("Record-Route", r) for r in request.all("Record-Route")]
            headers.append(("Contact", self.contact))
        start = [("Via", v) for v in request.all("Via")]
        start += [("From", request["From"]), ("To", to), ("Call-ID", request["Call-ID"]),
                  ("CSeq", request["CSeq"])]
        return self.send(Message(f"SIP/2.0 {status} {reason}", start + headers, body))


class Phone(Party):
    """user may be None: a stranger."""

    def __init__(self, world, user=None, transport="udp", host="127.0.0.1", domain=None, sip=None):
        self.world, self.sip, self.seen = world, sip or world.sip, set()
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.sock = socket.socket(socket.AF_INET, kind)
        self.sock.bind((host, 0))
        if transport == "tcp":
            self.sock.connect(self.sip)
        super().__init__(user, domain or world.domain, world.passwords, transport, host,
                         self.sock.getsockname()[1])
        world.phones.append(self)

    def close(self):
        self.sock.close()

    # ---- bytes ----

    def send(self, message):
        data = message if isinstance(message, bytes) else bytes(message)
        if self.transport == "udp":
            self.sock.sendto(data, self.sip)
        else:
            self.sock.sendall(data)
        return message

    def receive(self, timeout=3.0):
        """The next message as it comes, or None."""
        end = time.monotonic() + timeout
        while True:
            message = self.framed()
            if message:
                return message
            ready, _, _ = select.select([self.sock], [], [], max(0, end - time.monotonic()))
            if not ready:
                return None
            data = self.sock.recv(65536)
            if self.transport == "udp":
                return Message.parse(data)
            if not data:
                return None
            self.buffer += data

    def fresh(self, timeout=3.0):
        """The next message but retransmissions and 100, or None."""
        end = time.monotonic() + timeout
        while True:
            m = self.receive(max(0, end - time.monotonic()))
            if m is None:
                return None
            what = (m.branch, m["CSeq"], m.status, m["To"])
            if m.status != 100 and what not in self.seen:
                self.seen.add(what)
                return m

    def forget(self, method):
        """What was seen of it counts as fresh when it comes again."""
        self.seen = {what for what in self.seen if not what[1].endswith(method)}

    def expect(self, what, timeout=3.0):
        """The next message: a method, a status, or one of several."""
        m = self.fresh(timeout)
        wanted = what if isinstance(what, tuple) else (what,)
        got = None if m is None else m.status or m.method
        assert got in wanted, f"{self.user}: {got} instead of {what}{m!r}"
        return m

    def silent(self, seconds=0.15):
        m = self.fresh(seconds)
        assert m is None, f"{self.user} was to hear nothing:{m!r}"

    # ---- conversations ----

    def prove(self, request, status=None):
        """Sends it, answers the challenge; the request as it was sent then."""
        self.send(request)
        answer = self.expect(status or (401, 407))
        if request.method == "INVITE":
            self.ack(request, answer)
        return self.send(self.authorize(request, answer))

    def ask(self, method, uri=None, **more):
        """Proves and returns the final answer."""
        request = self.prove(self.request(method, uri, **more))
        answer = self.fresh()
        assert answer is not None, f"no answer to{request!r}"
        if method == "INVITE" and answer.status >= 300:
            self.ack(request, answer)
        return answer

    def register(self, contacts=None, want=200, **more):
        self.prove(self.register_request(contacts, **more))
        return self.expect(want)

    def bindings(self):
        """What the registrar says is registered, by Contact URI."""
        return {uri_of(c): c for c in self.register(()).all("Contact")}


class Dialog:
    """One side of a dialog, out of its INVITE and the 2xx (RFC 3261, 12.1)."""

    def __init__(self, phone, invite, ok, caller):
        self.phone, self.call_id = phone, invite["Call-ID"]
        routes = (ok if caller else invite).all("Record-Route")
        self.routes = routes[::-1] if caller else routes
        self.target = uri_of((ok if caller else invite)["Contact"])
        ends = [ok["From"], ok["To"]]
        self.local, self.remote = ends if caller else ends[::-1]
        self.invite_cseq = invite["CSeq"].split()[0]

    def request(self, method, headers=(), body=b""):
        self.phone.cseq += 1
        number = self.invite_cseq if method == "ACK" else self.phone.cseq
        start = [("Via", self.phone.via), ("Max-Forwards", "70")]
        start += [("Route", r) for r in self.routes]
        start += [("From", self.local), ("To", self.remote), ("Call-ID", self.call_id),
                  ("CSeq", f"{number} {method}")]
        if method in ("INVITE", "SUBSCRIBE", "UPDATE"):
            start.append(("Contact", self.phone.contact))
        return Message(f"{method} {self.target} SIP/2.0", start + list(headers), body)

    def ack(self):
        return self.phone.send(self.request("ACK"))

    def ask(self, method, **more):
        """Proves who it is and returns what was sent in the end."""
        return self.phone.prove(self.request(method, **more))


# ---- calls ----

def ring(caller, callee, **more):
    """An INVITE that was proved: as the caller sent it, and as the callee got it."""
    sent = caller.prove(caller.request("INVITE", callee.aor, **more))
    return sent, callee.expect("INVITE")


def connect(caller, callee):
    """The two sides of a call."""
    sent, got = ring(caller, callee)
    answered = callee.answer(got, 200)
    a = Dialog(caller, sent, caller.expect(200), caller=True)
    a.ack()
    callee.expect("ACK")
    return a, Dialog(callee, got, answered, caller=False)


def hang_up(side, other):
    side.ask("BYE")
    other.phone.answer(other.phone.expect("BYE"), 200)
    side.phone.expect(200)
