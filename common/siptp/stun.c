#include "siptp/stun.h"

enum {
    HEAD = 20,
    COOKIE = 0x2112a442,
    BINDING_REQUEST = 0x0001,
    BINDING_RESPONSE = 0x0101,
    BINDING_ERROR = 0x0111,
    USERNAME = 0x0006,
    MESSAGE_INTEGRITY = 0x0008,
    ERROR_CODE = 0x0009,
    UNKNOWN_ATTRIBUTES = 0x000a,
    REALM = 0x0014,
    NONCE = 0x0015,
    XOR_MAPPED_ADDRESS = 0x0020,
    FIRST_OPTIONAL = 0x8000,
    FINGERPRINT = 0x8028,
    FINGERPRINT_XOR = 0x5354554e,
    UNKNOWN_MAX = 4,
};

static uint16_t get16(struct span s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.p + at;
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(struct span s, size_t at)
{
    return (uint32_t)get16(s, at) << 16 | get16(s, at + 2);
}

static void put16(struct buf *b, uint16_t v)
{
    buf_putc(b, (char)(v >> 8));
    buf_putc(b, (char)v);
}

static void put32(struct buf *b, uint32_t v)
{
    put16(b, (uint16_t)(v >> 16));
    put16(b, (uint16_t)v);
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
    return in.n >= HEAD && (in.p[0] & 0xc0) == 0 && get32(in, 4) == COOKIE; /* RFC 5389, 6 */
}

struct request {
    bool fingerprint;
    uint16_t unknown[UNKNOWN_MAX]; /* that must be understood */
    size_t n_unknown;
};

/* RFC 5626 knows no credentials on this port: those of others say nothing. */
static bool is_known(uint16_t type)
{
    return type >= FIRST_OPTIONAL || type == USERNAME || type == MESSAGE_INTEGRITY ||
           type == REALM || type == NONCE;
}

static bool read_request(struct span in, struct request *out)
{
    *out = (struct request){ 0 };
    if (!stun_is(in) || get16(in, 0) != BINDING_REQUEST || get16(in, 2) != in.n - HEAD || in.n % 4)
        return false;
    for (size_t at = HEAD; at < in.n;) {
        uint16_t type = get16(in, at);
        size_t n = get16(in, at + 2);
        if (n > in.n - at - 4 || out->fingerprint) /* which is the last (RFC 5389, 15.5) */
            return false;
        if (type == FINGERPRINT) {
            uint32_t crc = crc32_of(span_head(in, at)) ^ FINGERPRINT_XOR;
            if (n != 4 || get32(in, at + 4) != crc)
                return false;
            out->fingerprint = true;
        } else if (!is_known(type) && out->n_unknown < UNKNOWN_MAX) {
            out->unknown[out->n_unknown++] = type;
        }
        at += 4 + (n + 3) / 4 * 4;
    }
    return true;
}

static void write_address(struct buf *b, struct span in, const struct addr *from)
{
    struct span host = addr_host_bytes(from);
    put16(b, XOR_MAPPED_ADDRESS);
    put16(b, (uint16_t)(4 + host.n));
    put16(b, host.n == 4 ? 1 : 2);
    put16(b, (uint16_t)(addr_port(from) ^ COOKIE >> 16));
    for (size_t i = 0; i < host.n; i++) /* with cookie and transaction id (15.2) */
        buf_putc(b, (char)(host.p[i] ^ in.p[4 + i]));
}

static void write_unknown(struct buf *b, const struct request *r)
{
    put16(b, ERROR_CODE);
    put16(b, 4);
    put32(b, 4 << 8 | 20); /* 420, without a word */
    put16(b, UNKNOWN_ATTRIBUTES);
    put16(b, (uint16_t)(2 * r->n_unknown));
    for (size_t i = 0; i < r->n_unknown; i++)
        put16(b, r->unknown[i]);
    if (r->n_unknown % 2)
        put16(b, 0);
}

void stun_answer(struct buf *b, struct span in, const struct addr *from)
{
    struct request r;
    char text[STUN_ANSWER_MAX];
    struct buf body = BUF_INIT(text);
    size_t start = b->n;
    if (!read_request(in, &r))
        return;
    if (r.n_unknown)
        write_unknown(&body, &r);
    else
        write_address(&body, in, from);
    put16(b, r.n_unknown ? BINDING_ERROR : BINDING_RESPONSE);
    put16(b, (uint16_t)(body.n + (r.fingerprint ? 8 : 0)));
    buf_put(b, span_of(in.p + 4, HEAD - 4)); /* cookie and transaction id */
    buf_put(b, buf_span(&body));
    if (!r.fingerprint)
        return;
    uint32_t crc = crc32_of(span_skip(buf_span(b), start)) ^ FINGERPRINT_XOR;
    put16(b, FINGERPRINT);
    put16(b, 4);
    put32(b, crc);
}
