/* From one side's description of a stream to what the other is told of it: which attributes pass,
 * which codecs, and how payload types are mapped (RFC 3264, 5 and 6). Pure functions. */
#ifndef CS_B2BUA_SESSION_OFFER_H
#define CS_B2BUA_SESSION_OFFER_H

#include "b2bua/media/relay.h"
#include "sdp/sdp.h"

/* Whether it is a stream that relays carry: audio or video over RTP, whose address is a number. */
bool offer_is_ours(const struct sdp_media *m);
enum offer_kind { OFFER_CLEAR, OFFER_SRTP, OFFER_DTLS };
/* By the profile alone: what stands beside it does not make another one of it. */
enum offer_kind offer_kind_of(enum sdp_proto p);
CS_CHECK int offer_append(struct sdp_media *m, const struct sdp_attrs *more, struct arena *a);

struct offer_wish { /* of the side that is offered to */
    enum offer_kind kind;
    const struct span *codecs; /* by name; none: any */
    size_t n_codecs;
};
/* A stream as it is offered on. Feedback (RFC 4585) goes along where both profiles have it: those
 * of browsers, and between others as it came. Port and keys are left to the caller. CS_ENOENT: no
 * codec is left. */
CS_CHECK int offer_pass(const struct sdp *s, const struct sdp_media *m,
                        const struct offer_wish *wish, struct arena *a, struct sdp_media *out);

struct offer_map { /* payload and rate of these are filled; all others must be RELAY_DROP */
    struct side_conf *offerer, *answerer;
};
/* The answer to a stream as the offerer is told: its own profile, whatever the other side has, and
 * its own numbers for the codecs that were taken.
 * CS_ENOTSUP: none of the offered codecs was. */
CS_CHECK int offer_answer(const struct sdp_media *offer, const struct sdp *answer_sdp,
                          const struct sdp_media *answer, struct arena *a, struct sdp_media *out,
                          const struct offer_map *map);
/* The number of telephone-events (RFC 4733) at 8000 Hz; RELAY_DROP: there are none. */
unsigned char offer_events(const struct sdp_media *m);

#endif
