"""Asterisk 22 with chan_pjsip, at its best: as few modules as such a call takes, no logs, no call records. Debian
has it in sid alone, so it runs in a folder that holds one."""

import glob
import os
import re
import shutil
import socket
import tempfile

import process
from countersign import SOURCE
from server import DOMAIN, Server

SUITE = "sid"
MODULES = """app_dial bridge_native_rtp bridge_simple chan_pjsip pbx_config res_pjproject res_pjsip
res_pjsip_authenticator_digest res_pjsip_caller_id res_pjsip_endpoint_identifier_ip
res_pjsip_endpoint_identifier_user res_pjsip_outbound_authenticator_digest res_pjsip_pubsub res_pjsip_sdp_rtp res_pjsip_session
res_rtp_asterisk res_sorcery_astdb res_sorcery_config res_sorcery_memory res_timing_timerfd""".split()

FILES = {
    "asterisk.conf": """\
[directories]
astetcdir => {inside}
astmoddir => {modules}
astvarlibdir => /var/lib/asterisk
astdatadir => /usr/share/asterisk
astdbdir => {inside}
astspooldir => {inside}
astrundir => {inside}
astlogdir => {inside}
[options]
verbose = 0
debug = 0
hideconnect = yes
""",
    "logger.conf": "[general]\n[logfiles]\nconsole => error\n",
    "modules.conf": "[modules]\nautoload = no\n{loads}",
    "cdr.conf": "[general]\nenable = no\n",
    "cel.conf": "[general]\nenable = no\n",
    "rtp.conf": "[general]\nrtpstart = 10000\nrtpend = 19999\n",
    "extensions.conf": "[lines]\nexten => _X.,1,Dial(PJSIP/${{EXTEN}}@carrier)\n",
    "pjsip.conf": """\
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{port}

[line](!)
type = endpoint
context = lines
disallow = all
allow = ulaw
direct_media = no
media_address = 127.0.0.1
timers = no
100rel = no

[carrier]
type = auth
auth_type = userpass
username = us
password = {trunk_password}

[carrier]
type = aor
contact = sip:{trunk}

[carrier](line)
type = endpoint
aors = carrier
outbound_auth = carrier

{lines}""",
}
LINE = "[{0}]\ntype = auth\nauth_type = userpass\nusername = {0}\npassword = {1}\nrealm = {2}\n[{0}](line)\nauth = {0}\n"


def mirror():
    """Where this machine's Debian comes from."""
    for path in glob.glob("/etc/apt/sources.list") + glob.glob("/etc/apt/sources.list.d/*"):
        with open(path, encoding="utf-8") as f:
            found = re.search(r"https?://\S*/debian/?(?=\s|$)", f.read())
        if found:
            return [found.group()]
    return []  # mmdebstrap knows one


def system(folder):
    """The folder of the Debian that has Asterisk, made once."""
    folder = folder or os.path.join(SOURCE, "build", "asterisk")
    if not os.path.exists(os.path.join(folder, "usr", "sbin", "asterisk")):
        if os.path.exists(folder):
            raise process.Failure(f"{folder} is there, but has no Asterisk")
        # What a mirror that is not renewed any more says of itself is too old for apt, else.
        try:
            process.run(["mmdebstrap", "--quiet", "--mode=root", "--variant=apt", "--include=asterisk",
                         '--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Check-Valid-Until "false"',
                         SUITE, folder, *mirror()])
        except process.Failure:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return folder


class Asterisk(Server):
    name = "asterisk"
    title = "Asterisk"
    uses_redis = False
    root = ""  # of its Debian, set once
    trunk = ""  # HOST:PORT, with its password
    trunk_password = ""

    @classmethod
    def version(cls):
        return process.run(["chroot", cls.root, "asterisk", "-V"]).decode().split()[1].partition("~")[0]

    def launch(self):
        self.inner = tempfile.mkdtemp(prefix="call-bench-", dir=os.path.join(self.root, "tmp"))
        inside = self.inner[len(self.root.rstrip("/")):]
        with open(os.path.join(self.root, "etc", "hosts"), "w", encoding="ascii") as f:
            f.write(f"127.0.0.1 localhost {socket.gethostname()}\n")  # else it waits for a name server at each call
        modules, = glob.glob(os.path.join(self.root, "usr/lib/*/asterisk/modules"))
        values = {"inside": inside, "modules": modules[len(self.root.rstrip("/")):], "port": self.port,
                  "trunk": self.trunk, "trunk_password": self.trunk_password,
                  "loads": "".join(f"load = {name}.so\n" for name in MODULES),
                  "lines": "".join(LINE.format(*user, DOMAIN) for user in self.users)}
        for name, text in FILES.items():
            with open(os.path.join(self.inner, name), "w", encoding="ascii") as f:
                f.write(text.format(**values))
        self.spawn("asterisk", ["chroot", self.root, "asterisk", "-f", "-C", f"{inside}/asterisk.conf"],
                   lambda: process.udp_is_bound(self.port))

    def stop(self):
        super().stop()
        shutil.rmtree(getattr(self, "inner", ""), ignore_errors=True)
