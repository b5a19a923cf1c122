#include "capture/capture.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/lru.h"
#include "base/metric.h"
#include "capture/collector.h"
#include "capture/trace.h"
#include "sip/mask.h"

#define AUTH(name) Countersign__Auth__##name

enum {
    ORIGINS_MAX = 4096,           /* Call-IDs whose call began with another */
    MESSAGE_MAX = 64 * 1024,      /* what is longer is cut */
    BYTES_A_SECOND = 1024 * 1024, /* that authd is told, over all traces */
    FATE_TOLD = 0,
    FATE_DROPPED = 1, /* of TRACE_MESSAGES */
};

struct capture {
    struct loop *loop;
    struct capture_conf conf;
    struct gate *gate;
    struct collector *collector; /* NULL: none */
    struct trace traces[CAPTURE_TRACES];
    struct lru origins;
    size_t told; /* bytes, in this second */
    struct mono second;
    char text[MESSAGE_MAX]; /* of the message at hand, masked */
};

/* ---- what authd asked for ---- */

static siptp_tap_fn on_message;

static bool runs(const struct capture *c, const struct trace *t)
{
    return t->id && mono_before(loop_now(c->loop), t->until);
}

static void tap_or_not(struct capture *c)
{
    bool wanted = c->collector;
    for (size_t i = 0; i < CAPTURE_TRACES; i++)
        wanted |= c->traces[i].id != 0;
    siptp_tap(c->conf.tp, wanted ? on_message : NULL, c);
}

static bool tell(struct capture *c, struct trace *t, AUTH(Traced) * m)
{
    m->id = t->id;
    m->number = t->number;
    if (!c->gate || !gate_tell_traced(c->gate, m))
        return false;
    t->told = t->number;
    return true;
}

/* How many were dropped since the last that was told. */
static void tell_number(struct capture *c, struct trace *t)
{
    AUTH(Traced) m = COUNTERSIGN__AUTH__TRACED__INIT;
    if (t->told == t->number)
        return;
    m.has_node = true;
    m.node = siptp_node(c->conf.tp);
    if (!tell(c, t, &m))
        log_debug(&(struct log){ .module = "trace" }, "authd cannot be told what was dropped");
}

static struct trace *place_of(struct capture *c, uint64_t id)
{
    struct trace *free_one = NULL;
    for (size_t i = 0; i < CAPTURE_TRACES; i++) {
        struct trace *t = &c->traces[i];
        if (t->id == id)
            return t;
        if (!runs(c, t))
            free_one = t;
    }
    return free_one;
}

static void on_trace(void *arg, const AUTH(Trace) * m)
{
    struct capture *c = arg;
    struct trace *t = m ? place_of(c, m->id) : NULL;
    if (!m)
        memset(c->traces, 0, sizeof(c->traces));
    if (t && t->id == m->id)
        tell_number(c, t);
    if (t && (!m->seconds || trace_set(t, m, loop_now(c->loop))))
        t->id = 0;
    tap_or_not(c);
}

/* ---- messages ---- */

struct seen { /* a message; everything is borrowed */
    const struct flow *flow;
    bool sent;
    struct shown shown;
    struct span text; /* masked */
    size_t size;
    uint64_t time_us;
};

static bool is_link(const struct flow *f)
{
    return f->transport == SIP_LINK;
}

/* A C string in a. */
static char *text_of(struct arena *a, struct span s)
{
    return s.p ? arena_str(a, s) : NULL;
}

static void fill_addresses(AUTH(Traced) * m, const struct flow *f)
{
    const struct span local = addr_host_bytes(&f->local), remote = addr_host_bytes(&f->remote);
    if (is_link(f)) {
        m->has_peer = f->peer != 0;
        m->peer = f->peer;
        return;
    }
    m->has_local_ip = m->has_local_port = m->has_remote_ip = m->has_remote_port = true;
    m->local_ip.data = (uint8_t *)local.p;
    m->local_ip.len = local.n;
    m->local_port = addr_port(&f->local);
    m->remote_ip.data = (uint8_t *)remote.p;
    m->remote_ip.len = remote.n;
    m->remote_port = addr_port(&f->remote);
}

static void fill(AUTH(Traced) * m, struct capture *c, const struct seen *s, struct arena *a)
{
    const struct siptp_reason *why = s->sent ? siptp_reason(c->conf.tp) : NULL;
    const struct span text = span_head(s->text, CAPTURE_TEXT_MAX);
    m->has_time_us = m->has_transport = m->has_node = m->has_text = true;
    m->has_sent = m->sent = s->sent;
    m->time_us = s->time_us;
    m->transport = gate_transport(s->flow->transport);
    m->node = siptp_node(c->conf.tp);
    m->text.data = (uint8_t *)text.p;
    m->text.len = text.n;
    m->has_size = text.n < s->size;
    m->size = (uint32_t)s->size;
    m->call_id = text_of(a, s->shown.msg->call_id);
    m->origin = text_of(a, s->shown.origin);
    m->has_cause = why && why->cause;
    if (why) {
        m->cause = (AUTH(Cause))why->cause;
        m->decision = (char *)why->decision;
    }
    fill_addresses(m, s->flow);
}

