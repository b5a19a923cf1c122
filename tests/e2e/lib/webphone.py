"""JsSIP in Chromium as a phone of somebody who read README: by its recipe with a password, over WSS, trusting one
authority that was imported, and with no certificate error ignored.

    python3 webphone.py BUILD FOLDER WSS USER DOMAIN PASSWORD_FILE COMMAND...

FOLDER has ca.crt, which is imported, and phone.crt with phone.key for the page at https://phone.example.test. COMMAND
runs while the phone is registered, and its exit status is ours.
"""
import contextlib
import os
import subprocess
import sys
import tempfile
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from chromium import Chromium, Page, recipe
from daemons import free_port

REGISTERED = """window.ua = ua;
let cause; ua.on('registrationFailed', (e) => { cause = e.cause; });
await until('registered', () => ua.isRegistered() || cause, 20);
if (cause) throw new Error(cause);"""
UNREGISTERED = """const gone = new Promise((resolve) => { ua.on('unregistered', resolve); });
ua.unregister(); await gone; ua.stop();"""


class Place:
    """What a browser needs to know of the world it is in."""

    def __init__(self, build, folder):
        self.build, self.dir = build, folder

    def path(self, name):
        return os.path.join(self.dir, name)


@contextlib.contextmanager
def registered(build, folder, websocket, user, domain, password):
    """For so long the user is registered."""
    host = urllib.parse.urlsplit(websocket).hostname
    with tempfile.TemporaryDirectory(prefix="profile-", dir=folder) as profile:
        chromium = Chromium(Place(build, folder), free_port(), name=os.path.basename(profile), hosts=[host])
        try:
            page = Page(chromium, "page")
            page.run(recipe("JsSIP, with a password", websocket.rstrip("/"), user, domain, password) + REGISTERED)
            yield
            page.run(UNREGISTERED)
        finally:
            chromium.close()


def main():
    build, folder, websocket, user, domain, password_file, *command = sys.argv[1:]
    with open(password_file, encoding="ascii") as f:
        password = f.read().strip()
    with registered(build, folder, websocket, user, domain, password):
        status = subprocess.run(command, check=False).returncode
    sys.exit(status)


if __name__ == "__main__":
    main()
