#include "b2bua/leg/service_sdp.h"

enum { PCMU = 0, PCMA = 8 };

static bool is_wanted(const struct service_at *at, const struct sdp_codec *c)
{
    return at->any || c->payload == PCMU || c->payload == PCMA;
}

static bool is_ours(const struct sdp_media *m)
{
    return span_eq(m->kind, SPAN("audio")) && m->proto == SDP_AVP && m->port;
}

static bool is_of_a_codec(const struct sdp_attr *a)
{
    return span_eq(a->name, SPAN("rtpmap")) || span_eq(a->name, SPAN("fmtp"));
}

static int answer_stream(const struct sdp *offer, const struct sdp_media *m,
                         const struct service_at *at, struct arena *a, struct service_peer *peer,
                         struct sdp_media *out)
{
    size_t n = 0;
    *out = *m;
    out->attrs = (struct sdp_attrs){ 0 };
    out->connection = (struct sdp_connection){ 0 };
    out->port = 0;
    if (!is_ours(m))
        return 0;
    out->formats = arena_alloc(a, (m->n_formats + 1) * sizeof(*out->formats));
    out->n_formats = 0;
    out->attrs.a = arena_alloc(a, (m->attrs.n + 1) * sizeof(*out->attrs.a));
    if (!out->formats || !out->attrs.a)
        return CS_ENOMEM;
    for (size_t i = 0; i < m->n_formats; i++) {
        struct sdp_codec c;
        if (sdp_codec(m, i, &c) || !is_wanted(at, &c))
            continue;
        if (!out->n_formats)
            peer->payload = (uint8_t)c.payload;
        out->formats[out->n_formats++] = m->formats[i];
    }
    for (size_t i = 0; i < m->attrs.n; i++) {
        if (is_of_a_codec(&m->attrs.a[i]))
            out->attrs.a[n++] = m->attrs.a[i];
    }
    peer->direction = sdp_direction_of(offer, m);
    const enum sdp_direction ours =
        at->inactive ? SDP_INACTIVE : sdp_direction_reversed(peer->direction);
    out->attrs.a[n++] = (struct sdp_attr){ .name = sdp_direction_name(ours) };
    out->attrs.n = n;
    out->port = addr_port(at->local);
    peer->to = sdp_connection_of(offer, m).addr;
    addr_set_port(&peer->to, m->port);
    return !out->n_formats || peer->to.sa.sa_family == AF_UNSPEC ? CS_ENOTSUP : 0;
}

static int answer(struct span text, const struct service_at *at, struct arena *a,
                  struct service_peer *peer, struct buf *out)
{
    struct sdp offer, d = { 0 };
    char host[ADDR_STRLEN];
    struct buf hb = BUF_INIT(host);
    int err = sdp_parse(text, a, &offer);
    if (err)
        return err;
    d.media = arena_zalloc(a, offer.n_media * sizeof(*d.media));
    d.n_media = offer.n_media;
    for (size_t i = 0; d.media && i < d.n_media && !err; i++)
        err = answer_stream(&offer, &offer.media[i], at, a, peer, &d.media[i]);
    if (!d.media || err)
        return err ? err : CS_ENOMEM;
    if (peer->to.sa.sa_family == AF_UNSPEC)
        return CS_ENOTSUP;
    d.origin.user = d.origin.id = SPAN("0");
    d.origin.version = at->now.ms;
    addr_write_bare(&hb, at->local);
    d.origin.host = d.connection.host = buf_span(&hb);
    d.connection.addr = *at->local;
    sdp_write(out, &d);
    return buf_ok(out) ? 0 : CS_ELIMIT;
}

int service_answer(struct span offer, const struct service_at *at, struct service_peer *peer,
                   struct buf *out)
{
    struct arena a;
    *peer = (struct service_peer){ 0 };
    arena_init(&a, NULL, 0, 0);
    int err = answer(offer, at, &a, peer, out);
    arena_fini(&a);
    return err;
}

void service_offer(const struct service_at *at, struct buf *out)
{
    char host[ADDR_STRLEN];
    struct buf hb = BUF_INIT(host);
    const char *family = at->local->sa.sa_family == AF_INET6 ? "IP6" : "IP4";
    addr_write_bare(&hb, at->local);
    const struct span text = buf_span(&hb);
    buf_printf(out,
               "v=0\r\no=0 0 %llu IN %s " SPAN_FMT "\r\ns=-\r\nc=IN %s " SPAN_FMT
               "\r\nt=0 0\r\nm=audio %u RTP/AVP 0 8\r\n",
               (unsigned long long)at->now.ms, family, SPAN_ARG(text), family, SPAN_ARG(text),
               addr_port(at->local));
    if (at->inactive)
        buf_lit(out, "a=inactive\r\n");
}
