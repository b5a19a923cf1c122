/* Media of a desk phone as SDP says them: one stream of audio with one codec, and where it is. */
#ifndef CS_B2BUA_DESK_DESK_MEDIA_H
#define CS_B2BUA_DESK_DESK_MEDIA_H

#include "b2bua/sccp/session.h"
#include "sdp/sdp.h"

/* Whether it is told keys, and only over TLS: then its media are SRTP always. */
bool desk_is_encrypted(const struct sccp_session *s);

struct desk_codec {
    uint16_t sccp; /* its number there */
    uint8_t payload;
    unsigned rate; /* as rtpmap says it */
    struct span name, fmtp;
};

struct desk_media {                 /* what the other side wants */
    struct addr at;                 /* where it hears */
    const struct desk_codec *codec; /* the first of its that the phone has */
    enum sdp_direction direction;   /* as the other side sees it */
    unsigned packet_ms;             /* how long packets are to be, which the phone can have */
    unsigned events;                /* type of telephone-events (RFC 4733); 0: none */
};

enum { DESK_EVENTS = 101 /* what an offer has for telephone-events */ };

/* The codec that a phone likes best; NULL: none of its is known here. */
const struct desk_codec *desk_codec_best(const struct sccp_session *s);
/* Of an offer or an answer: its first stream of audio. CS_ENOTSUP when there is none that the phone
 * can have, or sdp_parse()'s. */
CS_CHECK int desk_media_read(const struct sccp_session *s, struct span sdp, struct desk_media *out);

struct desk_media_at {
    const struct addr *local; /* the phone's */
    enum sdp_direction direction;
    uint32_t id;
    unsigned version;
    unsigned packet_ms; /* that it hears; 0: 20 */
    unsigned events;    /* of an answer: as the offer has them; 0: it has none */
};
/* An offer of all codecs that the phone has. */
CS_CHECK int desk_media_offer(const struct sccp_session *s, const struct desk_media_at *at,
                              struct buf *out);
/* The answer to an offer that was read: that codec, and no other stream. */
CS_CHECK int desk_media_answer(const struct sccp_session *s, struct span offer,
                               const struct desk_codec *codec, const struct desk_media_at *at,
                               struct buf *out);

#endif
