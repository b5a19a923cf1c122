#include "b2bua/sccp/session.h"

#include <assert.h>
#include <stdlib.h>

#include "b2bua/sccp/configure.h"
#include "b2bua/sccp/print.h"
#include "b2bua/sccp/table.h"
#include "base/metric.h"

enum { SILENT = 3 /* keepalives */, WAIT_S = 5, UTF8 = 0x10 };

/* ---- sending ---- */

static void trace(const struct sccp_session *s, const char *what, const struct sccp_frame *f)
{
    char text[2 * SCCP_FRAME_MAX];
    struct buf b = BUF_INIT(text);
    if (log_level() > LOG_DEBUG)
        return;
    sccp_print(&b, f, s->dialect.version);
    log_debug(&s->log, what, kv_s("message", buf_span(&b)));
}

void sccp_session_send(struct sccp_session *s, const struct buf *b)
{
    struct span rest = buf_span(b);
    struct sccp_frame f;
    if (s->closing)
        return;
    if (!buf_ok(b))
        log_error(&s->log, "a message could not be written; please report this");
    for (ptrdiff_t n; (n = sccp_frame(rest, &f)) > 0; rest = span_skip(rest, (size_t)n))
        trace(s, "sent", &f);
    if (b->n)
        s->io->write(s->io_arg, buf_span(b));
}

/* ---- who is here ---- */

static bool has_name(const struct map_node *n, const void *key)
{
    const struct sccp_session *s = container_of(n, struct sccp_session, node);
    return span_eq(span_str(s->name), *(const struct span *)key);
}

struct sccp_session *sccp_find(const struct sccp *x, struct span name)
{
    struct map_node *n = map_find(&x->devices, map_hash(name), has_name, &name);
    return n ? container_of(n, struct sccp_session, node) : NULL;
}

static void stop_waiting(struct sccp_session *s)
{
    if (list_empty(&s->waiting))
        return;
    list_remove(&s->waiting);
    s->sccp->n_waiting--;
}

static void forget(struct sccp_session *s, void **asked)
{
    if (*asked)
        s->sccp->directory->cancel(s->sccp->directory->arg, *asked);
    *asked = NULL;
}

static void forget_questions(struct sccp_session *s)
{
    forget(s, &s->asked);
    forget(s, &s->before);
}

static void detach(struct sccp_session *s)
{
    if (!s->attached)
        return;
    s->attached = false;
    map_remove(&s->sccp->devices, &s->node);
    metric_set(M_SCCP_DEVICES, 0, (int64_t)s->sccp->devices.n);
}

static void close_session(struct sccp_session *s, enum sccp_end why)
{
    static const char *const words[] = {
        [SCCP_END_LOST] = "the connection is gone",
        [SCCP_END_LEFT] = "it unregistered",
        [SCCP_END_REFUSED] = "it was refused",
        [SCCP_END_LATER] = "nobody could say whether it may register",
        [SCCP_END_REPLACED] = "it is here by another connection",
        [SCCP_END_RESTARTED] = "it is to register again",
        [SCCP_END_SILENT] = "nothing was heard of it",
        [SCCP_END_STALLED] = "it did not register in time",
        [SCCP_END_MALFORMED] = "what it says is no SCCP",
        [SCCP_END_CROWDED] = "too many have not registered",
        [SCCP_END_STOPPED] = "we stop",
        [SCCP_END_UNHEARD] = "its source is not heard",
    };
    if (s->closing)
        return;
    bool was = s->attached;
    s->closing = true;
    s->end = why;
    s->state = SCCP_STATE_LEAVING;
    timer_stop(s->sccp->loop, &s->deadline);
    stop_waiting(s);
    forget_questions(s);
    detach(s);
    metric_inc(M_SCCP_CLOSED, why);
    if (was || why == SCCP_END_REFUSED)
        log_info(&s->log, was ? "device left" : "device refused", kv_str("reason", words[why]));
    else
        log_debug(&s->log, "connection closed", kv_str("reason", words[why]));
    if (was && why != SCCP_END_REPLACED && s->sccp->events->detached)
        s->sccp->events->detached(s->sccp->arg, s);
    if (!was && !s->device && s->sccp->events->stranger_left)
        s->sccp->events->stranger_left(s->sccp->arg, s);
    if (why != SCCP_END_LOST)
        s->io->close(s->io_arg);
}

/* ---- the machine ---- */

static void happen(struct sccp_session *s, enum sccp_event e, const struct sccp_message *m,
                   const struct sccp_answer *a);

