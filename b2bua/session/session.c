#include <stdlib.h>

#include "b2bua/session/codec_names.h"
#include "b2bua/session/session_impl.h"
#include "base/ct.h"
#include "base/rand.h"

enum { SIDES = RELAY_SIDES };

/* ---- DTLS ---- */

static struct webrtc *webrtc_of(struct stream *st, unsigned side)
{
    if (!st->webrtc[side])
        st->webrtc[side] = calloc(1, sizeof(struct webrtc));
    return st->webrtc[side];
}

static bool is_by_dtls(const struct session *s, unsigned side)
{
    bool any = s->side[side].dtls;
    for (size_t i = 0; i < s->n_streams; i++)
        any |= s->stream[i]->webrtc[side] && s->stream[i]->webrtc[side]->agreed;
    return any;
}

/* ---- its life ---- */

int session_new(struct media *m, struct session **out)
{
    struct session *s = *out = calloc(1, sizeof(*s));
    if (!s)
        return CS_ENOMEM;
    s->media = m;
    arena_init_small(&s->arena);
    return 0;
}

void session_free(struct session **sp)
{
    struct session *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    for (size_t i = 0; i < s->n_streams; i++) {
        relay_free(&s->stream[i]->relay);
        for (unsigned side = 0; side < SIDES; side++) {
            keys_fini(&s->stream[i]->keys[side]);
            webrtc_free(&s->stream[i]->webrtc[side]);
        }
        free(s->stream[i]);
    }
    for (unsigned side = 0; side < SIDES; side++) {
        dtls_identity_free(&s->own[side]);
        free(s->told[side].text);
        free(s->said[side]);
        session_keys_free(&s->brought[side]);
    }
    free(s->offer_text);
    free(s->before);
    free(s->why);
    arena_fini(&s->arena);
    free(s);
}

static void forget_before(struct session *s)
{
    free(s->before);
    s->before = NULL;
}

void session_keys_free(struct session_keys **kp)
{
    if (*kp)
        ct_wipe(*kp, sizeof(**kp));
    free(*kp);
    *kp = NULL;
}

int session_bring_keys(struct session *s, unsigned side, const struct session_keys *k)
{
    session_keys_free(&s->brought[side]);
    if (!k || k->out.suite == CRYPT_NONE)
        return 0;
    s->brought[side] = malloc(sizeof(*k));
    if (!s->brought[side])
        return CS_ENOMEM;
    *s->brought[side] = *k;
    return 0;
}

static bool brings_keys(const struct session *s, unsigned side)
{
    return s->brought[side];
}

void session_set_side(struct session *s, unsigned side, const struct session_side *conf)
{
    s->side[side] = *conf;
    if (side != s->offerer)
        forget_before(s);
    free(s->told[side].text);
    free(s->said[side]);
    s->said[side] = NULL;
    s->told[side] = (struct told){ .id = rand_u64() >> 2, .version = 0 };
    dtls_identity_free(&s->own[side]);
    session_keys_free(&s->brought[side]);
    for (size_t i = 0; i < s->n_streams; i++) {
        keys_fini(&s->stream[i]->keys[side]);
        webrtc_free(&s->stream[i]->webrtc[side]);
        s->stream[i]->optional[side] = false;
    }
}

int session_adopt(struct session *s, unsigned side, const struct session_side *conf,
                  const struct session *from, unsigned there)
{
    struct dtls_identity *own;
    int err = dtls_identity_new(&own);
    if (err)
        return err;
    session_set_side(s, side, conf);
    s->own[side] = own;
    for (size_t i = 0; i < s->n_streams && i < from->n_streams; i++) {
        const struct webrtc *his = from->stream[i]->webrtc[there];
        struct webrtc *w = his ? webrtc_of(s->stream[i], side) : NULL;
        if (w)
            memcpy(w->mid, his->mid, sizeof(w->mid));
    }
    return 0;
}

/* ---- what a side is told ---- */

