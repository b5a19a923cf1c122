"""Documents held against types of TypeScript: a member that its type does not know, or of another kind, is an
error of the compiler. So are Grafana's dashboards, and what Kubernetes is given."""
import collections
import json
import os
import re
import subprocess

import npm

MODULES = ("grafana.ts",)


def check(build, documents):
    """documents: (module, type, document) by name. What is wrong with each, where something is."""
    folder = npm.install(build, "types", *MODULES)
    here = os.path.join(folder, "checked")
    os.makedirs(here, exist_ok=True)
    for name in os.listdir(here):
        os.unlink(os.path.join(here, name))
    files = {}
    for i, (name, (module, kind, document)) in enumerate(documents.items()):
        files[f"{i}.ts"] = name
        with open(os.path.join(here, f"{i}.ts"), "w", encoding="utf-8") as f:
            f.write(f"import type {{ {kind} }} from '{module}';\n"
                    f"export const document: {kind} = {json.dumps(document, indent=1)};\n")
    done = subprocess.run(["node", os.path.join(folder, "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck",
                           "--target", "esnext", "--module", "esnext", "--moduleResolution", "bundler", *files],
                          cwd=here, capture_output=True, text=True, check=False, timeout=110)
    found = collections.defaultdict(str)
    for line in done.stdout.splitlines():
        at = re.match(r"(\d+\.ts)\(\d+,\d+\): error", line)
        if at:
            name = files[at[1]]
        assert at or line.startswith(" "), done.stdout
        found[name] += line + "\n"
    assert bool(found) == bool(done.returncode), done.stdout + done.stderr
    return found
