/* Asking an issuer whether a token still holds (RFC 7662), as a client it knows. */
#ifndef CS_AUTHD_TOKEN_INTROSPECT_H
#define CS_AUTHD_TOKEN_INTROSPECT_H

#include <jansson.h>

#include "authd/token/fetch.h"
#include "authd/token/issuer.h"
#include "authd/token/waiter.h"

struct inquirer;

enum { INQUIRY_HASH = 32 };

/* Reads the client's secret; a failure was logged. Both are borrowed. */
CS_CHECK int inquirer_new(struct fetcher *f, const struct issuer_conf *c, struct inquirer **out);
/* Who waits is forgotten. */
void inquirer_free(struct inquirer **q);

enum inquiry_state {
    INQUIRY_WAITS,    /* w is called when there is an answer, and asks again */
    INQUIRY_ACTIVE,   /* *claims is what it said, borrowed until the next turn */
    INQUIRY_INACTIVE, /* not valid, for whatever reason (2.2) */
    INQUIRY_FAILED,   /* no answer, or none that can be understood */
};

/* Asks at url, or joins those who ask about the same token, which has this hash. */
enum inquiry_state inquire(struct inquirer *q, const char *url, struct span token,
                           const unsigned char hash[INQUIRY_HASH], struct waiter *w,
                           const json_t **claims);

#endif
