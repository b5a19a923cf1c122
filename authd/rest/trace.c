/* GET /v1/trace: SIP messages of a user, a call or a source as they come and go, in the whole
 * installation, as server-sent events. Secrets were masked where they were seen. */
#include <stdlib.h>

#include "authd/audit/traces.h"
#include "authd/check/check.h"
#include "authd/rest/op.h"
#include "sip/uri.h"

enum { SECONDS = 60, SECONDS_MAX = 3600, RATE_MAX = 500, BEAT_S = 15, LAST_MS = 1000, NAMES = 66 };

#define AUTH(name) Countersign__Auth__##name

struct tracer { /* in the arena of its request */
    struct op op;
    AUTH(Trace) what;
    struct span user, shown; /* shown: what the audit log says */
    unsigned seconds;
    struct trace_look *look;
    struct mono due;
    bool ending, ended, beat, greeted;
    struct timer timer;
    uint64_t told, dropped;
    char *pending; /* owned: what it was told but has not taken */
    size_t at, n;
};

/* ---- what is told ---- */

static json_t *address(bool has, ProtobufCBinaryData ip, uint32_t port)
{
    char text[ADDR_STRLEN];
    struct addr a;
    if (!has || addr_from_bytes(span_of(ip.data, ip.len), &a))
        return NULL;
    addr_set_port(&a, (uint16_t)port);
    return json_string(addr_format(&a, text));
}

static void set(json_t *j, const char *name, json_t *value)
{
    if (value)
        json_object_set_new(j, name, value);
}

static void set_text(json_t *j, const char *name, const char *text)
{
    if (text)
        json_object_set_new(j, name, json_of(span_str(text)));
}

/* "2026-11-22T01:02:03.456789Z" */
static json_t *time_of(uint64_t us)
{
    char text[WALL_STRLEN + 3];
    wall_format((struct wall){ (int64_t)(us / 1000) }, text);
    snprintf(text + WALL_STRLEN - 2, 5, "%03uZ", (unsigned)(us % 1000));
    return json_string(text);
}

static json_t *message(const struct trace_entry *e)
{
    const AUTH(Traced) *m = e->traced;
    json_t *j = json_object();
    set(j, "time", time_of(m->time_us));
    set(j, "node", json_of(e->node));
    set(j, "role", json_of(e->role));
    set(j, "direction", json_string(m->sent ? "sent" : "received"));
    set(j, "transport", json_of(facts_transport(m->transport)));
    set(j, "local", address(m->has_local_ip, m->local_ip, m->local_port));
    set(j, "remote", address(m->has_remote_ip, m->remote_ip, m->remote_port));
    set(j, "peer", e->peer.p ? json_of(e->peer) : NULL);
    set_text(j, "call_id", m->call_id);
    set_text(j, "origin", m->origin);
    set(j, "cause", m->has_cause ? json_of(cause_name(m->cause)) : NULL);
    set_text(j, "decision", m->decision);
    set(j, "size", m->has_size ? json_integer(m->size) : NULL);
    set(j, "message", json_of(span_of(m->text.data, m->text.len)));
    return j;
}

/* Room for an event; CS_ENOMEM. data is stolen. */
static int put_event(struct tracer *t, const char *event, json_t *data)
{
    char *text = data ? json_dumps(data, JSON_COMPACT) : NULL;
    const size_t room = t->n + (text ? strlen(text) : 0) + 64;
    char *p = text ? realloc(t->pending, room) : NULL;
    json_decref(data);
    if (!p) {
        free(text);
        return CS_ENOMEM;
    }
    struct buf b = buf_of(p + t->n, room - t->n);
    buf_printf(&b, "event: %s\ndata: ", event);
    buf_put(&b, span_str(text));
    buf_lit(&b, "\n\n");
    free(text);
    t->pending = p;
    t->n += b.n;
    return buf_ok(&b) ? 0 : CS_ENOMEM;
}

static int put_comment(struct tracer *t, struct span text)
{
    t->pending = malloc(text.n);
    if (!t->pending)
        return CS_ENOMEM;
    memcpy(t->pending, text.p, text.n);
    t->n = text.n;
    return 0;
}

static json_t *dropped(struct span node, uint64_t n)
{
    return json_pack("{s:o, s:I}", "node", json_of(node), "messages", (json_int_t)n);
}

