/* A call as its files see it. */
#ifndef CS_B2BUA_CALL_CALL_IMPL_H
#define CS_B2BUA_CALL_CALL_IMPL_H

#include "b2bua/call/admission.h"
#include "b2bua/call/call.h"
#include "b2bua/call/occupancy.h"

enum { SIDE_A = RELAY_A, SIDE_B = RELAY_B, DIVERSIONS_MAX = 20 };

/* Who has a side of a call; comes and goes with its leg. The rules that it calls by, what it is
 * charged and where it may call follow from this alone. */
struct party {
    const struct trunk_conf *trunk; /* NULL: a line, or a service of ours */
    struct span who;                /* AOR of a line; absent: it is none */
    struct span number, display;    /* absent: not told */
    struct arena arena;             /* of who came in a call that stood */
};
/* Whether both are the same user, or the same trunk. */
bool party_is(const struct party *p, const struct party *other);

struct call {
    struct list link; /* ua.calls */
    struct ua *ua;
    struct arena arena;
    struct leg *leg[RELAY_SIDES]; /* who calls, who is called; NULL: not there (any more) */
    struct leg *gone;             /* that ends it, for its record; NULL: none of them does */
    struct session *session;
    struct party party[RELAY_SIDES];
    struct occupant occupants[RELAY_SIDES];
    struct span called, caller; /* as they came in */
    struct span display;        /* that who is asked is told */
    struct admission admission;
    struct span call_id[RELAY_SIDES];
    const struct media_policy *policy; /* of who called */
    struct { /* of a trunk, that its calls are noted by; in the order of its configuration */
        const struct trunk_conf *trunk;
        struct span *value; /* RECORD_HEADERS_MAX, absent: it was not there; NULL: none was */
        unsigned n;         /* how often one was written anew */
    } headers[RELAY_SIDES];
    bool offered; /* by the INVITE; else the called side is to make an offer */
    char *offer;  /* that one, until it is taken */
    unsigned max_forwards;
    struct dialplan_answer plan;
    size_t next;                                /* candidate */
    const struct dialplan_candidate *candidate; /* that is asked, or took it */
    unsigned status;                            /* of the last one that failed */
    struct list branches;          /* of hunt.c: whom it rings at, until one takes it */
    struct branch *in_force;       /* whose offer the session stands by; NULL: nobody's */
    const struct leg_end *refusal; /* the best of those that have ended; NULL: none has */
    bool again;                    /* the other kind of offer was made, too */
    struct call *picker;           /* who takes it while it rings; NULL: nobody */
    struct call *picked;           /* that it takes; NULL: none */
    bool automatic;                /* who calls wishes to be taken at once */
    bool up;                       /* both sides have said so */
    bool early;                    /* the caller was given an answer to its offer */
    struct {
        uint32_t node;        /* of ours, that is asked instead of a line; 0: none */
        struct span replaces; /* that it is told; */
        struct span as;       /* whose wish it is: an AOR */
    } elsewhere;
    struct {
        const struct dialplan_candidate *to; /* a phone of ours; NULL: none is asked, */
        struct span contact;                 /* by its Contact's user part */
    } desk;
    bool taking; /* who waits has called, and the other side is asked for an answer to that */
    struct session_kept *kept; /* what stands meanwhile */
    struct leg *waiting;    /* whom a side is to be replaced by, while it is asked; NULL: nobody */
    unsigned replaced;      /* that side */
    bool moving;            /* it wants that, and may leave before somebody has come */
    bool joining;           /* another leg has taken its place, and is asked for an offer */
    bool acks;              /* the open offer came with a 2xx: its answer goes into the ACK */
    struct span *diverters; /* lines and trunks that sent it elsewhere, in turn; NULL: none has */
    size_t n_diverters;
    struct span diverter;      /* AOR of the line that did last; absent: none has */
    struct hop *wanted;        /* of the trunk, the only target that is asked; NULL: any */
    struct span moved;         /* to whom the call was transferred last */
    unsigned transfer_refused; /* status of the last one that was not begun; 0: none */
    struct party coming;       /* who is to take a place */
    const struct dialplan_candidate *moved_to;
    int asker;         /* whose offer is open after the first; -1: none */
    bool renegotiated; /* there was another one before it was taken */
    struct {
        int from;       /* whose answer to an offer that was given up is awaited; -1: nobody's */
        bool offerless; /* it was asked for one */
        bool undoing;   /* it took it, and is offered again what stood before */
    } withdrawn;
    bool asked_offer; /* it is to be made by the other side */
    struct wall began, rang, taken;
    struct {
        struct timer at;
        struct leg *leg; /* that is asked again then */
        char *offer;     /* of the open offer of a transfer; NULL: an offer is asked for */
        unsigned n;      /* so often already */
    } retry;
    struct timer quiet;   /* looks whether media flow */
    uint64_t packets;     /* that were counted then */
    struct turn keyed;    /* its media are protected otherwise than before, perhaps */
    struct timer shaking; /* looks how DTLS is doing */
    struct mono shaken_by;
};

/* call.c */
unsigned call_side(const struct call *c, const struct leg *l);
/* Without a word to its legs. */
void call_drop(struct call *c);
/* Looks from time to time whether media flow. */
void call_watch_init(struct call *c);
/* It is over for both; by tells whose doing it was. The call is gone then. */
void call_finish(struct call *c, const struct leg_end *why, unsigned by);
/* Asks the candidate, as a leg of these events. also: more headers of its INVITE. NULL: it cannot
 * be asked. */
