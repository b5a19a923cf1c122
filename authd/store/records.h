/* Named records in Redis, each a value of its own, with an index of their names for paged lists.
 * What they hold is their owner's matter. A record is written only if it still is what the writer
 * saw. Each operation answers once, in a later turn, with 0 or
 *   CS_ENOENT     no such record
 *   CS_ECONFLICT  somebody else changed it first, or it exists already
 *   CS_ECLOSED    Redis did not answer: whether it was done is unknown
 *   CS_EPROTO     what Redis holds there is no record
 *   CS_ENOMEM
 * What a callback is given is borrowed for the call. */
#ifndef CS_AUTHD_STORE_RECORDS_H
#define CS_AUTHD_STORE_RECORDS_H

#include "base/list.h"
#include "redis/redis.h"

struct record_call;

/* All members are borrowed and outlive the operations. */
struct records {
    struct redis *redis;
    struct span prefix, index; /* "cs:trunk:", "cs:trunks": keys are prefix{name} */
    struct list open;
};

enum { RECORD_NAME_MAX = 600, RECORDS_PAGE_MAX = 1000 };

struct record {
    struct span name, bytes;
};

void records_init(struct records *r, struct redis *redis, struct span prefix, struct span index);
/* Open operations are forgotten without a callback. */
void records_fini(struct records *r);
/* The callback will not be called; what was begun in Redis may still be done. */
void record_cancel(struct record_call *c);

typedef void record_fn(void *arg, int err, struct span bytes);
typedef void record_done_fn(void *arg, int err);
/* next is absent on the last page, else it is what `after` should be for the next one. */
typedef void record_list_fn(void *arg, int err, const struct record *list, size_t n,
                            struct span next);

/* Each of these: a handle for record_cancel() until the callback was called; NULL means that memory
 * is exhausted and no callback will come. Names are at most RECORD_NAME_MAX bytes. */
struct record_call *record_get(struct records *r, struct span name, record_fn *fn, void *arg);
/* old absent: there must be none yet. */
struct record_call *record_put(struct records *r, struct span name, struct span old,
                               struct span bytes, record_done_fn *fn, void *arg);
struct record_call *record_remove(struct records *r, struct span name, struct span old,
                                  record_done_fn *fn, void *arg);
/* In the order of their names, from behind `after` (absent: from the first). What was removed
 * meanwhile is left out. */
struct record_call *record_list(struct records *r, struct span after, size_t limit,
                                record_list_fn *fn, void *arg);

#endif
