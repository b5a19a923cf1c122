/* Who waits for an issuer. Embedded in its owner, who asks again when fn is called; in one list at
 * a time. */
#ifndef CS_AUTHD_TOKEN_WAITER_H
#define CS_AUTHD_TOKEN_WAITER_H

#include "base/clock.h"
#include "base/list.h"

struct waiter {
    struct list link;
    struct mono since; /* when its token came; ns 0: it has not waited yet */
    void (*fn)(struct waiter *w);
};

static inline void waiter_init(struct waiter *w, void (*fn)(struct waiter *w))
{
    list_init(&w->link);
    w->since.ns = 0;
    w->fn = fn;
}

static inline void waiter_cancel(struct waiter *w)
{
    list_remove(&w->link);
}

/* Those who wait again meanwhile are not called again. */
static inline void waiters_wake(struct list *waiters)
{
    struct list woken, *it;
    list_init(&woken);
    list_splice(&woken, waiters);
    while ((it = list_pop(&woken))) {
        struct waiter *w = container_of(it, struct waiter, link);
        w->fn(w);
    }
}

#endif
