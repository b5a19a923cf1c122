/* Results that are costly to compute and wanted again: a table of fixed size, in which a newer one
 * takes the place of an older. What a result belongs to is kept as its keyed 128-bit hash. */
#ifndef CS_BASE_MEMO_H
#define CS_BASE_MEMO_H

#include "base/map.h"

enum { MEMO_RESULT = 16 /* bytes at most */ };

struct memo_key {
    uint64_t hash[2];
};

struct memo {
    struct memo_slot *slots;
    size_t n;
};

/* n results, 32 bytes each. */
CS_CHECK int memo_init(struct memo *m, size_t n);
/* Wipes them. */
void memo_fini(struct memo *m);
/* Of two parts, as if joined. */
struct memo_key memo_key_of(struct span a, struct span b);
/* Whether it is known; size bytes of it are copied to out then. */
bool memo_get(const struct memo *m, const struct memo_key *key, void *out, size_t size);
void memo_put(struct memo *m, const struct memo_key *key, const void *result, size_t size);

#endif
