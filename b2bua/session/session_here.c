/* Offers that are answered here: the other side cannot be asked, or need not be. */
#include "b2bua/session/session_impl.h"

/* What a side has agreed on: where it is, as it said itself, and the codecs of the answer, whoever
 * gave that. Numbers are the offer's (RFC 3264, 6.1). */
static int agreed(struct session *s, unsigned side, struct sdp *out)
{
    struct sdp answered = { 0 };
    const struct told *told = &s->told[side];
    if (!s->said[side] || !told->text)
        return CS_ENOENT;
    int err = sdp_parse(span_str(s->said[side]), &s->arena, out);
    if (err || s->proposer != side)
        return err;
    err = sdp_parse(span_of(told->text, told->n), &s->arena, &answered);
    for (size_t i = 0; !err && i < out->n_media; i++) {
        const struct sdp_media *m = i < answered.n_media ? &answered.media[i] : NULL;
        out->media[i].port = m && m->port ? out->media[i].port : 0;
        out->media[i].formats = m ? m->formats : NULL;
        out->media[i].n_formats = m ? m->n_formats : 0;
    }
    return err;
}

/* As many streams as were offered: of those that are new the other side knows nothing. */
static int fit(struct session *s, struct sdp *stands)
{
    struct sdp_media *all = arena_zalloc(&s->arena, s->offer.n_media * sizeof(*all));
    if (!all)
        return CS_ENOMEM;
    for (size_t i = 0; i < s->offer.n_media && i < stands->n_media; i++)
        all[i] = stands->media[i];
    stands->media = all;
    stands->n_media = s->offer.n_media;
    return 0;
}

int session_answer_here(struct session *s, unsigned from, struct span sdp, struct buf *out,
                        const char **why)
{
    struct sdp stands;
    int err = session_read_offer(s, from, sdp, why);
    if (!err)
        err = agreed(s, !from, &stands);
    if (!err)
        err = fit(s, &stands);
    if (!err)
        err = session_settle(s, !from, &stands, true, out, why);
    if (!err)
        session_keep_said(s, from, sdp);
    return err == CS_ENOENT ? CS_ENOTSUP : err;
}

struct span session_told(const struct session *s, unsigned side)
{
    return span_of(s->told[side].text, s->told[side].n);
}

struct span session_said(const struct session *s, unsigned side)
{
    return span_str(s->said[side]);
}
