#include "b2bua/trunk/news.h"

#include <stdlib.h>

#include "sip/write.h"

static const struct log news_log = { .module = "news" };

struct news {
    struct list link; /* ua.news */
    struct tx *tx;    /* the trunk's NOTIFY */
    struct dialog dialog;
    struct uac *request; /* ours */
};

static void news_free(struct news *n)
{
    list_remove(&n->link);
    uac_free(&n->request);
    dialog_fini(&n->dialog);
    tx_unref(&n->tx);
    free(n);
}

static void done(struct news *n, unsigned status)
{
    tx_reply(n->tx, status, SPAN_NULL);
    news_free(n);
}

static void on_answer(void *arg, struct uac *r, struct sip_msg *resp)
{
    (void)r;
    if (resp->status >= 200)
        done(arg, resp->status);
}

static void on_failed(void *arg, struct uac *r, unsigned status)
{
    (void)r;
    done(arg, status);
}

/* The line that the dial plan has for this number of the trunk's. 0, or a status. */
static unsigned find_line(const struct ua *u, struct sip_msg *m, const struct trunk_conf *from,
                          struct span *line)
{
    const struct dialplan_context *at = dialplan_context(&u->conf->dialplan, from->context);
    char *plain = arena_alloc(&m->arena, m->uri.user.n + 1);
    struct dialplan_answer plan;
    if (!plain)
        return 500;
    struct dialplan_call dialled = { .called = sip_user_plain(m->uri.user, plain),
                                     .now = loop_wall(u->loop) };
    if (!at || !m->uri.user.n)
        return 404;
    if (dialplan_lookup(at, &dialled, false, &m->arena, &plan))
        return 500;
    if (!plan.n || plan.candidates[0].kind != DIALPLAN_LINE)
        return 404;
    *line = plan.candidates[0].name;
    return 0;
}

/* As if the mailbox were a service of ours, for that is all that a line is to know. */
static int write_parties(struct buf *uri, struct buf *party, const struct ua *u, struct span line)
{
    buf_lit(uri, "sip:");
    sip_user_write(uri, line);
    buf_putc(uri, '@');
    buf_put(uri, u->conf->domains[0]);
    buf_putc(party, '<');
    buf_put(party, buf_span(uri));
    buf_putc(party, '>');
    return buf_ok(uri) && buf_ok(party) ? 0 : CS_ELIMIT;
}

static void write_lines(struct buf *b, const struct ua *u, const struct sip_msg *m)
{
    struct span state = sip_hdr_named(m, SPAN("Subscription-State"));
    buf_lit(b, "Contact: <sip:");
    buf_put(b, span_str(u->node));
    buf_lit(b, ">\r\nEvent: message-summary\r\n");
    sip_write_hdr(b, SPAN("Subscription-State"), state.n ? state : SPAN("active"));
}

static unsigned pass(struct ua *u, struct tx *tx, const struct trunk_conf *from)
{
    static const struct uac_events events = { on_answer, on_failed };
    struct sip_msg *m = tx_request(tx);
    char uri[512], party[520], lines[1024];
    struct buf ub = BUF_INIT(uri), pb = BUF_INIT(party), lb = BUF_INIT(lines);
    struct hop *registrars[HOPS_MAX];
    struct span line;
    unsigned status = find_line(u, m, from, &line);
    if (status)
        return status;
    write_lines(&lb, u, m);
    if (write_parties(&ub, &pb, u, line) || !buf_ok(&lb))
        return 400;
    struct news *n = calloc(1, sizeof(*n));
    if (!n)
        return 500;
    list_init(&n->link);
    struct uac_conf conf = { .dialog = &n->dialog,
                             .method = SIP_NOTIFY,
                             .hops = registrars,
                             .n_hops = ua_registrars(u, m->call_id, registrars),
                             .max_forwards = (unsigned)(m->max_forwards < 0 ? 70 : m->max_forwards),
                             .lines = buf_span(&lb),
                             .type = sip_hdr_value(m, SIP_HDR_CONTENT_TYPE),
                             .body = m->body };
    if (dialog_to(&n->dialog, buf_span(&pb), buf_span(&pb), buf_span(&ub), siptp_node(u->tp)) == 0)
        n->request = uac_send(&u->legs_means.uac, &conf, &events, n);
    if (!n->request) {
        news_free(n);
        return 500;
    }
    n->tx = tx_ref(tx);
    list_push_back(&u->news, &n->link);
    log_info(&news_log, "messages", kv_s("line", line), kv_s("trunk", from->name),
             kv_s("call_id", m->call_id));
    return 0;
}

/* Whoever is told of an event must know it; whoever is asked for one must have it (RFC 6665, 4.1.3
 * and 4.2.1.1). Nobody is moved outside of a call (RFC 3515, 2.4.2). */
void news_take(struct ua *u, struct tx *tx, const struct trunk_conf *from)
{
    struct sip_msg *m = tx_request(tx);
    struct span event = sip_hdr_value(m, SIP_HDR_EVENT);
    event = span_trim(span_cut(&event, ';'));
    if (m->method == SIP_REFER) {
        tx_reply(tx, 603, SPAN_NULL);
    } else if (m->method == SIP_SUBSCRIBE || !span_caseeq(event, SPAN("message-summary"))) {
        tx_reply(tx, 489, SPAN(LEG_EVENTS));
    } else if (m->max_forwards == 0) {
        tx_reply(tx, 483, SPAN_NULL);
    } else {
        unsigned status = pass(u, tx, from);
        if (status)
            tx_reply(tx, status, SPAN_NULL);
    }
}

void news_drop_all(struct ua *u)
{
    while (!list_empty(&u->news))
        news_free(container_of(u->news.next, struct news, link));
}
