"""Phones over TLS, and the certificates that a test needs: an authority for servers and one for devices."""
import hashlib
import os
import re
import socket
import ssl
import subprocess

import pki
from daemons import free_port
from phone import Party, Phone
from world import World


class TlsPhone(Party):
    """One TLS connection that says exactly what a test wants: sock, or one of connect()."""

    def __init__(self, world, user=None, port=None, host="127.0.0.1", domain=None, sock=None, **more):
        self.world, self.seen = world, set()
        self.sock = sock or connect(world, port or world.tls_port, host, **more)
        super().__init__(user, domain or world.domain, world.passwords, "tls", host, self.sock.getsockname()[1])
        world.phones.append(self)

    def close(self):
        self.sock.close()

    def send(self, message):
        self.sock.sendall(message if isinstance(message, bytes) else bytes(message))
        return message

    def receive(self, timeout=3.0):
        """The next message as it comes, or None."""
        self.sock.settimeout(max(timeout, 0.001))
        while not (message := self.framed()):
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                return None
            if not data:
                return None
            self.buffer += data
        return message

    # What a Phone does with its line is the same over any.
    fresh, expect, silent, prove = Phone.fresh, Phone.expect, Phone.silent, Phone.prove
    ask, register, bindings = Phone.ask, Phone.register, Phone.bindings


class TlsServer:
    """A peer that takes connections, with this certificate."""

    def __init__(self, world, host, own):
        self.world, self.host = world, host
        self.show(own)
        self.sock = socket.create_server((host, 0))
        self.sock.settimeout(5)
        self.port = self.sock.getsockname()[1]

    def show(self, own):
        """From now on; and asks who connects."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.verify_mode = ssl.CERT_OPTIONAL
        self.context.load_verify_locations(self.world.path("ca.crt"))
        self.context.load_cert_chain(self.world.path(f"{own}.crt"), self.world.path(f"{own}.key"))

    def accept(self, user):
        """The next one, when its handshake is done."""
        raw, _ = self.sock.accept()
        raw.settimeout(5)
        return TlsPhone(self.world, user, host=self.host, sock=self.context.wrap_socket(raw, server_side=True))

    def close(self):
        self.sock.close()


def context(world, own=None, ca="ca", version=None, ciphers=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.load_verify_locations(world.path(f"{ca}.crt"))
    if own:
        c.load_cert_chain(world.path(f"{own}.crt"), world.path(f"{own}.key"))
    if version:
        c.minimum_version = c.maximum_version = version
    if ciphers:
        c.set_ciphers(ciphers)
    return c


def connect(world, port, host="127.0.0.1", name=None, session=None, tls=None, **more):
    """A connection whose handshake is done; name: what is asked for (SNI) and expected."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(host, 0))
    try:
        return (tls or context(world, **more)).wrap_socket(raw, server_hostname=name or world.domain, session=session)
    except BaseException:
        raw.close()
        raise


def s_client(world, port, *argv, stdin=b""):
    """openssl s_client: exit code and all it said."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", world.path("ca.crt"),
                           *argv], input=stdin, capture_output=True, timeout=20, check=False)
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def make_certificates(folder, domain):
    """ca and devices are authorities; server is for domain, second for another name."""
    pki.authority(folder, "ca")
    pki.authority(folder, "devices")
    pki.certificate(folder, "ca", "server", f"DNS:{domain},IP:127.0.0.1")
    pki.certificate(folder, "ca", "second", "DNS:second.test,DNS:*.wild.test")


def replace(folder, source, target):
    """Certificate and key of target become those of source, each at once, as renewals do."""
    for ending in ("key", "crt"):
        with open(os.path.join(folder, f"{source}.{ending}"), "rb") as f:
            data = f.read()
        path = os.path.join(folder, f"{target}.{ending}")
        with open(path + ".new", "wb", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write(data)
        os.rename(path + ".new", path)


def revoke(folder, authority, *names, days=30):
    """The authority's list (AUTHORITY.crl) says these certificates."""
    base = os.path.join(folder, authority)
    with open(base + ".ca.cnf", "w", encoding="utf-8") as f:
        f.write(f"[ca]\ndefault_ca=a\n[a]\ndatabase={base}.index\ndefault_md=sha256\ncrlnumber={base}.number\n"
                "policy=p\n[p]\n")
    open(base + ".index", "a", encoding="utf-8").close()
    with open(base + ".number", "w", encoding="utf-8") as f:
        f.write("01\n")
    ca = ["openssl", "ca", "-config", base + ".ca.cnf", "-cert", base + ".crt", "-keyfile", base + ".key"]
    for name in names:
        subprocess.run([*ca, "-revoke", os.path.join(folder, f"{name}.crt")], check=True, capture_output=True)
    span = ["-crldays", str(days)] if days else ["-crlsec", "1"]
    subprocess.run([*ca, "-gencrl", *span, "-out", base + ".crl.new"], check=True, capture_output=True)
    os.rename(base + ".crl.new", base + ".crl")


