"""Whether a REGISTER costs more when many are registered."""

import report
from bench import Bench, say
from countersign import Countersign
from load import Load, registers

FEW = 10000
CACHED = 1000  # phones that registrar and authd remember, in either installation
HOT = 500  # phones, all of them remembered
INFLIGHT = 64
COST = 1.15  # at most, of what a REGISTER costs where few are registered
MODES = {"fresh": ("fresh", True), "cached": ("cached", True), "all": ("fresh", False)}


def setup(n):
    return type("Scale", (Countersign,), {
        "name": f"bindings-{n}", "title": f"{n:,}", "bindings": n,
        "more": f"limits: {{{{ known: {CACHED} }}}}\n", "policy": f"limits: {{{{ cached_users: {CACHED} }}}}\n"})


class Scale(Bench):
    def launch(self, n):
        good, _, users = self.users(n)
        server = setup(n)(self.work, users, self.o.algorithm)
        self.servers.append(server)
        say(f"starting {server.name}")
        server.start()
        load = self.loads[server] = Load(self.program, good, self.o.algorithm)
        say(f"registering {n:,} phones")
        self.must(server, registers(load, server, n))
        self.redis[server] = server.redis.used_memory()

    def run(self):
        self.servers, self.loads, self.redis = [], {}, {}
        closed = ("-w", min(1, self.o.seconds / 4), "-i", INFLIGHT)
        try:
            self.launch(FEW)
            self.launch(self.o.scale)
            for number in range(1, self.o.rounds + 1):
                order = self.in_turn(number, self.servers)
                for metric, (mode, hot) in MODES.items():
                    for server in order:
                        self.measure(self.loads[server], number, server, metric, "-m", mode,
                                     *(("-n", HOT) if hot else ()), *closed)
            self.memory = {server: sum(server.memory().values()) for server in self.servers}
        finally:
            for server in self.servers:
                server.stop()

    def rows(self):
        for metric, (mode, hot) in MODES.items():
            few, many = (self.of(server, metric) for server in self.servers)
            ratio = report.spread(many[n]["cpu_us_per_op"] / few[n]["cpu_us_per_op"] for n in few)
            parts = [", ".join(f"{part} {self.part(server, metric, part):.1f}" for part in few[1]["parts"])
                     for server in self.servers]
            yield [f"{mode}, of {'phones that are remembered' if hot else 'all phones'}",
                   *(report.show(report.spread(r["cpu_us_per_op"] for r in runs.values())) for runs in (few, many)),
                   *parts, report.show(ratio, 2), f"at most {COST}", "yes" if ratio["median"] <= COST else "no"]

    def sizes(self):
        for server in self.servers:
            yield [server.title, f"{self.redis[server] / 1e6:,.0f}", f"{self.redis[server] / server.bindings:,.0f}",
                   f"{self.memory[server] / 1e6:,.0f}"]

    def report(self):
        few, many = (f"{server.title} bindings" for server in self.servers)
        return {"tables": [(["REGISTER", f"{few}, µs", f"{many}, µs", f"{few}, by program", f"{many}, by program",
                             "ratio", "target", "met"], list(self.rows())),
                           (["bindings", "Redis, MB", "for each phone, with its user, B", "registrar and authd, MB"],
                            list(self.sizes()))],
                "notes": [f"CPU for one REGISTER, {INFLIGHT} in flight. Both installations remember {CACHED:,} phones, so "
                          f"that they have the same work: of {HOT} phones nothing is read, of all phones everything is "
                          "read from Redis."]}
