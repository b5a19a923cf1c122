"""SIP messages as a phone writes and reads them, and digest (RFC 3261, 7; RFC 7616)."""
import hashlib
import os
import re

COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
           "k": "supported"}
LISTS = {"via", "route", "record-route", "contact", "path", "supported", "unsupported", "allow"}


def token(n=8):
    return os.urandom(n).hex()


def split_list(value):
    """Commas in quotes and angle brackets do not separate."""
    return [v.strip() for v in re.findall(r'(?:"(?:\\.|[^"])*"|<[^>]*>|[^,"<])+', value)]


def uri_of(value):
    """The URI of a name-addr or addr-spec."""
    found = re.search(r"<([^>]*)>", value)
    return found.group(1) if found else value.split(";")[0].strip()


def param(value, name):
    """A header parameter: its value, "" without one, None if it is not there."""
    found = re.search(rf";\s*{re.escape(name)}(?:=(\"[^\"]*\"|[^;,\s]*))?(?=[;,\s]|$)",
                      re.sub(r"<[^>]*>", "<>", value), re.I)
    return None if not found else (found.group(1) or "").strip('"')


class Message:
    def __init__(self, start, headers=(), body=b""):
        self.start = start
        self.headers = [list(h) for h in headers]
        self.body = body.encode() if isinstance(body, str) else body
        self.raw = None

    @classmethod
    def parse(cls, raw):
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head.decode()).split("\r\n")
        m = cls(lines[0], [[p.strip() for p in line.split(":", 1)] for line in lines[1:]], body)
        m.raw = raw
        return m

    def __bytes__(self):
        headers = [h for h in self.headers if h[0].lower() != "content-length"]
        if not any(h[0] == "No-Content-Length" for h in headers):
            headers.append(["Content-Length", str(len(self.body))])
        text = "\r\n".join([self.start] + [f"{n}: {v}" for n, v in headers
                                           if n != "No-Content-Length"])
        return text.encode() + b"\r\n\r\n" + self.body

    def __repr__(self):
        return "\n" + "\n".join("    " + line for line in bytes(self).decode().split("\r\n"))

    @property
    def status(self):
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else None

    @property
    def method(self):
        return self["CSeq"].split()[1] if self.status else self.start.split()[0]

    @property
    def uri(self):
        return self.start.split()[1]

    @property
    def branch(self):
        return param(self.all("Via")[0], "branch")

    def all(self, name):
        name = name.lower()
        values = [v for n, v in self.headers if COMPACT.get(n.lower(), n.lower()) == name]
        return [v for value in values for v in split_list(value)] if name in LISTS else values

    def __getitem__(self, name):
        values = self.all(name)
        assert len(values) == 1, f"{name} is there {len(values)} times:{self!r}"
        return values[0]

    def get(self, name):
        return self[name] if self.all(name) else None

    def __contains__(self, name):
        return bool(self.all(name))

    def set(self, name, *values):
        """Replaces the header where it stood first; without values it goes."""
        at = next((i for i, h in enumerate(self.headers) if h[0].lower() == name.lower()),
                  len(self.headers))
        rest = [h for h in self.headers if h[0].lower() != name.lower()]
        self.headers = rest[:at] + [[name, v] for v in values] + rest[at:]
        return self


def challenge_of(value):
    scheme, _, rest = value.partition(" ")
    assert scheme == "Digest", value
    pairs = re.findall(r'(\w+)\s*=\s*(?:"((?:\\.|[^"])*)"|([^,\s]+))', rest)
    return {name.lower(): quoted or plain for name, quoted, plain in pairs}


def answer_of(challenge, method, uri, user, password, nc=1, cnonce=None):
    """The value of (Proxy-)Authorization."""
    hashes = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
    algorithm = challenge.get("algorithm", "MD5")

    def h(text):
        return hashes[algorithm](text.encode()).hexdigest()
    realm, nonce, cnonce = challenge["realm"], challenge["nonce"], cnonce or token(4)
    ha1, ha2 = h(f"{user}:{realm}:{password}"), h(f"{method}:{uri}")
    response = h(f"{ha1}:{nonce}:{nc:08x}:{cnonce}:auth:{ha2}")
    return (f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
            f'response="{response}", algorithm={algorithm}, qop=auth, nc={nc:08x}, '
            f'cnonce="{cnonce}"' + (f', opaque="{challenge["opaque"]}"'
                                    if "opaque" in challenge else ""))
