#include "b2bua/session/offer.h"

static const struct span profiles[] = {
    [SDP_AVP] = SPAN_INIT("RTP/AVP"),
    [SDP_AVPF] = SPAN_INIT("RTP/AVPF"),
    [SDP_SAVP] = SPAN_INIT("RTP/SAVP"),
    [SDP_SAVPF] = SPAN_INIT("RTP/SAVPF"),
    [SDP_TLS_SAVP] = SPAN_INIT("UDP/TLS/RTP/SAVP"),
    [SDP_TLS_SAVPF] = SPAN_INIT("UDP/TLS/RTP/SAVPF"),
};

/* What says the same to both sides. rtpmap and fmtp are written with each codec. */
static const struct span passing[] = { SPAN_INIT("ptime"), SPAN_INIT("maxptime"),
                                       SPAN_INIT("framerate"), SPAN_INIT("content") };

bool offer_is_ours(const struct sdp_media *m)
{
    bool kind = span_eq(m->kind, SPAN("audio")) || span_eq(m->kind, SPAN("video"));
    return kind && m->proto != SDP_OTHER;
}

enum offer_kind offer_kind_of(enum sdp_proto p)
{
    return p >= SDP_TLS_SAVP ? OFFER_DTLS : p >= SDP_SAVP ? OFFER_SRTP : OFFER_CLEAR;
}

static bool has_feedback(enum sdp_proto p)
{
    return p == SDP_AVPF || p == SDP_SAVPF || p == SDP_TLS_SAVPF;
}

/* A browser's feedback is its own affair: phones and trunks that know AVPF are few. */
static enum sdp_proto proto_for(enum sdp_proto from, enum offer_kind kind)
{
    const bool feedback = (from == SDP_AVPF || from == SDP_SAVPF);
    switch (kind) {
    case OFFER_CLEAR:
        return feedback ? SDP_AVPF : SDP_AVP;
    case OFFER_SRTP:
        return feedback ? SDP_SAVPF : SDP_SAVP;
    case OFFER_DTLS:
        break;
    }
    return SDP_TLS_SAVPF;
}

static void set_proto(struct sdp_media *m, enum sdp_proto p)
{
    m->proto = p;
    m->proto_text = profiles[p];
}

int offer_append(struct sdp_media *m, const struct sdp_attrs *more, struct arena *a)
{
    struct sdp_attr *all = arena_alloc(a, (m->attrs.n + more->n + 1) * sizeof(*all));
    if (!all)
        return CS_ENOMEM;
    if (m->attrs.n)
        memcpy(all, m->attrs.a, m->attrs.n * sizeof(*all));
    if (more->n)
        memcpy(all + m->attrs.n, more->a, more->n * sizeof(*all));
    m->attrs = (struct sdp_attrs){ all, m->attrs.n + more->n };
    return 0;
}

/* A list that grows in an arena with room for all that it may hold. */
struct lines {
    struct arena *arena;
    struct sdp_attr *a;
    size_t n, cap;
    int err;
};

static void add(struct lines *l, struct span name, struct span value)
{
    if (l->err || l->n == l->cap) {
        l->err = l->err ? l->err : CS_ELIMIT;
        return;
    }
    l->a[l->n++] = (struct sdp_attr){ name, value };
}

static void add_text(struct lines *l, struct span name, const struct buf *b)
{
    struct span copy = buf_ok(b) ? arena_dup(l->arena, buf_span(b)) : SPAN_NULL;
    if (!copy.p)
        l->err = CS_ENOMEM;
    add(l, name, copy);
}

static void add_codec(struct lines *l, const struct sdp_codec *c, unsigned payload)
{
    char text[1200];
    struct buf map = BUF_INIT(text);
    buf_u64(&map, payload);
    buf_putc(&map, ' ');
    buf_put(&map, c->name);
    buf_putc(&map, '/');
    buf_u64(&map, c->rate);
    if (c->channels > 1)
        buf_printf(&map, "/%u", c->channels);
    add_text(l, SPAN("rtpmap"), &map);
    if (!c->fmtp.p)
        return;
    struct buf fmtp = BUF_INIT(text);
    buf_u64(&fmtp, payload);
    buf_putc(&fmtp, ' ');
    buf_put(&fmtp, c->fmtp);
    add_text(l, SPAN("fmtp"), &fmtp);
}

static void add_rest(struct lines *l, const struct sdp *s, const struct sdp_media *m, bool feedback)
{
    for (size_t i = 0; i < CS_LEN(passing); i++) {
        const struct sdp_attr *at = sdp_attr(&m->attrs, passing[i]);
        if (at)
            add(l, at->name, at->value);
    }
    for (size_t i = 0; i < m->attrs.n; i++) {
        if (feedback && span_eq(m->attrs.a[i].name, SPAN("rtcp-fb")))
            add(l, m->attrs.a[i].name, m->attrs.a[i].value);
    }
    add(l, sdp_direction_name(sdp_direction_of(s, m)), SPAN_NULL);
}

