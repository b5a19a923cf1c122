"""Debian's Chromium, driven by Playwright."""
import json
import os
import select
import shutil
import subprocess

import npm
from daemons import skip


class Browser:
    """pictures: the folder where look() leaves them, or None."""

    def __init__(self, build, profile, log, pictures=None):
        if not shutil.which("chromium"):
            skip("chromium is not installed")
        folder = npm.install(build, "playwright", "driver.js")
        with open(log, "ab") as f:
            self.process = subprocess.Popen(
                [shutil.which("node"), os.path.join(folder, "driver.js"), profile, pictures or ""],
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
