"""A world with a b2bua: lines whose calls it carries, a trunk that a test speaks for, and media that are
really sent."""
import os
import select
import socket
import struct
import time
import urllib.request
import json

from daemons import free_port, free_ports, wait_for
from phone import Dialog, Phone
from sip import Message
from world import World

TRUNK = "127.0.0.7" # where the carrier is: authd knows it by that

GROUP = f"""peer_groups:
  - {{ name: carrier, match: {{ source: [{TRUNK}/32] }}, require: {{ all_of: [address] }},
      digest: {{ realm: example.test }} }}
"""

B2BUA = """
node: b2bua
authd: {{ socket: {auth}, deadline: 3s }}
http: {{ listen: "127.0.0.1:{status}" }}
link: {{ directory: {dir} }}
registrars: [ {{ node: registrar }} ]
domains: [{domain}]
listeners:
  - {{ name: udp, transport: udp, address: "127.0.0.1:{sip}" }}
  - {{ name: tcp, transport: tcp, address: "127.0.0.1:{sip}" }}
media:
  addresses: [ {{ name: loopback, address: 127.0.0.1 }} ]
  first_port: {first}
  last_port: {last}
  threads: 1
  inactivity: 0s
context: lines
trunks:
  - {{ name: carrier, targets: [ {{ uri: "sip:{trunk}:{trunk_port}" }} ], group: carrier, context: outside, answer: {answer}, probe: 0s,
      media: {{ srtp: {trunk_srtp} }} }}
dialplan:
  contexts:
    - name: lines
      entries:
        - {{ pattern: "9T", to: [ {{ trunk: carrier }} ] }}
        - {{ pattern: "*43", to: [ {{ extension: "*43" }} ] }}
        - {{ pattern: "*44", to: [ {{ extension: "*44" }} ] }}
        - {{ pattern: "user user*", to: [ {{ line: "{{called}}" }} ] }}
    - name: outside
      entries:
        - {{ pattern: "9777", to: [ {{ trunk: carrier }} ] }}
        - {{ pattern: "user user*", to: [ {{ line: "{{called}}" }} ] }}
cdr: {{ file: cdr.json }}
journal_file: calls.journal
limits: {{ drain: 200ms }}
timers: {{ {timers} }}
log: {{ level: debug }}
"""


