#include "b2bua/trunk/registration.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "b2bua/trunk/registering.h"
#include "base/metric.h"
#include "http/httpd.h"
#include "sip/write.h"

enum { CONTACT_MAX = 512, INSTANCE_LEN = 36 };

enum state { TRYING, REGISTERED, REFUSED, FAILED, LEFT };
enum outcome { WAS_REGISTERED, WAS_REFUSED, WAS_FAILED }; /* of B2BUA_REGISTRATIONS */

static const struct log reg_log = { .module = "register" };

struct registration {
    const struct uac_means *means;
    const struct trunk_conf *trunk;
    const struct register_conf *conf;
    struct dialog dialog; /* its Call-ID and CSeq go on (10.2) */
    struct uac *request;  /* NULL: none is under way */
    struct timer timer;   /* to the next one */
    enum state state;
    char contact[CONTACT_MAX]; /* URI */
    char instance[INSTANCE_LEN + 1];
    bool outbound, leaving;
    uint32_t expires;         /* asked for, in seconds; 423 raises it */
    unsigned failures;        /* in a row */
    unsigned status;          /* of the last answer; 0: there was none */
    struct flow *flow;        /* that it stands by; NULL: none */
    struct hop *hop;          /* likewise */
    struct wall since, until; /* of the state; of what stands */
    struct wall next;
};

static void ask(struct registration *r, uint32_t expires);

static void become(struct registration *r, enum state state)
{
    if (r->state == state)
        return;
    r->state = state;
    r->since = loop_wall(r->means->loop);
}

static void after(struct registration *r, struct duration d)
{
    timer_stop(r->means->loop, &r->timer);
    timer_start(r->means->loop, &r->timer, d);
    r->next = wall_add(loop_wall(r->means->loop), d);
}

static void unbind(struct registration *r)
{
    if (r->hop)
        r->hop->bound = (struct hop_address){ 0 };
    r->hop = NULL;
    flow_unref(&r->flow);
    r->until.ms = 0;
}

/* Where it was taken is where it is kept (RFC 3261, 10.2; RFC 5626, 4.2). */
static void bind_to(struct registration *r, struct uac *request)
{
    struct flow *flow = flow_ref(uac_flow(request));
    unbind(r);
    r->flow = flow;
    r->hop = uac_hop(request);
    if (r->hop)
        r->hop->bound = (struct hop_address){ true, flow->transport, flow->remote };
}

/* ---- answers ---- */

static void succeed(struct registration *r, const struct sip_msg *resp)
{
    uint32_t expires = registering_granted(resp, span_str(r->contact), r->expires);
    metric_inc(M_B2BUA_REGISTRATIONS, WAS_REGISTERED);
    if (r->state != REGISTERED)
        log_info(&reg_log, "registered", kv_s("trunk", r->trunk->name), kv_u("expires", expires),
                 kv_addr("at", &uac_flow(r->request)->remote));
    bind_to(r, r->request);
    become(r, REGISTERED);
    r->failures = 0;
    r->until = wall_add(loop_wall(r->means->loop), DURATION_S(expires));
    after(r, registering_refresh(expires));
}

static void fail(struct registration *r, unsigned status, struct duration least, bool refused)
{
    r->failures++;
    r->status = status;
    metric_inc(M_B2BUA_REGISTRATIONS, refused ? WAS_REFUSED : WAS_FAILED);
    unbind(r);
    become(r, refused ? REFUSED : FAILED);
    struct duration d = registering_retry(r->conf->retry, r->failures);
    after(r, d.ms < least.ms ? least : d);
    log_warn(&reg_log, "not registered", kv_s("trunk", r->trunk->name), kv_u("status", status),
             kv_i("again_in_ms", CS_MAX(d.ms, least.ms)));
}

/* Of what was asked too much or too little; true: it is asked for again, otherwise. */
static bool adapts(struct registration *r, const struct sip_msg *resp)
{
    uint32_t longer = registering_longer(resp, r->expires);
    if (longer) {
        r->expires = longer;
        return true;
    }
    if ((resp->status == 439 || resp->status == 420) && r->outbound) { /* RFC 5626, 11.6 */
        r->outbound = false;
        return true;
    }
    return false;
}

static void on_response(void *arg, struct uac *request, struct sip_msg *resp)
{
    struct registration *r = arg;
    uint32_t later = 0;
    if (resp->status < 200)
        return;
    r->status = resp->status;
    if (r->leaving) {
        unbind(r);
        become(r, LEFT);
    } else if (resp->status < 300) {
        succeed(r, resp);
    } else if (!adapts(r, resp)) {
        if (sip_hdr_u32(resp, SIP_HDR_RETRY_AFTER, &later))
            later = 0;
        fail(r, resp->status, DURATION_S(CS_MIN(later, (uint32_t)REGISTERING_RETRY_MOST_S)),
             resp->status < 500 && resp->status != 408);
    } else {
        after(r, DURATION_MS(0));
    }
    r->request = NULL;
    uac_free(&request);
}

static void on_failed(void *arg, struct uac *request, unsigned status)
{
    struct registration *r = arg;
    r->request = NULL;
    uac_free(&request);
    if (r->leaving) {
        unbind(r);
        become(r, LEFT);
    } else {
        fail(r, status, DURATION_MS(0), false);
    }
}

/* ---- questions ---- */

static void write_lines(struct buf *b, const struct registration *r, uint32_t expires)
{
    buf_lit(b, "Contact: <");
    buf_put(b, span_str(r->contact));
    buf_putc(b, '>');
    if (r->outbound)
        buf_printf(b, ";reg-id=1;+sip.instance=\"<urn:uuid:%s>\"", r->instance);
    buf_printf(b, "\r\nExpires: %u\r\n", expires);
    buf_put(b, r->outbound ? SPAN("Supported: path, outbound\r\n") : SPAN("Supported: path\r\n"));
}

