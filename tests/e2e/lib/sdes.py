"""Media that are encrypted by keys of their descriptions (RFC 4568)."""
import base64
import os
import re

from bridge import Media
from daemons import skip

try:
    from pylibsrtp import Policy, Session
except ImportError:
    skip("python3-pylibsrtp is not installed")

SUITES = { # profile, bytes of key and salt
    "AES_CM_128_HMAC_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
    "AES_CM_128_HMAC_SHA1_32": (Policy.SRTP_PROFILE_AES128_CM_SHA1_32, 30),
    "AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    "AEAD_AES_256_GCM": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
}


def session(suite, key, outbound):
    """What seals packets of a stream, or opens them."""
    return Session(policy=Policy(key=key, srtp_profile=SUITES[suite][0], ssrc_type=Policy.SSRC_ANY_OUTBOUND if outbound
                                 else Policy.SSRC_ANY_INBOUND))


class SrtpMedia(Media):
    """A stream whose key goes out by a=crypto, and that learns the other's from the answer."""

    def __init__(self, suite, host="127.0.0.1", tag=1):
        super().__init__(host)
        self.suite, self.tag, self.key = suite, tag, os.urandom(SUITES[suite][1])
        self.outgoing, self.incoming = self.session(self.key, Policy.SSRC_ANY_OUTBOUND), None

    def session(self, key, direction):
        return session(self.suite, key, direction == Policy.SSRC_ANY_OUTBOUND)

    def crypto(self):
        return f"a=crypto:{self.tag} {self.suite} inline:{base64.b64encode(self.key).decode()}"

    def sdp(self, *codecs, proto="RTP/SAVP", lines=(), **more):
        return super().sdp(*codecs, proto=proto, lines=[self.crypto(), *lines], **more)

    def learn(self, description):
        """The other side's key."""
        tag, suite, key = re.search(rb"a=crypto:(\d+) (\S+) inline:([A-Za-z0-9+/=]+)", description.body).groups()
        assert (int(tag), suite.decode()) == (self.tag, self.suite), description
        self.incoming = self.session(base64.b64decode(key), Policy.SSRC_ANY_INBOUND)
        return key

    def send(self, to, payload=0, data=b"\xd5" * 160):
        keep = self.rtp
        class Sealed: # what Media.send() gives to its socket is sealed on the way
            def sendto(_, packet, where):
                keep.sendto(self.outgoing.protect(packet), where)
        self.rtp = Sealed()
        try:
            return super().send(to, payload, data)
        finally:
            self.rtp = keep

    def receive(self, timeout=1.0):
        keep = self.rtp
        class Opened:
            def fileno(_):
                return keep.fileno()
            def recv(_, n):
                return self.incoming.unprotect(keep.recv(n))
        self.rtp = Opened()
        try:
            return super().receive(timeout)
        finally:
            self.rtp = keep


def offered(request):
    """Crypto lines by suite, as the callee was offered them."""
    return {m[1].decode(): (int(m[0]), m[2]) for m in
            re.findall(rb"a=crypto:(\d+) (\S+) inline:([A-Za-z0-9+/=]+)", request.body)}
