"""What a front says of a client certificate (message Certificate of proto/auth.proto), read by the openssl
command, which shares nothing with the daemons but its library."""
import calendar
import hashlib
import re
import subprocess
import time

from frames import field


def openssl(*argv, stdin=None):
    return subprocess.run(["openssl", *argv], input=stdin, check=True, capture_output=True).stdout


def spki(path):
    key = openssl("x509", "-in", path, "-noout", "-pubkey")
    return hashlib.sha256(openssl("pkey", "-pubin", "-outform", "DER", stdin=key)).digest()


class X509:
    def __init__(self, path, issuer):
        self.sha256 = hashlib.sha256(openssl("x509", "-in", path, "-outform", "DER")).digest()
        self.spki, self.issuer_spki = spki(path), spki(issuer)
        text = openssl("x509", "-in", path, "-noout", "-serial", "-subject", "-issuer", "-nameopt", "RFC2253",
                       "-dates", "-ext", "subjectAltName").decode()

        def said(name):
            return re.search(rf"^{name}=(.*)$", text, re.M).group(1)
        self.serial = said("serial").lstrip("0")
        self.subject, self.issuer = said("subject"), said("issuer")
        self.not_before, self.not_after = (calendar.timegm(time.strptime(said(n), "%b %d %H:%M:%S %Y %Z"))
                                           for n in ("notBefore", "notAfter"))
        self.names = "Alternative Name" in text
        self.uris = re.findall(r"URI:([^,\s]+)", text)
        self.dns = [n.lower() for n in re.findall(r"DNS:([^,\s]+)", text) if "*" not in n]
        self.cn = re.search(r"(?:^|,)CN=([^,]*)", self.subject).group(1)

    def message(self):
        out = b"".join(field(1, u) for u in self.uris) + b"".join(field(2, n) for n in self.dns)
        return (out + field(3, int(self.names)) + field(4, self.cn) + field(5, self.subject) +
                field(6, self.issuer) + field(7, self.serial) + field(8, self.spki) +
                field(9, self.not_before) + field(10, self.not_after) + field(11, self.issuer_spki))

    def pin(self, scheme="sha256"):
        return f"{scheme}:{(self.sha256 if scheme == 'sha256' else self.spki).hex()}"
