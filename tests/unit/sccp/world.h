/* Phones without sockets: what they are sent is kept by kind, and who may register is what a test
 * says when it is asked. */
#ifndef CS_TESTS_SCCP_WORLD_H
#define CS_TESTS_SCCP_WORLD_H

#include <stdlib.h>

#include "b2bua/sccp/session.h"
#include "lib/run.h"
#include "lib/test.h"

enum { HEARD_MAX = 64, ASKED_MAX = 8 };

struct heard {
    struct sccp_message m; /* texts are in bytes */
    char bytes[SCCP_FRAME_MAX];
};

struct phone {
    struct sccp_session *s;
    unsigned version;
    bool closed;
    size_t n, next; /* heard, and looked at */
    struct heard *heard;
};

struct question {
    bool open;
    char name[SCCP_NAME_MAX + 1];
    bool token;
    sccp_answer_fn *fn;
    void *arg;
};

struct world {
    struct loop loop;
    struct sccp sccp;
    struct question asked[ASKED_MAX];
    size_t n_asked, n_cancelled;
    size_t attached, detached, called, left, ready;
    struct cidr banned; /* no family: nobody is */
    struct sccp_session *was;
    enum sccp_kind last_call;
    bool busy;
};

static void io_write(void *arg, struct span bytes)
{
    struct phone *p = arg;
    struct sccp_frame f;
    assert_false(p->closed);
    for (ptrdiff_t n; (n = sccp_frame(bytes, &f)) > 0; bytes = span_skip(bytes, (size_t)n)) {
        struct heard *h = &p->heard[p->n++ % HEARD_MAX];
        memcpy(h->bytes, bytes.p, (size_t)n);
        assert_int_equal(sccp_frame(span_of(h->bytes, (size_t)n), &f), n);
        assert_int_equal(sccp_decode(&f, p->version, &h->m), 0);
    }
    assert_int_equal(bytes.n, 0);
}

static void io_close(void *arg)
{
    ((struct phone *)arg)->closed = true;
}

static X509 *io_certificate(void *arg, X509 **issuer)
{
    (void)arg;
    *issuer = NULL;
    return NULL;
}

static const struct sccp_io io = { io_write, io_close, io_certificate };

static void *directory_ask(void *arg, const struct sccp_question *q, sccp_answer_fn *fn,
                           void *fn_arg)
{
    struct world *w = arg;
    struct question *a = &w->asked[w->n_asked++ % ASKED_MAX];
    *a = (struct question){ .open = true, .token = q->token, .fn = fn, .arg = fn_arg };
    span_copy(a->name, sizeof(a->name), q->name);
    return a;
}

static void directory_cancel(void *arg, void *asked)
{
    struct question *q = asked;
    assert_true(q->open);
    q->open = false;
    ((struct world *)arg)->n_cancelled++;
}

static void on_attached(void *arg, struct sccp_session *s, struct sccp_session *was)
{
    struct world *w = arg;
    assert_ptr_equal(sccp_find(&w->sccp, span_str(s->name)), s);
    w->attached++;
    w->was = was;
}

static void on_ready(void *arg, struct sccp_session *s)
{
    assert_int_equal(s->state, SCCP_STATE_REGISTERED);
    ((struct world *)arg)->ready++;
}

static void on_called(void *arg, struct sccp_session *s, const struct sccp_message *m)
{
    struct world *w = arg;
    assert_true(s->attached);
    w->called++;
    w->last_call = m->kind;
}

static void on_detached(void *arg, struct sccp_session *s)
{
    (void)s;
    ((struct world *)arg)->detached++;
}

static bool admits(void *arg, const struct addr *from)
{
    const struct world *w = arg;
    return !w->banned.net.sa.sa_family || !cidr_contains(&w->banned, from);
}

static void left(void *arg, const struct sccp_session *s)
{
    assert_false(s->attached);
    ((struct world *)arg)->left++;
}

static bool on_busy(void *arg, struct sccp_session *s)
{
    assert_true(s->attached);
    return ((struct world *)arg)->busy;
}

static void world_open(struct world *w, struct sccp_directory *d, size_t unregistered)
{
    static const struct sccp_events events = { .attached = on_attached,
                                               .ready = on_ready,
                                               .called = on_called,
                                               .detached = on_detached,
                                               .admits = admits,
                                               .stranger_left = left,
                                               .busy = on_busy };
    static struct zone berlin;
    const struct sccp_conf conf = { .name = SPAN("pbx.example.test"),
                                    .date = SPAN("D.M.Y"),
                                    .zone = &berlin,
                                    .keepalive = DURATION_S(30),
                                    .register_within = DURATION_S(15),
                                    .unregistered = unregistered,
                                    .unregistered_of_source = unregistered };
    *w = (struct world){ 0 };
    *d = (struct sccp_directory){ directory_ask, directory_cancel, w };
    assert_int_equal(zone_rule_parse(SPAN("CET-1CEST,M3.5.0,M10.5.0/3"), &berlin.rule), 0);
    assert_int_equal(loop_init(&w->loop), 0);
    sccp_init(&w->sccp, &w->loop, &conf, d, &events, w);
}

