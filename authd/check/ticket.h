/* One-time tickets: who a WebSocket speaks for, given to an application over REST, shown once at a
 * handshake, from then on that connection's alone. A ticket is a JWT of our own (HS256; libjwt is
 * known to ticket.c alone) under keys that come from the nonce keys, so that any authd of the
 * installation knows any ticket; which connection has used it stands in Redis. */
#ifndef CS_AUTHD_CHECK_TICKET_H
#define CS_AUTHD_CHECK_TICKET_H

#include "authd/audit/cause.h"
#include "base/arena.h"
#include "base/clock.h"
#include "conf/conf.h"
#include "redis/redis.h"

enum { TICKET_MAX = 4096 /* bytes of its text */, TICKET_ID_LEN = 22 };

/* The issuer of those by which one device fetches one file; their aor is the device's name. No
 * other ticket's is: an address of record has a colon. */
#define TICKET_OF_FILES "device file"

struct tickets_conf {
    struct duration use_within, lifetime, files;
};
extern const struct conf_section tickets_section;

struct ticket { /* spans are the arena's; an absent one was not said */
    struct span id;
    struct span aor; /* whom it speaks for: canonical */
    struct span user,
        realm;          /* whose it is, where an operator said so; else it stands for a token: */
    struct span issuer; /* its name in token_issuers */
    struct span iss, sub, jti, sid, scope; /* what the token said */
    int64_t iat;
    int64_t use_until; /* Unix time in seconds: until then a connection may begin with it, */
    int64_t until;     /* and speak with it until then */
};

struct tickets;

/* text: a key file (authd/vault/keyring.h). */
CS_CHECK int tickets_new(struct span text, struct tickets **out);
/* Before the first claim; the client is borrowed. */
void tickets_use_redis(struct tickets *t, struct redis *r);
void tickets_free(struct tickets **t);

/* Gives it an id, and writes its text into the arena. CS_ENOMEM, CS_ELIMIT. */
CS_CHECK int ticket_mint(struct tickets *t, struct ticket *ticket, struct arena *a,
                         struct span *text);
/* OK; TICKET_INVALID: not ours, or altered; TOKEN_EXPIRED; OVERLOADED: no memory. */
Countersign__Auth__Cause ticket_open(const struct tickets *t, struct span text, struct wall now,
                                     struct arena *a, struct ticket *out);
/* Whether this connection is known to have it. */
bool ticket_is_known(const struct tickets *t, const struct ticket *ticket, struct span flow);
/* Asks Redis whose it is, and makes it this connection's if it is nobody's and can be used still;
 * fn hands its reply to ticket_judge(). NULL: no memory. */
struct redis_call *ticket_claim(struct tickets *t, const struct ticket *ticket, struct span flow,
                                struct wall now, redis_fn *fn, void *arg);
/* OK; TICKET_USED: by another connection; TICKET_EXPIRED: by none, and it is too late;
 * STORE_UNAVAILABLE: also by none, and it is not too late: Redis refused to write. */
Countersign__Auth__Cause ticket_judge(struct tickets *t, const struct ticket *ticket,
                                      struct span flow, const struct redis_reply *reply,
                                      struct wall now);

#endif
