#include "stun/stun.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/ct.h"

enum { COOKIE = 0x2112a442, FINGERPRINT_XOR = 0x5354554e, FINGERPRINT_LEN = 4 };

static uint16_t get16(struct span s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.p + at;
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(struct span s, size_t at)
{
    return (uint32_t)get16(s, at) << 16 | get16(s, at + 2);
}

static void put16(struct buf *b, unsigned v)
{
    buf_putc(b, (char)(v >> 8));
    buf_putc(b, (char)v);
}

static void put32(struct buf *b, uint32_t v)
{
    put16(b, v >> 16);
    put16(b, v & 0xffff);
}

/* CRC-32 of ITU V.42, by the bit: messages are short. */
static uint32_t crc32_of(struct span s)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < s.n; i++) {
        crc ^= (unsigned char)s.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

bool stun_is(struct span in)
{
    return in.n >= STUN_HEAD && (in.p[0] & 0xc0) == 0 && get32(in, 4) == COOKIE;
}

bool stun_next(const struct stun *s, size_t *at, struct stun_attr *out)
{
    const size_t from = *at ? *at : STUN_HEAD;
    *out = (struct stun_attr){ 0 };
    if (from + 4 > s->in.n)
        return false;
    const size_t n = get16(s->in, from + 2);
    if (n > s->in.n - from - 4)
        return false;
    *out = (struct stun_attr){ get16(s->in, from), span_of(s->in.p + from + 4, n), from };
    *at = from + 4 + (n + 3) / 4 * 4;
    return true;
}

int stun_parse(struct span in, struct stun *out)
{
    struct stun s = { .in = in };
    struct stun_attr a;
    size_t at = 0, end = STUN_HEAD;
    *out = (struct stun){ 0 };
    if (!stun_is(in) || get16(in, 2) != in.n - STUN_HEAD || in.n % 4)
        return CS_EPROTO;
    s.type = get16(in, 0);
    for (; !s.fingerprint && stun_next(&s, &at, &a); end = at) {
        if (a.name != STUN_FINGERPRINT)
            continue;
        if (a.value.n != FINGERPRINT_LEN ||
            get32(a.value, 0) != (crc32_of(span_head(in, a.at)) ^ FINGERPRINT_XOR))
            return CS_EPROTO;
        s.fingerprint = true;
    }
    if (end != in.n) /* FINGERPRINT is the last (RFC 8489, 14.7) */
        return CS_EPROTO;
    *out = s;
    return 0;
}

/* HMAC-SHA1 over what stands before, its length as if MESSAGE-INTEGRITY were the last. */
static bool sign(struct span before, struct span password, unsigned char out[STUN_INTEGRITY])
{
    const size_t length = before.n - STUN_HEAD + 4 + STUN_INTEGRITY;
    char text[1500];
    unsigned n = 0;
    if (before.n > sizeof(text))
        return false;
    memcpy(text, before.p, before.n);
    text[2] = (char)(length >> 8);
    text[3] = (char)length;
    return HMAC(EVP_sha1(), password.p, (int)password.n, (const unsigned char *)text, before.n, out,
                &n) &&
           n == STUN_INTEGRITY;
}

bool stun_is_proved(const struct stun *s, const struct stun_attr *integrity, struct span password)
{
    unsigned char want[STUN_INTEGRITY];
    return password.n && integrity->value.n == STUN_INTEGRITY &&
           sign(span_head(s->in, integrity->at), password, want) &&
           ct_eq(integrity->value, span_of(want, sizeof(want)));
}

/* ---- answers ---- */

static void set_length(struct buf *b)
{
    if (!buf_ok(b))
        return;
    b->p[2] = (char)((b->n - STUN_HEAD) >> 8);
    b->p[3] = (char)(b->n - STUN_HEAD);
}

void stun_begin(struct buf *b, enum stun_type type, struct span id)
{
    put16(b, type);
    put16(b, 0);
    buf_put(b, id);
}

void stun_put(struct buf *b, enum stun_name name, struct span value)
{
    put16(b, name);
    put16(b, (unsigned)value.n);
    buf_put(b, value);
    for (size_t i = value.n; i % 4; i++)
        buf_putc(b, 0);
    set_length(b);
}

void stun_put_address(struct buf *b, const struct addr *a)
{
    char text[20];
    struct buf v = BUF_INIT(text);
    struct span host = addr_host_bytes(a);
    put16(&v, host.n == 4 ? 1 : 2);
    put16(&v, addr_port(a) ^ COOKIE >> 16);
    for (size_t i = 0; i < host.n && buf_ok(b); i++) /* with cookie and transaction id (14.2) */
        buf_putc(&v, (char)(host.p[i] ^ b->p[STUN_ID_AT + i]));
    stun_put(b, STUN_XOR_MAPPED_ADDRESS, buf_span(&v));
}

void stun_put_error(struct buf *b, unsigned code)
{
    const char value[4] = { 0, 0, (char)(code / 100), (char)(code % 100) };
    stun_put(b, STUN_ERROR_CODE, span_of(value, sizeof(value)));
}

void stun_put_unknown(struct buf *b, const uint16_t *names, size_t n)
{
    char text[64];
    struct buf v = BUF_INIT(text);
    for (size_t i = 0; i < n; i++)
        put16(&v, names[i]);
    b->full |= v.full;
    stun_put_error(b, 420);
    stun_put(b, STUN_UNKNOWN_ATTRIBUTES, buf_span(&v));
}

void stun_put_integrity(struct buf *b, struct span password)
{
    unsigned char value[STUN_INTEGRITY];
    if (!buf_ok(b) || !sign(buf_span(b), password, value))
        b->full = true;
    else
        stun_put(b, STUN_MESSAGE_INTEGRITY, span_of(value, sizeof(value)));
}

void stun_put_fingerprint(struct buf *b)
{
    char text[FINGERPRINT_LEN];
    struct buf v = BUF_INIT(text);
    stun_put(b, STUN_FINGERPRINT, SPAN("\0\0\0\0"));
    if (!buf_ok(b))
        return;
    put32(&v, crc32_of(span_head(buf_span(b), b->n - 8)) ^ FINGERPRINT_XOR);
    memcpy(b->p + b->n - sizeof(text), text, sizeof(text));
}
