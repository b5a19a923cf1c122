"""What was said, as tshark reads it: by others than who wrote the server or the phone."""
import select
import shutil
import socket
import struct
import subprocess
import threading


class Tap:
    """Stands between one client and a server; heard: what they said, each as (0 or 1: the server, bytes)."""

    def __init__(self, to):
        self.heard, self.listener = [], socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._carry, args=(to,), daemon=True).start()

    def _carry(self, to):
        near, _ = self.listener.accept()
        self.listener.close()
        with near, socket.create_connection(to) as far:
            while True:
                for s in select.select((near, far), [], [])[0]:
                    if not (data := s.recv(65536)):
                        return
                    self.heard.append((int(s is far), data))
                    (near if s is far else far).sendall(data)


def capture(path, ports, said):
    """A file of packets: TCP from 192.0.2.1 to 192.0.2.2 and back, a segment for each of said, (side, bytes)."""
    hosts, seq = (b"\xc0\0\2\1", b"\xc0\0\2\2"), [1, 1]
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 228)) # LINKTYPE_IPV4
        for side, data in said:
            n = len(data) + 40
            ip = struct.pack("!BBHIBBH4s4s", 0x45, 0, n, 0, 64, 6, 0, hosts[side], hosts[1 - side])
            tcp = struct.pack("!HHIIBBHI", ports[side], ports[1 - side], seq[side], seq[1 - side], 0x50, 0x18, 8192, 0)
            f.write(struct.pack("<IIII", 0, 0, n, n) + ip + tcp + data)
            seq[side] += len(data)


def shark(path, *argv):
    return subprocess.run(["tshark", "-n", "-r", path, *argv], check=True, capture_output=True, text=True).stdout


def dissect(path, frames):
    """Writes what a server of SCCP said there, and has it read; nothing may be malformed."""
    if not shutil.which("tshark"):
        return print("tshark is not installed")
    capture(path, (2000, 50000), [(0, data) for data in frames])
    as_skinny = "-d", "tcp.port==2000,skinny", "-Y"
    assert len(shark(path, *as_skinny, "skinny").splitlines()) == len(frames)
    bad = shark(path, *as_skinny, '_ws.malformed || _ws.expert.severity >= "Warning"')
    assert not bad, bad


def decrypted(path, said, keys):
    """The SIP in what a Tap has heard of TLS, by a key log: methods and status codes."""
    if not shutil.which("tshark"):
        return print("tshark is not installed")
    capture(path, (50000, 5061), said)
    fields = "-T", "fields", "-e", "sip.Method", "-e", "sip.Status-Code"
    return shark(path, "-o", f"tls.keylog_file:{keys}", "-Y", "sip", *fields).split()