static void rearm(struct sccp_session *s)
{
    const struct sccp_conf *c = &s->sccp->conf;
    struct duration silence = { SILENT * c->keepalive.ms };
    timer_start(s->sccp->loop, &s->deadline,
                s->state == SCCP_STATE_REGISTERED ? silence : c->register_within);
}

/* Who was accepted has time again when he goes on; a stranger has what he began with. */
static void go_on(struct sccp_session *s, enum sccp_state before, enum sccp_event e)
{
    bool step = s->state != before || e == SCCP_EV_REQUEST || e == SCCP_EV_CAPABLE;
    if (s->state == SCCP_STATE_REGISTERED ||
        (step && (s->state == SCCP_STATE_TOKEN || s->state == SCCP_STATE_CONFIGURING)))
        rearm(s);
}

/* Of one that was here, and nobody can say whether it may register once more: it stays. */
static void go_back(struct sccp_session *s)
{
    forget(s, &s->asked);
    s->asked = s->before;
    s->before = NULL;
    s->odd = !s->odd;
    happen(s, SCCP_EV_ACCEPTED, NULL,
           &(struct sccp_answer){ .verdict = SCCP_ACCEPTED, .device = s->device });
}

static void answered(struct sccp_session *s, const struct sccp_answer *a)
{
    static const enum sccp_event events[] = { [SCCP_LATER] = SCCP_EV_LATER,
                                              [SCCP_REJECTED] = SCCP_EV_REJECTED,
                                              [SCCP_ACCEPTED] = SCCP_EV_ACCEPTED };
    if (a->verdict == SCCP_LATER && s->before) {
        go_back(s);
        return;
    }
    forget(s, &s->before);
    happen(s, events[a->verdict], NULL, a);
}

/* To what was asked before only a refusal is still an answer. */
static void on_even(void *arg, const struct sccp_answer *a)
{
    struct sccp_session *s = arg;
    if (!s->odd || a->verdict == SCCP_REJECTED)
        answered(s, a);
}

static void on_odd(void *arg, const struct sccp_answer *a)
{
    struct sccp_session *s = arg;
    if (s->odd || a->verdict == SCCP_REJECTED)
        answered(s, a);
}

static void ask(struct sccp_session *s, bool token)
{
    const struct sccp_directory *d = s->sccp->directory;
    struct sccp_question q = { .listener = s->listener,
                               .secure = s->secure,
                               .source = &s->source,
                               .name = span_str(s->name),
                               .type = s->type,
                               .version = s->offered,
                               .load = span_str(s->load),
                               .token = token };
    q.certificate = s->io->certificate(s->io_arg, &q.issuer);
    if (s->attached && !token && !s->before) {
        s->before = s->asked;
        s->asked = NULL;
    }
    forget(s, &s->asked);
    s->odd = !s->odd;
    s->asked = d->ask(d->arg, &q, s->odd ? on_odd : on_even, s);
    if (!s->asked)
        answered(s, &(struct sccp_answer){ .wait_s = WAIT_S });
}

/* Its name is a key, and stands in logs and in questions. */
static bool is_name(struct span name)
{
    bool ok = name.n > 0 && name.n <= SCCP_NAME_MAX;
    for (size_t i = 0; i < name.n; i++)
        ok &= ascii_alpha(name.p[i]) || ascii_digit(name.p[i]) || strchr("-_.", name.p[i]);
    return ok;
}

/* Whether it says who it is, and says the same as before: one connection is of one device. */
static bool keep_name(struct sccp_session *s, struct span name)
{
    if (!is_name(name) || (s->name[0] && !span_eq(span_str(s->name), name)))
        return false;
    span_copy(s->name, sizeof(s->name), name);
    s->log.ctx[0] = kv_str("device", s->name);
    return true;
}

static void refuse(struct sccp_session *s, struct span reason)
{
    SCCP_SEND(s, register_reject, .reason = reason);
    metric_inc(M_SCCP_REGISTRATIONS, 1);
    close_session(s, SCCP_END_REFUSED);
}

static void start_register(struct sccp_session *s, const struct sccp_register_device *r)
{
    if (!keep_name(s, r->name)) {
        refuse(s, SPAN("Invalid device name"));
        return;
    }
    s->type = r->type;
    s->offered = r->version;
    span_copy(s->load, sizeof(s->load), r->load);
    s->dialect.utf8 = r->features[1] & UTF8;
    ask(s, false);
}

static void start_token(struct sccp_session *s, const struct sccp_register_token_req *r)
{
    if (!keep_name(s, r->name)) {
        close_session(s, SCCP_END_REFUSED);
        return;
    }
    s->type = r->type;
    ask(s, true);
}

