#include "b2bua/desk/line_registration.h"

#include <stdlib.h>

#include "b2bua/trunk/registering.h"
#include "base/ct.h"
#include "base/metric.h"
#include "base/rand.h"
#include "sip/write.h"

enum {
    EXPIRES_S = 600,
    FIRST_RETRY_MS = 1000,
    RETRY_MOST_MS = 30000, /* the registrars are ours: they are back when they are */
    ANSWER_MS = 4000,
    SPREAD_MS = 500, /* of those that stood by a link that closed */
    LINES_MAX = 4096,
};

static const struct log line_log = { .module = "lines" };

struct line_registration {
    struct list link;
    struct line_registrations *all;
    const struct line_registration_events *events;
    void *arg;
    struct dialog dialog; /* its Call-ID and CSeq go on (10.2) */
    char *aor, *contact, *agent;
    struct secret pass;
    struct uac *request; /* NULL: none is under way */
    struct timer timer;  /* to the next one */
    struct flow *flow;   /* that it stands by; NULL: it does not */
    struct mono until;   /* what stands */
    size_t at;           /* registrar that is asked */
    uint32_t expires;    /* asked for; 423 raises it */
    unsigned failures;   /* in a row */
    bool leaving, refused;
};

static void line_free(struct line_registration *l)
{
    list_remove(&l->link);
    timer_stop(l->all->means->loop, &l->timer);
    uac_free(&l->request);
    flow_unref(&l->flow);
    dialog_fini(&l->dialog);
    secret_fini(&l->pass);
    free(l->aor);
    free(l->contact);
    free(l->agent);
    free(l);
}

static void after(struct line_registration *l, struct duration d)
{
    timer_stop(l->all->means->loop, &l->timer);
    timer_start(l->all->means->loop, &l->timer, d);
}

static void fall(struct line_registration *l)
{
    if (!l->flow)
        return;
    flow_unref(&l->flow);
    l->events->stands(l->arg, false);
}

/* ---- answers ---- */

static void succeed(struct line_registration *l, const struct sip_msg *resp)
{
    uint32_t granted = registering_granted(resp, span_str(l->contact), l->expires);
    bool stood = l->flow != NULL;
    struct flow *flow = flow_ref(uac_flow(l->request));
    uac_free(&l->request);
    flow_unref(&l->flow);
    l->flow = flow;
    l->failures = 0;
    l->until = mono_add(loop_now(l->all->means->loop), DURATION_S(granted));
    after(l, registering_refresh(granted));
    if (stood)
        return;
    log_info(&line_log, "registered", kv_str("aor", l->aor), kv_u("expires", granted));
    l->events->stands(l->arg, true);
}

static void fail(struct line_registration *l, unsigned status)
{
    struct duration d = registering_retry(DURATION_MS(FIRST_RETRY_MS), ++l->failures);
    uac_free(&l->request);
    l->at = (l->at + 1) % l->all->n_registrars;
    after(l, DURATION_MS(CS_MIN(d.ms, RETRY_MOST_MS)));
    log_warn(&line_log, "not registered", kv_str("aor", l->aor), kv_u("status", status));
    if (!mono_before(loop_now(l->all->means->loop), l->until)) /* an outage takes nothing away */
        fall(l);
}

static void refuse(struct line_registration *l, unsigned status)
{
    uac_free(&l->request);
    l->refused = true;
    log_warn(&line_log, "its pass is refused", kv_str("aor", l->aor), kv_u("status", status));
    flow_unref(&l->flow);
    l->events->refused(l->arg, status);
}

static void on_response(void *arg, struct uac *request, struct sip_msg *resp)
{
    struct line_registration *l = arg;
    uint32_t longer;
    (void)request;
    if (resp->status < 200)
        return;
    if (l->leaving)
        line_free(l);
    else if (resp->status < 300)
        succeed(l, resp);
    else if ((longer = registering_longer(resp, l->expires))) {
        uac_free(&l->request);
        l->expires = longer;
        after(l, DURATION_MS(0));
    } else if (resp->status < 500 && resp->status != 408)
        refuse(l, resp->status);
    else
        fail(l, resp->status);
}

static void on_failed(void *arg, struct uac *request, unsigned status)
{
    struct line_registration *l = arg;
    (void)request;
    if (l->leaving)
        line_free(l);
    else
        fail(l, status);
}

/* ---- questions ---- */

