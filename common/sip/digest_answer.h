/* The client's half of digest (RFC 7616, RFC 8760; RFC 3261, 22): which challenge to answer, what
 * is hashed, and how the answer is written. Hashing itself is lent by the caller: there is no
 * crypto here, and no secret is kept. */
#ifndef CS_SIP_DIGEST_ANSWER_H
#define CS_SIP_DIGEST_ANSWER_H

#include "base/buf.h"
#include "sip/digest.h"

enum { DIGEST_HEX_MAX = 64 }; /* lower-case hexadecimal of the longest hash */

/* Appends to hex, which has room for DIGEST_HEX_MAX bytes, the hash of the parts joined by ":" in
 * lower-case hexadecimal. An error ends the answer with it. */
typedef int digest_hash_fn(void *arg, enum digest_alg alg, const struct span *parts, size_t n,
                           struct buf *hex);

/* Whether and how the algorithm is written. Absent means MD5 (RFC 7616, 3.4), so another one is
 * always named. */
enum digest_echo { DIGEST_ECHO_AS_CHALLENGED, DIGEST_ECHO_ALWAYS, DIGEST_ECHO_NEVER };

struct digest_answer { /* all borrowed */
    struct span user, password;
    struct span method, uri, body; /* of the request; body matters to auth-int alone */
    struct span cnonce;
    uint32_t nc;
    enum digest_echo echo;
    bool lower; /* the algorithm in lower case */
};

/* How good an answer to it would be: 0 when none can be written (an unknown algorithm, or none but
 * unknown qops), else more for an algorithm that stands earlier in prefer, which is strongest
 * first when n is 0. Algorithms that prefer does not name come behind it, strongest first. */
unsigned digest_rank(const struct digest_challenge *c, const enum digest_alg *prefer, size_t n);

/* Whether the inside of a quoted-string, escapes as written, says this. */
bool digest_says(struct span inside, struct span text);

/* Writes the value of an Authorization or Proxy-Authorization: qop=auth where it is offered, else
 * auth-int, without any where none is (RFC 2069). CS_ENOTSUP when digest_rank() is 0; CS_ELIMIT
 * when the buffer or a parameter of the challenge is too long; or what hash returns. Nothing of use
 * is in b then. */
CS_CHECK int digest_answer_write(struct buf *b, const struct digest_challenge *c,
                                 const struct digest_answer *a, digest_hash_fn *hash, void *arg);

#endif
