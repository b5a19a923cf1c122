"""A real name server (nsd) on a free port of 127.0.0.1 that answers for every name there is."""
import os
import shutil
import signal
import socket
import subprocess

from daemons import free_port, skip, wait_for

CONF = """
server:
  ip-address: 127.0.0.1@{port}
  username: ""
  zonesdir: "{dir}"
  pidfile: ""
  database: ""
  xfrdfile: "{dir}/xfrd.state"
  zonelistfile: "{dir}/zone.list"
  logfile: "{dir}/nsd.log"
  server-count: 1
  rrl-ratelimit: 0
  zonefiles-check: yes
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: root.zone
"""


class NameServer:
    def __init__(self, folder):
        os.environ["PATH"] += ":/usr/sbin"
        if not shutil.which("nsd"):
            skip("nsd is not installed")
        self.dir, self.port, self.process, self.serial = folder, free_port(), None, 0
        with open(os.path.join(folder, "nsd.conf"), "w", encoding="utf-8") as f:
            f.write(CONF.format(port=self.port, dir=folder))

    def start(self, *records):
        """With these lines of a zone file."""
        self.write(records)
        self.process = subprocess.Popen(["nsd", "-d", "-c", os.path.join(self.dir, "nsd.conf")],
                                        start_new_session=True)
        wait_for("nsd", lambda: self.serves() == self.serial)

    def change(self, *records):
        self.write(records)
        self.process.send_signal(signal.SIGHUP)
        wait_for("the new zone", lambda: self.serves() == self.serial)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
        self.process = None

    def pause(self):
        """It hears, and says nothing."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.killpg(self.process.pid, signal.SIGCONT)

    def write(self, records):
        self.serial += 1
        new = os.path.join(self.dir, "root.zone.new")
        with open(new, "w", encoding="utf-8") as f:
            f.write(f"$TTL 60\n. 60 IN SOA ns. root. {self.serial} 60 60 60 1\n. 60 IN NS ns.\n"
                    "ns. 60 IN A 127.0.0.1\n" + "".join(f"{r}\n" for r in records))
        os.replace(new, os.path.join(self.dir, "root.zone"))

    def serves(self):
        """The serial number of the zone it answers from, or None."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            s.connect(("127.0.0.1", self.port))
            try:
                s.send(bytes([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1]))
                answer = s.recv(512)
            except OSError:
                return None
        at = answer.find(b"\x04root\x00")
        return int.from_bytes(answer[at + 6:at + 10], "big") if at >= 0 else None
