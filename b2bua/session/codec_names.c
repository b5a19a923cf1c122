#include "b2bua/session/codec_names.h"

#include "b2bua/session/offer.h"

enum { ONE_MAX = 32, LIST_MAX = CODEC_NAMES_MAX - ONE_MAX };

/* A word of theirs, in a quoted string of ours. */
static void put_name(struct buf *b, struct span name)
{
    buf_putc(b, ' ');
    for (size_t i = 0; i < name.n && i < ONE_MAX; i++) {
        const char c = name.p[i];
        buf_putc(b, c > ' ' && c < 0x7f && c != '"' && c != '\\' ? c : '?');
    }
}

static bool is_named_before(const struct sdp_media *m, size_t k, struct span name)
{
    struct sdp_codec c;
    while (k-- > 0) {
        if (sdp_codec(m, k, &c) == 0 && span_caseeq(c.name, name))
            return true;
    }
    return false;
}

void codec_names_put(struct buf *b, const struct span *names, size_t n)
{
    const size_t most = b->n + LIST_MAX;
    for (size_t i = 0; i < n && b->n < most; i++)
        put_name(b, names[i]);
}

void codec_names_put_all(struct buf *b, const struct sdp *d)
{
    const size_t most = b->n + LIST_MAX;
    for (size_t i = 0; i < d->n_media; i++) {
        const struct sdp_media *m = &d->media[i];
        for (size_t k = 0; m->port && offer_is_ours(m) && k < m->n_formats && b->n < most; k++) {
            struct sdp_codec c;
            if (sdp_codec(m, k, &c) == 0 && !is_named_before(m, k, c.name))
                put_name(b, c.name);
        }
    }
}
