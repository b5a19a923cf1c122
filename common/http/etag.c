#include "http/etag.h"

#include <openssl/sha.h>

#include "base/buf.h"

void etag_of(struct span bytes, char out[ETAG_LEN + 1])
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    struct buf b = buf_of(out, ETAG_LEN + 1);
    SHA256((const unsigned char *)bytes.p, bytes.n, hash);
    buf_putc(&b, '"');
    buf_base64url(&b, hash, 16);
    buf_putc(&b, '"');
    buf_putc(&b, '\0');
}

/* Takes an opaque-tag with its quotes off *s; absent if there is none. */
static struct span take_tag(struct span *s)
{
    size_t n = 1;
    if (s->n < 2 || s->p[0] != '"')
        return SPAN_NULL;
    while (n < s->n && s->p[n] != '"') {
        unsigned char c = (unsigned char)s->p[n++];
        if (c <= 0x20 || c == 0x7f) /* etagc = %x21 / %x23-7E / obs-text */
            return SPAN_NULL;
    }
    if (n == s->n)
        return SPAN_NULL;
    struct span tag = span_head(*s, n + 1);
    *s = span_trim(span_skip(*s, n + 1));
    return tag;
}

int etag_match(struct span if_match, struct span tag, bool *out)
{
    bool matches = false, any = false;
    struct span s = span_trim(if_match);
    *out = false;
    if (span_eq(s, SPAN("*"))) {
        *out = true;
        return 0;
    }
    while (s.n) {
        if (s.p[0] == ',') { /* a list may have empty elements (RFC 9110, 5.6.1.2) */
            s = span_trim(span_skip(s, 1));
            continue;
        }
        bool weak = span_starts(s, SPAN("W/"));
        if (weak)
            s = span_skip(s, 2);
        struct span one = take_tag(&s);
        if (!one.p || (s.n && s.p[0] != ','))
            return CS_EPROTO;
        any = true;
        matches = matches || (!weak && span_eq(one, tag)); /* strong comparison (8.8.3.2) */
    }
    if (!any)
        return CS_EPROTO;
    *out = matches;
    return 0;
}