static struct span host_of(const struct session *s, unsigned side, const struct addr *local,
                           struct arena *a)
{
    char text[ADDR_STRLEN];
    struct buf b = BUF_INIT(text);
    if (s->side[side].advertised.p)
        return s->side[side].advertised;
    addr_write_bare(&b, local);
    return arena_dup(a, buf_span(&b));
}

static struct sdp_connection connection_to(const struct session *s, unsigned side, struct arena *a)
{
    struct sdp_connection c = { 0 };
    for (size_t i = 0; i < s->n_streams && !c.host.p; i++) {
        if (!s->stream[i]->relay)
            continue;
        c.host = host_of(s, side, relay_local(s->stream[i]->relay, side), a);
        c.addr = *relay_local(s->stream[i]->relay, side);
        addr_set_port(&c.addr, 0);
        struct addr told;
        if (s->side[side].advertised.p && addr_parse_host(c.host, 0, &told) == 0)
            c.addr = told;
    }
    return c;
}

static int tell_webrtc(struct session *s, unsigned side, struct sdp *d, bool answer)
{
    const struct webrtc *first = NULL;
    for (size_t i = 0; i < d->n_media && !first; i++)
        first = d->media[i].port ? s->stream[i]->webrtc[side] : NULL;
    return first ? webrtc_session_lines(first, answer ? &s->offer : NULL, &s->arena, &d->attrs) : 0;
}

/* Its version grows when it says something else than before, and not otherwise (RFC 3264, 8). */
static int tell(struct session *s, unsigned side, struct sdp *d, struct arena *a, struct buf *out)
{
    struct told *t = &s->told[side];
    char id[24], text[SESSION_SDP_MAX];
    struct buf ib = BUF_INIT(id), b = BUF_INIT(text);
    buf_u64(&ib, t->id);
    d->origin.user = SPAN("-");
    d->origin.id = buf_span(&ib);
    d->connection = connection_to(s, side, a);
    d->origin.host = d->connection.host;
    if (!d->origin.host.p)
        return CS_ENOTSUP;
    d->origin.version = t->version;
    sdp_write(&b, d);
    const size_t written = b.n;
    if (!buf_ok(&b))
        return CS_ELIMIT;
    if (!t->text || !span_eq(span_of(t->text, t->n), buf_span(&b))) {
        d->origin.version = ++t->version;
        b.n = 0;
        sdp_write(&b, d);
        char *copy = buf_ok(&b) ? malloc(b.n) : NULL;
        if (!copy)
            return CS_ENOMEM;
        memcpy(copy, text, b.n);
        free(t->text);
        t->text = copy;
        t->n = b.n;
    }
    buf_put(out, buf_span(&b));
    ct_wipe(text, CS_MAX(written, b.n)); /* keys are in it */
    return buf_ok(out) ? 0 : CS_ELIMIT;
}

void session_keep_said(struct session *s, unsigned side, struct span text)
{
    free(s->said[side]);
    /* Without it a repeated offer costs a round. */
    s->said[side] = text.p ? strndup(text.p, text.n) : NULL;
}

bool session_stands(const struct session *s, unsigned from, struct span sdp, struct span *answer)
{
    const struct told *t = &s->told[from];
    *answer = span_of(t->text, t->n);
    return s->said[from] && t->text && span_eq(span_str(s->said[from]), sdp);
}

void session_withdraw(struct session *s)
{
    char text[SESSION_SDP_MAX];
    struct buf b = BUF_INIT(text);
    struct sdp d;
    s->open = false;
    /* What stands, in a version of its own: the other side has seen a later one. */
    if (s->before &&
        (sdp_parse(span_str(s->before), &s->arena, &d) || tell(s, !s->offerer, &d, &s->arena, &b)))
        session_keep_said(s, !s->offerer, SPAN_NULL);
    ct_wipe(text, b.n);
    forget_before(s);
}

/* ---- offers ---- */