static bool begin(struct lines *l, const struct sdp_media *m, struct arena *a,
                  struct sdp_media *out)
{
    *out = *m;
    out->ports = 1;
    out->connection = (struct sdp_connection){ 0 };
    out->formats = arena_alloc(a, (m->n_formats + 1) * sizeof(*out->formats));
    out->n_formats = 0;
    l->arena = a;
    l->cap = 2 * m->n_formats + CS_LEN(passing) + m->attrs.n + 1;
    l->a = arena_alloc(a, l->cap * sizeof(*l->a));
    return l->a && out->formats;
}

static bool is_listed(const struct span *codecs, size_t n, struct span name)
{
    for (size_t i = 0; i < n; i++) {
        if (span_caseeq(codecs[i], name))
            return true;
    }
    return n == 0;
}

/* Tones and comfort noise are no codecs that a call could do with alone. */
static bool is_aside(const struct sdp_codec *c)
{
    return span_caseeq(c->name, SPAN("telephone-event")) || span_caseeq(c->name, SPAN("CN"));
}

int offer_pass(const struct sdp *s, const struct sdp_media *m, const struct offer_wish *wish,
               struct arena *a, struct sdp_media *out)
{
    struct lines l = { 0 };
    size_t speech = 0;
    if (!begin(&l, m, a, out))
        return CS_ENOMEM;
    set_proto(out, proto_for(m->proto, wish->kind));
    for (size_t i = 0; i < m->n_formats; i++) {
        struct sdp_codec c;
        if (sdp_codec(m, i, &c) || !is_listed(wish->codecs, wish->n_codecs, c.name))
            continue;
        out->formats[out->n_formats++] = m->formats[i];
        add_codec(&l, &c, c.payload);
        speech += !is_aside(&c);
    }
    add_rest(&l, s, m, has_feedback(m->proto) && has_feedback(out->proto));
    out->attrs = (struct sdp_attrs){ l.a, l.n };
    return l.err ? l.err : speech ? 0 : CS_ENOENT;
}

/* Which of the offer's codecs this is: by number where that fits, else by name. */
static bool find_offered(const struct sdp_media *offer, const struct sdp_codec *want,
                         struct sdp_codec *out)
{
    bool found = false;
    for (size_t i = 0; i < offer->n_formats; i++) {
        struct sdp_codec c;
        if (sdp_codec(offer, i, &c) || !sdp_codec_is(&c, want))
            continue;
        if (!found || c.payload == want->payload)
            *out = c;
        found = true;
    }
    return found;
}

static enum relay_kind kind_of(const struct sdp_codec *c)
{
    return span_caseeq(c->name, SPAN("telephone-event")) ? RELAY_EVENT
           : span_caseeq(c->name, SPAN("PCMU"))          ? RELAY_PCMU
           : span_caseeq(c->name, SPAN("PCMA"))          ? RELAY_PCMA
                                                         : RELAY_OTHER;
}

/* x is the offerer's number and what we offered on; c the answerer's own. */
static void map_payload(const struct offer_map *map, unsigned x, const struct sdp_codec *c)
{
    const unsigned y = c->payload;
    const uint16_t clock = (uint16_t)CS_MIN(c->rate / RELAY_CLOCK, UINT16_MAX);
    map->offerer->kind[x] = map->answerer->kind[x] = (unsigned char)kind_of(c);
    map->offerer->payload[x] = (unsigned char)y;
    map->offerer->rate[x] = clock;
    map->answerer->payload[x] = (unsigned char)x;
    map->answerer->rate[x] = clock;
    if (map->answerer->payload[y] == RELAY_DROP) { /* some send by their own numbers */
        map->answerer->payload[y] = (unsigned char)x;
        map->answerer->rate[y] = clock;
        map->answerer->kind[y] = (unsigned char)kind_of(c);
    }
}

int offer_answer(const struct sdp_media *offer, const struct sdp *answer_sdp,
                 const struct sdp_media *answer, struct arena *a, struct sdp_media *out,
                 const struct offer_map *map)
{
    struct lines l = { 0 };
    size_t speech = 0;
    if (!begin(&l, answer, a, out))
        return CS_ENOMEM;
    out->kind = offer->kind;
    out->proto = offer->proto;
    out->proto_text = offer->proto_text;
    for (size_t i = 0; i < answer->n_formats; i++) {
        struct sdp_codec c, ours;
        char text[4];
        struct buf b = BUF_INIT(text);
        if (sdp_codec(answer, i, &c) || !find_offered(offer, &c, &ours))
            continue;
        buf_u64(&b, ours.payload);
        out->formats[out->n_formats] = arena_dup(a, buf_span(&b));
        if (!out->formats[out->n_formats++].p)
            return CS_ENOMEM;
        add_codec(&l, &c, ours.payload);
        map_payload(map, ours.payload, &c);
        speech += !is_aside(&c);
    }
    add_rest(&l, answer_sdp, answer, has_feedback(answer->proto) && has_feedback(offer->proto));
    out->attrs = (struct sdp_attrs){ l.a, l.n };
    return l.err ? l.err : speech ? 0 : CS_ENOTSUP;
}

unsigned char offer_events(const struct sdp_media *m)
{
    for (size_t i = 0; i < m->n_formats; i++) {
        struct sdp_codec c;
        if (sdp_codec(m, i, &c) == 0 && span_caseeq(c.name, SPAN("telephone-event")) &&
            c.rate == 8000)
            return (unsigned char)c.payload;
    }
    return RELAY_DROP;
}