static void ask(struct registration *r, uint32_t expires)
{
    static const struct uac_events events = { on_response, on_failed };
    char lines[CONTACT_MAX + 256];
    struct hop *hops[HOPS_MAX];
    struct buf b = BUF_INIT(lines);
    const struct trunk_conf *t = r->trunk;
    write_lines(&b, r, expires);
    hops_order(t->hops, t->n_targets, r->dialog.call_id, loop_now(r->means->loop), hops);
    const struct uac_conf c = { .dialog = &r->dialog,
                                .method = SIP_REGISTER,
                                .hops = hops,
                                .n_hops = t->n_targets,
                                .answer = t->answer,
                                .max_forwards = 70,
                                .trunk = t->name,
                                .lines = buf_span(&b) };
    r->next.ms = 0;
    r->request = uac_send(r->means, &c, &events, r);
    if (!r->request)
        fail(r, 500, DURATION_MS(0), false);
}

static void on_timer(struct timer *t)
{
    struct registration *r = container_of(t, struct registration, timer);
    ask(r, r->expires);
}

void registration_lost(struct registration *r)
{
    if (r->leaving || r->request || !r->flow)
        return;
    log_warn(&reg_log, "what took the registration is gone", kv_s("trunk", r->trunk->name));
    unbind(r);
    become(r, TRYING);
    after(r, DURATION_MS(0));
}

bool registration_is_by(const struct registration *r, const struct flow *f)
{
    return r->flow == f;
}

void registration_leave(struct registration *r)
{
    bool stands = r->flow != NULL;
    r->leaving = true;
    timer_stop(r->means->loop, &r->timer);
    uac_free(&r->request); /* should it be answered yet, it ends by itself */
    if (stands)
        ask(r, 0);
    else
        become(r, LEFT);
}

bool registration_has_left(const struct registration *r)
{
    return !r->request;
}

bool registration_stands(const struct registration *r)
{
    return r->flow != NULL;
}

/* ---- shown ---- */

json_t *registration_describe(const struct registration *r)
{
    static const char *const states[] = { "trying", "registered", "refused", "failed", "left" };
    char text[ADDR_STRLEN + 8];
    struct buf b = BUF_INIT(text);
    if (r->flow) {
        buf_put(&b, sip_transport_name(r->flow->transport));
        buf_putc(&b, ' ');
        addr_write(&b, &r->flow->remote);
    }
    return json_pack("{s:s%, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "aor", r->conf->aor.p,
                     r->conf->aor.n, "contact", r->contact, "state", states[r->state], "since",
                     http_time(r->since), "status",
                     r->status ? json_integer(r->status) : json_null(), "expires",
                     http_time(r->until), "next", http_time(r->next), "target",
                     r->hop ? json_stringn(r->hop->text.p, r->hop->text.n) : json_null(), "address",
                     r->flow ? json_stringn(b.p, b.n) : json_null());
}

/* ---- life ---- */

/* The same each time this node registers with this trunk (RFC 5626, 4.1): a UUID out of their names
 * (RFC 9562, 5.8). */
static void name_instance(struct registration *r, struct span node)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char text[320];
    struct buf b = BUF_INIT(text), out = buf_of(r->instance, INSTANCE_LEN);
    buf_put(&b, node);
    buf_putc(&b, 0);
    buf_put(&b, r->trunk->name);
    if (!EVP_Digest(b.p, b.n, hash, NULL, EVP_sha256(), NULL))
        memset(hash, 0, sizeof(hash));
    hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x80);
    hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            buf_putc(&out, '-');
        buf_hex(&out, &hash[i], 1);
    }
}

static int write_identity(struct registration *r, struct span contact)
{
    const struct sip_uri *aor = &r->conf->uri;
    char address[SIP_AOR_MAX + 16], uri[300];
    struct buf ab = BUF_INIT(address), ub = BUF_INIT(uri);
    struct buf cb = buf_of(r->contact, sizeof(r->contact) - 1);
    buf_putc(&ab, '<');
    buf_put(&ab, aor->text);
    buf_putc(&ab, '>');
    buf_put(&ub, aor->scheme == SIP_SCHEME_SIPS ? SPAN("sips:") : SPAN("sip:"));
    buf_put(&ub, aor->host);
    buf_lit(&cb, "sip:");
    buf_put(&cb, aor->user);
    buf_putc(&cb, '@');
    buf_put(&cb, span_skip(contact, sizeof("sip:") - 1));
    if (!buf_ok(&ab) || !buf_ok(&ub) || !buf_ok(&cb))
        return CS_ELIMIT;
    return dialog_to(&r->dialog, buf_span(&ab), buf_span(&ab), buf_span(&ub), 0);
}

struct registration *registration_open(const struct uac_means *m, const struct trunk_conf *t,
                                       struct span contact, struct span node)
{
    struct registration *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    *r = (struct registration){ .means = m,
                                .trunk = t,
                                .conf = t->registers,
                                .outbound = t->registers->outbound,
                                .expires = (uint32_t)(t->registers->expires.ms / 1000) };
    timer_init(&r->timer, on_timer);
    name_instance(r, node);
    if (write_identity(r, contact)) {
        registration_close(&r);
        return NULL;
    }
    r->since = loop_wall(m->loop);
    after(r, DURATION_MS(0));
    return r;
}

void registration_close(struct registration **rp)
{
    struct registration *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    timer_stop(r->means->loop, &r->timer);
    uac_free(&r->request);
    unbind(r);
    dialog_fini(&r->dialog);
    free(r);
}
