"""Phones by the thousand on one asyncio loop, which keep the timers of RFC 3261: they register, call, and
answer by themselves when they are called."""
import asyncio
import collections
import socket
import time

from phone import Dialog, Party
from sip import Message, challenge_of, token
from websocket import BINARY, CLOSE, PING, PONG, TEXT, frame, hello, take_frame

T1, T2 = 0.5, 4.0
PATIENCE = 64 * T1  # timers B and F (RFC 3261, 17.1.1.2, 17.1.2.2)
REMEMBERED = 64  # answers for retransmissions


class Silence(OSError):
    """No final answer came in time."""


class Caller(Party, asyncio.Protocol):
    """A phone that knows several servers and is registered at one of them, number at.

    make_socket(kind) is for phones that live elsewhere in the network; tls and names, of the servers, for those
    that speak TLS or WSS. With an instance it registers as RFC 5626 has it. take is what it answers an INVITE
    with, dialog the last one that came of it. took is how long it waited for the last answer."""

    def __init__(self, user, domain, passwords, servers, transport="udp", host="127.0.0.1", at=0,
                 make_socket=None, patience=PATIENCE, tls=None, names=(), instance=None):
        super().__init__(user, domain, passwords, transport, host, 0)
        self.tls, self.names, self.instance = tls, names, instance
        self.invalid = f"{token(6)}.invalid"  # what a browser calls itself (RFC 7118)
        self.upgraded = None  # a future, while a WebSocket is made
        self.make_socket = make_socket or (lambda kind: socket.socket(socket.AF_INET, kind))
        self.servers, self.at, self.patience = servers, at, patience
        self.take, self.dialog, self.got, self.took = 200, None, [], 0.0
        self.line = None  # UDP socket or TCP connection
        self.open = {}  # branch of a request: queue of its answers
        self.acks = {}  # Call-ID and number of an INVITE that was answered: the ACK
        self.unacked = {}  # the same of one that we answered: who repeats the answer
        self.answered = collections.OrderedDict()  # branch and method: our answers
        self.tasks = set()

    # ---- the line ----

    @property
    def contact(self):
        where = f"<sip:{self.user}@{self.invalid};transport=ws>" if self.transport == "wss" else super().contact
        return f'{where};+sip.instance="<{self.instance}>";reg-id=1' if self.instance else where

    @property
    def via(self):
        where = self.invalid if self.transport == "wss" else f"{self.host}:{self.port};rport"
        return f"SIP/2.0/{self.transport.upper()} {where};branch=z9hG4bK{token()}"

    async def connect(self, at=None):
        """To this server, if not yet; over TCP in the place of the last connection."""
        at = self.at if at is None else at
        if self.line and (self.transport == "udp" or (at == self.at and not self.line.is_closing())):
            self.at = at
            return
        self.close()
        self.at, self.buffer = at, b""
        loop = asyncio.get_running_loop()
        kind = socket.SOCK_DGRAM if self.transport == "udp" else socket.SOCK_STREAM
        sock = self.make_socket(kind)
        try:
            sock.setblocking(False)
            sock.bind((self.host, 0))
            if self.transport == "udp":
                self.line, _ = await loop.create_datagram_endpoint(lambda: self, sock=sock)
            else:
                await asyncio.wait_for(loop.sock_connect(sock, self.servers[at]), self.patience)
                secure = self.transport in ("tls", "wss")
                self.line, _ = await loop.create_connection(lambda: self, sock=sock, ssl=self.tls if secure else None,
                                                            server_hostname=self.names[at] if secure else None)
                if self.transport == "wss":
                    await self.upgrade()
        except asyncio.TimeoutError as e:
            sock.close()
            raise Silence(f"{self.user}: no connection to {self.servers[at]}") from e
        except OSError:
            sock.close()
            raise
        self.port = sock.getsockname()[1]

    async def upgrade(self):
        request, _ = hello(self.names[self.at], self.servers[self.at][1])
        self.upgraded = asyncio.get_running_loop().create_future()
        self.line.write(request)
        await asyncio.wait_for(self.upgraded, self.patience)

    def close(self):
        for task in list(self.tasks):
            task.cancel()
        if self.line:
            self.line.close()
        self.line = None

    def is_connected(self):
        return self.line is not None and not self.line.is_closing()

    def send(self, message):
        data = message if isinstance(message, bytes) else bytes(message)
        if not self.is_connected():
            raise ConnectionError(f"{self.user} has no connection")
        if self.transport == "udp":
            self.line.sendto(data, self.servers[self.at])
        else:
            self.line.write(frame(TEXT, data) if self.transport == "wss" else data)
        return message

    def datagram_received(self, data, _addr):
        self.hear(Message.parse(data))

    def error_received(self, _error):
        """ICMP: what is lost is sent again in time."""

    def data_received(self, data):
        self.buffer += data
        if self.transport == "wss":
            self.take_frames()
            return
        while message := self.framed():
            self.hear(message)

    def take_frames(self):
        if not self.upgraded.done():
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            self.buffer = rest
            if head.startswith(b"HTTP/1.1 101 "):
                self.upgraded.set_result(None)
            else:
                self.upgraded.set_exception(ConnectionError(f"{self.user}: {head!r}"))
        while taken := take_frame(self.buffer):
            (opcode, payload), self.buffer = taken
            if opcode in (TEXT, BINARY):
                self.hear(Message.parse(payload))
            elif opcode == PING:
                self.line.write(frame(PONG, payload))
            elif opcode == CLOSE:
                self.line.close()

    def connection_lost(self, _error):
        if self.upgraded and not self.upgraded.done():
            self.upgraded.set_exception(ConnectionError(f"{self.user}: the connection ended"))
        for queue in self.open.values():
            queue.put_nowait(None)

    def hear(self, message):
        if not message.status:
            self.serve(message)
        elif message.branch in self.open:
            self.open[message.branch].put_nowait(message)
        elif message.method == "INVITE" and message.status >= 200:
            ack = self.acks.get(message["CSeq"] + message["Call-ID"])
            if ack:
                self.send(ack)

    # ---- requests ----

    async def transact(self, request):
        """The final answer. Silence; ConnectionError when the connection ends."""
        invite, began = request.method == "INVITE", time.monotonic()
        queue = self.open[request.branch] = asyncio.Queue()
        end, wait = began + self.patience, T1
        again = self.transport == "udp"  # timers A and E
        try:
            self.send(request)
            while (left := end - time.monotonic()) > 0:
                try:
                    m = await asyncio.wait_for(queue.get(), min(wait, left) if again else left)
                except asyncio.TimeoutError:
                    if again and time.monotonic() < end:
                        self.send(request)
                        wait = wait * 2 if invite else min(wait * 2, T2)
                    continue
                if m is None:
                    raise ConnectionError(f"{self.user}: the connection ended")
                if m.status >= 200:
                    self.took = time.monotonic() - began
                    if invite and m.status >= 300:
                        self.acks[request["CSeq"] + request["Call-ID"]] = bytes(self.ack(request, m))
                    return m
                again, wait = again and not invite, T2
        finally:
            del self.open[request.branch]
        raise Silence(f"{self.user}: no answer to {request.method} within {self.patience} s")

    async def prove(self, request):
        """Answers the challenge, and once more one that says stale: the final answer, and the request as
        it was sent then."""
        for _ in range(2):
            answer = await self.transact(request)
            if answer.status not in (401, 407) or (
                    request.all("Authorization") + request.all("Proxy-Authorization") and not is_stale(answer)):
                break
            request = self.authorize(without_credentials(request), answer)
        else:
            answer = await self.transact(request)
        return answer, request

    async def ask(self, method, uri, **more):
        return (await self.prove(self.request(method, uri, **more)))[0]

    async def register(self, at=None, expires=600):
        """At this server: the final answer."""
        await self.connect(at)
        more = [("Supported", "path, outbound")] if self.instance else []
        request = self.register_request(headers=[("Expires", str(expires))] + more)
        return (await self.prove(request))[0]

    async def call(self, aor):
        """The final answer to an INVITE, and the dialog if it was a good one, whose ACK is sent."""
        answer, request = await self.prove(self.request("INVITE", aor))
        if answer.status >= 300:
            return answer, None
        dialog = Dialog(self, request, answer, caller=True)
        self.acks[request["CSeq"] + request["Call-ID"]] = bytes(dialog.ack())
        return answer, dialog

    # ---- answering ----

    def serve(self, request):
        key = (request.branch, request.method)
        if request.method == "ACK":
            task = self.unacked.pop(request["CSeq"].split()[0] + request["Call-ID"], None)
            if task:
                task.cancel()
        elif key in self.answered:
            self.send(self.answered[key])
        elif request.method == "INVITE":
            self.got.append(request)
            self.answer(request, 180)
            answer = self.answer(request, self.take)
            self.keep(key, answer)
            self.dialog = Dialog(self, request, answer, caller=False)
            task = asyncio.get_running_loop().create_task(self.repeat(bytes(answer)))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
            self.unacked[request["CSeq"].split()[0] + request["Call-ID"]] = task
        else:
            self.got.append(request)
            self.keep(key, self.answer(request, 200))

    def keep(self, key, answer):
        self.answered[key] = bytes(answer)
        if len(self.answered) > REMEMBERED:
            self.answered.popitem(last=False)

    async def repeat(self, answer):
        """Until the ACK comes (RFC 3261, 13.3.1.4, 17.2.1)."""
        wait, end = T1, time.monotonic() + PATIENCE
        while time.monotonic() < end:
            await asyncio.sleep(wait)
            self.send(answer)
            wait = min(wait * 2, T2)


def is_stale(answer):
    challenges = answer.all("WWW-Authenticate") + answer.all("Proxy-Authenticate")
    return any(challenge_of(c).get("stale", "").lower() == "true" for c in challenges)


def without_credentials(request):
    headers = [h for h in request.headers if h[0] not in ("Authorization", "Proxy-Authorization")]
    return Message(request.start, headers, request.body)


async def each(phones, what, at_once=100):
    """what(phone) of all, so many at a time; what they returned. The first that fails ends it."""
    gate = asyncio.Semaphore(at_once)

    async def one(phone):
        async with gate:
            return await what(phone)
    return await asyncio.gather(*(one(p) for p in phones))
