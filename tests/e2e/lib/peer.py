"""A carrier of real programs: Kamailio over TLS, which wants a certificate and stays in the dialog, and behind it
a phone that is called, and calls, by UDP."""
import os
import queue
import select
import shutil
import socket
import subprocess
import threading

from daemons import free_port, skip, wait_for
from phone import Phone
from sip import Message

CFG = """
debug=2
log_stderror=yes
children=2
tcp_children=2
enable_tls=yes
disable_tcp=no
listen=udp:{host}:{udp}
listen=tls:{host}:{tls}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules:/usr/lib/aarch64-linux-gnu/kamailio/modules"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "tls.so"
modparam("tls", "config", "{dir}/tls.cfg")

request_route {{
    if (is_method("OPTIONS") && !has_totag()) {{
        sl_send_reply("200", "Here");
        exit;
    }}
    if (is_method("CANCEL") || (is_method("ACK") && !has_totag())) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if (has_totag()) {{
        if (loose_route() || t_check_trans()) t_relay();
        exit;
    }}
    record_route();
    if ($proto == "tls") {{
        $du = "sip:{phone_host}:{phone}";
    }} else {{
        $du = "sip:{to};transport=tls";
    }}
    t_relay();
}}
"""

TLS = """
[server:default]
method = TLSv1.2+
certificate = {dir}/{own}.crt
private_key = {dir}/{own}.key
ca_list = {dir}/{ca}.crt
verify_certificate = yes
require_certificate = yes
[client:default]
method = TLSv1.2+
certificate = {dir}/{own}.crt
private_key = {dir}/{own}.key
ca_list = {dir}/{ca}.crt
verify_certificate = yes
require_certificate = yes
"""


class Kamailio:
    """own: its certificate; to: host:port where calls of its phone go, over TLS."""

    def __init__(self, world, host, own, to, ca="ca"):
        if not shutil.which("kamailio", path="/usr/sbin:/usr/bin"):
            skip("kamailio is not installed")
        self.world, self.host, self.to = world, host, to
        self.udp, self.tls = free_port(), free_port()
        self.dir = os.path.join(world.dir, "kamailio")
        self.own, self.ca, self.process, self.line = own, ca, None, None

    def start(self):
        os.makedirs(self.dir, exist_ok=True)
        self.line = Phone(self.world, "far", host="127.0.0.9", sip=(self.host, self.udp))
        self.world.phones.remove(self.line) # it stays
        with open(os.path.join(self.dir, "kamailio.cfg"), "w", encoding="utf-8") as f:
            f.write(CFG.format(host=self.host, udp=self.udp, tls=self.tls, dir=self.dir, to=self.to,
                               phone_host=self.line.host, phone=self.line.port))
        with open(os.path.join(self.dir, "tls.cfg"), "w", encoding="utf-8") as f:
            f.write(TLS.format(dir=self.world.dir, own=self.own, ca=self.ca))
        with open(self.world.path("kamailio.log"), "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["kamailio", "-f", os.path.join(self.dir, "kamailio.cfg"), "-DD", "-E", "-m", "32", "-M", "8",
                 "-Y", self.dir, "-w", self.dir],
                stdout=log, stderr=log, env={**os.environ, "PATH": "/usr/sbin:" + os.environ["PATH"]})

        def answers():
            self.line.send(self.line.request("OPTIONS", f"sip:{self.host}"))
            return self.line.receive(0.2)
        try:
            wait_for("Kamailio", answers)
        except AssertionError as e:
            with open(self.world.path("kamailio.log"), encoding="utf-8", errors="replace") as log:
                raise AssertionError("Kamailio does not answer:\n" + log.read()[-3000:]) from e
        while self.line.receive(0.2): # answers that were late
            pass

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.line.close()


class Gateway(Phone):
    """A server of a carrier over UDP that answers what it is asked to, by method, by itself; the rest it leaves to
    the test, in expect(). heard has all that came."""

    def __init__(self, world, host, port=0):
        super().__init__(world, "gateway", host=host)
        world.phones.remove(self)
        if port: # in place of one that was there
            self.sock.close()
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sock.bind((host, port))
            self.port = port
        self.answers, self.heard, self.left, self.open = {"OPTIONS": 200}, [], queue.Queue(), True
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while self.open:
            if not select.select([self.sock], [], [], 0.05)[0]:
                continue
            data, self.sip = self.sock.recvfrom(65536)
            message = Message.parse(data)
            self.heard.append(message)
            how = None if message.status else self.answers.get(message.method)
            if callable(how):
                how(message)
            elif how:
                self.answer(message, how)
            else:
                self.left.put(message)

    def receive(self, timeout=3.0):
        try:
            return self.left.get(timeout=max(timeout, 0.001))
        except queue.Empty:
            return None

    def all(self, method):
        return [m for m in self.heard if not m.status and m.method == method]

    def close(self):
        self.open = False
        self.thread.join()
        super().close()
