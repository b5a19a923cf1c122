#include "b2bua/media/g711.h"

#include <assert.h>

#include "base/util.h"

enum {
    BIAS = 0x84, /* of mu-law: so that each segment begins with its highest bit */
    MU_MOST = 0x7fff - BIAS,
    EVEN = 0x55, /* bits of A-law that are turned over, table 1a, note 2 */
};

static unsigned bits_of(unsigned n)
{
    return n ? 32 - (unsigned)__builtin_clz(n) : 0;
}

/* A sign, a segment of three bits, and a level of four in it. */
static int16_t of_mu_law(uint8_t byte)
{
    const unsigned turned = (uint8_t)~byte;
    const int x = (int)(((turned & 0xf) << 3 | BIAS) << (turned >> 4 & 7)) - BIAS;
    return (int16_t)(turned & 0x80 ? -x : x);
}

static uint8_t to_mu_law(int16_t sample)
{
    const unsigned sign = sample < 0 ? 0x80 : 0;
    const unsigned x = (unsigned)CS_MIN(sign ? -(int)sample : (int)sample, (int)MU_MOST) + BIAS;
    const unsigned bits = bits_of(x), segment = bits - 8;
    assert(bits >= 8);
    return (uint8_t) ~(sign | segment << 4 | (x >> (segment + 3) & 0xf));
}

static int16_t of_a_law(uint8_t byte)
{
    const unsigned turned = byte ^ EVEN, segment = turned >> 4 & 7, level = (turned & 0xf) << 4;
    const int x = (int)(segment ? (level + 0x108) << (segment - 1) : level + 8);
    return (int16_t)(turned & 0x80 ? x : -x);
}

static uint8_t to_a_law(int16_t sample)
{
    const unsigned sign = sample < 0 ? 0 : 0x80;
    const unsigned x = (unsigned)(sign ? sample : -(int)sample - 1) >> 3;
    const unsigned segment = x < 0x20 ? 0 : bits_of(x) - 5;
    return (uint8_t)((sign | segment << 4 | (x >> CS_MAX(segment, 1U) & 0xf)) ^ EVEN);
}

int16_t g711_decode(enum g711_law law, uint8_t byte)
{
    return law == G711_PCMA ? of_a_law(byte) : of_mu_law(byte);
}

uint8_t g711_encode(enum g711_law law, int16_t sample)
{
    return law == G711_PCMA ? to_a_law(sample) : to_mu_law(sample);
}
