#include "b2bua/trunk/trunk_test.h"

#include <stdlib.h>

#include "sip/digest.h"
#include "sip/write.h"

enum { LOOK_MS = 50, WITHIN_S = 25, LINES_MAX = 512, WORDS_MAX = 1024, MESSAGE_MAX = 8192 };

struct trunk_test {
    struct list link; /* ua->tests */
    struct ua *ua;
    struct http_req *req; /* NULL: it was answered, or is gone */
    const struct trunk_conf *trunk;
    struct timer timer;
    struct mono due;
    struct dialog dialog;
    struct session *session; /* of the offer; NULL: none */
    struct uac *request, *bye;
    enum sip_method method;
    bool rang; /* a provisional answer said so */
    bool open; /* the request has no final answer yet */
    unsigned status;
    bool good;
    char words[WORDS_MAX]; /* of the request */
};

static void test_free(struct trunk_test *t)
{
    list_remove(&t->link);
    timer_stop(t->ua->loop, &t->timer);
    uac_free(&t->request);
    uac_free(&t->bye);
    session_free(&t->session);
    dialog_fini(&t->dialog);
    free(t);
}

/* ---- the answer ---- */

static void add(json_t *findings, const char *what, const char *why)
{
    char text[WORDS_MAX + 300];
    struct buf b = BUF_INIT(text);
    buf_put(&b, span_str(what));
    buf_lit(&b, ": ");
    buf_put(&b, span_str(why));
    json_array_append_new(findings, json_stringn(b.p, b.n));
}

/* What was asked for in vain must not ring behind our backs. */
static void leave(struct trunk_test *t)
{
    t->req = NULL;
    if (t->open)
        uac_cancel(t->request, SPAN_NULL);
    else
        test_free(t);
}

static void reply(struct trunk_test *t)
{
    if (!t->req) {
        test_free(t);
        return;
    }
    json_t *j = trunks_describe_one(t->ua->trunks, t->trunk->name), *findings = json_array(), *x;
    const json_t *registration = json_object_get(j, "registration");
    const char *state = json_string_value(json_object_get(registration, "state"));
    size_t i;
    bool good = t->good;
    json_array_foreach(json_object_get(j, "targets"), i, x)
    {
        const char *why = json_string_value(json_object_get(x, "why"));
        if (why)
            add(findings, json_string_value(json_object_get(x, "uri")), why);
    }
    if (state && strcmp(state, "registered") != 0) {
        add(findings, "registration", state);
        good = false;
    }
    if (t->words[0])
        add(findings, t->method == SIP_INVITE ? "call" : "request", t->words);
    json_object_set_new(
        j, "request",
        json_pack("{s:s, s:o, s:b}", "method", t->method == SIP_INVITE ? "INVITE" : "OPTIONS",
                  "status", t->status ? json_integer(t->status) : json_null(), "rang", t->rang));
    json_object_set_new(j, "findings", findings);
    json_object_set_new(j, "good", json_boolean(good));
    http_reply_json(t->req, 200, j);
    leave(t);
}

/* ---- in words ---- */

static void put_realms(struct buf *b, const struct sip_msg *resp)
{
    static const enum sip_hdr_id ids[] = { SIP_HDR_WWW_AUTHENTICATE, SIP_HDR_PROXY_AUTHENTICATE };
    for (size_t i = 0; i < CS_LEN(ids); i++) {
        for (struct sip_values it = sip_values(resp, ids[i]); sip_next(&it);) {
            struct digest_challenge c;
            if (digest_challenge_parse(it.value, &c) == 0)
                buf_printf(b, " \"" SPAN_FMT "\"", SPAN_ARG(c.realm));
        }
    }
}

static void put_credentials(struct buf *b, const struct trunk_test *t, const struct sip_msg *resp)
{
    if (uac_credentials(t->request).n) {
        buf_lit(b, "credentials of the realm");
        put_realms(b, resp);
        buf_lit(b, " are refused: user or password is wrong; csctl trunk passwd says them anew");
    } else {
        buf_lit(b, "it wants credentials of the realm");
        put_realms(b, resp);
        buf_printf(b,
                   ", which authd does not sign for: csctl trunk passwd " SPAN_FMT
                   " --realm R --user U, and see that csctl trunk show names the host among its "
                   "targets, and listen.signers of authd.yaml the user of b2bua",
                   SPAN_ARG(t->trunk->name));
    }
}

