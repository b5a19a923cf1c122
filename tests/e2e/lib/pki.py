"""Authorities and certificates of a test's own, by the openssl command: NAME.crt and NAME.key in a folder."""
import os
import shutil
import subprocess

from daemons import skip


def _make(folder, name, *more):
    if not shutil.which("openssl"):
        skip("the openssl command is not installed")
    path = os.path.join(folder, name)
    with open(path + ".cnf", "w", encoding="utf-8") as f:
        f.write("[req]\ndistinguished_name=dn\n[dn]\n")
    subprocess.run(["openssl", "req", "-x509", "-config", path + ".cnf", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                    "-out", path + ".crt", "-keyout", path + ".key", *more],
                   check=True, capture_output=True)
    os.chmod(path + ".key", 0o600)


def authority(folder, name):
    _make(folder, name, "-addext", "basicConstraints=critical,CA:TRUE",
          "-addext", "keyUsage=critical,keyCertSign,cRLSign")


def certificate(folder, by, name, names, uses=None):
    """By this authority, for names such as "DNS:a.example,IP:127.0.0.1", and for these uses alone."""
    by = os.path.join(folder, by)
    uses = ["-addext", f"extendedKeyUsage={uses}"] if uses else []
    _make(folder, name, "-CA", by + ".crt", "-CAkey", by + ".key", "-addext", "basicConstraints=CA:FALSE",
          "-addext", f"subjectAltName={names}", *uses)


def expire(folder, by, name):
    """Signs it anew, as one of years ago."""
    base, by = os.path.join(folder, name), os.path.join(folder, by)
    with open(base + ".ca.cnf", "w", encoding="utf-8") as f:
        f.write(f"[ca]\ndefault_ca=a\n[a]\ndatabase={base}.index\ndefault_md=sha256\nrand_serial=yes\n"
                f"new_certs_dir={folder}\ncopy_extensions=copy\npolicy=p\n[p]\ncommonName=supplied\n")
    open(base + ".index", "w", encoding="utf-8").close()
    subprocess.run(["openssl", "x509", "-x509toreq", "-copy_extensions", "copyall", "-in", base + ".crt", "-signkey",
                    base + ".key", "-out", base + ".csr"], check=True, capture_output=True)
    subprocess.run(["openssl", "ca", "-batch", "-notext", "-config", base + ".ca.cnf", "-cert", by + ".crt",
                    "-keyfile", by + ".key", "-in", base + ".csr", "-out", base + ".crt", "-startdate",
                    "20200101000000Z", "-enddate", "20210101000000Z"], check=True, capture_output=True)
