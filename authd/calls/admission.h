/* The life of an Admit: who calls is found; he, his tenant, the trunk that he comes by and the one
 * that it goes out by are counted at once. Then the first of these that refuses it is named, in
 * this order, but before the last of them come the rules for where the call goes, and the webhook
 * that one of them asks. What was counted for a call that is refused is given back. */
#ifndef CS_AUTHD_CALLS_ADMISSION_H
#define CS_AUTHD_CALLS_ADMISSION_H

#include "authd/audit/audit.h"
#include "authd/audit/explain.h"
#include "authd/backend/backend.h"
#include "authd/calls/calls_conf.h"
#include "authd/store/cache.h"
#include "authd/store/store.h"

struct admissions;

struct admissions_conf { /* all borrowed; outlives them */
    struct loop *loop;
    const struct calls_conf *calls;
    struct redis *redis;
    struct store *store;
    struct cache *cache;
    struct backends *backends; /* NULL: there are none */
    struct audit *audit;
    struct explain *explain;
};

CS_CHECK int admissions_new(const struct admissions_conf *conf, struct admissions **out);
/* No question may be open. */
void admissions_free(struct admissions **a);

/* m is borrowed for the call. */
typedef void admitted_fn(void *arg, const Countersign__Auth__Admitted *m);

/* As signer_ask(). */
bool admission_ask(struct admissions *all, const Countersign__Auth__Admit *m, bool allowed,
                   const char *node, struct list *open, admitted_fn *fn, void *arg);
/* Nobody waits any more for what is open in that list: it is given back. */
void admission_forget(struct list *open);

/* What a b2bua says of the calls it has. */
void admission_leases(struct admissions *all, const Countersign__Auth__CallLeases *m);

#endif
