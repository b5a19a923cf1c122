/* The digest algorithms we know (RFC 7616, RFC 8760). The numbers are those of Verifier.algorithm
 * in proto/store.proto. */
#ifndef CS_AUTHD_CHECK_ALGORITHM_H
#define CS_AUTHD_CHECK_ALGORITHM_H

#include "base/span.h"

enum algorithm { ALG_MD5, ALG_SHA256, ALG_SHA512_256, ALG_COUNT, ALG_UNKNOWN = ALG_COUNT };

#define ALG_BIT(alg) (1u << (alg))
enum { ALG_ALL = (1 << ALG_COUNT) - 1, ALG_MAX_LEN = 32 };

/* "MD5", "SHA-256", "SHA-512-256"; "?" for UNKNOWN. */
struct span algorithm_name(enum algorithm alg);
/* Any case; *sess says whether it is the -sess form (RFC 7616, 3.4.2). Absent is MD5, unheard of is
 * UNKNOWN and never a weaker one. */
enum algorithm algorithm_of(struct span name, bool *sess);
/* Length of its hash in bytes: 16 or 32. */
size_t algorithm_len(enum algorithm alg);

#endif
