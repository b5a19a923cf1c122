/* RTP and RTCP on the wire (RFC 3550): what a packet says of itself, and what a stream's packets
 * say of the way they came. Pure functions. */
#ifndef CS_B2BUA_MEDIA_RTP_H
#define CS_B2BUA_MEDIA_RTP_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/span.h"

enum { RTP_HEADER = 12, RTP_MAX = 2048 };

struct rtp {
    unsigned payload; /* type, 0 to 127 */
    bool marker;
    uint16_t seq;
    uint32_t timestamp, ssrc;
    size_t head; /* bytes before the payload: header, CSRCs, extension */
};

/* CS_EPROTO for what is no RTP of version 2, or shorter than it says (RFC 3550, 5.1). Padding is
 * not looked at: in SRTP it cannot be read yet. */
CS_CHECK int rtp_parse(struct span packet, struct rtp *out);
/* A header without CSRCs and extension, of RTP_HEADER bytes; head is not looked at. */
void rtp_write(char *out, const struct rtp *r);
/* Whether a packet that comes to a port of both is RTCP (RFC 5761, 4). */
bool rtp_is_rtcp(struct span packet);
/* Whether RTCP of a compound has the right lengths and begins with a report (RFC 3550, A.2), or is
 * of reduced size (RFC 5506). Before decryption the first packet alone can be looked at: sealed. */
bool rtcp_is_valid(struct span packet, bool sealed);

/* ---- quality of what came (RFC 3550, A.1, A.3, A.8) ---- */
struct rtp_quality {
    bool begun;
    uint32_t ssrc;
    uint16_t highest;
    uint32_t cycles, first;         /* extended sequence numbers */
    uint64_t received, lost_before; /* of this source; of those before it */
    uint32_t rate;                  /* of the clock, Hz */
    int64_t transit;                /* in units of the clock */
    uint32_t jitter16;              /* 16 times the jitter, units of the clock */
};
/* rate 0 means 8000. Another SSRC begins anew, its loss is added up. */
void rtp_quality_add(struct rtp_quality *q, const struct rtp *p, uint32_t rate, struct mono now);
uint64_t rtp_quality_lost(const struct rtp_quality *q);
uint32_t rtp_quality_jitter_us(const struct rtp_quality *q);

#endif
