"""G.711, and tones in it: made, and found again."""
import bisect
import math

RATE, FRAME = 8000, 160 # samples a second, and in 20 ms


def _of_mu_law(byte):
    byte = ~byte & 0xff
    x = ((byte & 0xf) << 3 | 0x84) << (byte >> 4 & 7)
    return 0x84 - x if byte & 0x80 else x - 0x84


def _of_a_law(byte):
    byte ^= 0x55
    exponent, mantissa = byte >> 4 & 7, byte & 0xf
    x = (mantissa << 4) + 8 if not exponent else (mantissa << 4) + 0x108 << exponent - 1
    return x if byte & 0x80 else -x


class Law:
    def __init__(self, payload, of_byte):
        self.payload, self.samples = payload, [of_byte(b) for b in range(256)]
        self.levels = sorted((x, b) for b, x in enumerate(self.samples))

    def encode(self, sample):
        """The level next to it."""
        i = bisect.bisect(self.levels, (sample,))
        return min(self.levels[max(i - 1, 0):i + 1], key=lambda level: abs(level[0] - sample))[1]

    def decode(self, data):
        return [self.samples[b] for b in data]

    def tone(self, hz, start, n=FRAME, amplitude=8000):
        """n samples of it, from one so many after its begin."""
        return bytes(self.encode(amplitude * math.sin(2 * math.pi * hz * (start + i) / RATE)) for i in range(n))


PCMU, PCMA = Law(0, _of_mu_law), Law(8, _of_a_law)
# Where bytes are passed and nobody looks into them, a tone in them is as good.
G722, G729 = Law(9, lambda byte: (byte - 128) * 64), Law(18, lambda byte: (byte - 128) * 64)


def share(samples, hz):
    """How much of what is heard is this tone: 0 to 1 (Goertzel)."""
    total = sum(x * x for x in samples)
    if not total:
        return 0.0
    c = 2 * math.cos(2 * math.pi * hz / RATE)
    a = b = 0.0
    for x in samples:
        a, b = x + c * a - b, a
    return 2 * (a * a + b * b - c * a * b) / (len(samples) * total)


def is_of(samples, *tones, window=400):
    """Whether half a second is these tones, about as loud as each other, and little else. Multiples of 20 Hz; what a
    busy machine tears apart is looked at in pieces."""
    if len(samples) != RATE // 2:
        return False
    pieces = [samples[i:i + window] for i in range(0, len(samples), window)]
    shares = [sum(share(piece, hz) for piece in pieces) / len(pieces) for hz in tones]
    return sum(shares) > 0.8 and min(shares) > 0.3 / len(tones)