def fingerprint(folder, name):
    with open(os.path.join(folder, f"{name}.crt"), encoding="utf-8") as f:
        pem = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", f.read(), re.S).group()
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def session_of(s):
    s.sendall(b"\r\n\r\n")
    assert s.recv(2) == b"\r\n" # a ticket of TLS 1.3 comes after the handshake
    return s.session


LISTENERS = """
  - { name: tls, transport: tls, address: "127.0.0.1:%(tls)d", tls: { certificates: [
      { certificate_file: server.crt, key_file: server.key },
      { certificate_file: second.crt, key_file: second.key } ] } }
  - { name: strict, transport: tls, address: "127.0.0.1:%(strict)d", tls: { unknown_sni: refuse, certificates: [
      { certificate_file: server.crt, key_file: server.key },
      { certificate_file: second.crt, key_file: second.key, names: [other.test] } ] } }
  - { name: optional, transport: tls, address: "127.0.0.1:%(optional)d", tls: { client_certificates: optional,
      ca_file: devices.crt, crl_file: devices.crl,
      certificates: [ { certificate_file: server.crt, key_file: server.key } ] } }
  - { name: required, transport: tls, address: "127.0.0.1:%(required)d", tls: { client_certificates: required,
      ca_file: devices.crt, certificates: [ { certificate_file: server.crt, key_file: server.key } ] } }
  - { name: proof, transport: tls, address: "127.0.0.1:%(proof)d", tls: { client_certificates: optional,
      ca_file: devices.crt, certificates: [ { certificate_file: server.crt, key_file: server.key } ] } }
tls: { handshake: 1s, keylog_file: keys.log, ca_file: ca.crt }
limits: { connections_per_address: 1000, handshakes: 20 }
"""


PROOF = """peer_groups:
  - { name: proof, match: { listener: [proof] }, require: { all_of: [certificate] }, certificate: { realm: %s } }
"""


class TlsWorld(World):
    def write_configurations(self):
        super().write_configurations()
        make_certificates(self.dir, self.domain)
        for name, says in (("alice", "URI:sip:alice@example.test"), ("stolen", "DNS:stolen.example.test")):
            pki.certificate(self.dir, "devices", name, says)
        pki.authority(self.dir, "strangers")
        pki.certificate(self.dir, "strangers", "stranger", "DNS:stranger.test")
        pki.certificate(self.dir, "ca", "renewed", f"DNS:{self.domain},IP:127.0.0.1")
        revoke(self.dir, "devices", "stolen")
        self.ports = {name: free_port() for name in ("tls", "strict", "optional", "required", "proof")}
        self.tls_port = self.ports["tls"]
        path = self.path("registrar.yaml")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        text = re.sub(r"limits:.*\n", "", text).replace("timers:", LISTENERS.lstrip("\n") % self.ports + "timers:")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        with open(self.path("authd.yaml"), encoding="utf-8") as f:
            text = f.read().replace("peer_groups:\n", PROOF % self.domain)
        with open(self.path("authd.yaml"), "w", encoding="utf-8") as f:
            f.write(text)

    def shown(self, **more):
        """SHA-256 of the certificate that a new connection is shown."""
        with connect(self, self.tls_port, **more) as s:
            return hashlib.sha256(s.getpeercert(True)).hexdigest()
