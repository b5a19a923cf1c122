"""baresip without sound hardware: what it says is a tone out of a file, what it hears it writes into another."""
import glob
import json
import math
import os
import shutil
import socket
import struct
import wave

import g711
from daemons import free_port, wait_for

MODULES = next(iter(glob.glob("/usr/lib/baresip/modules") + glob.glob("/usr/lib/*/baresip/modules")
                    + glob.glob("/usr/local/lib/baresip/modules")), None)
CONFIG = """poll_method epoll
net_interface 127.0.0.1
audio_source aufile,{folder}/says.wav
audio_player aubridge,{user}
audio_alert aubridge,{user}
snd_path {folder}
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""
ACCOUNT = ('<sip:{user}@{domain};transport=udp>;auth_user={user};auth_pass={password};'
           'outbound="sip:{host}:{port};transport=udp";regint=600;answermode=auto;audio_codecs={codec}\n')


def is_installed():
    return bool(shutil.which("baresip") and MODULES and os.path.exists(f"{MODULES}/sndfile.so"))


class Baresip:
    """A phone of a user, registered; it takes each call by itself."""

    def __init__(self, w, hz=700, codec="pcmu"):
        self.w, self.hz, self.user, self.told = w, hz, w.user(), b""
        self.folder, self.name = w.path(f"baresip-{self.user}"), f"baresip-{self.user}"
        os.mkdir(self.folder)
        self.speak_of()
        control = free_port()
        self.write("config", CONFIG.format(folder=self.folder, user=self.user, modules=MODULES, control=control))
        self.write("accounts", ACCOUNT.format(user=self.user, domain=w.domain, password=w.passwords[self.user],
                                              host=w.sip[0], port=w.sip[1], codec=codec))
        w.start(self.name, "baresip", "-4", "-s", "-f", self.folder)
        w.phones.append(self)
        wait_for("baresip", lambda: self.connect(control))
        wait_for("its registration", lambda: f"sip:{self.user}@{w.domain}" in w.bindings())

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as f:
            f.write(text)

    def speak_of(self):
        """Five minutes; what ends, ends the call."""
        second = struct.pack(f"<{g711.RATE}h", *(int(8000 * math.sin(2 * math.pi * self.hz * i / g711.RATE))
                                                 for i in range(g711.RATE)))
        with wave.open(os.path.join(self.folder, "says.wav"), "wb") as f:
            f.setnchannels(1)
            f.setsampwidth(2)
            f.setframerate(g711.RATE)
            f.writeframes(300 * second)

    def connect(self, control):
        try:
            self.control = socket.create_connection(("127.0.0.1", control), timeout=5)
        except OSError:
            return False
        self.control.setblocking(False)
        return True

    # ---- what its user does ----

    def do(self, command, params=""):
        text = json.dumps({"command": command, "params": params})
        self.told = b""
        self.control.sendall(f"{len(text)}:{text},".encode())

    def saw(self, event):
        """Since what was done last."""
        try:
            self.told += self.control.recv(65536)
        except BlockingIOError:
            pass
        return f'"type":"{event}"'.encode() in self.told

    def expect(self, event):
        wait_for(event, lambda: self.saw(event), 5)

    def dial(self, user):
        self.do("dial", f"sip:{user}@{self.w.domain}")

    def hears(self, *tones, seconds=8):
        """Waits until what it hears are these tones, for half a second."""
        wait_for(f"{tones} Hz", lambda: g711.is_of(self.heard(), *tones), seconds)

    def heard(self):
        """The last half second of the call that it is in, or was last."""
        files = sorted(glob.glob(os.path.join(self.folder, "dump-*-dec.wav")), key=os.path.getmtime)
        if not files:
            return []
        with open(files[-1], "rb") as f:
            data = f.read()[44:]
        data = data[:len(data) // 2 * 2][-g711.RATE:]
        return struct.unpack(f"<{len(data) // 2}h", data)

    def close(self):
        self.control.close()
        self.w.stop(self.name)
