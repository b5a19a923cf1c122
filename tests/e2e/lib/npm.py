"""Programs of npm, at the versions of their lock files."""
import hashlib
import os
import shutil
import subprocess

from daemons import TOP, skip


def install(build, name, *files):
    """npm ci for tests/e2e/NAME, once for each lock file, and these files beside. The folder to run in."""
    sources, folder = os.path.join(TOP, "tests/e2e", name), os.path.join(build, name)
    done = os.path.join(folder, "installed")
    with open(os.path.join(sources, "package-lock.json"), "rb") as f:
        want = hashlib.sha256(f.read()).hexdigest()
    if not shutil.which("node") or not shutil.which("npm"):
        skip("node and npm are not installed")
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(done) or open(done, encoding="utf-8").read() != want:
        for file in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(sources, file), folder)
        got = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, text=True,
                             capture_output=True, check=False, timeout=100)
        if got.returncode:
            skip(f"npm cannot install {name}: {got.stderr[-300:]}")
        with open(done, "w", encoding="utf-8") as f:
            f.write(want)
    for file in files:
        shutil.copy(os.path.join(sources, file), folder)
    return folder
