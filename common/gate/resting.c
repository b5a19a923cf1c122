#include "gate/resting.h"

#include <string.h>

#include "base/err.h"

void resting_write(struct buf *b, struct span tags, bool issued, uint64_t issued_s)
{
    if (!tags.n || tags.n % RESTING_TAG_LEN || tags.n > RESTING_TAG_LEN * RESTING_TAGS_MAX)
        return;
    buf_lit(b, "Countersign-Rests-On: ");
    buf_hex(b, tags.p, tags.n);
    if (issued)
        buf_printf(b, ";issued=%llu", (unsigned long long)issued_s);
    buf_lit(b, "\r\n");
}

static int read_tag(struct span text, unsigned char *out)
{
    uint64_t bits;
    if (span_hex(text, &bits))
        return CS_EPROTO;
    for (int i = RESTING_TAG_LEN - 1; i >= 0; i--, bits >>= 8)
        out[i] = (unsigned char)bits;
    return 0;
}

int resting_parse(struct span value, struct resting *out)
{
    struct resting r = { 0 };
    struct span rest = value, hex = span_cut(&rest, ';');
    *out = r;
    if (!hex.n || hex.n % (2 * RESTING_TAG_LEN) || hex.n / (2 * RESTING_TAG_LEN) > RESTING_TAGS_MAX)
        return CS_EPROTO;
    for (; hex.n; hex = span_skip(hex, 2 * RESTING_TAG_LEN), r.n++) {
        if (read_tag(span_head(hex, 2 * RESTING_TAG_LEN), r.tags + r.n * RESTING_TAG_LEN))
            return CS_EPROTO;
    }
    if (rest.p) {
        r.issued = true;
        if (!span_eq(span_cut(&rest, '='), SPAN("issued")) ||
            span_u64(rest, INT64_MAX, &r.issued_s))
            return CS_EPROTO;
    }
    *out = r;
    return 0;
}

bool resting_falls(const struct resting *r, const Countersign__Auth__Revoked *what)
{
    if (!what->has_rests_on || what->rests_on.len != RESTING_TAG_LEN)
        return false;
    if (what->has_issued_before_s && r->issued && r->issued_s >= what->issued_before_s)
        return false;
    for (size_t i = 0; i < r->n; i++) {
        if (!memcmp(r->tags + i * RESTING_TAG_LEN, what->rests_on.data, RESTING_TAG_LEN))
            return true;
    }
    return false;
}
