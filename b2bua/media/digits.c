#include "b2bua/media/digits.h"

#include <string.h>

enum {
    STEP = 160, /* what is said of the first packet: 20 ms */
    ENDS = 3,   /* the end is said so often, since packets are lost (RFC 4733, 2.5.1.4) */
    PAUSE = 3,
    VOLUME = 10, /* -dBm0 */
    OLD_MS = 2000,
};

void digits_add(struct digits *d, const struct digit *digit)
{
    if (d->n < DIGITS_MAX)
        d->wait[d->n++] = *digit;
}

static void forget_first(struct digits *d)
{
    d->n--;
    memmove(d->wait, d->wait + 1, d->n * sizeof(d->wait[0]));
    d->said = d->ended = 0;
}

static void put(char *out, uint32_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(value >> (8 * (n - 1 - i)));
}

/* How long it lasts so far, as this packet tells. */
static uint16_t lasts(const struct digits *d, const struct rtp *p)
{
    const uint32_t elapsed = p->timestamp - d->timestamp + STEP;
    const uint16_t most = d->wait[0].duration;
    return elapsed < most ? (uint16_t)elapsed : most;
}

bool digits_take(struct digits *d, const struct rtp *p, struct mono now, char *packet, size_t *n)
{
    while (d->n && !d->said && mono_before(mono_add(d->wait[0].since, DURATION_MS(OLD_MS)), now))
        forget_first(d);
    if (!d->n)
        return false;
    if (d->pause) {
        d->pause--;
        return false;
    }
    const struct digit *first = &d->wait[0];
    if (!d->said)
        d->timestamp = p->timestamp;
    const uint16_t duration = lasts(d, p);
    const bool over = duration == first->duration;
    packet[0] = (char)0x80; /* no CSRCs, extension or padding */
    packet[1] = (char)((d->said ? 0 : 0x80) | first->payload);
    put(packet + 4, d->timestamp, 4);
    packet[RTP_HEADER] = (char)first->event;
    packet[RTP_HEADER + 1] = (char)((over ? 0x80 : 0) | VOLUME);
    put(packet + RTP_HEADER + 2, duration, 2);
    *n = RTP_HEADER + DIGIT_PACKET;
    d->said++;
    d->ended += over;
    if (d->ended == ENDS) {
        forget_first(d);
        d->pause = PAUSE;
    }
    return true;
}
