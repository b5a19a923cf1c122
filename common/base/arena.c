#include "base/arena.h"

#include <stdlib.h>

#include "base/util.h"

struct arena_chunk {
    struct arena_chunk *next;
    _Alignas(max_align_t) char data[];
};

enum { CHUNK = 4096, SMALL = 256, ALIGN = _Alignof(max_align_t) };

static long fail_after = -1;

void arena_fail_after(long n)
{
    fail_after = n;
}

void arena_init(struct arena *a, void *first, size_t first_size, size_t limit)
{
    *a = (struct arena){ .p = first,
                         .end = first ? (char *)first + first_size : NULL,
                         .limit = limit };
}

void arena_init_small(struct arena *a)
{
    *a = (struct arena){ .small = true };
}

void arena_fini(struct arena *a)
{
    while (a->chunks) {
        struct arena_chunk *next = a->chunks->next;
        free(a->chunks);
        a->chunks = next;
    }
    *a = (struct arena){ 0 };
}

static bool grow(struct arena *a, size_t n)
{
    const size_t more = a->total ? a->total / 2 : SMALL;
    const size_t usual = a->small ? CS_MIN(more, CHUNK) : CHUNK;
    const size_t size = CS_MAX(n, usual);
    if (n > SIZE_MAX - sizeof(struct arena_chunk) - CHUNK)
        return false;
    if (a->limit && (size > a->limit || a->total > a->limit - size))
        return false;
    if (fail_after == 0)
        return false;
    if (fail_after > 0)
        fail_after--;
    struct arena_chunk *c = malloc(sizeof(*c) + size);
    if (!c)
        return false;
    c->next = a->chunks;
    a->chunks = c;
    a->p = c->data;
    a->end = c->data + size;
    a->total += size;
    return true;
}

static size_t padding(const char *p)
{
    return (size_t)(-(uintptr_t)p) & (ALIGN - 1);
}

static inline void *take(struct arena *a, size_t n, size_t pad)
{
    const size_t left = (size_t)(a->end - a->p);
    if (left < pad || left - pad < n || !a->p) {
        if (!grow(a, n))
            return NULL;
        pad = 0;
    }
    void *out = a->p + pad;
    a->p += pad + n;
    return out;
}

void *arena_alloc(struct arena *a, size_t n)
{
    return take(a, n, padding(a->p));
}

void *arena_zalloc(struct arena *a, size_t n)
{
    void *p = arena_alloc(a, n);
    if (p)
        memset(p, 0, n);
    return p;
}

char *arena_str(struct arena *a, struct span s)
{
    char *p = s.n < SIZE_MAX ? take(a, s.n + 1, 0) : NULL; /* text needs no alignment */
    if (!p)
        return NULL;
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}

struct span arena_dup(struct arena *a, struct span s)
{
    if (!s.p)
        return SPAN_NULL;
    char *p = arena_str(a, s);
    return p ? span_of(p, s.n) : SPAN_NULL;
}
