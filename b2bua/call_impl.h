/* A call as its files see it. */
#ifndef CS_B2BUA_CALL_IMPL_H
#define CS_B2BUA_CALL_IMPL_H

#include "b2bua/call.h"

enum { SIDE_A = RELAY_A, SIDE_B = RELAY_B };

struct call {
    struct list link; /* ua.calls */
    struct ua *ua;
    struct arena arena;
    struct leg *leg[RELAY_SIDES]; /* who calls, who is called; NULL: not there (any more) */
    struct session *session;
    const struct trunk_conf *from, *to;  /* NULL: lines */
    struct span called, caller, display; /* as they came in */
    struct span call_id[RELAY_SIDES];
    struct span offer; /* of the INVITE; absent: the called side is to make one */
    unsigned max_forwards;
    struct dialplan_answer plan;
    size_t next;                                /* candidate */
    const struct dialplan_candidate *candidate; /* that is asked, or took it */
    unsigned status;                            /* of the last one that failed */
    bool up;                                    /* both sides have said so */
    bool early;                                 /* the caller was given an answer to its offer */
    int asker;        /* whose offer is open in a call that stands; -1: none */
    bool asked_offer; /* it is to be made by the other side */
    struct wall began, rang, taken;
    struct timer quiet; /* looks whether media flow */
    uint64_t packets;   /* that were counted then */
};

/* call_record.c: one line of JSON. */
void call_record(const struct call *c, const struct leg_end *why, unsigned by);

#endif
