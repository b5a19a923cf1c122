#include "b2bua/session/webrtc.h"

#include <stdlib.h>

#include "base/ct.h"
#include "base/rand.h"
#include "base/util.h"

enum { LINES = 8, PRIORITY = 2130706431 /* a host's only candidate (RFC 8445, 5.1.2.1) */ };

void webrtc_fini(struct webrtc *w)
{
    ct_wipe(w, sizeof(*w));
}

void webrtc_free(struct webrtc **w)
{
    if (*w)
        webrtc_fini(*w);
    free(*w);
    *w = NULL;
}

/* ---- our words ---- */

static void make_word(char *out, size_t n)
{
    static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    rand_bytes(out, n);
    for (size_t i = 0; i < n; i++)
        out[i] = chars[(unsigned char)out[i] % 64];
    out[n] = '\0';
}

static void make_words(struct webrtc *w)
{
    make_word(w->ice.ufrag, ICE_UFRAG);
    make_word(w->ice.pwd, ICE_PWD);
}

/* ---- his ---- */

struct said {
    struct sdp_fingerprint fingerprint;
    enum sdp_setup setup;
    struct span ufrag, pwd, mid, tls_id;
    bool ice, lite;
};

static struct span value_of(const struct sdp *s, const struct sdp_media *m, struct span name)
{
    const struct sdp_attr *a = sdp_attr_of(s, m, name);
    return a ? a->value : SPAN_NULL;
}

/* RFC 8839, 5.4: ufrag of 4 to 256, password of 22 to 256 characters. */
static bool are_words(const struct said *p)
{
    return p->ufrag.n >= 4 && p->ufrag.n <= ICE_UFRAG_MAX && p->pwd.n >= 22 &&
           p->pwd.n <= ICE_UFRAG_MAX;
}

static int read_said(const struct sdp *s, const struct sdp_media *m, struct said *out)
{
    struct said p = { .setup = sdp_setup_of(s, m),
                      .ufrag = value_of(s, m, SPAN("ice-ufrag")),
                      .pwd = value_of(s, m, SPAN("ice-pwd")),
                      .mid = value_of(s, m, SPAN("mid")),
                      .tls_id = value_of(s, m, SPAN("tls-id")),
                      .lite = sdp_attr(&s->attrs, SPAN("ice-lite")) };
    p.ice = p.ufrag.p || p.pwd.p;
    if (sdp_fingerprint_of(s, m, &p.fingerprint) || !sdp_attr(&m->attrs, SPAN("rtcp-mux")) ||
        (p.ice && !are_words(&p)) || p.mid.n > WEBRTC_MID_MAX ||
        p.tls_id.n >= sizeof(((struct webrtc *)0)->tls_id))
        return CS_EDENIED;
    *out = p;
    return 0;
}

static bool says_the_same(const struct webrtc *w, const struct said *p)
{
    return w->agreed &&
           span_eq(span_of(w->dtls.fingerprint, w->dtls.n),
                   span_of(p->fingerprint.bytes, p->fingerprint.n)) &&
           span_eq(span_str(w->tls_id), p->tls_id);
}

/* Another fingerprint, tls-id or role is another association; other words of ICE are not (RFC 8842,
 * 4). */
static void take(struct webrtc *w, const struct said *p, bool active)
{
    if (!says_the_same(w, p) || w->dtls.active != active) {
        w->dtls.association = (unsigned)rand_u64();
        w->dtls.active = active;
        w->dtls.n = p->fingerprint.n;
        memcpy(w->dtls.fingerprint, p->fingerprint.bytes, p->fingerprint.n);
        span_copy(w->tls_id, sizeof(w->tls_id), p->tls_id);
    }
    span_copy(w->ice.peer, sizeof(w->ice.peer), p->ufrag);
    span_copy(w->pwd, sizeof(w->pwd), p->pwd);
    w->checks = p->ice && !p->lite; /* two that only answer find each other by the SDP */
    w->agreed = true;
}

/* ---- lines ---- */

struct lines {
    struct arena *arena;
    struct sdp_attrs *out;
    int err;
};

static void add(struct lines *l, struct span name, struct span value)
{
    const struct span copy = value.p ? arena_dup(l->arena, value) : SPAN_NULL;
    if (value.p && !copy.p)
        l->err = CS_ENOMEM;
    else
        l->out->a[l->out->n++] = (struct sdp_attr){ name, copy };
}

static void add_fingerprint(struct lines *l, const unsigned char *bytes)
{
    struct sdp_fingerprint f = { .hash = SPAN("sha-256"), .n = DTLS_SHA256 };
    char text[8 + 3 * DTLS_SHA256];
    struct buf b = BUF_INIT(text);
    memcpy(f.bytes, bytes, DTLS_SHA256);
    sdp_fingerprint_write(&b, &f);
    add(l, SPAN("fingerprint"), buf_span(&b));
}

