"""Browsers whose calls go through the b2bua, and the phones they talk to."""
import math
import re
import threading
import time

from bridge import BridgeWorld
from browsers import JSSIP, BrowserWorld
from daemons import wait_for


class WebrtcWorld(BridgeWorld, BrowserWorld):
    timers = BridgeWorld.timers + ", dtls: 2s"


def ulaw(sample):
    """G.711 of a sample of 14 bits."""
    sign, level = (0x80, -sample) if sample < 0 else (0, sample)
    level = min(level, 8158) + 33
    exponent = level.bit_length() - 6
    return ~(sign | exponent << 4 | level >> (exponent + 1) & 15) & 0xff


TONE = bytes(ulaw(int(4000 * math.sin(2 * math.pi * 400 * i / 8000))) for i in range(160))


class Stream(threading.Thread):
    """A phone's media: a tone, 50 packets a second, and what comes meanwhile."""

    def __init__(self, media, to):
        super().__init__(daemon=True)
        self.media, self.to, self.got, self.on = media, to, [], True
        self.start()

    def run(self):
        while self.on:
            self.media.send(self.to, 0, TONE)
            until = time.monotonic() + 0.02
            while (left := until - time.monotonic()) > 0:
                if packet := self.media.receive(left):
                    self.got.append(packet)

    def stop(self):
        self.on = False
        self.join()
        self.media.close()


CALL = """window.session = ua.call('%s', { mediaConstraints: { audio: true, video: window.video ?? false } });
session.connection.addEventListener('track', ({ track }) => {
    document.querySelector('#remote').srcObject = new MediaStream([track]);
});
session.on('failed', ({ cause }) => { window.failed = cause; });"""
CALLED = """window.rang = 0;
ua.on('newRTCSession', ({ session }) => {
    if (session.direction !== 'incoming') return;
    window.rang += 1;
    window.session = session;
    session.on('failed', ({ cause }) => { window.failed = cause; });
    session.on('peerconnection', ({ peerconnection }) => peerconnection.addEventListener('track', ({ track }) => {
        document.querySelector('#remote').srcObject = new MediaStream([track]);
    }));
    session.answer({ mediaConstraints: { audio: true, video: window.video ?? false } });
});"""
STANDS = "await until('the call', () => session.isEstablished());"
TALKS = """const before = await media(session.connection);
return until('media both ways', async () => {
    const m = await media(session.connection);
    return m.sent > before.sent + 20 && m.received > before.received + 20 && m.energy > before.energy
        && m.dtls === 'connected' ? m : null;
});"""


def registered(world):
    user, page = world.user(), world.page()
    world.recipe(page, "JsSIP, with a password", user, JSSIP)
    return user, page


def check_heard(stream):
    """What the browser's microphone, a beep, became at the phone."""
    wait_for("packets", lambda: len(stream.got) > 20)
    assert {payload for payload, _ in stream.got} <= {0, 13, 101}, {payload for payload, _ in stream.got}
    assert len({data for payload, data in stream.got if payload == 0}) > 3, "nothing but silence"


def check_talk(page, stream):
    m = page.run(TALKS)
    assert m["level"] > 0 and re.fullmatch("AEAD_AES_256_GCM|SRTP_AEAD_AES_256_GCM", m["cipher"]), m
    check_heard(stream)


SIPJS_STANDS = """await until('the call', () => inviter.state === 'Established');
const tracks = session.connection.getReceivers().map((receiver) => receiver.track);
document.querySelector('#remote').srcObject = new MediaStream(tracks);"""


def sipjs_calls(world, page, user, to):
    world.recipe(page, "SIP.js, with a password", user, f"""Object.assign(window, {{ userAgent, registerer }});
await until('registered', () => registerer.state === 'Registered');
window.inviter = new SIP.Inviter(userAgent, SIP.UserAgent.makeURI('{to}'), {{
    sessionDescriptionHandlerOptions: {{ constraints: {{ audio: true, video: false }} }} }});
await inviter.invite();
window.session = {{ get connection() {{ return inviter.sessionDescriptionHandler.peerConnection; }} }};""")