static int keep_device(struct sccp_session *s, const struct sccp_device *device)
{
    struct arena fresh;
    arena_init_small(&fresh);
    const struct sccp_device *copy = sccp_device_copy(&fresh, device);
    if (!copy) {
        arena_fini(&fresh);
        return CS_ENOMEM;
    }
    arena_fini(&s->arena);
    s->arena = fresh;
    s->device = copy;
    s->outdated = false;
    return 0;
}

/* Takes the device's place, from whoever has it. */
static int attach(struct sccp_session *s, const struct sccp_device *device,
                  struct sccp_session **was)
{
    struct sccp *x = s->sccp;
    *was = sccp_find(x, span_str(s->name));
    if (keep_device(s, device))
        return CS_ENOMEM;
    if (*was && *was != s)
        happen(*was, SCCP_EV_REPLACED, NULL, NULL);
    int err = s->attached ? 0 : map_insert(&x->devices, &s->node, map_hash(span_str(s->name)));
    if (err)
        return err;
    s->attached = true;
    stop_waiting(s);
    metric_set(M_SCCP_DEVICES, 0, (int64_t)x->devices.n);
    return 0;
}

static void send_ack(struct sccp_session *s)
{
    const struct sccp_conf *c = &s->sccp->conf;
    const uint32_t seconds = (uint32_t)(c->keepalive.ms / 1000);
    struct sccp_register_ack ack = { .keepalive = seconds,
                                     .keepalive_secondary = 2 * seconds,
                                     .date = s->device->date.n ? s->device->date : c->date,
                                     .version = (uint8_t)s->dialect.version };
    char text[SCCP_FRAME_MAX];
    struct buf b = BUF_INIT(text);
    sccp_features(s->dialect.version, ack.features);
    sccp_put_register_ack(&b, &s->dialect, &ack);
    sccp_put_capabilities_req(&b, &s->dialect, &(struct sccp_capabilities_req){});
    sccp_session_send(s, &b);
}

static void welcome(struct sccp_session *s, const struct sccp_device *device)
{
    struct sccp_session *was;
    if (attach(s, device, &was)) {
        close_session(s, SCCP_END_LATER);
        return;
    }
    s->dialect.version = sccp_agree(s->offered);
    s->since = loop_wall(s->sccp->loop);
    metric_inc(M_SCCP_REGISTRATIONS, 0);
    const char *type = sccp_word(SCCP_WORDS_device, s->type);
    log_info(&s->log, "device registered", type ? kv_str("type", type) : kv_u("type", s->type),
             kv_u("version", s->dialect.version), kv_addr("address", &s->source),
             kv_str("alarm", s->alarm));
    send_ack(s);
    if (s->sccp->events->attached)
        s->sccp->events->attached(s->sccp->arg, s, was);
}

static void learn(struct sccp_session *s, const struct sccp_message *m)
{
    bool update = m->kind == SCCP_UpdateCapabilities;
    const struct sccp_capability *c =
        update ? m->update_capabilities.audio : m->capabilities_res.audio;
    uint32_t n = update ? m->update_capabilities.n : m->capabilities_res.n;
    s->n_codecs = 0;
    s->events = false;
    for (uint32_t i = 0; i < n; i++) {
        s->events |= c[i].codec == SCCP_CODEC_EVENTS;
        if (c[i].codec && c[i].codec < 100) /* above are no codecs */
            s->codecs[s->n_codecs++] =
                (struct sccp_codec){ (uint16_t)c[i].codec,
                                     (uint16_t)CS_MIN(c[i].frames, (uint32_t)UINT16_MAX) };
    }
}

static void configure(struct sccp_session *s, const struct sccp_message *m)
{
    const struct sccp_conf *c = &s->sccp->conf;
    const struct sccp_house house = { c->name, s->local, c->date, c->zone,
                                      loop_wall(s->sccp->loop) };
    char text[2 * SCCP_FRAME_MAX];
    struct buf b = BUF_INIT(text);
    sccp_configure(&b, &s->dialect, m, s->device, &house);
    sccp_session_send(s, &b);
}

static void note(struct sccp_session *s, const struct sccp_message *m)
{
    if (m->kind == SCCP_Alarm)
        span_copy(s->alarm, sizeof(s->alarm), m->alarm.text);
}

static void tell_ready(struct sccp_session *s)
{
    if (s->state == SCCP_STATE_REGISTERED && s->sccp->events->ready)
        s->sccp->events->ready(s->sccp->arg, s);
}

/* What it shows is of its record: another one is shown by registering again, but for what its user
 * sets. */
