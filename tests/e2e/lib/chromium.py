"""Debian's Chromium with a fresh profile that trusts the test's authority, as a user's does who was told to."""
import json
import os
import select
import shutil
import subprocess

import npm
from daemons import skip


def install(build):
    for program in ("chromium", "certutil"):
        if not shutil.which(program):
            skip(f"{program} is not installed")
    return npm.install(build, "webphone", "driver.js", "phones.js")


class Chromium:
    """folder: where phone.crt, phone.key and ca.crt are."""

    def __init__(self, world, port, name="chromium", trusts=True):
        profile = world.path(name)
        nss = os.path.join(profile, ".pki/nssdb")
        os.makedirs(nss)
        subprocess.run(["certutil", "-d", f"sql:{nss}", "-N", "--empty-password"], check=True)
        if trusts:
            subprocess.run(["certutil", "-d", f"sql:{nss}", "-A", "-n", "ca", "-t", "C,,", "-i", world.path("ca.crt")],
                           check=True)
        with open(world.path(f"{name}.log"), "ab") as log:
            self.process = subprocess.Popen(
                [shutil.which("node"), os.path.join(install(world.build), "driver.js"), world.dir, profile, str(port)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self._answer(60)

    def _answer(self, seconds=40):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else ""
        assert line, "Chromium does not answer"
        got = json.loads(line)
        assert "error" not in got, got["error"]
        return got["result"]

    def tell(self, what, **more):
        self.process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)


class Page:
    def __init__(self, chromium, name):
        self.chromium, self.name = chromium, name
        chromium.tell("open", page=name)

    def run(self, code):
        """The body of an async function; what it returns."""
        return self.chromium.tell("run", page=self.name, code=code)

    def close(self):
        self.chromium.tell("close", page=self.name)
