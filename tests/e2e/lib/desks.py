"""A world with a b2bua that desk phones connect to: in the clear, by TLS, and by the TLS of old handsets."""
import json
import ssl
import urllib.request

from bridge import BridgeWorld
from daemons import free_port, wait_for
from sccp_phone import SccpPhone

GROUP = """peer_groups:
  - {{ name: desks, match: {{ listener: [desks, desks-tls, desks-old], transport: [sccp, sccps] }},
      require: {{ any_of: [device] }}, expires: {{ min: 1s, max: 2h, default: 50m }} }}
"""

SCCP = """
sccp:
  listeners:
    - {{ name: desks, address: "127.0.0.1:{clear}" }}
    - {{ name: desks-tls, address: "127.0.0.1:{tls}", tls: {{ certificates: [ {{ certificate_file: desk.crt, key_file: desk.key }} ] }} }}
    - {{ name: desks-old, address: "127.0.0.1:{old}", legacy_tls: true, tls: {{ certificates: [ {{ certificate_file: old.crt, key_file: old.key }} ] }} }}
  keepalive: {keepalive}
  register_within: {register_within}
  unregistered: {unregistered}
  time_zone: Europe/Berlin
"""
NAME = "desk.example.test" # what the certificates say


class DeskWorld(BridgeWorld):
    keepalive, register_within, unregistered = "1s", "2s", 1000

    def write_configurations(self):
        super().write_configurations()
        self.clear, self.tls_port, self.old_port = free_port(), free_port(), free_port()
        self.make_certificate("desk", says=NAME)
        self.make_certificate("old", says=NAME, key=["rsa:2048"]) # for who knows no curves
        with open(self.path("authd.yaml"), encoding="utf-8") as f:
            text = f.read()
        with open(self.path("authd.yaml"), "w", encoding="utf-8") as f:
            f.write(text.replace("peer_groups:\n", GROUP.format()))
        with open(self.path("b2bua.yaml"), "a", encoding="utf-8") as f:
            f.write(SCCP.format(clear=self.clear, tls=self.tls_port, old=self.old_port, keepalive=self.keepalive,
                                register_within=self.register_within, unregistered=self.unregistered))

    def add_users(self, n):
        super().add_users(n)
        self.ctl("address-set", "add", "desks", "--network", "127.0.0.0/8", "--owner", "o", "--renewal", "2099-01-01",
                 "--note", "n")

    def ctl(self, *argv):
        code, out, err = self.csctl(*argv)
        assert code == 0, out + err
        return out

    def device(self, *users, name=None, more=()):
        """The name of a device with these lines; it is believed where it comes from."""
        self.n_devices = getattr(self, "n_devices", 0) + 1
        name = name or f"SEP{self.n_devices:012X}"
        lines = [word for user in users for word in ("--line", f"{user}@{self.domain}")]
        self.ctl("device", "add", name, "--address-set", "desks", *lines, *more)
        return name

    def desk(self, name, version=17, tls=None, port=None, **more):
        """A phone that is registered as that device; it may take a moment until authd knows of a new one."""
        phone = SccpPhone(("127.0.0.1", port or self.clear), name, version, tls=tls, tls_name=tls and NAME,
                          register=False, **more)
        self.phones.append(phone)

        def registers():
            phone.connect()
            try:
                phone.register()
                return True
            except Exception: # it was refused
                if not {"RegisterReject", "Register"} & {*phone.heard, *phone.said} or "RegisterAck" in phone.heard:
                    raise
                return False
        wait_for("the device", registers)
        return phone

    def speaks(self, version=None, ciphers=None):
        """How a phone speaks TLS; version: that and no other."""
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        c.load_verify_locations(self.path("ca.crt"))
        if ciphers:
            c.set_ciphers(ciphers)
        if version:
            c.minimum_version = c.maximum_version = version
        return c

    def devices(self):
        """What the b2bua says of connections, those that have no name yet last."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.b2bua_status}/devices", timeout=5) as r:
            return json.load(r)["devices"]

    def states(self):
        """The same, as csctl shows it."""
        return self.ctl("device", "state", "--b2bua", f"http://127.0.0.1:{self.b2bua_status}")

    def listed(self, name):
        """What csctl lists of one, connected or not."""
        out = self.ctl("device", "list", "-o", "json", "--b2bua", f"http://127.0.0.1:{self.b2bua_status}")
        return next(d["state"] for d in json.loads(out) if d["device"] == name)

    def state(self, name):
        return next((d for d in self.devices() if d["device"] == name), None)
