/* The life of a Sign: the trunk is looked up, its rate looked at, a challenge chosen and answered,
 * and the outcome written to the audit log. */
#ifndef CS_AUTHD_CALLS_SIGNER_H
#define CS_AUTHD_CALLS_SIGNER_H

#include "authd/audit/audit.h"
#include "authd/audit/explain.h"
#include "authd/store/directory.h"
#include "authd/store/records.h"
#include "authd/vault/vault.h"

struct signer;

struct signer_conf { /* all borrowed; outlives the signer */
    struct loop *loop;
    struct redis *redis;
    const struct directory *directory; /* asked before Redis is; NULL: there is none */
    struct vault *vault;
    struct audit *audit;
    struct explain *explain;
    unsigned per_second; /* of one trunk; as many at once are taken */
};

CS_CHECK int signer_new(const struct signer_conf *conf, struct signer **out);
/* Questions that are open are dropped without an answer. */
void signer_free(struct signer **s);

/* s is borrowed for the call. */
typedef void signed_fn(void *arg, const Countersign__Auth__Signed *s);

/* Answers once, at once or later; until then the question is in the list open, which is the
 * asker's, and m is not needed any more. allowed: whether who asks, the process of this name, may.
 * False when memory is exhausted and no answer will come. */
bool signer_ask(struct signer *s, const Countersign__Auth__Sign *m, bool allowed, const char *node,
                struct list *open, signed_fn *fn, void *arg);
/* Nobody waits any more for what is open in that list. */
void signer_forget(struct list *open);

#endif
