/* Desk phones that attach, and what is kept of them. */
#include <stdlib.h>

#include "gate/question.h"
#include "proto/certificate.h"

#define AUTH(name) Countersign__Auth__##name

struct gate_attach {
    struct question q;
    gate_attached_fn *fn;
    void *arg;
    AUTH(Attach) msg;
    AUTH(Certificate) certificate;
    unsigned char sha256[CERTIFICATE_HASH_LEN];
};

/* ---- attaching ---- */

static void attach_free(struct gate_attach *g)
{
    question_end(&g->q);
    free(g);
}

static void answer(struct gate_attach *g, enum verdict kind, const AUTH(Attached) * m)
{
    gate_attached_fn *fn = g->fn;
    void *arg = g->arg;
    attach_free(g);
    fn(arg, kind, m);
}

static void later(struct question *q)
{
    AUTH(Attached) m = COUNTERSIGN__AUTH__ATTACHED__INIT;
    m.kind = COUNTERSIGN__AUTH__VERDICT_KIND__LATER;
    answer(container_of(q, struct gate_attach, q), VERDICT_LATER, &m);
}

static void send_attach(struct question *q, AUTH(ToAuthd) * msg)
{
    msg->body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_ATTACH;
    msg->attach = &container_of(q, struct gate_attach, q)->msg;
}

/* What of a certificate cannot be read proves nothing. */
static int fill_certificate(struct gate_attach *g, const struct gate_device *d)
{
    if (!d->certificate)
        return 0;
    countersign__auth__certificate__init(&g->certificate);
    int err = certificate_facts(d->certificate, d->issuer, &g->q.arena, &g->certificate);
    if (!err)
        err = certificate_hash(d->certificate, g->sha256);
    if (err)
        return err == CS_ENOMEM ? err : 0;
    g->msg.certificate = &g->certificate;
    g->msg.has_certificate_sha256 = true;
    g->msg.certificate_sha256.data = g->sha256;
    g->msg.certificate_sha256.len = sizeof(g->sha256);
    return 0;
}

static int fill(struct gate_attach *g, const struct gate_device *d)
{
    AUTH(Attach) *m = &g->msg;
    const struct {
        struct span from;
        char **to;
    } texts[] = { { d->name, &m->device },
                  { d->listener, &m->listener },
                  { d->software, &m->software },
                  { d->file, &m->file },
                  { d->ticket, &m->ticket_secret } };
    bool ok = true;
    for (size_t i = 0; ok && i < CS_LEN(texts); i++)
        ok = question_text(&g->q, texts[i].from, texts[i].to);
    const struct span ip = arena_dup(&g->q.arena, addr_host_bytes(d->source));
    m->has_deadline_ms = m->has_transport = m->has_source_ip = m->has_source_port = true;
    m->has_type = m->has_version = m->has_token = true;
    m->deadline_ms = (uint32_t)g->q.all->deadline.ms;
    m->transport =
        d->tls ? COUNTERSIGN__AUTH__TRANSPORT__SCCPS : COUNTERSIGN__AUTH__TRANSPORT__SCCP;
    m->source_ip.data = (uint8_t *)ip.p;
    m->source_ip.len = ip.n;
    m->source_port = addr_port(d->source);
    m->type = d->type;
    m->version = d->version;
    m->token = d->token;
    m->has_unproven = m->unproven = d->unproven;
    if (!ip.p || !ok)
        return CS_ENOMEM;
    return fill_certificate(g, d);
}

struct gate_attach *attaches_ask(struct questions *s, const struct gate_device *d,
                                 gate_attached_fn *fn, void *arg)
{
    struct gate_attach *g = s->closing ? NULL : calloc(1, sizeof(*g));
    if (!g)
        return NULL;
    g->fn = fn;
    g->arg = arg;
    g->q.send = send_attach;
    g->q.later = later;
    countersign__auth__attach__init(&g->msg);
    question_begin(s, &g->q);
    if (fill(g, d)) {
        attach_free(g);
        return NULL;
    }
    g->msg.id = g->q.id;
    question_ask(&g->q);
    return g;
}

void gate_attach_cancel(struct gate_attach *g)
{
    attach_free(g);
}

void attaches_answer(struct questions *s, const AUTH(Attached) * m)
{
    struct question *q = question_of(s, m->id);
    if (!q || q->send != send_attach)
        return;
    const enum verdict kind = m->kind == COUNTERSIGN__AUTH__VERDICT_KIND__ACCEPT && m->record
                                  ? VERDICT_ACCEPT
                              : m->kind == COUNTERSIGN__AUTH__VERDICT_KIND__REJECT ? VERDICT_REJECT
                                                                                   : VERDICT_LATER;
    answer(container_of(q, struct gate_attach, q), kind, m);
}

/* ---- keeping ---- */

struct gate_keep {
    struct question q;
    gate_kept_fn *fn;
    void *arg;
    AUTH(Keep) msg;
};

static void keep_free(struct gate_keep *g)
{
    question_end(&g->q);
    free(g);
}

static void keep_end(struct gate_keep *g, enum verdict kind, AUTH(Cause) cause)
{
    gate_kept_fn *fn = g->fn;
    void *arg = g->arg;
    keep_free(g);
    fn(arg, kind, cause);
}

static void keep_later(struct question *q)
{
    keep_end(container_of(q, struct gate_keep, q), VERDICT_LATER,
             COUNTERSIGN__AUTH__CAUSE__CAUSE_NONE);
}

static void send_keep(struct question *q, AUTH(ToAuthd) * msg)
{
    msg->body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_KEEP;
    msg->keep = &container_of(q, struct gate_keep, q)->msg;
}

struct gate_keep *keeps_ask(struct questions *s, const AUTH(Keep) * k, gate_kept_fn *fn, void *arg)
{
    struct gate_keep *g = s->closing ? NULL : calloc(1, sizeof(*g));
    if (!g)
        return NULL;
    g->fn = fn;
    g->arg = arg;
    g->q.send = send_keep;
    g->q.later = keep_later;
    question_begin(s, &g->q);
    g->msg = *k;
    const struct {
        struct span from;
        char **to;
    } texts[] = {
        { span_str(k->device), &g->msg.device },
        { span_str(k->user), &g->msg.user },
        { span_str(k->forward_all), &g->msg.forward_all },
        { span_str(k->forward_busy), &g->msg.forward_busy },
        { span_str(k->forward_no_answer), &g->msg.forward_no_answer },
    };
    bool ok = true;
    for (size_t i = 0; ok && i < CS_LEN(texts); i++)
        ok = question_text(&g->q, texts[i].from, texts[i].to);
    if (!ok) {
        keep_free(g);
        return NULL;
    }
    g->msg.id = g->q.id;
    question_ask(&g->q);
    return g;
}

void gate_keep_cancel(struct gate_keep *g)
{
    keep_free(g);
}

void keeps_answer(struct questions *s, const AUTH(Kept) * m)
{
    struct question *q = question_of(s, m->id);
    if (!q || q->send != send_keep)
        return;
    struct gate_keep *g = container_of(q, struct gate_keep, q);
    const AUTH(Cause) cause = m->has_cause ? m->cause : COUNTERSIGN__AUTH__CAUSE__CAUSE_NONE;
    keep_end(g,
             cause == COUNTERSIGN__AUTH__CAUSE__OK                  ? VERDICT_ACCEPT
             : cause == COUNTERSIGN__AUTH__CAUSE__STORE_UNAVAILABLE ? VERDICT_LATER
                                                                    : VERDICT_REJECT,
             cause);
}
