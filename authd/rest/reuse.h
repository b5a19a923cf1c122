/* One password for two realms is poor practice: who knows the one knows the other. Looks whether a
 * password is that of the user's namesake in another realm. */
#ifndef CS_AUTHD_REST_REUSE_H
#define CS_AUTHD_REST_REUSE_H

#include <jansson.h>

#include "authd/config.h"
#include "authd/store/store.h"

enum { REUSE_REALMS = 32 }; /* looked at */

struct reuse { /* embedded in who waits; zero: nothing is under way */
    struct store *store;
    struct vault *vault;
    const struct realm_conf *realms, *own;
    size_t n, i;
    struct store_call *call; /* NULL: none */
    struct span name, password;
    void (*fn)(void *arg, struct span realm);
    void *arg;
};

/* fn gets the realm where it is in use, or absent: also where Redis did not say. r's members up to
 * n are set by the caller; name and password are borrowed until then. */
void reuse_find(struct reuse *r, struct span name, struct span password,
                void (*fn)(void *arg, struct span realm), void *arg);
/* What is told of it: an array for the member warnings. */
json_t *reuse_warning(struct span realm);
/* fn will not be called. */
void reuse_cancel(struct reuse *r);

#endif
