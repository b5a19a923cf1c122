"""A capture server that others wrote: Kamailio with sipcapture, which is Homer's own reader of HEP."""
import contextlib
import re
import shutil
import socket

from daemons import free_port, wait_for

CONFIG = """
debug=2
log_stderror=yes
listen=udp:127.0.0.1:{port}
disable_tcp=yes
children=1
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "db_text.so"
loadmodule "sipcapture.so"
modparam("sipcapture", "db_url", "text://{dir}")
modparam("sipcapture", "capture_on", 1)
modparam("sipcapture", "hep_capture_on", 1)
request_route {{ xlog("L_NOTICE", "<captured $rm $ci $si:$sp>\\n"); drop; }}
onreply_route {{ xlog("L_NOTICE", "<captured $rs $ci $si:$sp>\\n"); drop; }}
"""


def read_by_kamailio(world, packets):
    """What it makes of these: (method or status, Call-ID, source) of each. It may not complain."""
    if not shutil.which("kamailio", path="/usr/sbin:/usr/bin"):
        return print("kamailio is not installed")
    port, log = free_port(), world.path("capture-server.log")
    with open(world.path("capture.cfg"), "w", encoding="utf-8") as f:
        f.write(CONFIG.format(port=port, dir=world.dir))
    world.start("capture-server", "/usr/sbin/kamailio", "-f", world.path("capture.cfg"), "-DD", "-E", "-m", "32", "-M",
                "8", "-P", world.path("capture.pid"), "-w", world.dir, "-Y", world.dir)

    def said():
        with open(log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def read():
        return re.findall(r"<captured (\S+) (\S+) (\S+)>", said())

    def hears():
        with contextlib.suppress(ConnectionRefusedError):
            s.send(packets[0])
        return read()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        wait_for("Kamailio", hears)
        for packet in packets:
            s.send(packet)
    wait_for("all packets", lambda: len(read()) > len(packets))
    world.stop("capture-server")
    bad = [line for line in said().splitlines() if "ERROR" in line and "insert_retry_timeout" not in line]
    assert not bad, bad
    return read()
