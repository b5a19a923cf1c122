"""Holds connections open on which nobody says who he is: strangers.py HOST:PORT N; says "there" when all are, and ends with its
standard input."""
import resource
import socket
import sys

OF_EACH = 100  # addresses of loopback, as many connections from each


def main():
    server, n = sys.argv[1].rsplit(":", 1), int(sys.argv[2])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    held = []
    for i in range(n):
        s = socket.socket()
        s.bind((f"127.0.30.{1 + i // OF_EACH % 250}", 0))
        s.connect((server[0], int(server[1])))
        held.append(s)
    print("there", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
