/* A span is borrowed text: a pointer and a length, passed by value. p == NULL means absent, which
 * differs from empty. Nothing here allocates. */
#ifndef CS_BASE_SPAN_H
#define CS_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct span {
    const char *p;
    size_t n;
};

#define SPAN_INIT(lit)         \
    {                          \
        (lit), sizeof(lit) - 1 \
    }
#define SPAN(lit)   ((struct span){ (lit), sizeof(lit) - 1 })
#define SPAN_NULL   ((struct span){ NULL, 0 })
#define SPAN_FMT    "%.*s"
#define SPAN_ARG(s) (int)(s).n, ((s).p ? (s).p : "")

static inline struct span span_of(const void *p, size_t n)
{
    return (struct span){ (const char *)p, n };
}

/* The text of a C string; NULL gives the absent span. */
static inline struct span span_str(const char *s)
{
    return (struct span){ s, s ? strlen(s) : 0 };
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline struct span span_skip(struct span s, size_t n)
{
    return n >= s.n ? span_of(s.p ? s.p + s.n : NULL, 0) : span_of(s.p + n, s.n - n);
}

static inline struct span span_head(struct span s, size_t n)
{
    return span_of(s.p, n < s.n ? n : s.n);
}

/* ASCII case only, as SIP's tokens want; never the locale's. */
bool span_caseeq_all(struct span a, struct span b);
static inline bool span_caseeq(struct span a, struct span b)
{
    if (a.n != b.n || a.n == 0)
        return a.n == b.n;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what is absent is empty */
    return ((a.p[0] ^ b.p[0]) & ~0x20) == 0 && span_caseeq_all(a, b);
}
bool span_starts(struct span s, struct span prefix);
bool span_casestarts(struct span s, struct span prefix);
bool span_ends(struct span s, struct span suffix);
/* Index of the first c, or -1. */
ptrdiff_t span_find(struct span s, char c);
/* Without spaces and tabs at both ends. */
struct span span_trim(struct span s);
/* Cuts *s at the first sep: returns what stood before it and leaves in *s what stands behind.
 * Without a sep returns all and leaves *s absent. */
struct span span_cut(struct span *s, char sep);
/* All of s as decimal digits, at most max. CS_EPROTO otherwise; *out untouched then. */
CS_CHECK int span_u64(struct span s, uint64_t max, uint64_t *out);
/* All of s as 1 to 16 hexadecimal digits of either case. */
CS_CHECK int span_hex(struct span s, uint64_t *out);
/* Whether all of s is well-formed UTF-8 (RFC 3629). */
bool span_is_utf8(struct span s);
/* Length of the well-formed UTF-8 sequence at p, of n > 0 bytes; 0 if there is none. */
size_t utf8_len(const unsigned char *p, size_t n);
/* Copies into a C string, cut if it does not fit; the result is always terminated. */
void span_copy(char *dst, size_t cap, struct span s);
/* Total order by bytes, shorter first where one is the other's head: for qsort. */
int span_cmp(struct span a, struct span b);

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool ascii_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_alpha(char c)
{
    char l = (char)(c | 0x20);
    return l >= 'a' && l <= 'z';
}

/* Value of a hexadecimal digit, or -1. */
static inline int ascii_hex(char c)
{
    const int digit = c - '0', letter = (c | 0x20) - 'a';
    return (unsigned)digit < 10 ? digit : (unsigned)letter < 6 ? letter + 10 : -1;
}

#endif