static bool may_tell(struct capture *c, size_t n)
{
    const struct mono now = loop_now(c->loop);
    if (mono_since(c->second, now).ms >= 1000) {
        c->second = now;
        c->told = 0;
    }
    if (c->told + n > BYTES_A_SECOND)
        return false;
    c->told += n;
    return true;
}

static void trace_it(struct capture *c, struct trace *t, const struct seen *s)
{
    AUTH(Traced) m = COUNTERSIGN__AUTH__TRACED__INIT;
    char memory[1024];
    struct arena a;
    if (!trace_fits(t, &s->shown))
        return;
    arena_init(&a, memory, sizeof(memory), 0);
    fill(&m, c, s, &a);
    const bool told = trace_may(t, loop_now(c->loop)) && may_tell(c, m.text.len) && tell(c, t, &m);
    metric_inc(M_TRACE_MESSAGES, told ? FATE_TOLD : FATE_DROPPED);
    arena_fini(&a);
}

/* A link has no addresses: one of loopback's, by the node's short name, stands for it. */
static in_addr_t stand_in(uint32_t node)
{
    return htonl(0x7f000000 | (node & 0xffffff));
}

static void export_it(struct capture *c, const struct seen *s)
{
    const struct flow *f = s->flow;
    struct hep h = { .from = s->sent ? f->local : f->remote,
                     .to = s->sent ? f->remote : f->local,
                     .stream = flow_is_reliable(f),
                     .time_us = s->time_us,
                     .type = HEP_SIP,
                     .correlation = s->shown.origin.p ? s->shown.origin : s->shown.msg->call_id,
                     .payload = s->text };
    if (is_link(f)) {
        h.from.in4 = (struct sockaddr_in){ .sin_family = AF_INET };
        h.to.in4 = h.from.in4;
        h.from.in4.sin_addr.s_addr = stand_in(s->sent ? siptp_node(c->conf.tp) : f->peer);
        h.to.in4.sin_addr.s_addr = stand_in(s->sent ? f->peer : siptp_node(c->conf.tp));
    }
    collector_send(c->collector, &h);
}

/* Who made the leg knows, and says so on the link in its first message. */
static struct span origin_of(struct capture *c, const struct flow *f, const struct sip_msg *m)
{
    const struct mono now = loop_now(c->loop);
    const struct span known = c->conf.origin ? c->conf.origin(c->conf.arg, m) : SPAN_NULL;
    const struct span said = is_link(f) ? sip_hdr_value(m, SIP_HDR_ORIGIN) : SPAN_NULL;
    if (known.p)
        return known;
    if (said.n)
        lru_put(&c->origins, m->call_id, said, now);
    return said.n ? said : lru_get(&c->origins, m->call_id, now);
}

static void on_message(void *arg, const struct flow *f, bool sent, struct span text)
{
    static const struct addr nowhere;
    static const struct sip_limits wide = { .message = 128 * 1024, .headers = 512 };
    struct capture *c = arg;
    struct sip_msg *m;
    if (sip_msg_parse(text, true, &wide, &m))
        return;
    const size_t n = CS_MIN(m->raw.n, sizeof(c->text));
    memcpy(c->text, m->raw.p, n);
    sip_mask(c->text, n);
    struct seen s = { .flow = f,
                      .sent = sent,
                      .shown = { m, is_link(f) ? &nowhere : &f->remote, SPAN_NULL },
                      .text = span_of(c->text, n),
                      .size = m->raw.n,
                      .time_us = clock_wall_us() };
    s.shown.origin = origin_of(c, f, m);
    bool over = false;
    for (size_t i = 0; i < CAPTURE_TRACES; i++) {
        struct trace *t = &c->traces[i];
        if (runs(c, t))
            trace_it(c, t, &s);
        else if (t->id)
            over = true;
    }
    if (c->collector)
        export_it(c, &s);
    sip_msg_unref(&m);
    if (over) {
        for (size_t i = 0; i < CAPTURE_TRACES; i++)
            c->traces[i].id = runs(c, &c->traces[i]) ? c->traces[i].id : 0;
        tap_or_not(c);
    }
}

/* ---- entry points ---- */

int capture_open(struct loop *l, const struct capture_conf *conf, struct capture **out)
{
    struct capture *c = *out = calloc(1, sizeof(*c));
    if (!c)
        return CS_ENOMEM;
    c->loop = l;
    c->conf = *conf;
    lru_init(&c->origins, ORIGINS_MAX, DURATION_S(3600));
    int err = conf->hep ? collector_open(l, conf->hep, conf->node, &c->collector) : 0;
    if (err) {
        capture_close(out);
        return err;
    }
    tap_or_not(c);
    return 0;
}

void capture_use(struct capture *c, struct gate *g)
{
    c->gate = g;
    gate_on_trace(g, on_trace, c);
}

void capture_close(struct capture **cp)
{
    struct capture *c = *cp;
    *cp = NULL;
    if (!c)
        return;
    siptp_tap(c->conf.tp, NULL, NULL);
    if (c->gate)
        gate_on_trace(c->gate, NULL, NULL);
    collector_close(&c->collector);
    lru_fini(&c->origins);
    free(c);
}
