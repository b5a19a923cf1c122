"""Descriptions of one stream of G.711 (RFC 8866, RFC 4568), as far as a benchmark needs them."""

import base64
import re
import secrets

KEYS = {"AES_CM_128_HMAC_SHA1_80": 30, "AEAD_AES_128_GCM": 28}


def key_of(suite):
    return secrets.token_bytes(KEYS[suite]) if suite else b""


def write(host, port, suite, key, tag=1):
    lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0",
             f"m=audio {port} RTP/{'SAVP' if suite else 'AVP'} 0", "a=rtpmap:0 PCMU/8000"]
    if suite:
        lines.append(f"a=crypto:{tag} {suite} inline:{base64.b64encode(key).decode()}")
    return "".join(line + "\r\n" for line in lines + ["a=sendrecv"]).encode()


def read(text, suite):
    """Address, tag and key of what a server says of itself."""
    text = text.decode()
    host = re.search(r"^c=IN IP4 (\S+)", text, re.M).group(1)
    port = re.search(r"^m=audio (\d+) RTP/(\w+)", text, re.M)
    if (port.group(2) == "SAVP") != bool(suite):
        raise ValueError(f"not the profile that was asked for: {text}")
    if not suite:
        return f"{host}:{port.group(1)}", 0, b""
    tag, key = re.search(rf"^a=crypto:(\d+) {suite} inline:([\w+/=]+)", text, re.M).groups()
    return f"{host}:{port.group(1)}", int(tag), base64.b64decode(key + "==")  # which some leave away
