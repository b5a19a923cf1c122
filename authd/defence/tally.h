/* What was counted of sources, in Redis, so that it counts wherever in the installation it
 * happened. Each key expires by itself; of one network all are in one slot, so that a count is one
 * pipeline:
 *
 *   cs:fail:{<network>}:u:<user>          failures of a user there; the group's attempt_window
 *   cs:fail:{<network>}:s:<user>          how often that user was cooled off there
 *   cs:fail:{<network>}:n                 set of users that failed there
 *   cs:fail:{<network>}:a:<class>         all of a class
 *   cs:fail:{<network>}:p:<class>:<port>  all of a class from one port
 *   cs:good:{<network>}:u:<user>          this user succeeded there
 *   cs:good:{<network>}:any               somebody did
 *   cs:good:{<network>}:live              and holds bindings
 *
 * <user> is 64 bits of a hash of name@realm; a network is what one subscriber has (addr.h). */
#ifndef CS_AUTHD_DEFENCE_TALLY_H
#define CS_AUTHD_DEFENCE_TALLY_H

#include "authd/defence/ruling.h"
#include "redis/redis.h"

struct tallies;

/* redis and conf are borrowed. */
CS_CHECK int tallies_new(struct loop *l, struct redis *redis, const struct defence_conf *conf,
                         struct tallies **out);
/* What is under way is forgotten. */
void tallies_free(struct tallies **t);

struct misdeed { /* spans are borrowed for the call */
    enum abuse abuse;
    const struct group_defence *rules; /* of its group, of the configuration; NULL: none */
    struct addr source;
    struct span user, realm; /* absent: of nobody in particular */
    struct duration pair_window;
    unsigned attempts, count;
};

/* t has what Redis says. Both are borrowed. */
typedef void tally_fn(void *arg, const struct misdeed *m, const struct tally *t);
/* To be set before anything is counted. */
void tallies_listen(struct tallies *t, tally_fn *fn, void *arg);

/* Counts it; the answer comes to the listener, none when Redis does not answer. False when too much
 * is being counted already. */
bool tally_add(struct tallies *t, const struct misdeed *m);
/* The pair was cooled off: its count begins anew, its strike is remembered. */
void tally_strike(struct tallies *t, const struct misdeed *m);
/* The source was banned, or the port of it: what led to that is forgotten, so that once the ban
 * ends or is lifted it takes as much again. */
void tally_reset(struct tallies *t, const struct misdeed *m, bool port);
/* The user succeeded at the source: its failures there are forgotten. live: it holds a binding for
 * so long at most; 0: it registered none. Told to Redis only when that is news here, or failed is
 * set: it failed before. */
void tally_success(struct tallies *t, const struct addr *source, struct span user,
                   struct span realm, struct duration live, bool failed);

/* The key of networks with failures and without success, a sorted set by the last failure. */
#define TALLY_GREY SPAN("cs:grey:{all}")

#endif