struct leg *call_ask(struct call *c, const struct dialplan_candidate *to,
                     const struct trunk_conf *trunk, struct span sdp, struct span also,
                     const struct leg_events *events, void *arg);
/* The events of the two legs of a call. */
extern const struct leg_events call_events;
void call_media_of(const struct call *c, const struct dialplan_candidate *to,
                   const struct trunk_conf *trunk, bool dtls, struct session_side *out);

/* What is told of an offer or an answer that cannot be taken. why is borrowed. */
struct leg_end call_why_no_media(int err, const char *why);
void call_refuse_media(struct call *c, int err, const char *why, unsigned by);
const struct media_policy *call_policy(const struct call *c, const struct dialplan_candidate *to,
                                       const struct trunk_conf *trunk);
/* Of an answer or another offer that brought no call: what the other side is told. */
unsigned call_told_status(unsigned status);
/* Both sides have said so: from now on media are watched. */
void call_now_up(struct call *c);
/* It is taken: the called leg stands, and the caller is told this. */
void call_up(struct call *c, struct span answer);

/* call_begin.c */
/* A call that nobody dialled, of legs that stand: they are the caller's to put into it. NULL: no
 * memory. */
struct call *call_of_leg(struct ua *u, const struct call_asker *a);
/* Who a candidate is. */
struct party call_party(struct call *c, const struct dialplan_candidate *to, struct arena *a);
/* Lamps of its parties' lines show what they do. */
void call_occupies(struct call *c);

/* hunt.c: who is asked. */
/* The next candidate of the dial plan; there is none: the call is over. */
void hunt_next(struct call *c);
/* Nobody is asked any more. */
void hunt_end(struct call *c, const struct leg_end *why);
void hunt_drop(struct call *c);
/* Whoever it rings at is asked no more: a leg that waits takes it, until c->picker has its place.
 */
void hunt_take_silently(struct call *c);

/* Who has taken it while an offer was open is heard now. */
void hunt_go_on(struct call *c);
/* Who is heard before it is taken; NULL: nobody yet, or there are several. */
struct leg *hunt_heard(const struct call *c);

/* offers.c: after the first one */
/* Before the call is taken. */
void call_offered_early(struct call *c, struct leg *l, struct span sdp);
void call_settled_early(struct call *c, struct leg *l, unsigned status, struct span sdp);
void call_withdrawn(struct call *c, struct leg *l);
/* True: it was the answer to what was given up. */
bool call_settles_withdrawn(struct call *c, unsigned side, unsigned status, struct span sdp);

/* call_keys.c */
void call_keys_init(struct call *c);
void call_keys_drop(struct call *c);
/* What a leg of that side offered, as the other is told (session_offer()). */
CS_CHECK int call_offer(struct call *c, unsigned from, const struct leg *l, struct span sdp,
                        struct buf *out, const char **why);
/* What it answered (session_answer()). From now on media flow; where DTLS has to agree on keys
 * first and does not, the call is ended. */
CS_CHECK int call_answer(struct call *c, unsigned from, const struct leg *l, struct span sdp,
                         struct buf *out, const char **why);

/* diversion.c: who is asked says that somebody else is to be. 0: the plan is theirs now; else the
 * status that the caller is told. */
unsigned call_divert(struct call *c, const struct leg_end *why);
/* Diversion lines for a line that is asked (RFC 5806), the latest first. */
void call_write_diversions(struct buf *b, const struct call *c);

/* transfer.c */
bool call_may_refer(const struct call *c, const struct leg *l);
unsigned call_referred(struct call *c, struct leg *l, const struct leg_refer *r);
/* The offer of whom a side was replaced by; absent: there is none. */
void call_join(struct call *c, unsigned side, struct span offer);
void call_transfer_init(struct call *c);
void call_transfer_drop(struct call *c);
/* True: a leg that has an offer of its own open, too, is asked once more (RFC 3261, 14.1). */
bool call_retry(struct call *c, struct leg *l, unsigned status);
/* What the other side answered to that. */
void call_joined(struct call *c, unsigned side, unsigned status, struct span sdp);

/* Somebody else is to come than the last time, whom nobody saw: what was kept of him goes. */
struct arena *call_coming(struct call *c);
/* Who was to come has, and the old one may go. */
void call_replace(struct call *c, unsigned side, struct leg *by);

/* takeover.c: who calls in `by`, which ends, takes that place in a call that stands. */
void call_seize(struct call *c, unsigned side, struct call *by);
/* The other side's answer to who takes a place. */
void call_taken(struct call *c, unsigned side, unsigned status, struct span sdp);

/* call_headers.c: what a trunk's messages say that its configuration wants noted. */
void call_note_headers(struct call *c, unsigned side, const struct trunk_conf *t,
                       const struct sip_msg *m);
void call_write_headers(struct buf *b, const struct call *c);

/* call_record.c: one line of JSON, written when the phones of its sides have said what they
 * counted.
 */
void call_record(const struct call *c, const struct leg_end *why, unsigned by);
/* What protects a side's media, as SDP names it, or "none". */
struct span call_srtp(const struct call *c, unsigned side);

#endif
