"""Calls of desk phones with phones that speak SIP, and with the carrier."""
import collections
import json
import time

import g711
from bridge import Media, address_of
from daemons import wait_for
from desks import DeskWorld
from phone import Dialog
from sccp_phone import PCMA, PCMU

VERSIONS = (11, 17, 20)
SDP = [("Content-Type", "application/sdp")]
LAWS = {PCMU: (g711.PCMU, "PCMU/8000"), PCMA: (g711.PCMA, "PCMA/8000")}


class CallWorld(DeskWorld):
    keepalive = "20s"

    def write_configurations(self):
        super().write_configurations()
        self.change("b2bua.yaml", ("dialplan:\n", "dialplan:\n  inter_digit: 1s\n"))

    def desk(self, *argv, **more):
        self.desks = [*getattr(self, "desks", []), super().desk(*argv, **more)]
        return self.desks[-1]


def bound(w, user):
    """Contacts and agents of a user's bindings."""
    return sorted((b["contact"], b["user_agent"]) for b in json.loads(w.ctl("-o", "json", "bindings"))
                  if b["aor"] == f"sip:{user}@{w.domain}")


class Talker(Media):
    """Speaks a tone of 700 Hz, and hears."""

    def __init__(self, codec=PCMU):
        super().__init__()
        self.law, self.name = LAWS[codec]
        self.heard, self.sent = collections.deque(maxlen=g711.RATE // 2), 0

    def sdp(self, **more):
        return super().sdp(codecs=((self.law.payload, self.name),), **more)

    def talk(self, to, p, ref, seconds=3):
        """Both hear each other: here the phone's tone, there ours."""
        end, here, there = time.monotonic() + seconds, 0, 0
        while time.monotonic() < end:
            self.send(to, self.law.payload, self.law.tone(700, self.sent * g711.FRAME))
            self.sent += 1
            due = time.monotonic() + 0.02
            while (left := due - time.monotonic()) > 0:
                got = self.receive(left)
                if got and got[0] == self.law.payload:
                    self.heard.extend(self.law.decode(got[1]))
            if self.sent % 10 == 0 and self.sent > 25:
                here = g711.share(list(self.heard), p.hz)
                there = g711.share(list(p.channel(ref).heard), 700)
                if here > 0.9 and there > 0.9:
                    return
        raise AssertionError(f"{here:.2f} of {p.hz} Hz is heard here, {there:.2f} of 700 Hz there")


def ready(w, version=17, **more):
    """A phone whose line is registered, and its user."""
    user = w.user()
    w.ctl("user", "change", user, "--display-name", "Jürgen")
    p = w.desk(w.device(user), version, **more)
    wait_for("the line", lambda: bound(w, user), 1)
    return p, user


def invite(w, caller, user, talker):
    request = caller.prove(caller.request("INVITE", f"sip:{user}@{w.domain}", body=talker.sdp() if talker else b""))
    caller.expect(180)
    return request


def idle(w, *phones):
    wait_for("the end of all calls", lambda: not w.calls())
    for p in phones:
        p.wait(lambda p=p: all(c["state"] == "on hook" for c in p.calls.values()), what="the end of its calls")
        p.wait(lambda p=p: p.ringer == 1 and p.tone == 0 and p.lamps[9, 1] == 1 and p.selected[0][0] == "on hook",
               what="silence")
        assert not any(c.open or c.to for c in p.channels.values())
        assert p.speaker == 2


def taken(w, carrier, t, invited):
    """The carrier takes a call; where it is to send."""
    answered = carrier.answer(invited, 200, headers=SDP, body=t.sdp())
    carrier.expect("ACK")
    return Dialog(carrier, invited, answered, caller=False), address_of(invited)
