/* One decision, as the audit log and csctl explain tell it. Nothing in it is secret. */
#ifndef CS_AUTHD_AUDIT_DECISION_H
#define CS_AUTHD_AUDIT_DECISION_H

#include "authd/audit/cause.h"
#include "authd/check/facts.h"
#include "base/clock.h"

struct decision { /* all borrowed; absent where it does not apply */
    struct wall time;
    struct span id, group;
    Countersign__Auth__VerdictKind kind;
    Countersign__Auth__Cause cause;
    Countersign__Auth__Cause because; /* the fault that made TOO_MANY_ATTEMPTS of it; else NONE */
    unsigned status;                  /* of the SIP answer; 0 for ACCEPT */
    const struct facts *facts;
    struct span user, realm; /* as claimed; proven when kind is ACCEPT */
    struct span algorithm, pattern;
    struct span device;    /* that is known to be in use, or says that it is */
    struct span issuer;    /* of the token that was shown, once that is known */
    bool fallback_blocked; /* a token was not good enough, and digest beside it was not looked at */
    struct span trunk;     /* that was signed for; absent: a request was judged */
    struct span revoked;   /* which revocation refused it, for people */
    struct span limit;     /* which limit or rule refused a call, for people */
    bool stale, uri_differs;
    uint32_t leased; /* challenges given to the front for requests like this one */
    int64_t latency_us;
};

enum { DECISION_LEN = 16 };
/* A new id, unlike any other. */
void decision_id(char out[DECISION_LEN + 1]);
/* "accept", "challenge", "reject", "later", "none". */
struct span decision_kind(Countersign__Auth__VerdictKind kind);

#endif
