/* What somebody set at a desk phone itself, a forward or do not disturb, put into the device's
 * record (message Keep of proto/auth.proto), so that it outlives b2bua. Forwards are a line's: each
 * device that has it says the same. */
#ifndef CS_AUTHD_KEEPER_H
#define CS_AUTHD_KEEPER_H

#include "auth.pb-c.h"
#include "authd/audit/audit.h"
#include "authd/store/directory.h"
#include "base/list.h"
#include "net/loop.h"
#include "redis/redis.h"

struct keeper;

struct keeper_conf { /* everything is borrowed and outlives the keeper */
    struct loop *loop;
    struct redis *redis;
    const struct directory *directory;
    struct audit *audit;
};

CS_CHECK int keeper_new(const struct keeper_conf *conf, struct keeper **out);
void keeper_free(struct keeper **k);

/* m is borrowed for the call. */
typedef void kept_fn(void *arg, const Countersign__Auth__Kept *m);
/* fn is called once, now or later, unless keeper_forget() comes before. node: who asks, for the
 * audit log. False: no memory, and no answer will come. open: the asker's list of what is under
 * way. */
bool keeper_ask(struct keeper *k, const Countersign__Auth__Keep *m, bool allowed, const char *node,
                struct list *open, kept_fn *fn, void *arg);
void keeper_forget(struct list *open);

#endif