static void renew(struct sccp_session *s, const struct sccp_device *device)
{
    const struct sccp *x = s->sccp;
    s->outdated = !sccp_device_eq(s->device, device);
    if (s->outdated) {
        if (!x->events->busy || !x->events->busy(x->arg, s))
            sccp_session_idle(s);
    } else if (!sccp_device_is_set_alike(s->device, device)) {
        if (keep_device(s, device))
            log_error(&s->log, "out of memory: what was set is not shown");
        tell_ready(s);
    }
}

/* It registers again, and reads why not. */
static void expel(struct sccp_session *s)
{
    SCCP_SEND(s, reset, .how = SCCP_RESTART);
    close_session(s, SCCP_END_REFUSED);
}

static enum sccp_end end_of(enum sccp_event e, enum sccp_state before)
{
    return e == SCCP_EV_REJECTED             ? SCCP_END_REFUSED
           : e == SCCP_EV_REPLACED           ? SCCP_END_REPLACED
           : e == SCCP_EV_LATER              ? SCCP_END_LATER
           : before == SCCP_STATE_REGISTERED ? SCCP_END_SILENT
                                             : SCCP_END_STALLED;
}

static void act(struct sccp_session *s, enum sccp_action action, enum sccp_event e,
                enum sccp_state before, const struct sccp_message *m, const struct sccp_answer *a)
{
    switch (action) {
    case SCCP_DO_NOTHING:
        break;
    case SCCP_DO_ACK_KEEPALIVE:
        SCCP_SEND(s, keep_alive_ack);
        break;
    case SCCP_DO_ASK:
        start_register(s, &m->register_device);
        break;
    case SCCP_DO_ASK_TOKEN:
        start_token(s, &m->register_token_req);
        break;
    case SCCP_DO_GRANT_TOKEN:
        SCCP_SEND(s, register_token_ack);
        break;
    case SCCP_DO_REFUSE_TOKEN:
        assert(a);
        SCCP_SEND(s, register_token_reject, .wait = CS_MAX(a->wait_s, (unsigned)WAIT_S));
        break;
    case SCCP_DO_WELCOME:
        assert(a);
        welcome(s, a->device);
        break;
    case SCCP_DO_REFUSE:
        assert(a);
        refuse(s, a->reason);
        break;
    case SCCP_DO_CONFIGURE:
        configure(s, m);
        break;
    case SCCP_DO_LEARN:
        learn(s, m);
        break;
    case SCCP_DO_NOTE:
        note(s, m);
        break;
    case SCCP_DO_CALL:
        if (s->attached && s->sccp->events->called)
            s->sccp->events->called(s->sccp->arg, s, m);
        break;
    case SCCP_DO_FAREWELL:
        SCCP_SEND(s, unregister_ack, .status = SCCP_UNREGISTERED);
        close_session(s, SCCP_END_LEFT);
        break;
    case SCCP_DO_RENEW:
        assert(a);
        renew(s, a->device);
        break;
    case SCCP_DO_EXPEL:
        expel(s);
        break;
    case SCCP_DO_RESTART:
        close_session(s, SCCP_END_RESTARTED);
        break;
    case SCCP_DO_CLOSE:
        if (e == SCCP_EV_LATER)
            metric_inc(M_SCCP_REGISTRATIONS, 2);
        close_session(s, end_of(e, before));
        break;
    }
}

/* The one place where the state moves. */
static void happen(struct sccp_session *s, enum sccp_event e, const struct sccp_message *m,
                   const struct sccp_answer *a)
{
    enum sccp_state before = s->state;
    struct sccp_move move = sccp_machine(before, e);
    if (s->closing)
        return;
    s->state = move.next;
    if (move.next != before)
        log_debug(&s->log, "state", kv_str("from", sccp_state_name(before)),
                  kv_str("to", sccp_state_name(move.next)), kv_str("event", sccp_event_name(e)));
    go_on(s, before, e);
    act(s, move.action, e, before, m, a);
    if (before != SCCP_STATE_REGISTERED)
        tell_ready(s);
}

static void on_deadline(struct timer *t)
{
    happen(container_of(t, struct sccp_session, deadline), SCCP_EV_DEADLINE, NULL, NULL);
}

/* ---- life ---- */

/* The oldest connection that has said nothing goes, of this source where it has its share; if all
 * have said something, nobody more comes. */