static enum offer_kind kind_for(const struct session *s, const struct stream *st, unsigned to)
{
    if (brings_keys(s, to))
        return OFFER_CLEAR;
    if (is_by_dtls(s, to))
        return OFFER_DTLS;
    return st->keys[to].out.suite != CRYPT_NONE || s->side[to].srtp == SRTP_REQUIRE ? OFFER_SRTP
                                                                                    : OFFER_CLEAR;
}

static struct webrtc_at where(struct session *s, const struct stream *st, unsigned side)
{
    const struct addr *local = relay_local(st->relay, side);
    return (struct webrtc_at){ .fingerprint = s->own[side] ? dtls_identity_fingerprint(s->own[side])
                                                           : media_fingerprint(s->media),
                               .host = host_of(s, side, local, &s->arena),
                               .port = addr_port(local) };
}

static int offer_keys(struct session *s, size_t i, unsigned to, struct sdp_media *m)
{
    struct stream *st = s->stream[i];
    const enum offer_kind kind = offer_kind_of(m->proto);
    struct sdp_attrs lines = { 0 };
    int err;
    st->optional[to] =
        kind == OFFER_CLEAR && s->side[to].srtp == SRTP_PREFER && !brings_keys(s, to);
    if (kind == OFFER_DTLS) {
        const struct webrtc_at at = where(s, st, to);
        err =
            webrtc_of(st, to) ? webrtc_offer(st->webrtc[to], &at, i, &s->arena, &lines) : CS_ENOMEM;
    } else {
        webrtc_free(&st->webrtc[to]);
        if (kind == OFFER_CLEAR && !st->optional[to])
            return 0;
        err = keys_offer(&st->keys[to], &s->arena, &lines);
    }
    return err ? err : offer_append(m, &lines, &s->arena);
}

/* ---- codecs that are not shared ---- */

static struct buf begin_why(struct session *s)
{
    if (!s->why)
        s->why = malloc(SESSION_WHY_MAX);
    return buf_of(s->why, s->why ? SESSION_WHY_MAX - 1 : 0);
}

static const char *end_why(struct session *s, const struct buf *b)
{
    if (!s->why)
        return "no codec in common";
    s->why[b->n] = '\0';
    return s->why;
}

static const char *none_allowed(struct session *s, unsigned to)
{
    struct buf b = begin_why(s);
    buf_lit(&b, "no codec in common: offered");
    codec_names_put_all(&b, &s->offer);
    buf_lit(&b, "; taken there");
    codec_names_put(&b, s->side[to].codecs, s->side[to].n_codecs);
    return end_why(s, &b);
}

static const char *none_answered(struct session *s, const struct sdp *answer)
{
    struct buf b = begin_why(s);
    buf_lit(&b, "no codec in common: offered");
    codec_names_put_all(&b, &s->offer);
    buf_lit(&b, "; answered");
    codec_names_put_all(&b, answer);
    return end_why(s, &b);
}

const char *session_refusal(struct session *s, struct span said)
{
    struct buf b = begin_why(s);
    struct sdp d;
    buf_lit(&b, "refused there: offered");
    codec_names_put_all(&b, &s->offer);
    buf_lit(&b, "; taken there");
    if (said.p && sdp_parse(said, &s->arena, &d) == 0)
        codec_names_put_all(&b, &d);
    else
        buf_lit(&b, " is not said");
    return end_why(s, &b);
}

static int refuse_stream(const struct sdp_media *m, struct sdp_media *out)
{
    *out = *m;
    out->port = 0;
    out->connection = (struct sdp_connection){ 0 };
    out->attrs = (struct sdp_attrs){ 0 };
    out->n_bandwidth = 0;
    return 0;
}

static int open_stream(struct session *s, size_t i)
{
    if (i < s->n_streams)
        return 0;
    s->stream[i] = calloc(1, sizeof(*s->stream[i]));
    if (!s->stream[i])
        return CS_ENOMEM;
    s->stream[i]->events = RELAY_DROP;
    s->n_streams++;
    return 0;
}