static void world_close(struct world *w)
{
    sccp_stop(&w->sccp);
    assert_int_equal(w->sccp.n, 0); /* each phone was closed */
    assert_int_equal(w->n_cancelled, w->n_asked);
    loop_stop(&w->loop);
    assert_true(run_down(&w->loop));
}

static void phone_open_at(struct phone *p, struct world *w, unsigned version, const char *source)
{
    struct addr at;
    assert_int_equal(addr_parse(span_str(source), 0, &at), 0);
    *p = (struct phone){ .version = version, .heard = calloc(HEARD_MAX, sizeof(*p->heard)) };
    assert_non_null(p->heard);
    int err = sccp_session_new(&w->sccp, &io, p, &at, &at, SPAN("lan"), false, &p->s);
    p->closed = err;
}

static void phone_open(struct phone *p, struct world *w, unsigned version)
{
    phone_open_at(p, w, version, "192.0.2.10:50000");
}

static void phone_close(struct phone *p)
{
    sccp_session_free(&p->s);
    free(p->heard);
    p->heard = NULL;
}

static void say(struct phone *p, enum sccp_kind kind, const void *fields)
{
    char text[SCCP_FRAME_MAX];
    struct buf b = BUF_INIT(text);
    sccp_encode(&b, &(struct sccp_dialect){ p->version, true }, kind, fields);
    assert_true(buf_ok(&b));
    assert_int_equal(sccp_session_data(p->s, buf_span(&b)), b.n);
}

/* SAY(&p, OffHook, off_hook, .line = 1) */
#define SAY(p, Name, name, ...) say((p), SCCP_##Name, &(struct sccp_##name){ __VA_ARGS__ })

/* What was sent next, which is of this kind. */
static const struct sccp_message *hear(struct phone *p, enum sccp_kind kind)
{
    static const struct sccp_message none;
    if (p->next == p->n)
        print_error("nothing was sent\n");
    assert_true(p->next < p->n && p->n - p->next <= HEARD_MAX);
    const struct sccp_message *m = &p->heard[p->next++ % HEARD_MAX].m;
    assert_int_equal(m->kind, kind);
    return m ? m : &none;
}

static bool quiet(const struct phone *p)
{
    return p->next == p->n;
}

static void say_register(struct phone *p, const char *name)
{
    SAY(p, Register, register_device, .name = span_str(name), .type = SCCP_DEVICE_7960,
        .version = (uint8_t)p->version, .features = { 0, 0x10, 0 });
}

static struct sccp_device *device_of(const char *name)
{
    static struct sccp_line lines[2];
    static struct sccp_key keys[4];
    static struct sccp_device d;
    lines[0] = (struct sccp_line){ .number = SPAN("2001"),
                                   .name = SPAN("J\xc3\xbcrgen"),
                                   .forward_busy = SPAN("2009") };
    lines[1] = (struct sccp_line){ .number = SPAN("2002"), .label = SPAN("Door") };
    keys[0] = (struct sccp_key){ .type = SCCP_BUTTON_LINE, .line = 0 };
    keys[1] = (struct sccp_key){ .type = SCCP_BUTTON_LINE, .line = 1 };
    keys[2] = (struct sccp_key){ .type = SCCP_BUTTON_UNDEFINED };
    keys[3] = (struct sccp_key){ .type = SCCP_BUTTON_SPEED_DIAL, .number = SPAN("0") };
    d = (struct sccp_device){
        .name = span_str(name), .lines = lines, .n_lines = 2, .keys = keys, .n_keys = 4
    };
    return &d;
}

/* The last question is answered. */
static void answer(struct world *w, const struct sccp_answer *a)
{
    struct question *q = &w->asked[(w->n_asked - 1) % ASKED_MAX];
    assert_true(w->n_asked && q->open);
    q->fn(q->arg, a);
}

static void accept_it(struct world *w)
{
    const char *name = w->asked[(w->n_asked - 1) % ASKED_MAX].name;
    struct sccp_device *d = device_of(name);
    answer(w, &(struct sccp_answer){ .verdict = SCCP_ACCEPTED, .device = d });
    memset(d->lines, 0xaa, d->n_lines * sizeof(*d->lines)); /* it was borrowed */
    memset(d->keys, 0xaa, d->n_keys * sizeof(*d->keys));
}

/* As far as all phones go in the same way. */
static void phone_register(struct phone *p, struct world *w, const char *name)
{
    say_register(p, name);
    accept_it(w);
    assert_int_equal(hear(p, SCCP_RegisterAck)->register_ack.version, p->version);
    hear(p, SCCP_CapabilitiesReq);
    SAY(p, TimeDateReq, time_date_req);
    hear(p, SCCP_DefineTimeDate);
    assert_int_equal(p->s->state, SCCP_STATE_REGISTERED);
}

#endif
