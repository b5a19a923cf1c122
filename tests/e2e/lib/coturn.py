"""Debian's coturn, whose secret is in the world's turn.secret."""
import socket

from daemons import free_port, free_ports, wait_for

RELAYS = 40
CONF = """listening-ip=127.0.0.1
relay-ip=127.0.0.1
listening-port={port}
min-port={relays}
max-port={last}
use-auth-secret
static-auth-secret={secret}
realm={realm}
allow-loopback-peers
cli-password=none-needed
no-cli
no-tls
no-dtls
userdb={folder}/turn.db
pidfile={folder}/turn.pid
log-file=stdout
simple-log
verbose
"""


def start(world, realm, port=None):
    """Its port."""
    port, relays = port or free_port(), free_ports(RELAYS)
    with open(world.path("turn.secret"), encoding="utf-8") as f:
        secret = f.read().strip()
    with open(world.path("turnserver.conf"), "w", encoding="utf-8") as f:
        f.write(CONF.format(port=port, relays=relays, last=relays + RELAYS - 1, secret=secret, realm=realm, folder=world.dir))
    world.start("coturn", "turnserver", "-c", world.path("turnserver.conf"))
    wait_for("coturn", lambda: answers(port))
    return port


def answers(port):
    """A STUN binding request gets an answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.2)
        s.connect(("127.0.0.1", port))
        try:
            s.send(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"countersign!")
            return s.recv(100)[:2] == b"\x01\x01"
        except OSError:
            return False
