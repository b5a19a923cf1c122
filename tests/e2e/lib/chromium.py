"""Debian's Chromium with a fresh profile that trusts the test's authority, as a user's does who was told to."""
import json
import os
import re
import select
import shutil
import subprocess

import npm
from daemons import TOP, skip


def install(build):
    for program in ("chromium", "certutil"):
        if not shutil.which(program):
            skip(f"{program} is not installed")
    return npm.install(build, "webphone", "driver.js", "phones.js")


def recipe(name, websocket, user, domain, password):
    """README's snippet with this first line, with our names in place of its example's."""
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as f:
        blocks = re.findall(r"^```js\n// ([^\n]+)\n(.*?)^```", f.read(), re.M | re.S)
    code = dict(blocks)[name]
    for ours, example in ((websocket, "wss://sip.example.com:7443"), (f"sip:{user}@{domain}", "sip:alice@example.com"),
                          (f"'{user}'", "'alice'"), (password, "the password")):
        code = code.replace(example, ours)
    return code


def trust(profile, authority):
    """Of a fresh profile, which is the browser's HOME."""
    nss = os.path.join(profile, ".pki/nssdb")
    os.makedirs(nss)
    subprocess.run(["certutil", "-d", f"sql:{nss}", "-N", "--empty-password"], check=True)
    if authority:
        subprocess.run(["certutil", "-d", f"sql:{nss}", "-A", "-n", "ca", "-t", "C,,", "-i", authority], check=True)


class Chromium:
    """In the world's folder are phone.crt and phone.key of its page, and ca.crt. hosts: those that there are for it,
    besides those of example.test, which are 127.0.0.1."""

    def __init__(self, world, port, name="chromium", trusts=True, hosts=("127.0.0.1",)):
        profile = world.path(name)
        trust(profile, world.path("ca.crt") if trusts else None)
        with open(world.path(f"{name}.log"), "ab") as log:
            self.process = subprocess.Popen(
                [shutil.which("node"), os.path.join(install(world.build), "driver.js"), world.dir, profile, str(port), *hosts],
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
