"""What a phone was told, as tshark reads it: by others than who wrote the server or the phone."""
import shutil
import struct
import subprocess


def capture(path, frames):
    """A file of packets: TCP from port 2000 of 192.0.2.1, a segment for each message."""
    seq = 1
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 228)) # LINKTYPE_IPV4
        for data in frames:
            n = len(data) + 40
            ip = struct.pack("!BBHIBBH4s4s", 0x45, 0, n, 0, 64, 6, 0, b"\xc0\0\2\1", b"\xc0\0\2\2")
            tcp = struct.pack("!HHIIBBHI", 2000, 50000, seq, 1, 0x50, 0x18, 8192, 0)
            f.write(struct.pack("<IIII", 0, 0, n, n) + ip + tcp + data)
            seq += len(data)


def dissect(path, frames):
    """Writes them there, and has them read; nothing may be malformed."""
    if not shutil.which("tshark"):
        return print("tshark is not installed")
    capture(path, frames)

    def shark(what):
        return subprocess.run(["tshark", "-n", "-r", path, "-d", "tcp.port==2000,skinny", "-Y", what],
                              check=True, capture_output=True, text=True).stdout
    assert len(shark("skinny").splitlines()) == len(frames)
    bad = shark('_ws.malformed || _ws.expert.severity >= "Warning"')
    assert not bad, bad
