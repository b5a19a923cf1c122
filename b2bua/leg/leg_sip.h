/* A leg that speaks SIP: a line, by the trusted link of its registrar, or a trunk (RFC 3261, 12 to
 * 15). */
#ifndef CS_B2BUA_LEG_LEG_SIP_H
#define CS_B2BUA_LEG_LEG_SIP_H

#include "b2bua/call/journal.h"
#include "b2bua/leg/leg.h"
#include "b2bua/ua/session_timer.h"
#include "b2bua/ua/uac.h"
#include "base/map.h"
#include "sip/replaces.h"

/* What legs, and who makes them, take. */
#define LEG_ALLOW "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, PRACK, REFER\r\n"
/* Events that can be subscribed to (RFC 6665, 8.2.2): the one that REFER begins. */
#define LEG_EVENTS "Allow-Events: refer\r\n"

struct leg_sip_means { /* of the process, for all legs; outlives them */
    struct uac_means uac;
    struct map *legs; /* by local tag */
    struct list *all;
    struct duration t1, t2;
    struct session_timer_conf timer;
    struct journal *journal; /* NULL: none is kept */
};

struct leg_sip_out { /* a call to be made; all borrowed for the call but conf of the trunk */
    struct span from, to, uri; /* values of From and To without tags, Request-URI */
    struct span contact;       /* our Contact's URI */
    struct hop *const *hops;   /* where it goes, */
    const struct span *uris;   /* each by a Request-URI of its own; NULL: all by that one */
    size_t n_hops;
    uint32_t node; /* instead of these a node; 0: none */
    struct duration answer;
    struct span trunk, route; /* whose challenges are answered; absent: nobody's */
    struct span lines;        /* more headers of the INVITE */
    unsigned max_forwards;
    struct span sdp;    /* absent: the other side is to offer */
    struct span origin; /* Call-ID that the call began with, for who looks at its messages */
};

/* NULL: no memory. ended() tells of failure. */
struct leg *leg_sip_call(const struct leg_sip_means *m, const struct leg_sip_out *out,
                         const struct leg_events *events, void *arg);

/* Of an INVITE outside dialogs, that somebody may make: the transaction is its own from now on.
 * contact: our URI. trunk: by which it came; absent: a line. NULL: it was refused, being malformed
 * or for want of memory. Its offer is tx_request()'s body. */
struct leg *leg_sip_take(const struct leg_sip_means *m, struct tx *invite, struct span contact,
                         struct span trunk, const struct leg_events *events, void *arg);

/* A request inside a dialog, an ACK among them; false: there is no such dialog. */
bool leg_sip_request(const struct leg_sip_means *m, struct tx *tx, struct flow *flow,
                     struct sip_msg *req);
bool leg_sip_acked(const struct leg_sip_means *m, struct flow *flow, struct sip_msg *ack);
/* The INVITE of this transaction was given up by who sent it. */
void leg_sip_cancelled(struct tx *tx, struct sip_msg *cancel);
/* At the end of the process: without a word. */
void leg_sip_drop_all(const struct leg_sip_means *m);

/* Ends a dialog that was left by a process before this one. trunk lives as long as the means. */
void leg_sip_end_left(const struct leg_sip_means *m, struct journal_line *noted,
                      const struct journal_entry *e);

/* The leg of ours that a Replaces names (RFC 3891, 3), and how far it is; NULL: none. */
enum leg_place {
    LEG_THEIRS, /* early, and they asked */
    LEG_OURS,   /* early, and we did */
    LEG_STANDS,
    LEG_GONE, /* of a call that is over */
};
struct leg *leg_sip_named(const struct leg_sip_means *m, const struct replaces *r,
                          enum leg_place *out);

/* Whether it is a line whose place rests on what this revokes. Of any leg. */
bool leg_sip_falls(const struct leg *l, const Countersign__Auth__Revoked *what);

/* Whether we made its Call-ID. Of any leg. */
bool leg_sip_is_ours(const struct leg *l);
/* The leg at the other end of its dialog, where that is ours, too, and not over; NULL: it is not.
 * Of any leg. */
struct leg *leg_sip_facing(const struct leg_sip_means *m, const struct leg *l);
/* Tag of the other end of its dialog, borrowed; absent where there is none yet. Of any leg. */
struct span leg_sip_remote_tag(const struct leg *l);
/* Call-ID of its dialog, borrowed; absent where it has none. Of any leg. */
struct span leg_sip_call_id(const struct leg *l);
/* Call-ID that the call began with, of a leg of ours that a message belongs to, borrowed; absent:
 * its own, or of none. */
struct span leg_sip_origin(const struct leg_sip_means *m, const struct sip_msg *msg);

#endif