static void ask(struct line_registration *l, uint32_t expires)
{
    static const struct uac_events events = { on_response, on_failed };
    char lines[LINES_MAX];
    struct buf b = BUF_INIT(lines);
    buf_lit(&b, "Contact: <");
    buf_put(&b, span_str(l->contact));
    buf_printf(&b, ">\r\nExpires: %u\r\nSupported: path\r\n", expires);
    if (*l->agent)
        sip_write_hdr(&b, SPAN("User-Agent"), span_str(l->agent));
    buf_lit(&b, "Authorization: Bearer ");
    buf_put(&b, secret_span(&l->pass));
    buf_lit(&b, "\r\n");
    const struct uac_conf c = { .dialog = &l->dialog,
                                .method = SIP_REGISTER,
                                .node = l->all->registrars[l->at],
                                .answer = DURATION_MS(ANSWER_MS),
                                .max_forwards = 70,
                                .lines = buf_span(&b) };
    l->request = buf_ok(&b) ? uac_send(l->all->means, &c, &events, l) : NULL;
    ct_wipe(lines, sizeof(lines));
    if (!l->request && l->leaving)
        line_free(l);
    else if (!l->request)
        fail(l, 500);
}

static void on_timer(struct timer *t)
{
    struct line_registration *l = container_of(t, struct line_registration, timer);
    ask(l, l->expires);
}

int line_registration_renew(struct line_registration *l, struct span pass)
{
    int err = secret_set(&l->pass, pass);
    if (!err && l->refused) {
        l->refused = false;
        after(l, DURATION_MS(0));
    }
    return err;
}

void line_registration_move(struct line_registration *l, void *arg)
{
    l->arg = arg;
}

bool line_registration_stands(const struct line_registration *l)
{
    return l->flow != NULL;
}

void line_registration_leave(struct line_registration **lp)
{
    struct line_registration *l = *lp;
    *lp = NULL;
    if (!l)
        return;
    bool stands = l->flow || l->request; /* the answer may be on its way */
    l->leaving = true;
    timer_stop(l->all->means->loop, &l->timer);
    uac_free(&l->request);
    if (stands)
        ask(l, 0);
    else
        line_free(l);
}

void line_registrations_flow_closed(struct line_registrations *all, const struct flow *f)
{
    list_for_each (it, &all->all) {
        struct line_registration *l = container_of(it, struct line_registration, link);
        if (l->flow != f)
            continue;
        if (!l->request)
            after(l, DURATION_MS((int64_t)rand_below(SPREAD_MS)));
        l->at = (l->at + 1) % all->n_registrars;
        fall(l);
    }
}

/* ---- life ---- */

static int fill(struct line_registration *l, const struct line_registration_conf *conf)
{
    char party[SIP_AOR_MAX + 2], uri[SIP_AOR_MAX];
    struct buf pb = BUF_INIT(party), ub = BUF_INIT(uri);
    struct sip_uri aor;
    int err = sip_uri_parse(conf->aor, &aor);
    l->aor = strndup(conf->aor.p, conf->aor.n);
    l->contact = strndup(conf->contact.p, conf->contact.n);
    l->agent = strndup(conf->agent.p ? conf->agent.p : "", conf->agent.n);
    if (err || !l->aor || !l->contact || !l->agent)
        return err ? err : CS_ENOMEM;
    buf_putc(&pb, '<');
    buf_put(&pb, conf->aor);
    buf_putc(&pb, '>');
    buf_lit(&ub, "sip:");
    buf_put(&ub, aor.host);
    if (!buf_ok(&pb) || !buf_ok(&ub))
        return CS_ELIMIT;
    err = secret_set(&l->pass, conf->pass);
    return err ? err : dialog_to(&l->dialog, buf_span(&pb), buf_span(&pb), buf_span(&ub), 0);
}

struct line_registration *line_registration_open(struct line_registrations *all,
                                                 const struct line_registration_conf *conf,
                                                 const struct line_registration_events *events,
                                                 void *arg)
{
    struct line_registration *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    *l = (struct line_registration){
        .all = all, .events = events, .arg = arg, .expires = EXPIRES_S
    };
    list_init(&l->link);
    list_push_back(&all->all, &l->link);
    timer_init(&l->timer, on_timer);
    if (fill(l, conf)) {
        line_free(l);
        return NULL;
    }
    l->at = hops_seed(l->dialog.call_id) % all->n_registrars;
    after(l, DURATION_MS(0));
    return l;
}

bool line_registrations_have_left(const struct line_registrations *all)
{
    list_for_each (it, &all->all) {
        if (container_of(it, struct line_registration, link)->leaving)
            return false;
    }
    return true;
}

void line_registrations_drop(struct line_registrations *all)
{
    list_for_each (it, &all->all)
        line_free(container_of(it, struct line_registration, link));
}