static int pass_stream(struct session *s, size_t i, unsigned from, struct sdp_media *out)
{
    const struct sdp_media *m = &s->offer.media[i];
    struct stream *st = s->stream[i];
    unsigned to = !from;
    const struct session_side *side = &s->side[to];
    if (!offer_is_ours(m) || !m->port)
        return refuse_stream(m, out);
    if (!st->relay) {
        size_t address[SIDES] = { s->side[0].address, s->side[1].address };
        int err = relay_new(s->media, address, &st->relay);
        if (err)
            return err == CS_ELIMIT ? err : CS_ENOMEM;
    }
    const struct offer_wish wish = { kind_for(s, st, to), side->codecs, side->n_codecs };
    int err = offer_pass(&s->offer, m, &wish, &s->arena, out);
    if (err == CS_ENOENT)
        return refuse_stream(m, out);
    out->port = addr_port(relay_local(st->relay, to));
    return err ? err : offer_keys(s, i, to, out);
}

/* Of policy, and what can be done at all. */
static int judge_offer(const struct session *s, unsigned from, const char **why)
{
    const bool brings = brings_keys(s, from);
    if (s->side[from].srtp == SRTP_REQUIRE && !brings && !sdp_is_encrypted(&s->offer)) {
        *why = "SRTP required";
        return CS_EDENIED;
    }
    for (size_t i = 0; i < s->offer.n_media; i++) {
        const struct sdp_media *m = &s->offer.media[i];
        bool srtp = sdp_is_srtp(m->proto) || sdp_attr(&m->attrs, SPAN("crypto"));
        if (m->port && sdp_is_srtp(m->proto) && s->side[from].srtp == SRTP_FORBID) {
            *why = "SRTP not taken here";
            return CS_EDENIED;
        }
        if (m->port && offer_kind_of(m->proto) == OFFER_DTLS && !s->side[from].takes_dtls) {
            *why = "DTLS-SRTP not taken here";
            return CS_EDENIED;
        }
        if (m->port && !srtp && !brings && i < s->n_streams &&
            s->stream[i]->keys[from].out.suite != CRYPT_NONE) {
            *why = "SRTP stays";
            return CS_EDENIED;
        }
    }
    if (!s->offer.n_media || s->offer.n_media > SESSION_STREAMS_MAX) {
        *why = "no media, or too many";
        return CS_ENOTSUP;
    }
    return 0;
}

void session_settled(struct session *s)
{
    s->open = false;
    forget_before(s);
    for (size_t i = 0; i < s->n_streams; i++) {
        for (unsigned side = 0; side < SIDES; side++)
            keys_settled(&s->stream[i]->keys[side]);
    }
    s->offer = (struct sdp){ 0 };
    arena_fini(&s->arena);
    arena_init_small(&s->arena);
    free(s->offer_text);
    s->offer_text = NULL;
}

int session_read_offer(struct session *s, unsigned from, struct span sdp, const char **why)
{
    *why = "malformed description";
    session_settled(s);
    s->offer_text = strndup(sdp.p, sdp.n);
    s->offerer = from;
    int err = s->offer_text ? sdp_parse(span_str(s->offer_text), &s->arena, &s->offer) : CS_ENOMEM;
    return err ? err : judge_offer(s, from, why);
}

int session_offer(struct session *s, unsigned from, struct span sdp, struct buf *out,
                  const char **why)
{
    struct sdp d = { 0 };
    size_t carried = 0;
    int err = session_read_offer(s, from, sdp, why);
    if (err)
        return err;
    d.media = arena_zalloc(&s->arena, s->offer.n_media * sizeof(*d.media));
    d.n_media = s->offer.n_media;
    for (size_t i = 0; i < d.n_media; i++) {
        err = d.media ? open_stream(s, i) : CS_ENOMEM;
        if (!err)
            err = pass_stream(s, i, from, &d.media[i]);
        if (err) {
            *why = err == CS_ELIMIT ? "no ports for media" : "no memory or no files for media";
            return err;
        }
        carried += d.media[i].port != 0;
    }
    if (!carried) {
        *why = none_allowed(s, !from);
        return CS_ENOTSUP;
    }
    err = tell_webrtc(s, !from, &d, false);
    const struct told *told = &s->told[!from];
    s->before = told->text ? strndup(told->text, told->n) : NULL;
    if (!err)
        err = tell(s, !from, &d, &s->arena, out);
    s->open = !err;
    return err;
}

