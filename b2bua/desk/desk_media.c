#include "b2bua/desk/desk_media.h"

#include "b2bua/session/offer.h"

bool desk_is_encrypted(const struct sccp_session *s)
{
    return s->secure && s->device && s->device->security == SCCP_ENCRYPTED;
}

enum { PACKET_MS = 20, PACKET_STEP_MS = 10 };

/* Silence is sent as sound, so that of G.729 no form with descriptions of it (Annex B) is needed.
 */
#define WITHOUT_B SPAN_INIT("annexb=no")
static const struct desk_codec codecs[] = {
    { SCCP_CODEC_PCMU, 0, 8000, SPAN_INIT("PCMU"), { 0 } },
    { SCCP_CODEC_PCMA, 8, 8000, SPAN_INIT("PCMA"), { 0 } },
    { SCCP_CODEC_G722, 9, 8000, SPAN_INIT("G722"), { 0 } }, /* RFC 3551, 4.5.2: 8000 */
    { SCCP_CODEC_G729A, 18, 8000, SPAN_INIT("G729"), WITHOUT_B },
    { SCCP_CODEC_G729, 18, 8000, SPAN_INIT("G729"), WITHOUT_B },
    { SCCP_CODEC_G729AB, 18, 8000, SPAN_INIT("G729"), WITHOUT_B },
    { SCCP_CODEC_G729B, 18, 8000, SPAN_INIT("G729"), WITHOUT_B },
};

/* Those that the phone has and are known here, as it likes them; who says nothing has the first
 * two. Returns how many: of those with one payload type the first alone. */
static size_t codecs_of(const struct sccp_session *s, const struct desk_codec *out[CS_LEN(codecs)])
{
    static const struct sccp_codec all[] = { { SCCP_CODEC_PCMU, 0 }, { SCCP_CODEC_PCMA, 0 } };
    const struct sccp_codec *has = s->n_codecs ? s->codecs : all;
    const size_t n_has = s->n_codecs ? s->n_codecs : CS_LEN(all);
    bool seen[128] = { false };
    size_t n = 0;
    for (size_t k = 0; k < n_has; k++) {
        for (size_t i = 0; i < CS_LEN(codecs); i++) {
            if (codecs[i].sccp != has[k].id || seen[codecs[i].payload])
                continue;
            seen[codecs[i].payload] = true;
            out[n++] = &codecs[i];
        }
    }
    return n;
}

const struct desk_codec *desk_codec_best(const struct sccp_session *s)
{
    const struct desk_codec *all[CS_LEN(codecs)];
    return codecs_of(s, all) ? all[0] : NULL;
}

static const struct desk_codec *codec_of(const struct sccp_session *s, const struct sdp_codec *of)
{
    const struct desk_codec *all[CS_LEN(codecs)];
    const size_t n = codecs_of(s, all);
    for (size_t i = 0; i < n; i++) {
        if (span_caseeq(of->name, all[i]->name) && of->rate == all[i]->rate &&
            of->payload == all[i]->payload)
            return all[i];
    }
    return NULL;
}

/* The longest packet of that codec, in ms; 0: it did not say. */
static unsigned most_of(const struct sccp_session *s, const struct desk_codec *c)
{
    for (size_t i = 0; i < s->n_codecs; i++) {
        if (s->codecs[i].id == c->sccp)
            return s->codecs[i].packet_ms;
    }
    return 0;
}

/* ---- reading ---- */

/* Keys of a description are for whoever has no others. */
static bool is_audio(const struct sccp_session *s, const struct sdp_media *m)
{
    return span_eq(m->kind, SPAN("audio")) && m->port &&
           (m->proto == SDP_AVP || (m->proto == SDP_SAVP && desk_is_encrypted(s)));
}

static unsigned number_of(const struct sdp_media *m, struct span name)
{
    const struct sdp_attr *a = sdp_attr(&m->attrs, name);
    uint64_t n = 0;
    return a && span_u64(a->value, 1000, &n) == 0 ? (unsigned)n : 0;
}

/* As long as the other side likes it, within what both take. */
static unsigned packet_of(const struct sccp_session *s, const struct sdp_media *m,
                          const struct desk_codec *c)
{
    const unsigned wanted = number_of(m, SPAN("ptime"));
    const unsigned most[] = { number_of(m, SPAN("maxptime")), most_of(s, c) };
    unsigned ms = wanted ? wanted : PACKET_MS;
    for (size_t i = 0; i < CS_LEN(most); i++)
        ms = most[i] ? CS_MIN(ms, most[i]) : ms;
    ms -= ms % PACKET_STEP_MS;
    return ms ? ms : PACKET_STEP_MS;
}

static int read_stream(const struct sccp_session *s, const struct sdp *d, const struct sdp_media *m,
                       struct desk_media *out)
{
    *out = (struct desk_media){ .at = sdp_connection_of(d, m).addr,
                                .direction = sdp_direction_of(d, m) };
    addr_set_port(&out->at, m->port);
    for (size_t i = 0; i < m->n_formats && !out->codec; i++) {
        struct sdp_codec c;
        if (sdp_codec(m, i, &c) == 0)
            out->codec = codec_of(s, &c);
    }
    if (out->codec)
        out->packet_ms = packet_of(s, m, out->codec);
    const unsigned char events = offer_events(m);
    out->events = events == RELAY_DROP ? 0 : events;
    const int family = out->at.sa.sa_family;
    return out->codec && (family == AF_INET || (family == AF_INET6 && s->dialect.version >= 17))
               ? 0
               : CS_ENOTSUP;
}

