/* Removes the record a user has under its realm's former name, once there is one under the new. */
#ifndef CS_AUTHD_REST_FORGET_H
#define CS_AUTHD_REST_FORGET_H

#include "authd/store/store.h"

struct forget { /* embedded in who waits; zero: nothing is under way */
    struct store *store;
    struct store_call *call; /* NULL: none */
    struct span name, realm;
    store_done_fn *fn;
    void *arg;
};

/* fn gets 0 when there is no such user any more; name and realm are borrowed until then. */
void forget_user(struct forget *f, struct store *s, struct span name, struct span realm,
                 store_done_fn *fn, void *arg);
/* fn will not be called. */
void forget_cancel(struct forget *f);

#endif