/* ---- answers ---- */

/* The side that answered our offer: what protects its stream. */
static int settle_answerer(const struct session *s, struct stream *st, unsigned side,
                           const struct sdp *sdp, const struct sdp_media *answer)
{
    struct keys *k = &st->keys[side];
    const enum offer_kind kind = offer_kind_of(answer->proto);
    if (brings_keys(s, side)) {
        webrtc_free(&st->webrtc[side]);
        keys_bring(k, &s->brought[side]->in, &s->brought[side]->out);
        return 0;
    }
    if (st->webrtc[side]) {
        keys_clear(k);
        return kind == OFFER_DTLS ? webrtc_answered(st->webrtc[side], sdp, answer) : CS_EDENIED;
    }
    if (kind == OFFER_DTLS)
        return CS_EDENIED;
    if (kind == OFFER_CLEAR && !st->optional[side]) {
        if (k->made || k->out.suite != CRYPT_NONE)
            return CS_EDENIED; /* we offered SRTP and nothing else */
        return 0;
    }
    int err = keys_answered(k, answer);
    if (err == CS_ENOENT && kind == OFFER_CLEAR) {
        keys_clear(k);
        return 0;
    }
    return err ? CS_EDENIED : 0;
}

/* The side that offered. */
static int settle_offerer(struct session *s, struct stream *st, unsigned side,
                          const struct sdp_media *offer, struct sdp_media *out)
{
    struct sdp_attrs lines = { 0 };
    int err;
    if (offer_kind_of(offer->proto) == OFFER_DTLS) { /* and SDES never beside it (RFC 8827, 6.5) */
        const struct webrtc_at at = where(s, st, side);
        keys_clear(&st->keys[side]);
        err = webrtc_of(st, side)
                  ? webrtc_accept(st->webrtc[side], &s->offer, offer, &at, &s->arena, &lines)
                  : CS_ENOMEM;
        return err ? err : offer_append(out, &lines, &s->arena);
    }
    webrtc_free(&st->webrtc[side]);
    if (brings_keys(s, side)) {
        keys_bring(&st->keys[side], &s->brought[side]->in, &s->brought[side]->out);
        return 0;
    }
    err = s->side[side].srtp == SRTP_FORBID
              ? CS_ENOENT
              : keys_accept(&st->keys[side], offer, &s->arena, &lines);
    if (err == CS_ENOENT) {
        keys_clear(&st->keys[side]);
        return sdp_is_srtp(offer->proto) ? CS_EDENIED : 0;
    }
    return err ? err : offer_append(out, &lines, &s->arena);
}

static int destination(const struct sdp *d, const struct sdp_media *m, const struct webrtc *w,
                       struct side_conf *out)
{
    if (w)
        webrtc_set(w, out);
    if (w && w->checks)
        return 0; /* where he proves to be */
    struct sdp_connection c = sdp_connection_of(d, m);
    out->rtp = c.addr;
    if (out->rtp.sa.sa_family == AF_UNSPEC)
        return CS_ENOTSUP; /* a name: nobody waits for DNS here */
    addr_set_port(&out->rtp, m->port);
    int err = sdp_rtcp_of(d, m, &out->rtcp);
    return err == CS_ENOENT ? 0 : err;
}

static void set_directions(struct side_conf *c, enum sdp_direction d)
{
    c->sends = d & SDP_SENDONLY;
    c->listens = d & SDP_RECVONLY;
}

