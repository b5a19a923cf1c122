"""Runs a compose file by plain podman: Debian 12's podman-compose (1.0.3) gives every container a bridge
beside its network_mode, which podman refuses. A key that is not known here is an error, so that nothing of
the file goes untried."""
import os
import re
import subprocess

import yaml


def expand(text, variables):
    """${NAME:-default} and ${NAME}, as compose knows them."""
    return re.sub(r"\$\{(\w+)(?::-([^}]*))?\}",
                  lambda m: variables.get(m[1]) or m[2] or "", text)


class Compose:
    def __init__(self, path, podman, variables):
        with open(path, encoding="utf-8") as f:
            doc = yaml.safe_load(expand(f.read(), variables))
        self.folder = os.path.dirname(os.path.realpath(path))
        self.podman_argv = podman
        self.name, self.services, self.volumes = doc["name"], doc["services"], doc["volumes"]
        unknown = [k for k in doc if k not in ("name", "services", "volumes") and not k.startswith("x-")]
        assert not unknown, f"{path}: {unknown} is not understood"

    def podman(self, *argv, check=True, network=None, **more):
        """Standard output. network: the namespace that is the host's for what starts."""
        enter = ["nsenter", f"--net=/run/netns/{network}"] if network else []
        done = subprocess.run([*enter, *self.podman_argv, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False, **more)
        assert not check or done.returncode == 0, f"podman {' '.join(argv)}: {done.stdout}{done.stderr}"
        return done.stdout if check else (done.returncode, done.stdout + done.stderr)

    def build(self, *options):
        """Each image once, in the order in which they are first named."""
        done = {}
        for service in self.services.values():
            image, build = service["image"], service["build"]
            if done.setdefault(image, build) is not build:
                assert done[image] == build, f"{image} is built in two ways"
                continue
            context = os.path.join(self.folder, build["context"])
            self.podman("build", "--format", "docker", *options, "--target", build["target"],
                        "-f", os.path.join(context, build["dockerfile"]), "-t", image, context)
        return list(done)

    def arguments(self, name):
        argv, todo = [], dict(self.services[name])
        for key in ("build", "depends_on"):
            todo.pop(key, None)
        argv += ["--name", todo.pop("container_name"), "--restart", todo.pop("restart"),
                 "--network", todo.pop("network_mode")]
        argv += ["--read-only"] if todo.pop("read_only") else []
        for cap in todo.pop("cap_drop"):
            argv += ["--cap-drop", cap]
        for option in todo.pop("security_opt"):
            argv += ["--security-opt", option]
        for variable, value in todo.pop("environment", {}).items():
            argv += ["--env", f"{variable}={value}"]
        for volume in todo.pop("volumes"):
            source = volume.split(":")[0]
            if not source.startswith("/"):
                assert source in self.volumes, f"{name}: there is no volume {source}"
                volume = f"{self.name}_{volume}"
            argv += ["--volume", volume]
        argv += [todo.pop("image"), *todo.pop("command", [])]
        assert not todo, f"{name}: {list(todo)} is not understood"
        return argv

    def up(self):
        started = []
        while len(started) < len(self.services):
            ready = [n for n, s in self.services.items()
                     if n not in started and set(s.get("depends_on", [])) <= set(started)]
            assert ready, "services depend on each other in a circle"
            for name in ready:
                self.podman("run", "--detach", *self.arguments(name))
                started.append(name)

    def down(self):
        for service in self.services.values():
            self.podman("rm", "--force", "--time", "5", service["container_name"], check=False)
