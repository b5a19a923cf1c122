/* Session descriptions: whatever is read is written, and read again as the same. */
#include <assert.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sdp/sdp.h"

static void look_at_media(const struct sdp *s, const struct sdp_media *m)
{
    struct sdp_fingerprint f;
    struct sdp_candidate candidate;
    struct sdp_codec codec;
    struct sdp_crypto c;
    struct addr rtcp;
    int got;
    assert(m->n_formats > 0 && m->kind.n);
    (void)!sdp_rtcp_of(s, m, &rtcp);
    assert(sdp_direction_name(sdp_direction_of(s, m)).n);
    (void)sdp_setup_of(s, m);
    for (size_t i = 0; i < m->n_formats; i++) {
        if (sdp_codec(m, i, &codec) == 0)
            assert(codec.name.n && codec.rate && codec.channels && sdp_codec_is(&codec, &codec));
    }
    if (sdp_fingerprint_of(s, m, &f) == 0) {
        char text[256];
        struct buf b = BUF_INIT(text);
        sdp_fingerprint_write(&b, &f);
        assert(buf_ok(&b));
    }
    for (size_t i = 0; (got = sdp_crypto_next(m, &i, &c)) != 0;) {
        char text[256];
        struct buf b = BUF_INIT(text);
        if (got != 1)
            continue;
        sdp_crypto_write(&b, &c);
        assert(buf_ok(&b) && c.key_len == sdp_suite_key_len(c.suite));
        OPENSSL_cleanse(&c, sizeof(c));
    }
    for (size_t i = 0; i < m->attrs.n; i++)
        (void)!sdp_candidate_parse(m->attrs.a[i].value, &candidate);
}

static bool same_attrs(const struct sdp_attrs *a, const struct sdp_attrs *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++)
        same = span_eq(a->a[i].name, b->a[i].name) && span_eq(a->a[i].value, b->a[i].value) &&
               !a->a[i].value.p == !b->a[i].value.p;
    return same;
}

static void same(const struct sdp *a, const struct sdp *b)
{
    assert(span_eq(a->origin.id, b->origin.id) && a->origin.version == b->origin.version);
    assert(span_eq(a->connection.host, b->connection.host) && same_attrs(&a->attrs, &b->attrs));
    assert(a->n_media == b->n_media && a->n_bandwidth == b->n_bandwidth);
    for (size_t i = 0; i < a->n_media; i++) {
        const struct sdp_media *m = &a->media[i], *o = &b->media[i];
        assert(m->port == o->port && m->ports == o->ports && m->proto == o->proto);
        assert(m->n_formats == o->n_formats && same_attrs(&m->attrs, &o->attrs));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct sdp s, again;
    char *text = malloc(size ? size : 1); /* its end is guarded */
    if (!text)
        abort();
    memcpy(text, data, size);
    arena_init(&a, NULL, 0, 0);
    if (sdp_parse(span_of(text, size), &a, &s) == 0) {
        (void)sdp_is_encrypted(&s);
        for (size_t i = 0; i < s.n_media; i++)
            look_at_media(&s, &s.media[i]);
        char *written = malloc(2 * SDP_MAX);
        struct buf b = buf_of(written, 2 * SDP_MAX);
        if (!written)
            abort();
        sdp_write(&b, &s);
        assert(buf_ok(&b));
        int err = sdp_parse(buf_span(&b), &a, &again);
        if (!err)
            same(&s, &again);
        else /* where lines ended by LF alone it grew */
            assert(err == CS_ELIMIT);
        free(written);
    }
    arena_fini(&a);
    free(text);
    return 0;
}
