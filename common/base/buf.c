#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

void buf_u64(struct buf *b, uint64_t v)
{
    char digits[20];
    size_t i = sizeof(digits);
    for (; v > UINT32_MAX; v /= 10)
        digits[--i] = (char)('0' + v % 10);
    uint32_t w = (uint32_t)v; /* divides faster */
    for (; w > 9; w /= 10)
        digits[--i] = (char)('0' + w % 10);
    buf_putc(b, (char)('0' + w));
    if (i < sizeof(digits)) /* most numbers are short */
        buf_put(b, span_of(digits + i, sizeof(digits) - i));
}

void buf_i64(struct buf *b, int64_t v)
{
    if (v < 0) {
        buf_putc(b, '-');
        buf_u64(b, 0 - (uint64_t)v);
    } else {
        buf_u64(b, (uint64_t)v);
    }
}

void buf_hex(struct buf *b, const void *data, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = data;
    if (n > (b->cap - b->n) / 2) {
        b->full = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        b->p[b->n++] = digits[in[i] >> 4];
        b->p[b->n++] = digits[in[i] & 15];
    }
}

void buf_base64url(struct buf *b, const void *data, size_t n)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *in = data;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)in[i] << 16;
        if (left > 1)
            v |= (uint32_t)in[i + 1] << 8;
        if (left > 2)
            v |= in[i + 2];
        buf_putc(b, alphabet[v >> 18]);
        buf_putc(b, alphabet[v >> 12 & 63]);
        if (left > 1)
            buf_putc(b, alphabet[v >> 6 & 63]);
        if (left > 2)
            buf_putc(b, alphabet[v & 63]);
    }
}

/* Of the alphabet's characters, one more than their value: what a stranger sent makes branches
 * unpredictable. */
static const unsigned char base64url_value[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};

int base64url_decode(struct span text, void *out, size_t cap, size_t *n)
{
    unsigned char *dst = out;
    uint32_t acc = 0;
    unsigned bits = 0;
    size_t used = 0;
    if (text.n % 4 == 1)
        return CS_EPROTO;
    for (size_t i = 0; i < text.n; i++) {
        const unsigned v = base64url_value[(unsigned char)text.p[i]];
        if (v == 0)
            return CS_EPROTO;
        acc = acc << 6 | (v - 1);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            if (used == cap)
                return CS_ELIMIT;
            dst[used++] = (unsigned char)(acc >> bits);
        }
    }
    if (acc & ((1u << bits) - 1))
        return CS_EPROTO; /* left-over bits must be zero: one text for one value */
    *n = used;
    return 0;
}

int hex_decode(struct span text, void *out, size_t n)
{
    unsigned char *dst = out;
    if (text.n != n * 2)
        return CS_EPROTO;
    for (size_t i = 0; i < n; i++) {
        int hi = ascii_hex(text.p[2 * i]), lo = ascii_hex(text.p[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return CS_EPROTO;
        dst[i] = (unsigned char)(hi << 4 | lo);
    }
    return 0;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    size_t room = b->cap - b->n;
    va_start(ap, fmt);
    int n = vsnprintf(b->p + b->n, room, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= room)
        b->full = true; /* vsnprintf needs one byte for its terminator */
    else
        b->n += (size_t)n;
}

/* Stands for itself in a JSON string (RFC 8259, section 7). */
static const bool is_plain_json[256] = { [' ' ... '!'] = true,
                                         ['#' ... '['] = true,
                                         [']' ... '~'] = true };

void buf_json(struct buf *b, struct span s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t i = 0; i < s.n;) {
        const size_t from = i;
        while (i < s.n && is_plain_json[p[i]])
            i++;
        buf_put(b, span_of(s.p + from, i - from));
        if (i == s.n)
            return;
        const unsigned char c = p[i];
        if (c == '"' || c == '\\') {
            buf_putc(b, '\\');
            buf_putc(b, (char)c);
            i++;
        } else if (c < 0x20 || c == 0x7f) {
            buf_lit(b, "\\u00");
            buf_hex(b, &c, 1);
            i++;
        } else {
            size_t len = utf8_len(p + i, s.n - i);
            if (len)
                buf_put(b, span_of(p + i, len));
            else
                buf_lit(b, "\xef\xbf\xbd");
            i += len ? len : 1;
        }
    }
}
