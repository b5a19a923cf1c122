#include "b2bua/desk/desk_media.h"

bool desk_is_encrypted(const struct sccp_session *s)
{
    return s->secure && s->device && s->device->security == SCCP_ENCRYPTED;
}

static const struct desk_codec codecs[] = {
    { SCCP_CODEC_G722, 9, 8000, SPAN_INIT("G722") }, /* RFC 3551, 4.5.2: the rate is 8000 there */
    { SCCP_CODEC_PCMU, 0, 8000, SPAN_INIT("PCMU") },
    { SCCP_CODEC_PCMA, 8, 8000, SPAN_INIT("PCMA") },
};

static bool has(const struct sccp_session *s, const struct desk_codec *c)
{
    for (size_t i = 0; i < s->n_codecs; i++) {
        if (s->codecs[i] == c->sccp)
            return true;
    }
    return !s->n_codecs && c->sccp != SCCP_CODEC_G722; /* it did not say: what all of them have */
}

static const struct desk_codec *codec_of(const struct sccp_session *s, const struct sdp_codec *of)
{
    for (size_t i = 0; i < CS_LEN(codecs); i++) {
        if (span_caseeq(of->name, codecs[i].name) && of->rate == codecs[i].rate &&
            of->payload == codecs[i].payload && has(s, &codecs[i]))
            return &codecs[i];
    }
    return NULL;
}

const struct desk_codec *desk_codec_best(const struct sccp_session *s)
{
    for (size_t k = 0; k < s->n_codecs; k++) {
        for (size_t i = 0; i < CS_LEN(codecs); i++) {
            if (codecs[i].sccp == s->codecs[k])
                return &codecs[i];
        }
    }
    return s->n_codecs ? NULL : &codecs[1];
}

/* ---- reading ---- */

/* Keys of a description are for whoever has no others. */
static bool is_audio(const struct sccp_session *s, const struct sdp_media *m)
{
    return span_eq(m->kind, SPAN("audio")) && m->port &&
           (m->proto == SDP_AVP || (m->proto == SDP_SAVP && desk_is_encrypted(s)));
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
    addr_write_host(&hb, at->local);
    struct span text = v6 ? span_of(host + 1, hb.n - 2) : buf_span(&hb);
    buf_printf(
        b, "v=0\r\no=- %u %u IN IP%c " SPAN_FMT "\r\ns=-\r\nc=IN IP%c " SPAN_FMT "\r\nt=0 0\r\n",
        at->id, at->version, v6 ? '6' : '4', SPAN_ARG(text), v6 ? '6' : '4', SPAN_ARG(text));
}

static void write_codec(struct buf *b, const struct desk_codec *c)
{
    buf_printf(b, "a=rtpmap:%u " SPAN_FMT "/%u\r\n", c->payload, SPAN_ARG(c->name), c->rate);
}

static void write_tail(struct buf *b, const struct desk_media_at *at)
{
    buf_lit(b, "a=ptime:20\r\na=");
    buf_put(b, sdp_direction_name(at->direction));
    buf_lit(b, "\r\n");
}

int desk_media_offer(const struct sccp_session *s, const struct desk_media_at *at, struct buf *out)
{
    const struct desk_codec *best = desk_codec_best(s);
    write_head(out, at);
    buf_printf(out, "m=audio %u RTP/AVP %u", addr_port(at->local), best ? best->payload : 0);
    for (size_t i = 0; i < CS_LEN(codecs); i++) {
        if (has(s, &codecs[i]) && &codecs[i] != best)
            buf_printf(out, " %u", codecs[i].payload);
    }
    buf_lit(out, "\r\n");
    for (size_t i = 0; i < CS_LEN(codecs); i++) {
        if (has(s, &codecs[i]))
            write_codec(out, &codecs[i]);
    }
    write_tail(out, at);
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
            buf_printf(out, "m=audio %u " SPAN_FMT " %u\r\n", addr_port(at->local),
                       SPAN_ARG(m->proto_text), codec->payload);
            write_codec(out, codec);
            write_tail(out, at);
            taken = true;
        } else {
            buf_printf(out, "m=" SPAN_FMT " 0 " SPAN_FMT " " SPAN_FMT "\r\n", SPAN_ARG(m->kind),
                       SPAN_ARG(m->proto_text), SPAN_ARG(m->formats[0]));
        }
    }
    arena_fini(&a);
    return err ? err : buf_ok(out) ? 0 : CS_ELIMIT;
}
