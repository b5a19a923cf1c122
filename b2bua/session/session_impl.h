/* What the files of a session share. */
#ifndef CS_B2BUA_SESSION_SESSION_IMPL_H
#define CS_B2BUA_SESSION_SESSION_IMPL_H

#include "b2bua/session/codec_names.h"
#include "b2bua/session/keys.h"
#include "b2bua/session/offer.h"
#include "b2bua/session/session.h"
#include "b2bua/session/webrtc.h"

enum { SESSION_WHY_MAX = 2 * CODEC_NAMES_MAX + 100 };

struct stream {
    struct relay *relay; /* NULL: refused */
    struct keys keys[RELAY_SIDES];
    bool optional[RELAY_SIDES]; /* our offer to this side was RTP/AVP with crypto lines beside */
    struct webrtc *webrtc[RELAY_SIDES]; /* NULL: not by DTLS */
    unsigned char events; /* of telephone-events as both sides number them; RELAY_DROP: none */
};

struct told { /* what one side was told last */
    char *text;
    size_t n, origin_n; /* of it the o= line's end */
    uint64_t id, version;
};

struct session {
    struct media *media;
    struct session_side side[RELAY_SIDES];
    struct dtls_identity *own[RELAY_SIDES]; /* of a side that has moved here; NULL: the process's */
    struct session_keys *brought[RELAY_SIDES]; /* by its leg; NULL: its descriptions say */
    struct stream *stream[SESSION_STREAMS_MAX];
    size_t n_streams;
    struct told told[RELAY_SIDES];
    char *said[RELAY_SIDES]; /* what each side said last that was agreed on */
    struct arena arena;      /* of the offer that is open, until session_settled() */
    struct sdp offer;
    char *offer_text;
    unsigned offerer;
    unsigned proposer; /* who made the one that was agreed on last */
    bool open;         /* an offer was passed on */
    char *before;      /* what who is offered it was told before; NULL: nothing, or it is settled */
    bool talks;        /* some stream was agreed on for both ways */
    char *why;         /* of SESSION_WHY_MAX bytes; NULL: nothing was refused yet */
};

/* session.c */
/* Answers the open offer by what the other side says, or, here, by what it has agreed on before, so
 * that its keys stay as they are. */
int session_settle(struct session *s, unsigned from, const struct sdp *answer, bool here,
                   struct buf *out, const char **why);
/* It becomes the offer that is to be answered; judged by policy. */
int session_read_offer(struct session *s, unsigned from, struct span sdp, const char **why);
void session_keys_free(struct session_keys **k);
void session_keep_said(struct session *s, unsigned side, struct span text);

#endif
