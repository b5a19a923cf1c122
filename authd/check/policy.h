/* What a request must prove in its group, and what it may do then: pure functions. */
#ifndef CS_AUTHD_CHECK_POLICY_H
#define CS_AUTHD_CHECK_POLICY_H

#include "authd/audit/cause.h"
#include "authd/check/facts.h"
#include "authd/config.h"
#include "authd/store/user.h"
#include "base/clock.h"

/* What credentials a request shows, of any kind and realm. */
struct shown {
    bool digest; /* for the group's realm, or malformed */
    bool bearer;
    /* Of a client certificate, where the group takes any: OK, if it says who it is;
     * CERTIFICATE_MISSING; SAN_UNMATCHED, if it says nobody we know; else what is wrong with it. */
    Countersign__Auth__Cause certificate;
    bool ticket; /* at the handshake of its connection */
};

enum demand {
    DEMAND_DIGEST,
    DEMAND_TOKEN,
    DEMAND_CERTIFICATE,
    DEMAND_TICKET,
    DEMAND_NOTHING,
    DEMAND_REFUSE
};
struct policy {
    enum demand demand;
    Countersign__Auth__Cause cause; /* of NOTHING and REFUSE */
};

struct policy policy_of(const struct group_conf *g, const struct facts *f, struct shown shown);

/* Whether what the user may be covers what the request claims: OK, AOR_NOT_ALLOWED or
 * FROM_NOT_ALLOWED. */
Countersign__Auth__Cause policy_identity(const struct user *u, const struct facts *f);

/* Nobody can read or change what comes this way. */
bool policy_is_secure(Countersign__Auth__Transport t);
bool policy_takes_certificates(const struct group_conf *g);
/* What is granted ends at `until`: how many seconds are left. */
uint32_t policy_end(Countersign__Auth__Grant *g, struct wall until, struct wall now);

/* Whether tokens may come this way: the group takes them, and nobody can read them. */
bool policy_takes_tokens(const struct group_conf *g, const struct facts *f);

/* 401 or 407 (RFC 3261, 22.2 and 22.3). */
unsigned policy_challenge_status(const struct digest_conf *d, const struct facts *f);

#endif
