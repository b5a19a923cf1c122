"""The streams that a generator plays: where their ends are, and how a server is told of them."""

import sdp

CALLER, CALLEE = "127.0.0.8", "127.0.0.9"
FIRST, SOCKETS, BATCH = 30000, 16, 16  # of tests/bench/mediaload on either side


class End:
    """One end of a stream: what it says of itself, and what the server told it."""

    def __init__(self, host, number, suite):
        self.host, self.port = host, FIRST + 2 * (number // BATCH % SOCKETS)
        self.suite, self.key = suite, sdp.key_of(suite)

    def offer(self):
        return sdp.write(self.host, self.port, self.suite, self.key)

    def answer(self, told):
        self.hear(told)
        return sdp.write(self.host, self.port, self.suite, self.key, self.tag)

    def hear(self, told):
        self.server, self.tag, self.server_key = sdp.read(told, self.suite)

    def line(self):
        if not self.suite:
            return f"{self.server} - - -"
        return f"{self.server} {self.suite} {self.key.hex()} {self.server_key.hex()}"


def connect(server, kind, n, path):
    """So many streams through a server, written to a file for the generator."""
    with open(path, "w", encoding="ascii") as f:
        for i in range(n):
            caller, callee = End(CALLER, i, kind.caller), End(CALLEE, i, kind.callee)
            server.connect(caller, callee)
            f.write(f"{caller.line()} {callee.line()}\n")
