"""Kamailio in four setups, each at its best: kamailio/kamailio.cfg tells what they are."""

import hashlib
import os
import re

import process
from server import DOMAIN, Server

CONFIG = os.path.join(os.path.dirname(__file__), "..", "kamailio", "kamailio.cfg")
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


def version():
    text = process.run(["kamailio", "-v"]).decode()
    return re.search(r"version: kamailio (\S+)", text).group(1)


class Kamailio(Server):
    defines = ()
    options = ()  # on the command line besides
    allocator = "fm"  # its default one costs 1.7 times as much
    shared = 1024  # MB of memory
    location_keys = "location:*"

    def ha1s(self):
        digest = HASHES[self.algorithm]
        for name, password in self.users:
            yield name, digest(f"{name}:{DOMAIN}:{password}".encode()).hexdigest()

    def provision(self):
        self.redis.load(["SET", f"ha1:{name}", ha1] for name, ha1 in self.ha1s())

    def launch(self):
        self.provision()
        cores = len(os.sched_getaffinity(0))
        pools = 1 << (cores - 1).bit_length()
        defines = [*self.defines, f'REALM="{DOMAIN}"', f"NID_POOLS={min(pools, 64)}",
                   f'TEXT_DB="text://{self.path("text")}"']
        if self.redis:
            defines += [f'REDIS_SERVER="name=store;unix={self.redis.socket}"',
                        f'REDIS_URL="redis://127.0.0.1:{self.redis.port}/0"']
        if self.algorithm != "MD5":
            defines.append(f'ALGORITHM="{self.algorithm}"')
        # More children than cores cost switches.
        argv = ["kamailio", "-f", CONFIG, "-DD", "-E", "-x", self.allocator, "-X", self.allocator,
                "-m", str(self.shared), "-M", "16", "-n", str(cores), "-l", f"udp:{self.address()}",
                "-P", self.path("pid"), *self.options]
        for define in defines:
            argv += ["-A", define]
        self.spawn("kamailio", argv, lambda: process.udp_is_bound(self.port))


class ByHand(Kamailio):
    name = "kamailio-redis"
    title = "Kamailio, Redis by a hand-written pipeline"
    defines = ("WITH_HAND",)
    location_keys = "loc:*"


class DatabaseOnly(Kamailio):
    name = "kamailio-dbonly"
    title = "Kamailio, usrloc on db_redis, DB-only"
    defines = ("WITH_USRLOC", "UL_MODE=3")


class WriteThrough(Kamailio):
    name = "kamailio-writethrough"
    title = "Kamailio, usrloc on db_redis, write-through"
    defines = ("WITH_USRLOC", "UL_MODE=1")


class InMemory(Kamailio):
    name = "kamailio-memory"
    title = "Kamailio, everything in its own memory"
    defines = ("WITH_USRLOC", "WITH_MEMORY", "UL_MODE=0")
    uses_redis = False

    def provision(self):
        os.makedirs(self.path("text"))
        rows = [f"{i}:{name}:0:0:{ha1}:0" for i, (name, ha1) in enumerate(self.ha1s(), 1)]
        columns = ("id(int,auto) key_name(string) key_type(int) value_type(int) key_value(string) "
                   "expires(int)")
        self.write("text/ha1", "\n".join([columns, *rows, ""]))
        self.write("text/version", "table_name(string) table_version(int)\nha1:2\n")