/* 1: there is something pending; 0: nothing is to be told; negative: that was all. */
static int prepare(struct tracer *t)
{
    struct trace_entry e;
    int err = 0;
    t->n = t->at = 0;
    if (!t->greeted) {
        t->greeted = true;
        err = put_comment(t, SPAN(": listening\n\n"));
    } else if (trace_next(t->look, &e)) {
        t->dropped += e.dropped;
        if (e.dropped)
            err = put_event(t, "dropped", dropped(e.node, e.dropped));
        if (!err && e.traced->has_text) {
            t->told++;
            err = put_event(t, "message", message(&e));
        }
    } else if (t->ended && !t->due.ns) {
        return CS_ECLOSED;
    } else if (t->ended) {
        t->due.ns = 0;
        err = put_event(t, "end",
                        json_pack("{s:I, s:I}", "messages", (json_int_t)t->told, "dropped",
                                  (json_int_t)t->dropped));
    } else if (t->beat) {
        t->beat = false;
        err = put_comment(t, SPAN(":\n\n"));
    }
    return err ? err : t->n > 0;
}

static ptrdiff_t pull(void *arg, char *to, size_t n)
{
    struct tracer *t = arg;
    int more = t->pending ? 1 : prepare(t);
    if (more != 1)
        return more;
    n = CS_MIN(n, t->n - t->at);
    memcpy(to, t->pending + t->at, n);
    t->at += n;
    if (t->at == t->n) {
        free(t->pending);
        t->pending = NULL;
    }
    return (ptrdiff_t)n;
}

static void wake(void *arg)
{
    http_wake(((struct tracer *)arg)->op.req);
}

static void on_timer(struct timer *timer)
{
    struct tracer *t = container_of(timer, struct tracer, timer);
    struct loop *l = t->op.rest->loop;
    const struct mono now = loop_now(l);
    if (t->ending) {
        t->ended = true;
    } else if (!mono_before(now, t->due)) {
        trace_stop(t->look);
        t->ending = true;
        timer_start(l, timer, DURATION_MS(LAST_MS));
    } else {
        const int64_t left = mono_since(now, t->due).ms + 1;
        t->beat = true;
        timer_start(l, timer, DURATION_MS(CS_MIN(left, BEAT_S * 1000)));
    }
    wake(t);
}

static void closed(void *arg)
{
    struct tracer *t = arg;
    timer_stop(t->op.rest->loop, &t->timer);
    trace_end(&t->look);
    free(t->pending);
    t->pending = NULL;
    log_action(&t->op, SPAN("trace ended"), t->shown, SPAN_NULL);
}

/* ---- what is asked for ---- */

static void begin(struct tracer *t)
{
    struct loop *l = t->op.rest->loop;
    struct http_req *req = t->op.req;
    const struct http_feed feed = { .pull = pull, .closed = closed, .arg = t };
    struct traces *traces = t->op.rest->conf.checker->traces;
    const struct wall until = http_until(req);
    if (until.ms) { /* whose token is another's shows it again */
        const int64_t left_s = (until.ms - loop_wall(l).ms) / 1000;
        t->seconds = (unsigned)CS_MIN((int64_t)t->seconds, CS_MAX(left_s, 1));
    }
    t->look = traces ? trace_begin(traces, &t->what, wake, t) : NULL;
    op_leave(&t->op);
    if (!t->look) {
        http_reply_header(req, "Retry-After", "10");
        http_problem(req, 503, "overloaded", "Cannot trace",
                     "%d traces run already, or Redis does not answer. Try again later.",
                     TRACES_MAX);
        return;
    }
    t->due = mono_add(loop_now(l), DURATION_S(t->seconds));
    timer_init(&t->timer, on_timer);
    timer_start(l, &t->timer, DURATION_S(CS_MIN(t->seconds, (unsigned)BEAT_S)));
    log_action(&t->op, SPAN("trace begun"), t->shown, SPAN_NULL);
    http_reply_feed(req, "text/event-stream", &feed);
}

static bool add_name(struct tracer *t, struct span name)
{
    char *text = arena_str(http_arena(t->op.req), name);
    if (!text)
        return false;
    t->what.aor[t->what.n_aor++] = text;
    return true;
}

/* Whom no record tells of may be a number, or somebody at a trunk. */
static bool add_as_written(struct tracer *t)
{
    char text[SIP_AOR_MAX], with_scheme[SIP_AOR_MAX + 8];
    struct buf aor = BUF_INIT(text), b = BUF_INIT(with_scheme);
    struct sip_uri uri;
    const struct span as = t->shown;
    if (span_find(as, '@') < 0)
        return add_name(t, as);
    if (!span_casestarts(as, SPAN("sip:")) && !span_casestarts(as, SPAN("sips:")))
        buf_lit(&b, "sip:");
    buf_put(&b, as);
    if (!buf_ok(&b) || sip_uri_parse(buf_span(&b), &uri) || sip_aor_write(&aor, &uri))
        return add_name(t, as);
    return add_name(t, buf_span(&aor));
}

