/* What stands between a guesser and the users of the installation. Here failures and other misdeeds
 * come together, are counted for all nodes in Redis (authd/defence/tally.h), judged
 * (authd/defence/ruling.h), and become bans and cool-offs (authd/defence/bans.h), which every authd
 * knows and every front is told of.
 *
 * Over UDP anybody can write any source address. So a failure there counts only when the nonce was
 * made for that source (authd/check/nonce.h): whoever shows it received what we sent there. A nonce
 * that was made for another address, or for none (Lease), serves all the same, but its failures ban
 * nobody. That leaves a guesser who fetches nonces elsewhere; against him, where there were as many
 * such failures as the group allows attempts, the next nonces of that kind are not judged but
 * answered by one that is made for the source. Who is honest there answers once more; a spoofer can
 * do no more than make him do so. */
#ifndef CS_AUTHD_DEFENCE_DEFENCE_H
#define CS_AUTHD_DEFENCE_DEFENCE_H

#include "authd/audit/audit.h"
#include "authd/config.h"
#include "authd/defence/bans.h"
#include "authd/defence/penalty.h"
#include "authd/store/sets.h"

struct defence;

struct defence_env { /* everything is borrowed and outlives the defence */
    struct loop *loop;
    struct redis *redis;
    const struct redis_conf *watch; /* of the same server */
    const struct authd_conf *conf;
    const struct sets *sets; /* NULL: none */
    struct audit *audit;
};

CS_CHECK int defence_new(const struct defence_env *env, struct defence **out);
void defence_free(struct defence **d);
/* Who is told of bans (authd/defence/bans.h); NULL for none. */
void defence_listen(struct defence *d, bans_fn *fn, void *arg);

/* ---- for checks; g is the group of the request ---- */
/* Nothing that comes from there is held against it. */
bool defence_spares(const struct defence *d, const struct group_conf *g, const struct addr *source);
/* The ban of the source, or where s->user is not absent the cool-off of that user there; NULL: none
 * stands. Neither does for our own gateways. */
const struct ban *defence_stands(const struct defence *d, const struct group_conf *g,
                                 const struct suspect *s);
/* Whether a nonce that was not made for this source is not to be judged. */
bool defence_wants_proof(const struct defence *d, const struct group_conf *g,
                         const struct suspect *s);
enum failure {
    FAILURE_FORMAL,   /* the credentials do not fit the request: no guess */
    FAILURE_UNPROVEN, /* a wrong guess, by who knows whom */
    FAILURE_PROVEN    /* a wrong guess from there */
};
/* Counts; how many attempts failed here (authd/defence/penalty.h). */
unsigned defence_failed(struct defence *d, const struct group_conf *g, const struct suspect *s,
                        enum failure kind);
/* A name was said there that is nobody's, or not of who said it. A phone that says the same one
 * again and again guesses nothing: within the group's attempt_window it counts once. */
void defence_guessed(struct defence *d, const struct group_conf *g, const struct suspect *s);
/* The user proved who it is. registers: and may hold a binding now. */
void defence_succeeded(struct defence *d, const struct group_conf *g, const struct suspect *s,
                       bool registers);
/* The same, and asked for an address that nobody has. */
void defence_astray(struct defence *d, const struct group_conf *g, const struct suspect *s);

/* ---- for fronts ---- */
void defence_observed(struct defence *d, const Countersign__Auth__Observed *o);
/* What a front is to know before the bans; lists live in the arena. */
CS_CHECK int defence_guard(const struct defence *d, struct arena *a, Countersign__Auth__Guard *out);
/* What a front is told of a ban; borrows from it. False: it is none of a front's. */
bool defence_ban_message(const struct defence *d, const struct ban *b, bool stands,
                         Countersign__Auth__Ban *out);

/* ---- for operators ---- */
const struct bans *defence_bans(const struct defence *d);
/* CS_EDENIED: it would shut out our own gateways or an exempt network; CS_ELIMIT: full. */
CS_CHECK int defence_may_ban(const struct defence *d, const struct cidr *net);
/* As bans_put() and bans_lift(), with a line in the audit log. */
struct redis_call *defence_ban(struct defence *d, const struct ban *b, redis_fn *fn, void *arg);
struct redis_call *defence_lift(struct defence *d, const struct ban *b, redis_fn *fn, void *arg);

#endif
