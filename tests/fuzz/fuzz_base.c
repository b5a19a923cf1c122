/* The small readers of base: what they accept, they write so that it reads as the same. */
#include <assert.h>

#include "base/addr.h"

static void addresses(struct span in)
{
    struct addr a, again;
    struct cidr c;
    char text[ADDR_STRLEN];
    if (!addr_parse(in, 5060, &a)) {
        assert(!addr_parse(span_str(addr_format(&a, text)), 1, &again));
        assert(addr_eq(&a, &again));
    }
    if (!cidr_parse(in, &c))
        assert(cidr_contains(&c, &c.net) && c.bits <= addr_host_bytes(&c.net).n * 8);
}

static void encodings(struct span in)
{
    unsigned char bytes[4096];
    char text[2 * sizeof(bytes)];
    struct buf b = BUF_INIT(text);
    size_t n;
    if (!base64url_decode(in, bytes, sizeof(bytes), &n)) {
        buf_base64url(&b, bytes, n);
        assert(span_eq(buf_span(&b), in));
    }
    b.n = 0;
    if (in.n / 2 <= sizeof(bytes) && !hex_decode(in, bytes, in.n / 2)) {
        buf_hex(&b, bytes, in.n / 2);
        assert(span_caseeq(buf_span(&b), in));
    }
}

static void numbers(struct span in)
{
    uint64_t v;
    for (uint64_t max = 0; max < 20; max++)
        assert(span_u64(in, max, &v) || v <= max);
    if (!span_u64(in, UINT64_MAX, &v))
        assert(in.n > 0 && ascii_digit(in.p[0]));
    if (!span_hex(in, &v))
        assert(in.n >= 1 && in.n <= 16);
}

static void json(struct span in)
{
    static char text[6 * 65536];
    struct buf b = BUF_INIT(text);
    buf_json(&b, in);
    for (size_t i = 0; i < b.n; i++)
        assert((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    if (size > 65536)
        return 0;
    addresses(in);
    encodings(in);
    numbers(in);
    json(in);
    return 0;
}
