/* Nonce counts that were used, remembered in this process: for groups that do without Redis's.
 * Bounded: when it is full the oldest nonce is forgotten, and with it every nonce that is not
 * younger counts as used, so that forgetting never lets a replay pass. */
#ifndef CS_AUTHD_CHECK_WINDOW_H
#define CS_AUTHD_CHECK_WINDOW_H

#include "authd/check/nonce.h"

struct window;

/* Nonces issued before began are unknown, and so used. */
CS_CHECK int window_new(size_t max, struct wall began, struct window **out);
void window_free(struct window **w);
/* Marks nc (0 and up) as used: CS_ECONFLICT if it was, or fell out of the last 64. */
CS_CHECK int window_commit(struct window *w, const struct nonce *n, unsigned nc);

#endif
