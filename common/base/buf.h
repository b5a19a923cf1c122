/* A buffer of fixed size that text is written to. Overflow sticks: write all of it, look once at
 * buf_ok() at the end. The memory is the caller's. */
#ifndef CS_BASE_BUF_H
#define CS_BASE_BUF_H

#include "base/span.h"
#include "base/util.h"

struct buf {
    char *p;
    size_t n, cap;
    bool full;
};

#define BUF_INIT(array)                  \
    {                                    \
        (array), 0, sizeof(array), false \
    }

static inline struct buf buf_of(void *p, size_t cap)
{
    return (struct buf){ (char *)p, 0, cap, false };
}

static inline bool buf_ok(const struct buf *b)
{
    return !b->full;
}

static inline struct span buf_span(const struct buf *b)
{
    return span_of(b->p, b->n);
}

static inline void buf_put(struct buf *b, struct span s)
{
    if (s.n > b->cap - b->n) {
        b->full = true;
        return;
    }
    if (s.n)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
}

static inline void buf_putc(struct buf *b, char c)
{
    if (b->n == b->cap)
        b->full = true;
    else
        b->p[b->n++] = c;
}

#define buf_lit(b, lit) buf_put((b), SPAN(lit))

void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
/* Lower-case hexadecimal, two digits a byte. */
void buf_hex(struct buf *b, const void *data, size_t n);
/* base64url without padding (RFC 4648, section 5). */
void buf_base64url(struct buf *b, const void *data, size_t n);
void buf_printf(struct buf *b, const char *fmt, ...) CS_PRINTF(2, 3);
/* The inside of a JSON string: escaped, quotes not included. Bytes that are not UTF-8 become
 * U+FFFD, so that the output is valid JSON whatever a stranger sent. */
void buf_json(struct buf *b, struct span s);

/* Decodes base64url without padding into out; CS_EPROTO for another character or an impossible
 * length, CS_ELIMIT if cap is too small. */
CS_CHECK int base64url_decode(struct span text, void *out, size_t cap, size_t *n);
/* Decodes an even number of hexadecimal digits, exactly n bytes. */
CS_CHECK int hex_decode(struct span text, void *out, size_t n);

#endif