int desk_media_read(const struct sccp_session *s, struct span sdp, struct desk_media *out)
{
    struct arena a;
    struct sdp d;
    arena_init(&a, NULL, 0, 0);
    int err = sdp_parse(sdp, &a, &d);
    const struct sdp_media *m = NULL;
    for (size_t i = 0; !err && i < d.n_media && !m; i++)
        m = is_audio(s, &d.media[i]) ? &d.media[i] : NULL;
    if (!err)
        err = m ? read_stream(s, &d, m, out) : CS_ENOTSUP;
    arena_fini(&a);
    return err;
}

/* ---- writing ---- */

static void write_head(struct buf *b, const struct desk_media_at *at)
{
    const bool v6 = at->local->sa.sa_family == AF_INET6;
    char host[ADDR_STRLEN];
    struct buf hb = BUF_INIT(host);
    addr_write_bare(&hb, at->local);
    const struct span text = buf_span(&hb);
    buf_printf(
        b, "v=0\r\no=- %u %u IN IP%c " SPAN_FMT "\r\ns=-\r\nc=IN IP%c " SPAN_FMT "\r\nt=0 0\r\n",
        at->id, at->version, v6 ? '6' : '4', SPAN_ARG(text), v6 ? '6' : '4', SPAN_ARG(text));
}

static void write_codec(struct buf *b, const struct desk_codec *c)
{
    buf_printf(b, "a=rtpmap:%u " SPAN_FMT "/%u\r\n", c->payload, SPAN_ARG(c->name), c->rate);
    if (c->fmtp.p)
        buf_printf(b, "a=fmtp:%u " SPAN_FMT "\r\n", c->payload, SPAN_ARG(c->fmtp));
}

/* Digits are said by them whether the phone does that, or its keys are told apart from media. */
static void write_events(struct buf *b, unsigned payload)
{
    buf_printf(b, "a=rtpmap:%u telephone-event/8000\r\na=fmtp:%u 0-15\r\n", payload, payload);
}

/* c: that it begins with, or has. */
static void write_tail(struct buf *b, const struct sccp_session *s, const struct desk_codec *c,
                       const struct desk_media_at *at)
{
    const unsigned most = most_of(s, c);
    buf_printf(b, "a=ptime:%u\r\n", at->packet_ms ? at->packet_ms : PACKET_MS);
    if (most)
        buf_printf(b, "a=maxptime:%u\r\n", most);
    buf_lit(b, "a=");
    buf_put(b, sdp_direction_name(at->direction));
    buf_lit(b, "\r\n");
}

int desk_media_offer(const struct sccp_session *s, const struct desk_media_at *at, struct buf *out)
{
    const struct desk_codec *all[CS_LEN(codecs)];
    const size_t n = codecs_of(s, all);
    if (!n)
        return CS_ENOTSUP;
    write_head(out, at);
    buf_printf(out, "m=audio %u RTP/AVP", addr_port(at->local));
    for (size_t i = 0; i < n; i++)
        buf_printf(out, " %u", all[i]->payload);
    buf_printf(out, " %u\r\n", DESK_EVENTS);
    for (size_t i = 0; i < n; i++)
        write_codec(out, all[i]);
    write_events(out, DESK_EVENTS);
    write_tail(out, s, all[0], at);
    return buf_ok(out) ? 0 : CS_ELIMIT;
}

int desk_media_answer(const struct sccp_session *s, struct span offer,
                      const struct desk_codec *codec, const struct desk_media_at *at,
                      struct buf *out)
{
    struct arena a;
    struct sdp d;
    bool taken = false;
    arena_init(&a, NULL, 0, 0);
    int err = sdp_parse(offer, &a, &d);
    write_head(out, at);
    for (size_t i = 0; !err && i < d.n_media; i++) {
        const struct sdp_media *m = &d.media[i];
        if (!taken && is_audio(s, m)) {
            buf_printf(out, "m=audio %u " SPAN_FMT " %u", addr_port(at->local),
                       SPAN_ARG(m->proto_text), codec->payload);
            if (at->events)
                buf_printf(out, " %u", at->events);
            buf_lit(out, "\r\n");
            write_codec(out, codec);
            if (at->events)
                write_events(out, at->events);
            write_tail(out, s, codec, at);
            taken = true;
        } else {
            buf_printf(out, "m=" SPAN_FMT " 0 " SPAN_FMT " " SPAN_FMT "\r\n", SPAN_ARG(m->kind),
                       SPAN_ARG(m->proto_text), SPAN_ARG(m->formats[0]));
        }
    }
    arena_fini(&a);
    return err ? err : buf_ok(out) ? 0 : CS_ELIMIT;
}
