/* Registers many phones, or sends messages between them, and measures: so many exchanges under way
 * all the time (closed loop), or a rate of arrivals whatever the server does (open loop). Every
 * answer is checked. */
#ifndef SIPLOAD_LOAD_H
#define SIPLOAD_LOAD_H

#include "latency.h"
#include "message.h"
#include "usage.h"
#include "wire.h"

enum load_mode {
    LOAD_FRESH,   /* REGISTER, 401, REGISTER with digest, 200 */
    LOAD_CACHED,  /* REGISTER with the nonce known and its next nc, 200 */
    LOAD_FILL,    /* each phone once, with a fresh challenge */
    LOAD_MESSAGE, /* MESSAGE, 407, MESSAGE with digest, 200 of the phone it is for: the first half
                     of the phones to the second, all of them registered before */
};

enum load_error { /* what can be wrong with an answer, or its absence */
                  LOAD_TIMEOUT,
                  LOAD_MALFORMED,
                  LOAD_MISMATCH,     /* not the Call-ID, CSeq or tag of the request */
                  LOAD_UNCHALLENGED, /* 200 without credentials */
                  LOAD_CHALLENGE,    /* no challenge that we can answer, or the nonce of before */
                  LOAD_REFUSED,      /* right credentials, and yet 401 or 403 */
                  LOAD_UNAVAILABLE,  /* 503 */
                  LOAD_STATUS,       /* any other status */
                  LOAD_CONTACT,      /* the 200 does not list our contact, or not with its time */
                  LOAD_DELIVERY,     /* a phone got what is not for it, or a 200 is of no phone */
                  LOAD_ERRORS
};
extern const char *const load_error_names[LOAD_ERRORS];

struct load_options {
    enum load_mode mode;
    unsigned inflight; /* closed loop; a multiple of sockets loads all of them alike, always */
    unsigned sockets;  /* of the wire: so many for phones, in LOAD_MESSAGE as many more for those
                          that are called */
    double rate;       /* exchanges a second, open loop; 0: closed */
    double warmup_s, duration_s;
};

struct load_result {
    uint64_t ops;   /* completed in the measured time */
    double seconds; /* how long that was */
    struct latency latency;
    uint64_t errors[LOAD_ERRORS]; /* of the whole run, the warm-up too */
    uint64_t error_sum;
    uint64_t retransmits;  /* datagrams sent again, in the whole run */
    uint64_t stale;        /* challenges with stale=true, answered again */
    uint64_t late;         /* answers to what was answered already, or of an earlier run */
    uint64_t overrun;      /* arrivals for which no phone or slot was free */
    char first_error[600]; /* the answer that was wrong first */
};

/* usage is measured over the same time as ops. */
CS_CHECK int load_run(const struct load_options *o, struct site *site, struct phones *phones,
                      struct wire *wire, struct usage *usage, struct load_result *out);

#endif