/* Of an answer that was not made for this offer: no more than both say (RFC 3264, 6.1). */
static void narrow_direction(const struct sdp *offer_sdp, const struct sdp_media *offer,
                             const struct sdp *answer_sdp, const struct sdp_media *answer,
                             struct sdp_media *out)
{
    const enum sdp_direction asked = sdp_direction_of(offer_sdp, offer),
                             said = sdp_direction_of(answer_sdp, answer),
                             both = said & sdp_direction_reversed(asked);
    out->attrs.a[out->attrs.n - 1].name = sdp_direction_name(both); /* as offer_answer() wrote it */
}

static int settle_stream(struct session *s, size_t i, unsigned from, const struct sdp *answer,
                         bool here, struct sdp_media *out, const char **why)
{
    const struct sdp_media *offer = &s->offer.media[i], *m = &answer->media[i];
    struct stream *st = i < s->n_streams ? s->stream[i] : NULL;
    struct side_conf set[SIDES] = { 0 };
    unsigned to = !from;
    if (!st || !m->port || !offer->port || !st->relay)
        return refuse_stream(offer, out);
    memset(set[0].payload, RELAY_DROP, sizeof(set[0].payload));
    memset(set[1].payload, RELAY_DROP, sizeof(set[1].payload));
    int err =
        offer_answer(offer, answer, m, &s->arena, out, &(struct offer_map){ &set[to], &set[from] });
    if (err == CS_ENOTSUP)
        *why = none_answered(s, answer);
    if (!err && here)
        narrow_direction(&s->offer, offer, answer, m, out);
    if (!err && !here)
        err = settle_answerer(s, st, from, answer, m);
    if (!err)
        err = settle_offerer(s, st, to, offer, out);
    if (!err)
        err = destination(&s->offer, offer, st->webrtc[to], &set[to]);
    if (!err)
        err = destination(answer, m, st->webrtc[from], &set[from]);
    if (err)
        return err;
    st->events = offer_events(out); /* in the offerer's numbers, the other's too */
    out->port = addr_port(relay_local(st->relay, to));
    set_directions(&set[to], sdp_direction_of(&s->offer, offer));
    set_directions(&set[from], sdp_direction_of(answer, m));
    s->talks |= set[to].sends && set[to].listens && set[from].sends && set[from].listens;
    for (unsigned side = 0; side < SIDES; side++) {
        set[side].learn = s->side[side].learn;
        set[side].digit_drop = s->side[side].digit_drop;
        set[side].identity = s->own[side];
        set[side].in = st->keys[side].in;
        set[side].out = st->keys[side].out;
    }
    err = relay_set(st->relay, (const struct side_conf *[]){ &set[0], &set[1] });
    ct_wipe(set, sizeof(set));
    return err;
}

int session_settle(struct session *s, unsigned from, const struct sdp *answer, bool here,
                   struct buf *out, const char **why)
{
    struct sdp d = { .n_media = answer->n_media };
    d.media = arena_zalloc(&s->arena, d.n_media * sizeof(*d.media));
    *why = "the answer does not fit the offer";
    s->talks = false;
    for (size_t i = 0; i < d.n_media; i++) {
        int err = d.media ? settle_stream(s, i, from, answer, here, &d.media[i], why) : CS_ENOMEM;
        if (err == CS_EDENIED)
            *why = "the answer is weaker than the offer";
        if (err)
            return err;
    }
    int err = tell_webrtc(s, !from, &d, true);
    if (!err)
        err = tell(s, !from, &d, &s->arena, out);
    if (!err)
        s->proposer = !from;
    return err;
}

int session_answer(struct session *s, unsigned from, struct span sdp, struct buf *out,
                   const char **why)
{
    struct sdp answer;
    *why = "malformed description";
    if (!s->open || from == s->offerer)
        return CS_EPROTO;
    int err = sdp_parse(sdp, &s->arena, &answer);
    if (!err && answer.n_media != s->offer.n_media)
        err = CS_EPROTO;
    if (!err)
        err = session_settle(s, from, &answer, false, out, why);
    if (err)
        return err;
    forget_before(s);
    session_keep_said(s, from, sdp);
    session_keep_said(s, !from, span_str(s->offer_text));
    return 0;
}
