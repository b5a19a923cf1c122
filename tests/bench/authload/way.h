/* A way to ask authd: over its socket, as fronts do, or over REST, as other servers do. */
#ifndef AUTHLOAD_WAY_H
#define AUTHLOAD_WAY_H

#include "base/addr.h"
#include "net/loop.h"
#include "question.h"

enum answer { ANSWER_ACCEPT, ANSWER_CHALLENGE, ANSWER_WRONG };

struct way_events {
    /* Questions may be asked from now on. */
    void (*ready)(void *arg);
    /* text: the first challenge, or for ANSWER_WRONG what was said; borrowed. */
    void (*answered)(void *arg, unsigned slot, enum answer a, struct span text);
    /* It cannot go on; why was printed. */
    void (*broken)(void *arg);
};

struct way {
    void (*ask)(struct way *w, unsigned slot, const struct question *q);
    void (*close)(struct way *w); /* frees it */
};

/* What is given is borrowed and outlives the way. NULL: memory is exhausted, or it cannot be
 * opened. */
struct way *way_socket(struct loop *l, const char *path, const struct asker *asker,
                       const struct way_events *events, void *arg);
/* A connection for each of so many slots, kept. The token is an operator's. */
struct way *way_rest(struct loop *l, const struct addr *to, const char *token, unsigned slots,
                     const struct asker *asker, const struct way_events *events, void *arg);

#endif
