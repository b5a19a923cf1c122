"""Desk phones in each mode of security, and what they hear of each other."""
from daemons import wait_for
from desk_talk import CallWorld, bound

ENCRYPTED, AUTHENTICATED, CLEAR = "encrypted", "authenticated", "nonsecure"
SUITE = "AES_CM_128_HMAC_SHA1_32" # of phones


class SecureDesks(CallWorld):
    def phone_of(self, security, version=17, **more):
        """A desk phone whose line is registered, and its user."""
        user = self.user()
        if security != CLEAR:
            more.update(tls=self.speaks(), port=self.tls_port)
        p = self.desk(self.device(user, more=["--security", security]), version, **more)
        wait_for("the line", lambda: bound(self, user), 1)
        return p, user


def is_encrypted(p, ref):
    """Whether a phone hears and speaks by keys; never one without the other."""
    c = p.channel(ref)
    told = {c.opened["crypto"]["algorithm"], c.started["crypto"]["algorithm"]}
    assert len(told) == 1, told
    for crypto in (c.opened["crypto"], c.started["crypto"]):
        assert (len(crypto["key"]), len(crypto["salt"])) == ((16, 14) if told == {1} else (0, 0)), crypto
    return told == {1}


def locked(p, ref, wanted=True):
    """Whether the phone shows a lock in a call, as it is to."""
    p.wait(lambda: (p.calls[ref]["info"]["security"] == 3) == wanted, what="a lock" if wanted else "no lock")


def connect(a, b, two):
    """One desk phone calls another; what each calls it by."""
    b.hz = 620
    a.dial(two)
    ref = b.call_in("ring in")
    b.off_hook(1, ref)
    mine = a.call_in("connected")
    b.call_in("connected")
    hear(a, mine, b, ref)
    return mine, ref


def hear(a, mine, b, ref):
    a.hears(mine, 620)
    b.hears(ref, 440)
