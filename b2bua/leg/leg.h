/* One end of a call, whatever it speaks. The call drives it by its ops and hears of it by events;
 * descriptions of media are SDP on both ways (session.h). */
#ifndef CS_B2BUA_LEG_LEG_H
#define CS_B2BUA_LEG_LEG_H

#include "base/span.h"

struct leg;
struct session_keys;
struct sip_msg;

struct leg_target { /* who is to be called instead; as written, with escapes */
    struct span user, host;
    uint16_t port; /* 0: none */
};

struct leg_end {                    /* why it is over; texts are borrowed for the call */
    unsigned status;                /* SIP's; 200: hung up in order */
    struct span text;               /* its phrase; absent: the usual one */
    struct span reason;             /* value of a Reason header (RFC 3326); absent: none */
    struct span warning;            /* text of a Warning, for 488; absent: none */
    unsigned warning_code;          /* RFC 3261, 20.43; 0: 399 */
    struct span sdp;                /* what a 488 says that could be taken; absent: nothing */
    const struct leg_target *moved; /* of a redirection, the best first; none where n_moved is 0 */
    size_t n_moved;
    unsigned retry_after; /* seconds; 0: nothing is said */
};

struct leg_refer {    /* a wish to be replaced by somebody else (RFC 3515); borrowed */
    struct span user; /* of the URI it names, as written */
    struct span host;
    struct span
        replaces; /* Replaces in it (RFC 3891), unescaped: a call that stands; absent: none */
};

/* What the call is told, with the arg it gave. Spans are borrowed for the call; an absent sdp is
 * none. None of these is called from inside an op. */
struct leg_events {
    /* Outgoing: a provisional answer. An answer to our offer, if there is an sdp. */
    void (*ringing)(void *arg, struct leg *l, unsigned status, struct span sdp);
    /* Outgoing, NULL: of no interest. An answer of SIP, before what it means is told. */
    void (*heard)(void *arg, struct leg *l, const struct sip_msg *resp);
    /* Outgoing, NULL: of no interest. Of several phones behind it one has refused with this status
     * (RFC 6228), the others may take it yet. */
    void (*one_refused)(void *arg, struct leg *l, unsigned status);
    /* Outgoing: taken. sdp answers our offer, or is one, to be answered by leg_ack(). */
    void (*answered)(void *arg, struct leg *l, struct span sdp);
    /* Incoming: what answers our offer of leg_answer(), if that was one; else absent. */
    void (*acked)(void *arg, struct leg *l, struct span sdp);
    /* In a call that stands: another offer, or, absent, the wish for one. Before that, NULL: of no
     * interest: another offer, where the first has its answer. leg_settle() answers. */
    void (*offered)(void *arg, struct leg *l, struct span sdp);
    /* That was given up before it was settled: it is as if it had not been made. */
    void (*withdrawn)(void *arg, struct leg *l);
    /* What became of leg_modify() or leg_update(): 200 with its answer, or the status of a refusal.
     */
    void (*settled)(void *arg, struct leg *l, unsigned status, struct span sdp);
    /* INFO, MESSAGE: what is in it, to be passed to the other side. */
    void (*info)(void *arg, struct leg *l, struct span type, struct span body);
    /* A key was pressed, which its media do not say: 0-9, *, #, A-D. */
    void (*digit)(void *arg, struct leg *l, char digit);
    /* What it was told last of media, to be said again; absent: nothing. NULL: as yet. */
    struct span (*described)(void *arg, const struct leg *l);
    /* Whether it may ask to be replaced, now. */
    bool (*may_refer)(void *arg, struct leg *l);
    /* It has. 0: leg_notify() tells what becomes of it; else the status of a refusal. */
    unsigned (*referred)(void *arg, struct leg *l, const struct leg_refer *r);
    /* It is over; the leg goes when this returns. */
    void (*ended)(void *arg, struct leg *l, const struct leg_end *why);
};

struct leg_ops {
    void (*ring)(struct leg *l, unsigned status, struct span sdp);
    void (*answer)(struct leg *l, struct span sdp);
    void (*ack)(struct leg *l, struct span sdp);
    void (*modify)(struct leg *l, struct span sdp);
    bool (*update)(struct leg *l, struct span sdp);
    bool (*withdraw)(struct leg *l);
    void (*settle)(struct leg *l, unsigned status, struct span sdp);
    void (*refuse)(struct leg *l, const struct leg_end *why);
    void (*info)(struct leg *l, struct span type, struct span body);
    void (*notify)(struct leg *l, unsigned status);
    void (*end)(struct leg *l, const struct leg_end *why);
};

struct leg { /* embedded in what speaks */
    const struct leg_ops *ops;
    const struct leg_events *events;
    void *arg;
    /* By which its media are protected as of what it says next; NULL: its descriptions say. */
    const struct session_keys *keys;
};

/* Incoming, before its answer: progress, with an answer to its offer or without. */
static inline void leg_ring(struct leg *l, unsigned status, struct span sdp)
{
    l->ops->ring(l, status, sdp);
}
/* Incoming: taken. sdp answers its offer, or is one where it had none. */
static inline void leg_answer(struct leg *l, struct span sdp)
{
    l->ops->answer(l, sdp);
}
/* Outgoing, whose answer was an offer: the answer to that. */
static inline void leg_ack(struct leg *l, struct span sdp)
{
    l->ops->ack(l, sdp);
}
/* Another offer, in a call that stands; absent: it is to make one. settled() tells. */
static inline void leg_modify(struct leg *l, struct span sdp)
{
    l->ops->modify(l, sdp);
}
/* Another offer before its final answer; settled() tells. False: there can be none, or none now.
 * sdp absent: only says whether there can. */
static inline bool leg_update(struct leg *l, struct span sdp)
{
    return l->ops->update && l->ops->update(l, sdp);
}
/* The offer of leg_modify() that is open is given up. True: settled() tells what became of it: it
 * may have been taken by then. */
static inline bool leg_withdraw(struct leg *l)
{
    return !l->ops->withdraw || l->ops->withdraw(l);
}
static inline void leg_settle(struct leg *l, unsigned status, struct span sdp)
{
    l->ops->settle(l, status, sdp);
}
/* An offer of theirs is not taken. */
static inline void leg_refuse(struct leg *l, const struct leg_end *why)
{
    l->ops->refuse(l, why);
}
static inline void leg_info(struct leg *l, struct span type, struct span body)
{
    l->ops->info(l, type, body);
}
/* How it goes with whom it referred to; 200 and above is the last word. */
static inline void leg_notify(struct leg *l, unsigned status)
{
    l->ops->notify(l, status);
}
/* Refuses, cancels or hangs up, as the leg stands. Nothing is called any more; the leg goes when
 * its other end knows. */
static inline void leg_end(struct leg *l, const struct leg_end *why)
{
    l->ops->end(l, why);
}

#endif
