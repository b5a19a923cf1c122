/* The tags of what a grant rests on (location/rests.h): of the certificate the connection showed,
 * whether it was asked for or not, and of the token and device that the grant names. No I/O. */
#ifndef CS_AUTHD_CHECK_TAGS_H
#define CS_AUTHD_CHECK_TAGS_H

#include "auth.pb-c.h"
#include "location/rests.h"

enum { TAGS_MAX = 8 };

struct tags {
    unsigned char bytes[TAGS_MAX * REST_TAG_LEN];
    size_t n;
};

/* Of its hash, and of its issuer and serial. */
void tags_of_certificate(const Countersign__Auth__Check *m, struct tags *out);
/* Adds those of the grant, and puts all of them into it, where they are borrowed. */
void tags_of_grant(struct tags *t, Countersign__Auth__Grant *g);
/* Borrows from both. */
struct rests tags_rests(const struct tags *t, const Countersign__Auth__Grant *g);

#endif