/* Whether the answer shows that calls go through. */
static bool judge(const struct trunk_test *t, const struct sip_msg *resp, struct buf *b)
{
    const unsigned status = resp->status;
    bool invite = t->method == SIP_INVITE;
    buf_printf(b, "%u " SPAN_FMT ": ", status, SPAN_ARG(resp->reason));
    switch (status) {
    case 401:
    case 407:
        put_credentials(b, t, resp);
        return false;
    case 403:
        if (uac_credentials(t->request).n)
            buf_lit(b, "it refuses us although we proved who we are: see the user, its rights, and "
                       "whom From says (from_domain)");
        else
            buf_lit(b, "it refuses us: it may not know our address, or wants From to say another "
                       "domain (from_domain)");
        return false;
    case 488:
    case 606:
    case 415:
        buf_lit(b, "it takes none of the codecs, or not the encryption, that was offered: see "
                   "media.codecs and media.srtp of the trunk");
        return false;
    case 416:
        buf_lit(b, "it does not take the scheme of our URIs, sip or sips");
        return false;
    case 420:
    case 421:
        buf_lit(b, "it wants an extension, or is wanted one of, that the other side does not know");
        return false;
    default:
        break;
    }
    if (status >= 500 && status < 600 && !(status == 501 && !invite)) {
        buf_lit(b, "its server cannot, at the moment");
        return false;
    }
    b->n = 0; /* busy, nobody there, no such number, or no OPTIONS: it was taken up */
    return true;
}

/* ---- the request ---- */

static void on_done(void *arg, struct uac *r, struct sip_msg *resp)
{
    struct trunk_test *t = arg;
    if (resp->status < 200)
        return;
    t->bye = NULL;
    uac_free(&r);
    reply(t);
}

static void on_not_done(void *arg, struct uac *r, unsigned status)
{
    struct trunk_test *t = arg;
    (void)status;
    t->bye = NULL;
    uac_free(&r);
    reply(t);
}

/* It was taken: it is acknowledged, and hung up. */
static void hang_up(struct trunk_test *t, struct sip_msg *resp)
{
    static const struct uac_events events = { on_done, on_not_done };
    static char out[MESSAGE_MAX];
    char branch[SIP_BRANCH_LEN], via[512];
    struct buf bb = BUF_INIT(branch), vb = BUF_INIT(via), ob = BUF_INIT(out);
    struct flow *flow = uac_flow(t->request);
    if (dialog_establish(&t->dialog, resp)) {
        reply(t);
        return;
    }
    siptx_branch(&bb);
    flow_write_via(&vb, flow, buf_span(&bb));
    dialog_write(&ob, &t->dialog, SPAN("ACK"), uac_cseq(t->request), buf_span(&vb), 70);
    buf_put(&ob, uac_credentials(t->request));
    sip_write_end(&ob, SPAN_NULL, SPAN_NULL);
    if (!buf_ok(&ob) || flow_send(flow, buf_span(&ob)))
        log_debug(flow_log(flow), "the ACK of a test could not be sent");
    const struct uac_conf c = {
        .dialog = &t->dialog, .method = SIP_BYE, .max_forwards = 70, .trunk = t->trunk->name
    };
    t->bye = uac_send(&t->ua->legs_means.uac, &c, &events, t);
    if (!t->bye)
        reply(t);
}

static void on_response(void *arg, struct uac *r, struct sip_msg *resp)
{
    struct trunk_test *t = arg;
    struct buf b = buf_of(t->words, sizeof(t->words) - 1);
    if (resp->status < 200) {
        t->rang = true;
        uac_cancel(r, SPAN_NULL); /* it goes through; nobody is to be disturbed */
        return;
    }
    if (t->bye) /* the 2xx once more */
        return;
    t->open = false;
    t->status = resp->status;
    t->good = judge(t, resp, &b);
    t->words[b.n] = 0;
    if (t->method == SIP_INVITE && resp->status < 300)
        hang_up(t, resp);
    else
        reply(t);
}

static void on_failed(void *arg, struct uac *r, unsigned status)
{
    struct trunk_test *t = arg;
    (void)r;
    t->open = false;
    t->status = t->rang ? 0 : status;
    snprintf(t->words, sizeof(t->words),
             t->rang         ? "it rings there, but what is given up has no end: our CANCEL was "
                               "not followed by 487"
             : status == 408 ? "no target answered in time"
                             : "no target took it: none is there, or each said 503, or authd could "
                               "not be asked to sign");
    reply(t);
}

/* What a call would offer there. */
static int write_offer(struct trunk_test *t, struct buf *out)
{
    static const char plain[] =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        "m=audio 9 RTP/AVP 0 8 9 18 96 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
        "a=rtpmap:9 G722/8000\r\na=rtpmap:18 G729/8000\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:101 "
        "telephone-event/8000\r\n"
        "a=fmtp:101 0-16\r\na=sendrecv\r\n";
    struct session_side here = { 0 }, there;
    const char *why = "";
    ua_media_side(t->ua, &t->trunk->media, false, &there);
    here.address = there.address;
    int err = session_new(t->ua->media, &t->session);
    if (err)
        return err;
    session_set_side(t->session, 0, &here);
    session_set_side(t->session, 1, &there);
    return session_offer(t->session, 0, SPAN(plain), out, &why);
}

