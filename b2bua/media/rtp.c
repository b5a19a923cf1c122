#include "b2bua/media/rtp.h"

enum { RTCP_HEADER = 8, RTCP_FIRST = 192, RTCP_LAST = 223, RTCP_SR = 200, RTCP_RR = 201 };
enum { RTCP_FB_FIRST = 205, RTCP_FB_LAST = 207 };

static uint16_t get16(const char *p)
{
    return (uint16_t)((unsigned char)p[0] << 8 | (unsigned char)p[1]);
}

static uint32_t get32(const char *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

int rtp_parse(struct span packet, struct rtp *out)
{
    struct rtp r = { 0 };
    *out = r;
    if (packet.n < RTP_HEADER || (unsigned char)packet.p[0] >> 6 != 2)
        return CS_EPROTO;
    const unsigned first = (unsigned char)packet.p[0], second = (unsigned char)packet.p[1];
    r.head = RTP_HEADER + 4 * (size_t)(first & 0xf);
    if (first & 0x10) { /* an extension: its length stands in its second half-word */
        if (packet.n < r.head + 4)
            return CS_EPROTO;
        r.head += 4 + 4 * (size_t)get16(packet.p + r.head + 2);
    }
    if (packet.n < r.head)
        return CS_EPROTO;
    r.payload = second & 0x7f;
    r.marker = second & 0x80;
    r.seq = get16(packet.p + 2);
    r.timestamp = get32(packet.p + 4);
    r.ssrc = get32(packet.p + 8);
    *out = r;
    return 0;
}

static void put(char *out, uint32_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(value >> (8 * (n - 1 - i)));
}

void rtp_write(char *out, const struct rtp *r)
{
    out[0] = (char)0x80;
    out[1] = (char)(r->marker << 7 | r->payload);
    put(out + 2, r->seq, 2);
    put(out + 4, r->timestamp, 4);
    put(out + 8, r->ssrc, 4);
}

bool rtp_is_rtcp(struct span packet)
{
    return packet.n >= 2 && (unsigned char)packet.p[1] >= RTCP_FIRST &&
           (unsigned char)packet.p[1] <= RTCP_LAST;
}

bool rtcp_is_valid(struct span packet, bool sealed)
{
    for (bool first = true; packet.n; first = false) {
        if (packet.n < 4 || (unsigned char)packet.p[0] >> 6 != 2)
            return false;
        const unsigned type = (unsigned char)packet.p[1];
        const size_t n = 4 * ((size_t)get16(packet.p + 2) + 1);
        if (first && (packet.n < RTCP_HEADER || !(type == RTCP_SR || type == RTCP_RR ||
                                                  (type >= RTCP_FB_FIRST && type <= RTCP_FB_LAST))))
            return false;
        if (sealed)
            return true;
        if (n > packet.n)
            return false;
        packet = span_skip(packet, n);
    }
    return true;
}

/* ---- quality ---- */

static void begin(struct rtp_quality *q, const struct rtp *p)
{
    q->lost_before = rtp_quality_lost(q);
    q->begun = true;
    q->ssrc = p->ssrc;
    q->highest = p->seq;
    q->first = p->seq;
    q->cycles = 0;
    q->received = 0;
    q->transit = 0;
}

/* Arrival and timestamp on one clock; a difference of either sign, whatever wrapped. */
static void add_jitter(struct rtp_quality *q, const struct rtp *p, struct mono now)
{
    const int64_t arrival = now.ns / 1000 * q->rate / 1000000;
    const int64_t transit = (int32_t)((uint32_t)arrival - p->timestamp);
    int64_t d = (int32_t)((uint32_t)transit - (uint32_t)q->transit);
    const bool known = q->received > 0;
    q->transit = transit;
    if (!known)
        return;
    d = d < 0 ? -d : d;
    if (d < (int64_t)q->rate) /* more than a second: the sender began a new timeline */
        q->jitter16 += (uint32_t)d - ((q->jitter16 + 8) >> 4);
}

void rtp_quality_add(struct rtp_quality *q, const struct rtp *p, uint32_t rate, struct mono now)
{
    q->rate = rate ? rate : 8000;
    const uint16_t ahead = (uint16_t)(p->seq - q->highest);
    /* A jump by more than any network reorders is a sender that began again. */
    if (!q->begun || p->ssrc != q->ssrc || (ahead >= 3000 && ahead < 65536 - 1000))
        begin(q, p);
    else if (ahead < 3000) {
        if (p->seq < q->highest)
            q->cycles += 65536;
        q->highest = p->seq;
    }
    add_jitter(q, p, now);
    q->received++;
}

uint64_t rtp_quality_lost(const struct rtp_quality *q)
{
    if (!q->begun)
        return q->lost_before;
    const uint64_t expected = (uint64_t)q->cycles + q->highest - q->first + 1;
    return q->lost_before + (expected > q->received ? expected - q->received : 0);
}

uint32_t rtp_quality_jitter_us(const struct rtp_quality *q)
{
    return q->rate ? (uint32_t)((uint64_t)(q->jitter16 >> 4) * 1000000 / q->rate) : 0;
}