class BridgeWorld(World):
    others = ["b2bua"]
    trunk_srtp, answer, timers = "forbid", "500ms", "t1: 40ms, t2: 200ms, t4: 200ms"
    media_ports = 202
    registrar_more = "calls: { bridges: [ { node: b2bua } ] }\n"

    def write_configurations(self):
        super().write_configurations()
        with open(self.path("authd.yaml"), encoding="utf-8") as f:
            text = f.read()
        with open(self.path("authd.yaml"), "w", encoding="utf-8") as f:
            f.write(text.replace("peer_groups:\n", GROUP))
        self.b2bua = ("127.0.0.1", free_port())
        self.b2bua_status, self.trunk_port = free_port(), free_port()
        first = free_ports(self.media_ports)
        with open(self.path("b2bua.yaml"), "w", encoding="utf-8") as f:
            f.write(B2BUA.format(auth=self.auth_socket, status=self.b2bua_status, dir=self.dir,
                                 domain=self.domain, sip=self.b2bua[1], first=first, last=first + self.media_ports - 1,
                                 trunk=TRUNK, trunk_port=self.trunk_port,
                                 trunk_srtp=self.trunk_srtp, timers=self.timers, answer=self.answer))

    def change(self, name, *pairs):
        with open(self.path(name), encoding="utf-8") as f:
            text = f.read()
        for old, new in pairs:
            assert old in text, old
            text = text.replace(old, new, 1)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def start_daemons(self):
        super().start_daemons()
        self.start_daemon("b2bua", self.b2bua_status)

    def calls(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.b2bua_status}/calls", timeout=5) as r:
            return json.load(r)["calls"]

    def trunks(self):
        """As they stand, by name."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.b2bua_status}/trunks", timeout=5) as r:
            return {t["name"]: t for t in json.load(r)["trunks"]}

    def records(self):
        if not os.path.exists(self.path("cdr.json")):
            return []
        with open(self.path("cdr.json"), encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def record_of(self, call_id):
        def found():
            return [r for r in self.records() if call_id == r["call_id"]]
        wait_for("the record of the call", found)
        return found()[-1]

    def trunk(self):
        """The carrier: hears UDP at the address that authd knows it by."""
        return Carrier(self)


class Carrier(Phone):
    def __init__(self, world, host=TRUNK, port=None):
        super().__init__(world, "carrier", host=host, sip=world.b2bua)
        self.sock.close()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port = port or world.trunk_port
        self.sock.bind((host, self.port))


class Media:
    """A stream of RTP: its socket, and the description that names it."""

    def __init__(self, host="127.0.0.1"):
        while True:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self.rtp, self.rtcp = (socket.socket(family, socket.SOCK_DGRAM) for _ in "ab")
            try:
                self.port = free_ports(2)
                self.rtp.bind((host, self.port))
                self.rtcp.bind((host, self.port + 1))
                break
            except OSError:
                self.close()
        self.host, self.seq, self.ssrc, self.version = host, 100, int.from_bytes(os.urandom(4), "big"), 1

    def close(self):
        self.rtp.close()
        self.rtcp.close()

    def sdp(self, codecs=((0, "PCMU/8000"), (101, "telephone-event/8000")), direction="sendrecv", lines=(),
            proto="RTP/AVP"):
        at = f"IN IP{6 if ':' in self.host else 4} {self.host}"
        text = [f"v=0", f"o=- 7 {self.version} {at}", "s=-", f"c={at}", "t=0 0",
                f"m=audio {self.port} {proto} {' '.join(str(n) for n, _ in codecs)}"]
        text += [f"a=rtpmap:{n} {name}" for n, name in codecs]
        return "".join(line + "\r\n" for line in text + list(lines) + [f"a={direction}"]).encode()

    def send(self, to, payload=0, data=b"\xd5" * 160):
        self.seq = self.seq + 1 & 0xffff
        head = struct.pack("!BBHII", 0x80, payload, self.seq, self.seq * 160 & 0xffffffff, self.ssrc)
        self.rtp.sendto(head + data, to)
        return head + data

    def receive(self, timeout=1.0):
        """Payload type and payload, or None."""
        ready, _, _ = select.select([self.rtp], [], [], timeout)
        if not ready:
            return None
        packet = self.rtp.recv(4096)
        return packet[1] & 0x7f, packet[12:]


def address_of(message):
    """Where the first stream of a description is."""
    text = message.body.decode()
    host = next(line for line in text.splitlines() if line.startswith("c=")).split()[-1]
    port = next(line for line in text.splitlines() if line.startswith("m=")).split()[1]
    return host, int(port)


def hears(there, here, to, payload=0, want=None):
    """What is sent from there to `to` comes out here."""
    data = os.urandom(160)
    for _ in range(20): # the relay may be told a moment later
        there.send(to, payload, data)
        got = here.receive(0.1)
        while got and got[1] != data:
            got = here.receive(0.1)
        if got:
            assert got[0] == (payload if want is None else want), got[0]
            return
    raise AssertionError(f"nothing that was sent to {to} came")


class Call:
    """A call that stands: dialogs and media of both ends, and where each is to send."""

    def __init__(self, world, caller, callee, target=None, offer=None, answer=None, take=True):
        self.world, self.caller, self.callee = world, caller, callee
        self.here, self.there = Media(caller.host), Media(callee.host)
        self.sent, self.got = self.invite(target or callee.aor, offer or self.here.sdp())
        self.call_id = self.sent["Call-ID"]
        self.to_callee = None
        if take:
            self.take(answer)

    def invite(self, target, offer):
        request = self.caller.request("INVITE", target, body=offer)
        if offer == b"none":
            request = Message(request.start, [h for h in request.headers if h[0] != "Content-Type"])
        if self.caller.sip == self.world.b2bua: # a trunk, which is known by its address
            self.caller.send(request)
        else:
            request = self.caller.prove(request)
        return request, self.callee.expect("INVITE")

    def take(self, answer=None, status=200, headers=()):
        answered = self.answered = self.callee.answer(self.got, status, headers=[("Content-Type", "application/sdp"), *headers],
                                      body=answer or self.there.sdp())
        self.ok = self.caller.expect(status)
        if status != 200:
            return
        self.a = Dialog(self.caller, self.sent, self.ok, caller=True)
        self.a.ack()
        self.ack = self.callee.expect("ACK")
        self.b = Dialog(self.callee, self.got, answered, caller=False)
        self.near, self.far = address_of(self.ok), address_of(self.got)

    def talk(self, payload=0):
        hears(self.here, self.there, self.near, payload)
        hears(self.there, self.here, self.far, payload)

    def ask(self, dialog, method, **more):
        """A request inside; lines prove who they are."""
        request = dialog.request(method, **more)
        return dialog.phone.send(request) if isinstance(dialog.phone, Carrier) else dialog.phone.prove(request)

    def hang_up(self, by=None):
        by = by or self.a
        other = self.b if by is self.a else self.a
        self.ask(by, "BYE")
        bye = other.phone.expect("BYE")
        other.phone.answer(bye, 200)
        by.phone.expect(200)
        self.here.close()
        self.there.close()
        return bye
