"""Trust lists, signed and encrypted files of Cisco's phones, read and verified by the tables of their format alone:
nothing here is shared with what writes them but the openssl command."""
import hashlib
import os
import struct
import subprocess
import tempfile

VERSION, HEADER, SIGNER, SUBJECT, SERIAL, ISSUER, INFO, HASH, ALGORITHMS, ALGORITHM, MODULUS, SIGNATURE, PADDING, NAME, \
    TIME = range(1, 16)
SIGNER_VERSION = 28
HASHES = {1: "sha1", 3: "sha512"}
SAST, CCM, CCM_TFTP, TFTP = range(4)


def openssl(*argv, stdin=None):
    return subprocess.run(["openssl", *argv], input=stdin, check=True, capture_output=True).stdout


def elements(data):
    """Of (tag, value, where it begins); padding is a bare byte."""
    out, at = [], 0
    while at < len(data):
        if data[at] == PADDING:
            out.append((PADDING, b"", at))
            at += 1
            continue
        tag, n = struct.unpack_from("!BH", data, at)
        assert at + 3 + n <= len(data), f"element {tag} at {at} is longer than its container"
        out.append((tag, data[at + 3:at + 3 + n], at))
        at += 3 + n
    return out


def only(pairs, *tags):
    """Values by tag, each there once, in this order but for padding."""
    assert tuple(t for t, _, _ in pairs if t != PADDING) == tags, [t for t, _, _ in pairs]
    return {t: v for t, v, _ in pairs}


def text(value):
    assert value.endswith(b"\0") and b"\0" not in value[:-1], value
    return value[:-1].decode()


def certificate(path):
    """DER, names and serial as openssl says them."""
    der = openssl("x509", "-in", path, "-outform", "DER")
    key = openssl("x509", "-in", path, "-noout", "-pubkey")
    said = openssl("x509", "-in", path, "-noout", "-serial").decode().strip().split("=")[1]
    pkcs1 = openssl("rsa", "-pubin", "-RSAPublicKey_out", "-outform", "DER", stdin=key) \
        if b"rsaEncryption" in openssl("x509", "-in", path, "-noout", "-text") else None
    subject = openssl("x509", "-in", path, "-noout", "-subject", "-nameopt", "esc_2253,sep_comma_plus,sname").decode().strip()
    return {"der": der, "key": key, "serial": bytes.fromhex(said), "pkcs1": pkcs1,
            "subject": subject.split("=", 1)[1].strip()}


def verify(data, signer, version, more=()):
    """The header's elements and what is behind it; signer is a certificate's file."""
    n = struct.unpack_from("!H", data, 8)[0]
    assert data[5:8] == b"\x02\x00\x02" and n % 4 == 0 and n <= len(data), n
    pairs = elements(data[:n])
    head = only(pairs, VERSION, HEADER, *([SIGNER_VERSION] if version == b"\1\2" else []), SIGNER, INFO, SIGNATURE, NAME,
                TIME, *more)
    assert head[VERSION] == version, head[VERSION]
    assert [t for t, _, _ in pairs].count(PADDING) < 4
    who = {t: v for t, v, _ in elements(head[SIGNER])}
    assert sorted(who) == [SUBJECT, SERIAL, ISSUER]
    expected = certificate(signer)
    assert text(who[SUBJECT]) == text(who[ISSUER]) == expected["subject"], who
    assert who[SERIAL] == expected["serial"]
    info = only(elements(head[INFO]), HASH, ALGORITHMS)
    assert len(head[INFO]) == 15 and len(info[ALGORITHMS]) == 8
    assert only(elements(info[ALGORITHMS]), ALGORITHM, MODULUS) == {ALGORITHM: b"\0", MODULUS: b"\2"}
    at = next(at for t, _, at in pairs if t == SIGNATURE)
    check_signature(data[:at] + data[at + 3 + 256:], head[SIGNATURE], expected["key"], HASHES[info[HASH][0]])
    return head, data[n:]


def check_signature(signed, signature, key, hashed):
    assert len(signature) == 256
    with tempfile.TemporaryDirectory() as d:
        for name, content in (("sig", signature), ("key", key)):
            with open(os.path.join(d, name), "wb") as f:
                f.write(content)
        openssl("dgst", f"-{hashed}", "-verify", os.path.join(d, "key"), "-signature", os.path.join(d, "sig"),
                stdin=signed)


def verify_list(data, name, signer, https=False):
    """The records: (role, subject, certificate in DER)."""
    head, rest = verify(data, signer, b"\1\2")
    assert text(head[NAME]) == name and head[SIGNER_VERSION] == (b"\1\1" if https else b"\1\0")
    records = []
    while rest:
        tag, n, size = struct.unpack_from("!BHH", rest)
        assert (tag, n) == (1, 2) and 5 < size <= len(rest), (tag, n, size)
        r = only(elements(rest[5:size]), 3, 5, 6, 4, 7, 8, 9)
        with tempfile.NamedTemporaryFile() as f:
            f.write(openssl("x509", "-inform", "DER", stdin=r[9]))
            f.flush()
            x = certificate(f.name)
        assert text(r[3]) == x["subject"] and r[6] == x["serial"] and len(r[4]) == 2
        assert r[7] == x["pkcs1"] if x["pkcs1"] else r[7][:1] == b"\4", "the public key"
        assert r[9].endswith(r[8]), "the certificate's own signature ends it"
        records.append((struct.unpack("!H", r[4])[0], x["subject"], r[9]))
        rest = rest[size:]
    return records


def verify_file(data, name, signer):
    """The file that was signed."""
    head, rest = verify(data, signer, b"\1\0")
    assert text(head[NAME]) == name
    return rest


def decrypt(data, name, signer, key):
    """The file that was encrypted for the holder of this key."""
    head, cipher = verify(data, signer, b"\2\0", more=(16, 26, 27))
    assert text(head[NAME]) == name
    both = only(elements(head[16]), 17, 21)
    how = only(elements(both[17]), 18, 19, 20)
    assert len(both[17]) == 28 and how[18] == b"\0" and len(how[19]) == 16
    wrapped = only(elements(both[21]), 22, 23, 24, 25)
    assert wrapped[22] == b"\0" and struct.unpack("!H", wrapped[23])[0] == 8 * len(wrapped[25]) and wrapped[24] == b"\1"
    aes = openssl("pkeyutl", "-decrypt", "-inkey", key, "-pkeyopt", "rsa_padding_mode:pkcs1", stdin=wrapped[25])
    assert len(aes) == 16 and len(cipher) % 16 == 0
    plain = openssl("enc", "-d", "-aes-128-cbc", "-nopad", "-K", aes.hex(), "-iv", how[19].hex(), stdin=cipher)
    pad = struct.unpack("!H", how[20])[0]
    assert 1 <= pad <= 16 and plain[-pad:] == b"\r" * pad
    assert hashlib.new(HASHES[head[26][0]], plain[:-pad]).digest() == head[27]
    return plain[:-pad]
