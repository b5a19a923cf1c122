"""Debian's Chromium, driven by Playwright."""
import json
import os
import select
import shutil
import subprocess

import npm
from chromium import trust
from daemons import skip


class Browser:
    """pictures: the folder where look() leaves them, or None; authority: a certificate that it believes; hosts: that it
    may ask; flags: of Chromium."""

    def __init__(self, build, profile, log, pictures=None, authority=None, hosts=("127.0.0.1",), flags=()):
        if not shutil.which("chromium"):
            skip("chromium is not installed")
        folder = npm.install(build, "playwright", "driver.js")
        if authority:
            trust(profile, authority)
        with open(log, "ab") as f:
            self.process = subprocess.Popen(
                [shutil.which("node"), os.path.join(folder, "driver.js"), profile, pictures or "",
                 json.dumps({"hosts": hosts, "flags": flags})],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=f, text=True)
        self._answer()

    def _answer(self, seconds=40):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else ""
        assert line, "Chromium does not answer"
        got = json.loads(line)
        assert "error" not in got, got["error"]
        return got["result"]

    def run(self, code, **args):
        """The body of an async function that has page (Playwright's), args, until(), look() and heard()."""
        self.process.stdin.write(json.dumps({"code": code, "args": args}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
