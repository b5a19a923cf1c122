/* What a phone says and hears: a tone as G.711, in SRTP by SDES, and what comes back of it. */
#ifndef CS_TOOLS_PHONE_MEDIA_H
#define CS_TOOLS_PHONE_MEDIA_H

#include "b2bua/session/keys.h"
#include "net/udp.h"

enum { PHONE_MEDIA_FRAMES = 50 }; /* a second of it */

struct phone_media { /* read-only for others */
    struct loop *loop;
    struct udp *udp;
    struct keys keys;
    struct crypt *in, *out; /* NULL: in the clear */
    struct addr to;         /* family none: not agreed yet */
    struct timer frame;
    uint16_t seq;
    uint32_t ssrc;
    unsigned sent, heard; /* frames; those that came back as they were sent */
    struct mono sent_at[PHONE_MEDIA_FRAMES];
    double round_trips_ms; /* their sum */
    bool done;
};

/* A port at this host, and keys. CS_ENOTSUP when there is no SRTP here. */
CS_CHECK int phone_media_open(struct loop *l, const struct addr *host, struct phone_media *m);
void phone_media_close(struct phone_media *m);
/* Its offer, RTP/SAVP. */
CS_CHECK int phone_media_offer(struct phone_media *m, struct buf *b);
/* Begins to talk, by the answer to that; done shows that it is over. CS_EPROTO, CS_EDENIED: it is
 * not encrypted as was offered. */
CS_CHECK int phone_media_talk(struct phone_media *m, struct span answer);
/* Writes the answer to an offer: encrypted where that has keys, else in the clear. CS_EPROTO,
 * CS_ENOTSUP: it offers no G.711. Nothing is said before phone_media_begin(). */
CS_CHECK int phone_media_answer(struct phone_media *m, struct span offer, struct buf *b);
void phone_media_begin(struct phone_media *m);

#endif
