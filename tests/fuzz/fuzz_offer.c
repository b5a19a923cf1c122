/* An offer of one side and the answer of the other, with a NUL between them: what each is told can
 * be read again, maps no number to one that was not agreed on, and has keys of ours alone. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "b2bua/leg/service_sdp.h"
#include "b2bua/session/codec_names.h"
#include "b2bua/session/keys.h"
#include "b2bua/session/offer.h"
#include "b2bua/session/webrtc.h"
#include "base/ct.h"

static void read_again(const struct sdp_media *m, struct arena *a)
{
    static char text[4 * SDP_MAX];
    struct buf b = BUF_INIT(text);
    struct sdp s = { .origin = { SPAN("-"), SPAN("1"), SPAN("192.0.2.1"), 1 },
                     .connection = { .host = SPAN("192.0.2.1") },
                     .media = (struct sdp_media *)m,
                     .n_media = 1 };
    struct sdp again;
    sdp_write(&b, &s);
    if (!buf_ok(&b))
        return;
    int err = sdp_parse(buf_span(&b), a, &again);
    assert(err == 0 || err == CS_ELIMIT);
}

static bool has_format(const struct sdp_media *m, unsigned payload)
{
    for (size_t i = 0; i < m->n_formats; i++) {
        uint64_t n;
        if (span_u64(m->formats[i], 127, &n) == 0 && n == payload)
            return true;
    }
    return false;
}

/* Without a certificate that is known and one port for both nothing is agreed on. */
static void check_agreed(const struct webrtc *w, const struct sdp_media *m)
{
    struct side_conf c = { 0 };
    webrtc_set(w, &c);
    assert(w->agreed && c.mux && c.dtls.n >= DTLS_SHA256 && sdp_attr(&m->attrs, SPAN("rtcp-mux")));
    assert(!c.ice.ufrag[0] || strlen(c.ice.peer) >= 4);
}

static void join(const struct sdp *offer, const struct sdp_media *m, const struct sdp *answer,
                 const struct sdp_media *r, struct arena *a)
{
    static struct side_conf one, other;
    struct sdp_media out;
    struct sdp_attrs lines;
    struct keys keys = { 0 };
    struct webrtc webrtc = { 0 };
    static const unsigned char print[DTLS_SHA256] = { 0xab };
    const struct webrtc_at here = { print, SPAN("192.0.2.1"), 4000 };
    if (!offer_is_ours(m))
        return;
    for (enum offer_kind kind = OFFER_CLEAR; kind <= OFFER_DTLS; kind++) {
        const struct offer_wish wish = { .kind = kind };
        if (offer_pass(offer, m, &wish, a, &out))
            continue;
        assert(offer_kind_of(out.proto) == kind && out.n_formats <= m->n_formats);
        int err = kind == OFFER_DTLS ? webrtc_offer(&webrtc, &here, 0, a, &lines)
                                     : keys_offer(&keys, a, &lines);
        if (!err && offer_append(&out, &lines, a) == 0)
            read_again(&out, a);
    }
    memset(&one, 0, sizeof(one));
    memset(one.payload, RELAY_DROP, sizeof(one.payload));
    other = one;
    if (offer_answer(m, answer, r, a, &out, &(struct offer_map){ &one, &other }) == 0) {
        for (unsigned i = 0; i < 128; i++) {
            assert(one.payload[i] == RELAY_DROP || has_format(r, one.payload[i]));
            assert(other.payload[i] == RELAY_DROP || has_format(&out, other.payload[i]));
        }
        read_again(&out, a);
    }
    if (keys_answered(&keys, r) == 0)
        assert(keys.in.suite == keys.out.suite && keys.in.suite != CRYPT_NONE);
    keys_settled(&keys);
    if (keys_accept(&keys, m, a, &lines) == 0)
        assert(lines.n == 1 && keys.in.suite == keys.out.suite);
    keys_fini(&keys);
    if (webrtc_answered(&webrtc, answer, r) == 0)
        check_agreed(&webrtc, r);
    if (webrtc_accept(&webrtc, offer, m, &here, a, &lines) == 0) {
        check_agreed(&webrtc, m);
        out = *m;
        out.attrs = lines;
        read_again(&out, a);
        int err = webrtc_session_lines(&webrtc, offer, a, &lines);
        assert(err == 0 && lines.n >= 1 && lines.n <= 2);
    }
    webrtc_fini(&webrtc);
}

/* What a leg that ends here answers to it can be read again. */
static void answer_here(struct span text, const struct addr *local, bool any)
{
    static char space[2 * SDP_MAX];
    struct buf b = BUF_INIT(space);
    struct service_peer peer;
    struct arena a;
    struct sdp again;
    const struct service_at at = { .local = local, .any = any };
    if (service_answer(text, &at, &peer, &b))
        return;
    arena_init(&a, NULL, 0, 16 << 20);
    int err = sdp_parse(buf_span(&b), &a, &again);
    assert(err == 0 || err == CS_ELIMIT);
    arena_fini(&a);
}

/* All of its codecs have room, and stay within a quoted string. */
static void name_codecs(const struct sdp *s)
{
    char space[CODEC_NAMES_MAX];
    struct buf b = BUF_INIT(space);
    codec_names_put_all(&b, s);
    assert(buf_ok(&b) && !memchr(space, '"', b.n) && !memchr(space, '\\', b.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = span_of(data, size), first;
    struct arena a;
    struct sdp offer, answer;
    arena_init(&a, NULL, 0, 16 << 20);
    first = span_cut(&all, '\0');
    struct addr local;
    if (addr_parse(SPAN("192.0.2.1"), 4000, &local) == 0) {
        answer_here(first, &local, false);
        answer_here(first, &local, true);
    }
    const bool offered = sdp_parse(first, &a, &offer) == 0;
    if (offered)
        name_codecs(&offer);
    if (offered && all.p && sdp_parse(all, &a, &answer) == 0) {
        for (size_t i = 0; i < offer.n_media && i < answer.n_media; i++)
            join(&offer, &offer.media[i], &answer, &answer.media[i], &a);
    }
    arena_fini(&a);
    return 0;
}