static void add_candidate(struct lines *l, const struct webrtc_at *at)
{
    char text[400];
    struct buf b = BUF_INIT(text);
    buf_printf(&b, "1 1 udp %u " SPAN_FMT " %u typ host", (unsigned)PRIORITY, SPAN_ARG(at->host),
               at->port);
    if (!buf_ok(&b))
        l->err = CS_ELIMIT;
    else
        add(l, SPAN("candidate"), buf_span(&b));
}

static int write_lines(const struct webrtc *w, const struct webrtc_at *at, enum sdp_setup setup,
                       bool ice, struct arena *a, struct sdp_attrs *out)
{
    struct lines l = { a, out, 0 };
    *out = (struct sdp_attrs){ arena_alloc(a, LINES * sizeof(*out->a)), 0 };
    if (!out->a)
        return CS_ENOMEM;
    if (w->mid[0])
        add(&l, SPAN("mid"), span_str(w->mid));
    add(&l, SPAN("rtcp-mux"), SPAN_NULL);
    add_fingerprint(&l, at->fingerprint);
    add(&l, SPAN("setup"), sdp_setup_name(setup));
    if (ice) {
        add(&l, SPAN("ice-ufrag"), span_str(w->ice.ufrag));
        add(&l, SPAN("ice-pwd"), span_str(w->ice.pwd));
        add_candidate(&l, at);
        add(&l, SPAN("end-of-candidates"), SPAN_NULL);
    }
    return l.err;
}

int webrtc_offer(struct webrtc *w, const struct webrtc_at *at, size_t i, struct arena *a,
                 struct sdp_attrs *out)
{
    struct buf mid = BUF_INIT(w->mid);
    if (!w->ice.ufrag[0])
        make_words(w);
    if (!w->mid[0]) {
        buf_u64(&mid, i);
        w->mid[mid.n] = '\0';
    }
    return write_lines(w, at, SDP_ACTPASS, true, a, out);
}

int webrtc_answered(struct webrtc *w, const struct sdp *s, const struct sdp_media *m)
{
    struct said p;
    int err = read_said(s, m, &p);
    if (!err && p.setup != SDP_ACTIVE && p.setup != SDP_PASSIVE)
        err = CS_EDENIED;
    if (!err)
        take(w, &p, p.setup == SDP_PASSIVE);
    return err;
}

int webrtc_accept(struct webrtc *w, const struct sdp *s, const struct sdp_media *m,
                  const struct webrtc_at *at, struct arena *a, struct sdp_attrs *out)
{
    struct said p;
    int err = read_said(s, m, &p);
    if (!err && (p.setup == SDP_SETUP_NONE || p.setup == SDP_HOLDCONN))
        err = CS_EDENIED;
    if (err)
        return err;
    /* Whoever leaves it to us keeps the role that he has (RFC 8842, 5.3). */
    const bool active = p.setup == SDP_PASSIVE ||
                        (p.setup == SDP_ACTPASS && says_the_same(w, &p) && w->dtls.active);
    const bool anew =
        w->agreed && !(span_eq(p.ufrag, span_str(w->ice.peer)) && span_eq(p.pwd, span_str(w->pwd)));
    if (anew || !w->ice.ufrag[0]) /* his new words want ours to be new (RFC 8839, 4.4.3.1.1) */
        make_words(w);
    take(w, &p, active);
    span_copy(w->mid, sizeof(w->mid), p.mid);
    return write_lines(w, at, active ? SDP_ACTIVE : SDP_PASSIVE, p.ice, a, out);
}

void webrtc_set(const struct webrtc *w, struct side_conf *c)
{
    c->mux = true;
    c->dtls = w->dtls;
    if (w->checks)
        c->ice = w->ice;
}

/* ---- the session ---- */

static bool bundles(const struct sdp *offer, struct span mid)
{
    for (size_t i = 0; i < offer->attrs.n; i++) {
        struct span rest = offer->attrs.a[i].value;
        if (!span_eq(offer->attrs.a[i].name, SPAN("group")) ||
            !span_eq(span_cut(&rest, ' '), SPAN("BUNDLE")))
            continue;
        while (rest.p) {
            if (span_eq(span_cut(&rest, ' '), mid))
                return true;
        }
    }
    return false;
}

int webrtc_session_lines(const struct webrtc *first, const struct sdp *offer, struct arena *a,
                         struct sdp_attrs *out)
{
    struct lines l = { a, out, 0 };
    char text[16 + WEBRTC_MID_MAX];
    struct buf b = BUF_INIT(text);
    *out = (struct sdp_attrs){ arena_alloc(a, 2 * sizeof(*out->a)), 0 };
    if (!out->a)
        return CS_ENOMEM;
    if (first->mid[0] && (!offer || bundles(offer, span_str(first->mid)))) {
        buf_lit(&b, "BUNDLE ");
        buf_put(&b, span_str(first->mid));
        add(&l, SPAN("group"), buf_span(&b));
    }
    add(&l, SPAN("ice-lite"), SPAN_NULL);
    return l.err;
}