static int make_room(struct sccp *x, const struct addr *source)
{
    struct sccp_session *oldest = NULL, *its_oldest = NULL;
    size_t of_source = 0;
    list_for_each (it, &x->waiting) {
        struct sccp_session *s = container_of(it, struct sccp_session, waiting);
        const bool same = span_eq(addr_net_bytes(&s->source), addr_net_bytes(source));
        of_source += same;
        if (s->state == SCCP_STATE_NEW && !oldest)
            oldest = s;
        if (s->state == SCCP_STATE_NEW && !its_oldest && same)
            its_oldest = s;
    }
    const bool share = of_source >= x->conf.unregistered_of_source;
    if (!share && x->n_waiting < x->conf.unregistered)
        return 0;
    struct sccp_session *s = share ? its_oldest : oldest;
    if (s)
        close_session(s, SCCP_END_CROWDED);
    return s ? 0 : CS_ELIMIT;
}

static bool is_heard(const struct sccp *x, const struct addr *source)
{
    return !x->events->admits || x->events->admits(x->arg, source);
}

int sccp_session_new(struct sccp *x, const struct sccp_io *io, void *io_arg,
                     const struct addr *source, const struct addr *local, struct span listener,
                     bool secure, struct sccp_session **out)
{
    *out = NULL;
    int err = is_heard(x, source) ? make_room(x, source) : CS_EDENIED;
    if (err)
        return err;
    struct sccp_session *s = calloc(1, sizeof(*s));
    if (!s)
        return CS_ENOMEM;
    *s = (struct sccp_session){ .sccp = x,
                                .io = io,
                                .io_arg = io_arg,
                                .source = *source,
                                .local = *local,
                                .listener = listener,
                                .secure = secure };
    s->log = (struct log){ "sccp", { kv_addr("address", &s->source) } };
    arena_init_small(&s->arena);
    timer_init(&s->deadline, on_deadline);
    list_push_back(&x->all, &s->all);
    list_push_back(&x->waiting, &s->waiting);
    x->n++;
    x->n_waiting++;
    rearm(s);
    *out = s;
    return 0;
}

static int take(struct sccp_session *s, const struct sccp_frame *f)
{
    struct sccp_message m;
    enum sccp_event e;
    int err = sccp_decode(f, s->dialect.version, &m);
    trace(s, "heard", f);
    if (s->state == SCCP_STATE_REGISTERED)
        rearm(s); /* any message proves that it lives */
    if (!err && sccp_event_of(m.kind, &e))
        happen(s, e, &m, NULL);
    /* Of a phone that we know this costs one message; of others it shows what they are. */
    return err == CS_EPROTO && !s->attached ? err : 0;
}

ptrdiff_t sccp_session_data(struct sccp_session *s, struct span in)
{
    struct span rest = in;
    struct sccp_frame f;
    ptrdiff_t n = 0;
    int err = 0;
    if (!s->device && !is_heard(s->sccp, &s->source))
        close_session(s, SCCP_END_UNHEARD);
    while (!s->closing && !err && (n = sccp_frame(rest, &f)) > 0) {
        err = take(s, &f);
        rest = span_skip(rest, (size_t)n);
    }
    if (err || n < 0)
        close_session(s, SCCP_END_MALFORMED);
    return (ptrdiff_t)(s->closing ? in.n : in.n - rest.n); /* what follows is not read */
}

void sccp_session_free(struct sccp_session **sp)
{
    struct sccp_session *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    close_session(s, SCCP_END_LOST);
    list_remove(&s->all);
    s->sccp->n--;
    arena_fini(&s->arena);
    free(s);
}

void sccp_close_from(struct sccp *x, const struct cidr *net, uint16_t port)
{
    list_for_each (it, &x->all) {
        struct sccp_session *s = container_of(it, struct sccp_session, all);
        if (cidr_contains(net, &s->source) && (!port || port == addr_port(&s->source)))
            close_session(s, SCCP_END_UNHEARD);
    }
}

void sccp_session_restart(struct sccp_session *s, unsigned how)
{
    if (sccp_machine(s->state, SCCP_EV_RESTART).action != SCCP_DO_RESTART)
        return;
    SCCP_SEND(s, reset, .how = how);
    happen(s, SCCP_EV_RESTART, NULL, NULL);
}

void sccp_session_idle(struct sccp_session *s)
{
    if (s->outdated)
        sccp_session_restart(s, SCCP_RESTART);
}

void sccp_init(struct sccp *x, struct loop *l, const struct sccp_conf *conf,
               const struct sccp_directory *directory, const struct sccp_events *events, void *arg)
{
    *x = (struct sccp){
        .loop = l, .conf = *conf, .directory = directory, .events = events, .arg = arg
    };
    list_init(&x->waiting);
    list_init(&x->all);
    map_init(&x->devices);
}

void sccp_stop(struct sccp *x)
{
    list_for_each (it, &x->all)
        close_session(container_of(it, struct sccp_session, all), SCCP_END_STOPPED);
    map_fini(&x->devices);
}
