"""Countersign's b2bua, and calls that really pass through it: from one trunk to another, and from lines to a trunk."""

import os
import sys
import types

import process
from countersign import SOURCE, Countersign, is_ready
from countersign import AUTHD as LINES
from server import DOMAIN

sys.path.append(os.path.join(SOURCE, "tests", "e2e", "lib"))
from phone import Dialog, Phone  # noqa: E402  of the tests from the wire

HOST, CALLER, CALLEE = "127.0.0.10", "127.0.0.6", "127.0.0.7"

AUTHD = """\
listen: {{ socket: {folder}/auth.sock, users: ["{uid}"], signers: ["{uid}"] }}
redis: {{ socket: {redis} }}
nonce_key_file: {folder}/nonce.key
seal_key_file: {folder}/seal.key
http: {{ listen: "127.0.0.1:{rest}", admin_token_file: {folder}/admin.token }}
audit: {{ file: {folder}/audit.log }}
log: {{ level: warn }}
realms:
  - {{ name: {domain}, verifiers: [{algorithm}] }}
peer_groups:
  - name: caller
    match: {{ source: [%s/32] }}
    require: {{ all_of: [address] }}
    digest: {{ realm: {domain} }}
""" % CALLER

B2BUA = """\
node: b2bua
log: {{ level: warn }}
authd: {{ socket: {folder}/auth.sock }}
http: {{ listen: "127.0.0.1:{health}" }}
link: {{ directory: {folder} }}
registrars: [ {{ node: registrar }} ]
domains: [{domain}]
context: calls
listeners:
  - {{ name: udp, transport: udp, address: "127.0.0.1:{port}" }}
media:
  addresses: [ {{ name: loopback, address: {host} }} ]
  first_port: 10000
  last_port: 39999
  threads: {threads}
  inactivity: 0s
trunks:
  - {{ name: caller, targets: [ {{ uri: "sip:{caller}" }} ], probe: 0s, group: caller, context: calls,
      media: {{ srtp: prefer }} }}
  - {{ name: clear, targets: [ {{ uri: "sip:{callee}:{callee_port}" }} ], probe: 0s,
      media: {{ srtp: forbid }} }}
  - {{ name: sealed, targets: [ {{ uri: "sip:{callee}:{callee_port}" }} ], probe: 0s,
      media: {{ srtp: require }} }}
dialplan:
  contexts:
    - name: calls
      entries:
        - {{ pattern: "1", to: [ {{ trunk: clear }} ] }}
        - {{ pattern: "2", to: [ {{ trunk: sealed }} ] }}
cdr: {{ file: {folder}/cdr.json }}
limits: {{ calls: 20000, drain: 0s }}
timers: {{ session: 6h }}
"""


class Bridge(Countersign):
    name = "countersign"
    title = "Countersign"
    threads = 1

    def launch(self):
        world = types.SimpleNamespace(domain=DOMAIN, passwords={}, phones=[],
                                      sip=("127.0.0.1", self.port))
        self.caller, self.callee = (Phone(world, name, host=host)
                                    for name, host in (("caller", CALLER), ("callee", CALLEE)))
        values = self.launch_authd(AUTHD)
        health = process.free_port()
        config = self.write("b2bua.yaml", B2BUA.format(
            **values, health=health, port=self.port, host=HOST, threads=self.threads,
            caller=CALLER, callee=CALLEE, callee_port=self.callee.port))
        self.spawn("b2bua", [self.program("b2bua", "b2bua"), "--config", config],
                   lambda: is_ready(health))

    def connect(self, caller, callee):
        number = 2 if callee.suite else 1
        try:
            invite = self.caller.request("INVITE", f"sip:{number}@{self.address()}",
                                         body=caller.offer())
            self.caller.send(invite)
            got = self.callee.expect("INVITE")
            self.callee.answer(got, 200, headers=[("Content-Type", "application/sdp")],
                               body=callee.answer(got.body))
            ok = self.caller.expect(200)
            Dialog(self.caller, invite, ok, caller=True).ack()
            self.callee.expect("ACK")
        except AssertionError as e:
            raise process.Failure(f"b2bua: no call: {e}") from e
        caller.hear(ok.body)


OFFICE = """\
node: b2bua
log: {{ level: warn }}
authd: {{ socket: {folder}/auth.sock }}
http: {{ listen: "127.0.0.1:{health}" }}
link: {{ directory: {folder} }}
registrars: [ {{ node: registrar }} ]
domains: [{domain}]
context: lines
listeners:
  - {{ name: udp, transport: udp, address: "127.0.0.1:{sip}" }}
media:
  addresses: [ {{ name: loopback, address: {host} }} ]
  first_port: 10000
  last_port: 19999
  threads: 1
lines: {{ srtp: forbid }}
trunks:
  - {{ name: carrier, targets: [ {{ uri: "sip:{trunk}" }} ], probe: 0s, media: {{ srtp: forbid }} }}
dialplan:
  contexts:
    - {{ name: lines, entries: [ {{ pattern: "9T", to: [ {{ trunk: carrier }} ] }} ] }}
cdr: {{ file: {folder}/cdr.json }}
journal_file: {folder}/calls.journal
"""


class Office(Countersign):
    """A registrar whose lines call a trunk."""

    name = "countersign"
    title = "Countersign"
    link = "unix"
    more = "calls: {{ bridges: [ {{ node: b2bua }} ] }}\n"
    trunk = trunk_password = ""  # HOST:PORT
    office = OFFICE

    def launch(self):
        values = self.launch_authd(LINES)
        host, _, _ = self.trunk.partition(":")
        process.run([self.program("common", "tools", "csctl"), "trunk", "add", "carrier", "--target", host, "--realm",
                     "carrier.example", "--user", "us", "--password-file", "-"], input=self.trunk_password.encode(),
                    env=self.environment(values["rest"]))
        self.launch_registrar("registrar", {**values, "node": "registrar", "port": self.port})
        health = process.free_port()
        config = self.write("b2bua.yaml", self.office.format(
            **values, health=health, sip=process.free_port(), host=HOST, trunk=self.trunk))
        self.spawn("b2bua", [self.program("b2bua", "b2bua"), "--config", config], lambda: is_ready(health))
