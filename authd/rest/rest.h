/* authd's REST, as proto/openapi.yaml describes it: users, their bindings, trunks, address
 * sets, the last refusals, what clients answer with, bans, resealing, what Redis holds, the stream
 * of what happens, health and metrics. */
#ifndef CS_AUTHD_REST_REST_H
#define CS_AUTHD_REST_REST_H

#include "authd/audit/audit.h"
#include "authd/check/epoch.h"
#include "authd/config.h"
#include "authd/revocation/revoker.h"
#include "authd/store/store.h"
#include "http/bearer.h"

struct census;
struct checker;
struct defence;
struct explain;
struct reseal;
struct rest;
struct sets;
struct uses;

/* Everything is borrowed and outlives the server. */
struct rest_conf {
    struct addr listen;
    const char *name;              /* a Host to answer to besides addresses, or NULL */
    struct tls_context *tls;       /* NULL: plain, on loopback only */
    const struct bearers *bearers; /* may change between turns; without any only health and
                                    * metrics are answered */
    bool console;                  /* /console/ is served */
    bool require_if_match;         /* changes of a user without If-Match get 428 */
    struct audit *audit;
    struct redis *redis;
    struct store *store;
    struct vault *vault, *trunk_vault;
    struct explain *explain;
    const struct census *census;
    struct uses *uses;
    struct defence *defence;
    const struct sets *sets;
    struct revoker *revoker;
    const struct epoch *epoch;
    struct checker *checker;
    struct reseal *reseal;
    const struct secret *turn_secret; /* where the configuration has turn */
    const struct realm_conf *realms;  /* the first is the default of requests that name none */
    size_t n_realms;
};

CS_CHECK int rest_open(struct loop *l, const struct rest_conf *conf, struct rest **out);
/* Requests that are being worked on are dropped. */
void rest_close(struct rest **r);
/* The next connections have this context; for a server that was opened with one. */
void rest_use_tls(struct rest *r, struct tls_context *tls);
const struct addr *rest_local(const struct rest *r);

#endif
