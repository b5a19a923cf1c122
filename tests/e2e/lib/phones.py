"""Many phones that register again and again over UDP until told to stop, and write down every answer.

Usage: phones.py HOST:PORT DOMAIN PASSWORD PHONES RATE OUTPUT [PREFIX]

Their users are PREFIX0, PREFIX1, ...; PREFIX is "u" when it is not given.

Each REGISTER is an exchange with a Call-ID of its own, "N-user@phones" with N rising, also from run to
run: first without
credentials, then with those asked for. A line of OUTPUT is one answer:
{"sent", "got": Unix time, "user", "n", "cseq", "credentials": whether it showed any, "status": 0 when
none came, "retry_after": whether there was one}. Ends by SIGTERM, once what is under way was answered.
"""
import hashlib
import json
import re
import select
import signal
import socket
import sys
import time

T1, PATIENCE = 0.5, 6.0


def sha256(*parts):
    return hashlib.sha256(":".join(parts).encode()).hexdigest()


class Phones:
    def __init__(self, server, domain, password, users, out):
        host, port = server.rsplit(":", 1)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.connect((host, int(port)))
        self.port = self.socket.getsockname()[1]
        self.domain, self.password, self.out = domain, password, out
        self.free = users
        self.cseq = dict.fromkeys(self.free, 0)
        self.open = {}  # branch: exchange
        self.n = int(time.time() * 1000)

    def start(self):
        self.n += 1
        self.send({"user": self.free.pop(0), "n": self.n}, "")

    def send(self, exchange, authorization):
        user = exchange["user"]
        self.cseq[user] += 1
        exchange.update(cseq=self.cseq[user], credentials=bool(authorization), sent=time.time())
        branch = f"z9hG4bK{exchange['n']}.{exchange['cseq']}"
        exchange["again"], exchange["wait"] = exchange["sent"] + T1, T1
        exchange["text"] = (
            f"REGISTER sip:{self.domain} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch};rport\r\n"
            "Max-Forwards: 70\r\n"
            f"From: <sip:{user}@{self.domain}>;tag=t{exchange['n']}\r\n"
            f"To: <sip:{user}@{self.domain}>\r\n"
            f"Call-ID: {exchange['n']}-{user}@phones\r\n"
            f"CSeq: {exchange['cseq']} REGISTER\r\n"
            f"Contact: <sip:{user}@127.0.0.1:{self.port}>;expires=600\r\n"
            f"{authorization}User-Agent: phones\r\nContent-Length: 0\r\n\r\n").encode()
        self.open[branch] = exchange
        self.put(exchange)

    def put(self, exchange):
        try:
            self.socket.send(exchange["text"])
        except ConnectionRefusedError:
            pass  # of an earlier datagram: nobody was there; it is sent again in time

    def credentials(self, challenge, user):
        nonce = re.search(r'nonce="([^"]*)"', challenge)[1]
        uri, cnonce = f"sip:{self.domain}", "0a4f113b"
        response = sha256(sha256(user, self.domain, self.password), nonce, "00000001", cnonce, "auth",
                          sha256("REGISTER", uri))
        return (f'Authorization: Digest username="{user}", realm="{self.domain}", nonce="{nonce}", '
                f'uri="{uri}", response="{response}", algorithm=SHA-256, qop=auth, nc=00000001, '
                f'cnonce="{cnonce}"\r\n')

    def note(self, exchange, status, retry_after=False):
        keep = ("sent", "user", "n", "cseq", "credentials")
        line = {key: exchange[key] for key in keep}
        line.update(got=time.time(), status=status, retry_after=retry_after)
        self.out.write(json.dumps(line) + "\n")

    def receive(self):
        try:
            text = self.socket.recv(65536).decode()
        except ConnectionRefusedError:
            return
        exchange = self.open.pop(re.search(r"branch=([^;\s]+)", text)[1], None)
        if not exchange:
            return  # the answer to a retransmission
        status = int(text.split(" ", 2)[1])
        self.note(exchange, status, "\r\nRetry-After: " in text)
        challenge = re.search(r"\r\nWWW-Authenticate: (.*algorithm=SHA-256,.*)\r\n", text)
        if status == 401 and challenge and not exchange["credentials"]:
            self.send(exchange, self.credentials(challenge[1], exchange["user"]))
        else:
            self.free.append(exchange["user"])

    def look_at_clock(self, now):
        for branch, exchange in list(self.open.items()):
            if now >= exchange["sent"] + PATIENCE:
                del self.open[branch]
                self.note(exchange, 0)
                self.free.append(exchange["user"])
            elif now >= exchange["again"]:
                exchange["wait"] *= 2
                exchange["again"] = now + exchange["wait"]
                self.put(exchange)


def main():
    server, domain, password, count, rate, output, *prefix = sys.argv[1:]
    users = [f"{prefix[0] if prefix else 'u'}{i}" for i in range(int(count))]
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))
    with open(output, "w", encoding="utf-8", buffering=1) as out:
        phones = Phones(server, domain, password, users, out)
        due = time.time()
        while not stopping or phones.open:
            now = time.time()
            while not stopping and due <= now:
                if phones.free:
                    phones.start()
                due += 1 / float(rate)
            if select.select([phones.socket], [], [], 0 if stopping else max(0, due - now))[0]:
                phones.receive()
            phones.look_at_clock(now)


if __name__ == "__main__":
    main()