static void on_user(void *arg, int err, const struct user *u)
{
    struct tracer *t = arg;
    t->op.call = NULL;
    bool ok = true;
    if (err && err != CS_ENOENT) {
        op_store_error(&t->op, err);
        return;
    }
    for (size_t i = 0; ok && !err && i < u->n_aors && i < NAMES - 1; i++)
        ok = add_name(t, u->aors[i]);
    if (ok && (err || !u->n_aors))
        ok = add_as_written(t);
    if (ok)
        begin(t);
    else
        op_no_memory(&t->op);
}

static void find_user(struct tracer *t)
{
    struct rest *rest = t->op.rest;
    struct fault f = { 0 };
    struct span name = t->shown, realm = SPAN_NULL;
    t->what.aor = arena_zalloc(http_arena(t->op.req), NAMES * sizeof(*t->what.aor));
    if (!t->what.aor) {
        op_no_memory(&t->op);
        return;
    }
    if (span_find(name, ':') < 0) {
        const ptrdiff_t at = span_find(name, '@');
        realm = at < 0 ? SPAN_NULL : span_skip(name, (size_t)at + 1);
        name = at < 0 ? name : span_head(name, (size_t)at);
    }
    const struct realm_conf *r = span_find(name, ':') < 0 ? realm_of(rest, realm, &f) : NULL;
    if (!r || name.n == 0 || name.n > USER_MAX_NAME) {
        on_user(t, CS_ENOENT, NULL);
        return;
    }
    t->op.call = store_get_user(rest->conf.store, name, r->name, on_user, t);
    if (!t->op.call)
        op_no_memory(&t->op);
}

static int number_of(struct http_req *req, const char *name, unsigned standard, unsigned max,
                     unsigned *out, struct fault *f)
{
    const struct span text = http_query(req, name);
    uint64_t n = standard;
    if (text.p && (span_u64(text, max, &n) || n == 0))
        return fault_set(f, 400, name, "Invalid number", "%s must be 1 to %u.", name, max);
    *out = (unsigned)n;
    return 0;
}

static int read_source(struct tracer *t, struct span text, struct fault *f)
{
    struct addr a;
    if (addr_parse_host(text, 0, &a))
        return fault_set(f, 400, "source", "Invalid address", "source is an IP address.");
    const struct span bytes = arena_dup(http_arena(t->op.req), addr_host_bytes(&a));
    t->what.has_source_ip = true;
    t->what.source_ip.data = (uint8_t *)bytes.p;
    t->what.source_ip.len = bytes.n;
    return bytes.p ? 0 : fault_no_memory(f);
}

static int read_wish(struct tracer *t, struct fault *f)
{
    struct http_req *req = t->op.req;
    const struct span user = http_query(req, "user"), call_id = http_query(req, "call_id"),
                      source = http_query(req, "source"), all = http_query(req, "all");
    if (!!user.n + !!call_id.n + !!source.n + !!all.p != 1)
        return fault_set(f, 400, "filter", "What is to be traced?",
                         "Give one of user, call_id, source and all.");
    t->shown = user.n ? user : call_id.n ? call_id : source.n ? source : SPAN("all");
    t->user = user;
    if (t->shown.n > 255)
        return fault_set(f, 400, "filter", "Too long", "It has at most 255 characters.");
    countersign__auth__trace__init(&t->what);
    t->what.has_rate = true;
    int err = number_of(req, "seconds", SECONDS, SECONDS_MAX, &t->seconds, f);
    if (!err)
        err = number_of(req, "rate", 100, RATE_MAX, &t->what.rate, f);
    if (!err && source.n)
        err = read_source(t, source, f);
    if (!err && call_id.n) {
        t->what.call_id = arena_str(http_arena(req), call_id);
        if (!t->what.call_id)
            err = fault_no_memory(f);
    }
    return err;
}

void rest_trace(struct http_req *req, void *arg)
{
    struct tracer *t = op_new(arg, req, sizeof(*t));
    struct fault f = { 0 };
    if (!t)
        return;
    if (read_wish(t, &f))
        op_fault(&t->op, &f);
    else if (t->user.p && t->user.n)
        find_user(t);
    else
        begin(t);
}
