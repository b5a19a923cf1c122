/* The Idempotency-Key of a request: one word of up to 128 visible characters, in quotes or not. */
#ifndef CS_AUTHD_REST_ONCE_H
#define CS_AUTHD_REST_ONCE_H

#include "base/span.h"

enum { ONCE_KEY_MAX = 128 };

/* Without its quotes. CS_EPROTO for what is none. */
CS_CHECK int once_key(struct span header, struct span *out);

#endif