static void write_lines(struct buf *b, const struct trunk_test *t)
{
    buf_lit(b, "Contact: <");
    ua_contact(b, t->ua, t->trunk, SPAN("test"));
    buf_lit(b, ">\r\n");
    if (t->method == SIP_OPTIONS)
        buf_lit(b, "Accept: application/sdp\r\n");
}

static int begin_dialog(struct trunk_test *t, struct span uri)
{
    char from[400], to[410];
    struct buf fb = BUF_INIT(from), tb = BUF_INIT(to);
    buf_lit(&fb, "<sip:test@");
    buf_put(&fb, t->trunk->from_domain.p ? t->trunk->from_domain
                                         : siptp_listener_sent_by(t->ua->listeners[0]));
    buf_putc(&fb, '>');
    buf_putc(&tb, '<');
    buf_put(&tb, uri);
    buf_putc(&tb, '>');
    if (!buf_ok(&fb) || !buf_ok(&tb))
        return CS_ELIMIT;
    return dialog_to(&t->dialog, buf_span(&fb), buf_span(&tb), uri, siptp_node(t->ua->tp));
}

static void send_request(struct trunk_test *t)
{
    static const struct uac_events events = { on_response, on_failed };
    static char sdp[SESSION_SDP_MAX];
    const struct trunk_conf *c = t->trunk;
    struct hop *hops[HOPS_MAX];
    struct span uris[HOPS_MAX];
    char lines[LINES_MAX], targets[HOPS_MAX * 512];
    struct buf lb = BUF_INIT(lines), sb = BUF_INIT(sdp), ub = BUF_INIT(targets);
    hops_order(c->hops, c->n_targets, c->name, loop_now(t->ua->loop), hops);
    int err = trunk_uris(c, hops, c->n_targets,
                         t->method == SIP_INVITE ? c->test_number : SPAN_NULL, &ub, uris);
    if (!err)
        err = begin_dialog(t, uris[0]);
    if (!err && t->method == SIP_INVITE)
        err = write_offer(t, &sb);
    write_lines(&lb, t);
    const struct uac_conf conf = { .dialog = &t->dialog,
                                   .method = t->method,
                                   .hops = hops,
                                   .uris = uris,
                                   .n_hops = c->n_targets,
                                   .answer = c->answer,
                                   .max_forwards = 70,
                                   .trunk = c->name,
                                   .lines = buf_span(&lb),
                                   .type = sb.n ? SPAN("application/sdp") : SPAN_NULL,
                                   .body = sb.n ? buf_span(&sb) : SPAN_NULL };
    if (!err)
        t->request = uac_send(&t->ua->legs_means.uac, &conf, &events, t);
    t->open = t->request != NULL;
    if (!t->open) {
        snprintf(t->words, sizeof(t->words), "no offer could be made: see media of the trunk");
        reply(t);
    }
}

static void on_timer(struct timer *timer)
{
    struct trunk_test *t = container_of(timer, struct trunk_test, timer);
    struct ua *u = t->ua;
    bool late = !mono_before(loop_now(u->loop), t->due);
    if (t->request && late) {
        snprintf(t->words, sizeof(t->words), "it did not answer finally within %u s", WITHIN_S);
        reply(t);
    } else if (!t->request && !trunks_are_asked(u->trunks, t->trunk)) {
        timer_start(u->loop, &t->timer, mono_since(loop_now(u->loop), t->due));
        send_request(t);
    } else if (late) {
        reply(t);
    } else {
        timer_start(u->loop, &t->timer, DURATION_MS(LOOK_MS));
    }
}

/* ---- the owner ---- */

static void on_abort(void *arg)
{
    leave(arg);
}

void trunk_test(struct ua *u, struct http_req *r, struct span name)
{
    const struct trunk_conf *c = conf_trunk(u->conf, name);
    struct trunk_test *t = c ? calloc(1, sizeof(*t)) : NULL;
    if (!t) {
        http_problem(r, c ? 503 : 404, c ? "overloaded" : "not-found",
                     c ? "Out of memory" : "No such trunk",
                     c ? "Try again later." : "GET /trunks lists those that there are.");
        return;
    }
    *t = (struct trunk_test){ .ua = u,
                              .req = r,
                              .trunk = c,
                              .due = mono_add(loop_now(u->loop), DURATION_S(WITHIN_S)),
                              .method = c->test_number.n ? SIP_INVITE : SIP_OPTIONS };
    timer_init(&t->timer, on_timer);
    list_push_back(&u->tests, &t->link);
    http_on_abort(r, on_abort, t);
    trunks_ask(u->trunks, c);
    timer_start(u->loop, &t->timer, DURATION_MS(LOOK_MS));
}

void trunk_tests_drop(struct ua *u)
{
    list_for_each (it, &u->tests)
        test_free(container_of(it, struct trunk_test, link));
}
