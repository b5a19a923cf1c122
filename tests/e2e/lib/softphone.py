"""A world whose WSS listener shows the softphone, users who sign in for real, and browsers that hold it."""
import math
import os
import shutil
import struct
import wave

import coturn
from daemons import free_port, skip, wait_for
from desks import DeskWorld
from playwright import Browser
from secure import NAME, SecureWorld

FOLDER, CLIENT = "/softphone/", "softphone-page"
HZ = 700 # what the microphones hear

TURN = """turn:
  token: {{ realm: {domain}, issuers: [idp] }}
  secret_file: turn.secret
  uris: ["turn:127.0.0.1:{port}?transport=udp"]
  origins: ["{origin}"]
  ttl: {{ min: 1s }}
"""


class SoftphoneWorld(DeskWorld, SecureWorld):
    timers = DeskWorld.timers + ", dtls: 5s"
    keepalive = "20s"

    def __init__(self, build, **more):
        super().__init__(build, **more)
        self.origin = f"https://{NAME}:{self.wss[0]}"
        self.page_url, self.browsers, self.turn = self.origin + FOLDER, {}, free_port()
        if not shutil.which("turnserver"):
            skip("turnserver of coturn is not installed")

    def start_all(self):
        super().start_all()
        coturn.start(self, self.domain, self.turn)

    @property
    def websocket(self):
        return (f"{{ origins: ['https://phone.example.test'], hosts: [{NAME}], softphone: {{ issuer: '{self.idp.url}', "
                f"client_id: {CLIENT}, scope: openid offline_access register call, resource: 'urn:sip:ES256', "
                f"turn: 'http://127.0.0.1:{self.port}/v1/turn' }} }}")

    def write_configurations(self):
        self.idp.tell(pages={CLIENT: self.page_url})
        super().write_configurations()
        self.change("b2bua.yaml", ('"user user*"', '"user *"'))
        self.change("authd.yaml", ("peer_groups:\n", TURN.format(domain=self.domain, origin=self.origin, port=self.turn) + "peer_groups:\n"))
        with open(self.path("turn.secret"), "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write("a secret of coturn's, and of authd's\n")
        with wave.open(self.path("tone.wav"), "wb") as f:
            f.setparams((1, 2, 48000, 0, "NONE", ""))
            f.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(2 * math.pi * HZ * i / 48000))) for i in range(48000)))

    def browser(self, name):
        """A Chromium of its own, whose page has been opened."""
        if name not in self.browsers:
            self.browsers[name] = Browser(
                self.build, self.path(f"chromium-{name}"), self.path(f"chromium-{name}.log"), os.environ.get("PICTURES"),
                self.path("ca.crt"), ("127.0.0.1", NAME),
                ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
                 f"--use-file-for-fake-audio-capture={self.path('tone.wav')}", "--allow-loopback-in-peer-connection",
                 "--autoplay-policy=no-user-gesture-required"))
        browser = self.browsers[name]
        browser.run("await page.goto(args.url); await page.getByRole('heading', { name: 'Sign in to call' }).waitFor();",
                    url=self.page_url)
        return browser

    def registered(self, user):
        return self.bindings().get(f"sip:{user}@{self.domain}", [])

    def close(self, keep):
        for browser in self.browsers.values():
            browser.close()
        super().close(keep)


# ---- what a user does, and hears ----

def sign_in(browser, user):
    """At the identity provider's own pages, and back."""
    browser.run("""
        await page.getByRole('button', { name: 'Sign in at 127.0.0.1' }).click();
        await page.getByPlaceholder('Enter any login').fill(args.user);
        await page.getByPlaceholder('and password').fill('any');
        await page.getByRole('button', { name: 'Sign-in' }).click();
        await page.getByRole('button', { name: 'Continue' }).click();
        await page.getByRole('status').filter({ hasText: /^registered$/ }).waitFor();""", user=user)


def show_password(browser, user, password):
    browser.run("""
        await page.getByLabel('User').fill(args.user);
        await page.getByLabel('Password').fill(args.password);
        await page.keyboard.press('Enter');""", user=user, password=password)


def plain(browser):
    """A tone for five seconds is noise to Chromium."""
    browser.run("""
        await page.getByText('Sound', { exact: true }).click();
        await page.getByLabel('As it is').check();
        await page.getByText('Sound', { exact: true }).click();""")


def call(browser, number):
    browser.run("""
        await page.getByLabel('Number or name').fill(args.number);
        await page.keyboard.press('Enter');""", number=number)


def talks(browser, name):
    """The call stands, packets come and go as the page says, and both levels move."""
    browser.run("""
        const section = page.getByRole('region', { name: 'Call' });
        await section.getByRole('heading', { name: `${args.name}: talking` }).waitFor();
        await until('packets', async () => {
            const [, sent, received] = (await section.getByText(/packets|received/).textContent()).match(/(\\d+) sent, (\\d+) received/);
            return sent > 50 && received > 50;
        });
        for (const level of ['Level of the microphone', 'Level of the other side'])
            await until(level, async () => await page.getByLabel(level).evaluate((m) => m.value) > 0.2);""", name=name)


def hears(browser, hz, most=8):
    """What the page plays is this tone, by its spectrum; hz 0: nothing is to be heard."""
    heard = []

    def found():
        heard[:] = browser.run("""
            return page.evaluate(async () => {
                const sound = new AudioContext();
                const ear = new AnalyserNode(sound, { fftSize: 8192 });
                sound.createMediaStreamSource(document.querySelector('#remote').srcObject).connect(ear);
                await new Promise((resolve) => { setTimeout(resolve, 400); });
                const power = new Float32Array(ear.frequencyBinCount);
                ear.getFloatFrequencyData(power);
                const at = power.indexOf(Math.max(...power));
                const step = sound.sampleRate / 8192;
                sound.close();
                return [at * step, Math.max(power[at], -200)]; // silence is -Infinity
            });""")
        return abs(heard[0] - hz) < 15 and heard[1] > -50 if hz else heard[1] < -60
    wait_for(f"{hz} Hz to be heard", found, most)
    return heard
