"""What a Helm chart makes of values: rendered by tests/helm/render.go, built of Debian's Go and sprig."""
import os
import shutil
import subprocess

from contract import Contract
from daemons import TOP, skip

try:
    import yaml
except ModuleNotFoundError:
    skip("python3-yaml is not installed")

CHART = os.path.join(TOP, "deploy/helm")
GOPATH = "/usr/share/gocode"


class Chart:
    def __init__(self, build):
        if not shutil.which("go") or not os.path.isdir(f"{GOPATH}/src/github.com/Masterminds/sprig"):
            skip("Go or sprig is not installed: apt-get install golang-go golang-github-masterminds-sprig-dev "
                 "golang-k8s-sigs-yaml-dev")
        self.folder = os.path.join(build, "helm")
        self.program = os.path.join(self.folder, "render")
        os.makedirs(self.folder, exist_ok=True)
        env = dict(os.environ, GO111MODULE="off", GOPATH=GOPATH, GOCACHE=os.path.join(self.folder, "cache"), GOFLAGS="")
        subprocess.run(["go", "build", "-p", "2", "-o", self.program, os.path.join(TOP, "tests/helm/render.go")],
                       check=True, env=env)

    def render(self, *paths, options=()):
        """Text, or why there is none."""
        argv = [self.program, CHART, *options]
        for path in paths:
            argv += ["-f", path]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return (done.stdout, None) if done.returncode == 0 else (None, done.stderr)

    def objects(self, *paths, options=()):
        """Of Kubernetes, in their order."""
        text, why = self.render(*paths, options=options)
        assert text, why
        return list(yaml.safe_load_all(text))

    def fail(self, values, options=()):
        """Why these values make nothing."""
        path = os.path.join(self.folder, "wrong.yaml")
        with open(path, "w", encoding="utf-8") as f:
            yaml.safe_dump(values, f)
        text, why = self.render(path, options=options)
        assert text is None, f"{values} and {options} are wrong, and nobody says so"
        return why


def check_values(values):
    """As Helm does by the chart's schema."""
    schema = Contract(os.path.join(CHART, "values.schema.json"))
    schema.validate(values, schema.doc, "values")
