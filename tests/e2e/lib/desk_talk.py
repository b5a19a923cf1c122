"""Desk phones that are in calls, and who speaks to them: everybody has a tone."""
import collections
import json
import threading
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


class Talker(Media):
    """Speaks a tone, and hears."""

    def __init__(self, codec=PCMU, hz=700):
        super().__init__()
        self.law, self.name = LAWS[codec]
        self.heard, self.sent, self.hz = collections.deque(maxlen=g711.RATE // 2), 0, hz

    def sdp(self, **more):
        return super().sdp(codecs=((self.law.payload, self.name),), **more)

    def say(self, to):
        self.send(to, self.law.payload, self.law.tone(self.hz, self.sent * g711.FRAME))
        self.sent += 1

    def listen(self, until):
        while (left := until - time.monotonic()) > 0:
            got = self.receive(left)
            if got and got[0] == self.law.payload:
                self.heard.extend(self.law.decode(got[1]))

    def talk(self, to, p, ref, seconds=3):
        """Both hear each other: here the phone's tone, there ours."""
        end, here, there = time.monotonic() + seconds, 0, 0
        while time.monotonic() < end:
            self.say(to)
            self.listen(time.monotonic() + 0.02)
            if self.sent % 10 == 0 and self.sent > 25:
                here = g711.share(list(self.heard), p.hz)
                there = g711.share(list(p.channel(ref).heard), self.hz)
                if here > 0.9 and there > 0.9:
                    return
        raise AssertionError(f"{here:.2f} of {p.hz} Hz is heard here, {there:.2f} of {self.hz} Hz there")


class Party:
    """A phone of SIP, or a carrier: in a call it speaks its tone, and goes along with what it is asked for."""

    def __init__(self, w, hz, phone=None, codec=PCMU):
        self.w, self.phone, self.t = w, phone or w.phone(), Talker(codec, hz)
        self.to, self.direction, self.left, self.threads = None, None, False, []
        self.unacked = False # what it has answered
        self.wants = True    # what it is offered in the call

    # ---- how it comes into a call ----

    def rings(self):
        self.invited = self.phone.expect("INVITE")
        self.phone.answer(self.invited, 180)

    def takes(self):
        self.dialog = Dialog(self.phone, self.invited, self.answer(self.invited), caller=False)
        self.starts()

    def refuses(self, status):
        self.phone.answer(self.invited, status)
        self.phone.expect("ACK")

    def is_given_up(self):
        self.phone.answer(self.phone.expect("CANCEL"), 200)
        self.refuses(487)

    def calls(self, user):
        self.request = self.phone.prove(self.phone.request("INVITE", f"sip:{user}@{self.w.domain}", body=self.t.sdp()))
        self.phone.expect(180)

    def is_taken(self):
        ok = self.phone.expect(200)
        self.dialog = Dialog(self.phone, self.request, ok, caller=True)
        self.dialog.ack()
        self.to = address_of(ok)
        self.starts()

    # ---- in it ----

    def starts(self):
        self.on = True
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self.speak, self.serve)]
        for thread in self.threads:
            thread.start()

    def answer(self, invite):
        offered = invite.body.decode()
        self.direction = next((d for d in ("inactive", "sendonly", "recvonly") if f"a={d}" in offered), "sendrecv")
        answer = {"sendonly": "recvonly", "recvonly": "sendonly"}.get(self.direction, self.direction)
        if offered:
            self.to = address_of(invite) if answer != "inactive" else None
        self.t.version += 1
        self.unacked = True
        return self.phone.answer(invite, 200, headers=SDP, body=self.t.sdp(direction=answer))

    def serve(self):
        while self.on and not self.left:
            try:
                m = self.phone.fresh(0.1)
            except (OSError, ValueError): # the scenario has failed
                return
            if m is None or m.status:
                continue
            if m.method == "INVITE" and self.wants:
                self.answer(m)
            elif m.method == "INVITE":
                self.phone.answer(m, 488)
            elif m.method == "ACK":
                self.to = address_of(m) if m.body else self.to
                self.unacked = False
            else:
                self.phone.answer(m, 200)
                self.left = m.method == "BYE"

    def speak(self):
        due = time.monotonic()
        while self.on and not self.left:
            if to := self.to: # which may be taken back meanwhile
                self.t.say(to)
            due += 0.02
            self.t.listen(due)

    def hears(self, *tones, seconds=8):
        end = time.monotonic() + seconds
        while not g711.is_of(samples := list(self.t.heard), *tones):
            assert time.monotonic() < end, {hz: round(g711.share(samples, hz), 2) for hz in tones}
            time.sleep(0.05)

    def is_held(self):
        wait_for("hold", lambda: self.direction == "inactive")

    def hangs_up(self):
        wait_for("an ACK", lambda: not self.unacked)
        self.stops()
        bye = self.dialog.request("BYE")
        self.phone.send(bye) if self.phone.sip == self.w.b2bua else self.phone.prove(bye)
        self.phone.expect(200)

    def is_left(self):
        wait_for("BYE", lambda: self.left)
        self.stops()

    def stops(self):
        self.on = False
        for thread in self.threads:
            thread.join()
        self.t.close()
