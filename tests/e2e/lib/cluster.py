"""Pods of deploy/helm played by podman, each in the network of its node, which is a namespace. What podman (4.3) does not
know of pods is done here as the kubelet does it: sidecars, projected volumes, $(NAME) in arguments, preStop, and who
ends when."""
import copy
import json
import os
import re
import shutil
import socket
import subprocess
import time

import yaml

from daemons import TOP, wait_for
from namespaces import add_host, ip, own_names
import helm


class Node:
    def __init__(self, name, address):
        self.name, self.address = name, address

    def build(self, bridge, gateway):
        add_host(self.name)
        ip("link", "add", f"{self.name}-out", "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("link", "set", f"{self.name}-out", "master", bridge, "up")
        ip("address", "add", f"{self.address}/24", "dev", "eth0", at=self.name)
        ip("link", "set", "eth0", "up", at=self.name)
        ip("route", "add", "default", "via", gateway, at=self.name)


class Balancer:
    """What kube-proxy does for Services of this network, in the kernel of who routes between pods: a link's address is that of its
    pod, and who connects to the balancer's gets one pod after the other and is seen there as he is (Local)."""

    def __init__(self, address, ports, links):
        self.address, self.ports, self.links = address, ports, links # links: pods' addresses by the cluster's
        for far in (address, *links):
            ip("route", "add", f"{far}/32", "dev", "cluster")
        with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as f:
            f.write("1")
        self.serve(list(links.values()))

    def serve(self, pods):
        """To these alone from now on; connections that there are stay where they are."""
        rules = "".join(f"ip daddr {far} tcp dport 5062 dnat to {near}\n" for far, near in self.links.items())
        ports = ", ".join(map(str, self.ports))
        outside = f"ip daddr {self.address} tcp dport {{ {ports} }} dnat to numgen inc mod {len(pods)} map {{ " + \
            ", ".join(f"{i} : {pod}" for i, pod in enumerate(pods)) + " }\n"
        subprocess.run(["nft", "-f", "-"], input=f"""
table ip services {{}}
delete table ip services
table ip services {{
chain pods {{ type nat hook prerouting priority dstnat; {rules} }}
chain here {{ type nat hook output priority -100; {outside} }}
chain back {{ type nat hook postrouting priority srcnat; tcp dport 5062 ct status dnat masquerade; }}
}}""", text=True, check=True)


class Cluster:
    """gateway: address of who is no node, of Redis and phones."""

    def __init__(self, folder, build, podman, nodes, gateway):
        self.folder, self.podman, self.nodes, self.gateway = folder, podman, nodes, gateway
        self.chart, self.keys = helm.Chart(build), os.path.join(folder, "keys")
        self.running = {} # pods by name: their containers, as Kubernetes calls them, in the order of their start

    def make_network(self, *addresses):
        own_names()
        ip("link", "add", "cluster", "type", "bridge")
        ip("link", "set", "cluster", "up")
        for address in (self.gateway, *addresses):
            ip("address", "add", f"{address}/24", "dev", "cluster")
        for node in self.nodes:
            node.build("cluster", self.gateway)

    def make_keys(self, domain, b2bua, *pods):
        argv = [os.path.join(TOP, "deploy/kubernetes/init"), "--domain", domain, "--listen", self.nodes[0].address,
                "--dir", self.keys, "--b2bua", b2bua.name]
        for name in (*(n.name for n in self.nodes), *pods):
            argv += ["--registrar", name]
        said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        # kubectl would take these folders; so do we.
        self.secrets = dict(re.findall(r"^kubectl create secret generic (\S+) --from-file=(\S+)$", said, re.M))

    def render(self, values):
        path = os.path.join(self.folder, "values.yaml")
        with open(path, "w", encoding="utf-8") as f:
            yaml.safe_dump(values, f)
        helm.check_values(values)
        self.objects = {(o["kind"], o["metadata"]["name"]): o for o in self.chart.objects(path)}

    # ---- a pod as the kubelet makes it ----

    def project(self, pod, volume, group):
        """A folder of root's, of the files of ConfigMaps and Secrets."""
        projected, folder = volume.pop("projected"), os.path.join(self.folder, "volumes", pod, volume["name"])
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for source in projected["sources"]:
            files = dict(self.objects["ConfigMap", source["configMap"]["name"]]["data"]) if "configMap" in source else {}
            if "secret" in source:
                for name in os.listdir(self.secrets[source["secret"]["name"]]):
                    with open(os.path.join(self.secrets[source["secret"]["name"]], name), encoding="ascii") as f:
                        files[name] = f.read()
            for name, text in files.items():
                path = os.path.join(folder, name)
                with open(path, "x", encoding="ascii") as f: # none of them twice
                    f.write(text)
                os.chown(path, 0, group)
                os.chmod(path, projected["defaultMode"])
        volume["hostPath"] = {"path": folder}

    def template(self, owner):
        kind = next(k for k, name in self.objects if name == owner and k in ("DaemonSet", "StatefulSet"))
        return kind, copy.deepcopy(self.objects[kind, owner]["spec"]["template"])

    def pod_of(self, owner, node):
        """Of a StatefulSet the pod that has the node's number; the namespace is its own then."""
        kind, template = self.template(owner)
        spec, name = template["spec"], f"{owner}-{node.name}"
        if kind == "DaemonSet":
            [term] = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
            assert node.name in term["matchExpressions"][0]["values"], f"{owner} is not for {node.name}"
            fields = {"spec.nodeName": node.name}
        else:
            fields = {"metadata.name": f"{owner}-{self.nodes.index(node)}"}
        assert spec.get("hostNetwork", False) == (kind == "DaemonSet")
        spec["hostNetwork"] = True
        sidecars = spec.pop("initContainers")
        for c in sidecars:
            assert c.pop("restartPolicy") == "Always", f"{c['name']} would have to end first"
        spec["containers"] = sidecars + spec["containers"]
        for c in spec["containers"]:
            c.pop("ports", None) # a host's ports need no mapping, and podman would make one
            for e in c["env"]:
                if "valueFrom" in e:
                    e["value"] = fields[e.pop("valueFrom")["fieldRef"]["fieldPath"]]
            values = {e["name"]: e["value"] for e in c["env"]}
            c["args"] = [re.sub(r"\$\((\w+)\)", lambda m, values=values: values[m[1]], a) for a in c["args"]]
        for volume in spec["volumes"]:
            if "projected" in volume:
                self.project(name, volume, spec["securityContext"]["fsGroup"])
        for named in spec["volumes"] + [m for c in spec["containers"] for m in c["volumeMounts"]]:
            named["name"] = f"{name}-{named['name']}" # to podman a volume of a name is one, whichever pod's
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": name}, "spec": spec}

    # ---- its life ----

    def start(self, owner, node):
        pod = self.pod_of(owner, node)
        name, spec = pod["metadata"]["name"], pod["spec"]
        path = os.path.join(self.folder, f"{name}.yaml")
        lifecycles = [c.pop("lifecycle", {}) for c in spec["containers"]]
        with open(path, "w", encoding="utf-8") as f:
            yaml.safe_dump(pod, f)
        self.running[name] = spec, lifecycles
        self.podman("play", "kube", path, network=node.name)
        for c in spec["containers"]:
            try:
                wait_for(f"{name}-{c['name']}", lambda c=c: self.is_ready(node, name, c), 40)
            except AssertionError:
                print(self.podman("logs", "--tail", "20", f"{name}-{c['name']}", check=False)[1])
                raise
        return name

    def is_ready(self, node, pod, container):
        probe = container["readinessProbe"]["exec"]["command"]
        return self.podman("exec", f"{pod}-{container['name']}", *probe, check=False, network=node.name)[0] == 0

    def meet(self, owner):
        """All registrars know of all others, as far as they have looked."""
        def knows(node):
            log = self.podman("logs", f"{owner}-{node.name}-registrar", check=False)[1]
            return log.count("a registrar appeared") - log.count("a registrar is gone") >= len(self.nodes) - 1
        time.sleep(1.5) # they look each second
        wait_for("registrars to know each other", lambda: all(map(knows, self.nodes)), 30)

    def stop(self, owner, node):
        """In order: preStop and SIGTERM, sidecars last, all within the grace. How long the front took, and its last words."""
        name = f"{owner}-{node.name}"
        spec, lifecycles = self.running.pop(name)
        began, left = time.monotonic(), spec["terminationGracePeriodSeconds"]
        for c, lifecycle in list(zip(spec["containers"], lifecycles))[::-1]:
            time.sleep(lifecycle.get("preStop", {}).get("sleep", {}).get("seconds", 0))
            self.podman("stop", "--time", str(int(left - (time.monotonic() - began))), f"{name}-{c['name']}")
            if c is spec["containers"][-1]:
                took = time.monotonic() - began
        log = self.podman("logs", f"{name}-{spec['containers'][-1]['name']}", check=False)[1]
        codes = {c["name"]: self.podman("inspect", "--format", "{{.State.ExitCode}}", f"{name}-{c['name']}").strip()
                 for c in spec["containers"]}
        assert set(codes.values()) == {"0"}, f"{name} ended with {codes}: {log[-2000:]}"
        self.podman("pod", "rm", "--force", "--time", "0", name)
        return took, log

    def listens(self, owner, node):
        """At each port over TCP that the pod says it has."""
        for port in self.template(owner)[1]["spec"]["containers"][0]["ports"]:
            if port["protocol"] == "TCP":
                socket.create_connection((node.address, port["containerPort"]), timeout=3).close()

    def version(self, pod, container):
        return json.loads(self.podman("inspect", "--format", "{{json .Config.Labels}}", f"{pod}-{container}")).get(
            "org.opencontainers.image.version")

    def close(self):
        for name in self.running:
            self.podman("pod", "rm", "--force", "--time", "0", name, check=False)
