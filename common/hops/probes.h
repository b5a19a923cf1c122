/* Looks after next hops: asks each with OPTIONS whether it is there, at all of its addresses, or at
 * the one that it is bound to, so that calls find those that are (RFC 3261, 11). */
#ifndef CS_HOPS_PROBES_H
#define CS_HOPS_PROBES_H

#include "hops/walk.h"
#include "siptx/siptx.h"

struct hop_probes;

struct hop_probe_conf { /* copied; what it points to outlives the probes */
    struct hop *hop;
    struct duration interval; /* from one round to the next; 0: it is not asked but by now() */
    struct duration answer;   /* an address that says nothing for so long is given up */
    struct span from;         /* host of From; absent: our own address */
    struct span contact;      /* our URI, for who looks at it; absent: none is said */
};

enum hop_state { HOP_UNKNOWN, HOP_UP, HOP_DOWN };

struct hop_health {
    enum hop_state state;
    struct wall since; /* of that state */
    struct wall asked; /* last; 0: never */
    unsigned status;   /* of its last answer; 0: there was none to the last question */
    enum sip_transport transport;
    struct addr address;  /* that was asked last; AF_UNSPEC: it has none */
    struct duration took; /* to the last answer */
    int reason;           /* why the connection ended that was asked by; 0: it did not */
};

struct hop_probes_conf {
    struct loop *loop;
    struct siptx *tx;
    const struct hop_means *means;
    const struct hop_probe_conf *hops; /* copied */
    size_t n;
    /* The state of the i-th is another one; may be NULL. */
    void (*changed)(void *arg, size_t i, enum hop_state state);
    void *arg;
};

CS_CHECK int hop_probes_open(const struct hop_probes_conf *conf, struct hop_probes **out);
/* Borrowed. */
const struct hop_health *hop_probes_health(const struct hop_probes *p, size_t i);
/* Asks the i-th without waiting for its turn. */
void hop_probes_now(struct hop_probes *p, size_t i);
bool hop_probes_is_asking(const struct hop_probes *p, size_t i);
/* Sets *p to NULL. */
void hop_probes_close(struct hop_probes **p);

#endif
