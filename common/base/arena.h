/* Memory for one thing's lifetime: bump allocation in chunks, released all at once. */
#ifndef CS_BASE_ARENA_H
#define CS_BASE_ARENA_H

#include "base/span.h"

struct arena_chunk;
struct arena {
    struct arena_chunk *chunks;
    char *p, *end;
    size_t total, limit; /* bytes taken from the heap; 0 means no limit */
    bool small;
};

/* first, if not NULL, is memory of the caller that serves the first allocations and is never freed.
 */
void arena_init(struct arena *a, void *first, size_t first_size, size_t limit);
/* For little that lives long: its chunks are small at first, where others are of a page. */
void arena_init_small(struct arena *a);
void arena_fini(struct arena *a);
/* Aligned for any type, not cleared. NULL when memory or the limit is exhausted. n may be 0. */
void *arena_alloc(struct arena *a, size_t n);
/* The same, cleared. */
void *arena_zalloc(struct arena *a, size_t n);
/* A copy that lives in the arena and is followed by a NUL. Absent stays absent; absent is also the
 * answer when memory is exhausted. */
struct span arena_dup(struct arena *a, struct span s);
/* The same as a C string, NULL when memory is exhausted. */
char *arena_str(struct arena *a, struct span s);

/* Tests sweep allocation failure: after n further heap allocations by arenas, all fail until it is
 * called again with a negative number. */
void arena_fail_after(long n);

#endif
