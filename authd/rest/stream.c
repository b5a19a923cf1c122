#include "authd/rest/stream.h"

#include <assert.h>
#include <stdlib.h>

#include "authd/rest/op.h"
#include "authd/rest/tape.h"

struct stream_hub {
    struct loop *loop;
    struct audit *audit;
    struct tape *tape;
    struct list followers;
    unsigned n;
    struct turn turn; /* something came */
    struct timer beat, forget;
};

/* Lives in the arena of its request. Pulls from the tape, so one that is slow costs no more memory;
 * one that the tape has overtaken is cut off, and hears what it lost when it comes back. */
struct follower {
    struct list link;
    struct stream_hub *hub;
    struct http_req *req;
    struct tape_filter filter;
    uint64_t next; /* number on the tape */
    bool greeted, lost, beat;
    struct span said; /* its Last-Event-ID */
    char *pending;    /* owned: what it was told but has not taken */
    size_t at, n;
};

static const char *const kinds[] = { [TAPE_DECISION] = "decision",
                                     [TAPE_CHANGE] = "change",
                                     [TAPE_BAN] = "ban",
                                     [TAPE_ALARM] = "alarm" };

/* ---- what it is told ---- */

static void write_greeting(struct follower *f, struct buf *b)
{
    buf_lit(b, "retry: 2000\n\n");
    if (!f->lost)
        return;
    buf_lit(b, "event: lost\ndata: {\"after\":\"");
    buf_json(b, f->said);
    buf_lit(b, "\"}\n\n");
}

static void write_line(struct follower *f, const struct tape_line *l, struct buf *b)
{
    buf_lit(b, "id: ");
    tape_write_id(f->hub->tape, l->number, b);
    buf_printf(b, "\nevent: %s\ndata: ", kinds[l->kind]);
    buf_put(b, l->text); /* one line, whatever a stranger wrote: JSON escapes the ends of lines */
    buf_lit(b, "\n\n");
}

/* 1: there is something pending; 0: nothing is to be told; negative: it is too late. */
static int prepare(struct follower *f)
{
    enum { AROUND = 128 };
    const struct tape_line *l = NULL;
    const struct wall until = http_until(f->req);
    if (until.ms && until.ms <= loop_wall(f->hub->loop).ms)
        return CS_EDENIED; /* it shows its token again */
    if (f->greeted && tape_next(f->hub->tape, &f->filter, &f->next, &l))
        return CS_ENOENT;
    if (f->greeted && !l && !f->beat)
        return 0;
    const size_t room = AROUND + TAPE_ID_LEN + (l ? l->text.n : 6 * f->said.n);
    f->pending = malloc(room);
    if (!f->pending)
        return CS_ENOMEM;
    struct buf b = buf_of(f->pending, room);
    if (!f->greeted)
        write_greeting(f, &b);
    else if (l)
        write_line(f, l, &b);
    else
        buf_lit(&b, ":\n\n");
    f->greeted = true;
    f->beat = false;
    f->at = 0;
    f->n = b.n;
    assert(buf_ok(&b));
    return 1;
}

static ptrdiff_t pull(void *arg, char *to, size_t n)
{
    struct follower *f = arg;
    int more = f->pending ? 1 : prepare(f);
    if (more != 1)
        return more;
    n = CS_MIN(n, f->n - f->at);
    memcpy(to, f->pending + f->at, n);
    f->at += n;
    if (f->at == f->n) {
        free(f->pending);
        f->pending = NULL;
    }
    return (ptrdiff_t)n;
}

static void closed(void *arg)
{
    struct follower *f = arg;
    struct stream_hub *hub = f->hub;
    free(f->pending);
    f->pending = NULL;
    list_remove(&f->link);
    if (--hub->n == 0) {
        timer_stop(hub->loop, &hub->beat);
        timer_start(hub->loop, &hub->forget, DURATION_S(STREAM_KEEP_S));
    }
}

/* ---- the hub ---- */

static void wake_all(struct stream_hub *h, bool beat)
{
    list_for_each (it, &h->followers) {
        struct follower *f = container_of(it, struct follower, link);
        f->beat = f->beat || beat;
        http_wake(f->req);
    }
}

static void on_turn(struct turn *t)
{
    wake_all(container_of(t, struct stream_hub, turn), false);
}

static void on_beat(struct timer *t)
{
    struct stream_hub *h = container_of(t, struct stream_hub, beat);
    timer_start(h->loop, t, DURATION_S(STREAM_BEAT_S));
    wake_all(h, true);
}

static void on_line(void *arg, const struct audit_line *line)
{
    struct stream_hub *h = arg;
    tape_add(h->tape, line);
    if (h->n)
        turn_queue(h->loop, &h->turn);
}

static void on_forget(struct timer *t)
{
    struct stream_hub *h = container_of(t, struct stream_hub, forget);
    audit_follow(h->audit, NULL, NULL);
    tape_clear(h->tape);
}

int stream_hub_new(struct loop *l, struct audit *audit, struct stream_hub **out)
{
    struct stream_hub *h = *out = calloc(1, sizeof(*h));
    int err = h ? tape_new(&h->tape) : CS_ENOMEM;
    if (err) {
        free(h);
        *out = NULL;
        return err;
    }
    h->loop = l;
    h->audit = audit;
    list_init(&h->followers);
    turn_init(&h->turn, on_turn);
    timer_init(&h->beat, on_beat);
    timer_init(&h->forget, on_forget);
    return 0;
}

void stream_hub_free(struct stream_hub **hp)
{
    struct stream_hub *h = *hp;
    *hp = NULL;
    if (!h)
        return;
    audit_follow(h->audit, NULL, NULL);
    turn_cancel(&h->turn);
    timer_stop(h->loop, &h->beat);
    timer_stop(h->loop, &h->forget);
    tape_free(&h->tape);
    free(h);
}

/* ---- the route ---- */

static bool is_cause(struct span name)
{
    const ProtobufCEnumDescriptor *d = &countersign__auth__cause__descriptor;
    for (unsigned i = 0; i < d->n_values; i++) {
        if (span_eq(name, cause_name((Countersign__Auth__Cause)d->values[i].value)))
            return true;
    }
    return false;
}

static int read_filter(struct http_req *req, struct tape_filter *out, struct fault *f)
{
    struct span address = http_query(req, "address"), kind = http_query(req, "kind");
    *out =
        (struct tape_filter){ .user = http_query(req, "user"), .cause = http_query(req, "cause") };
    if (address.p && addr_parse_host(address, 0, &out->source))
        return fault_set(f, 400, "address", "Invalid address", "address is an IP address.");
    if (out->cause.p && !is_cause(out->cause))
        return fault_set(f, 400, "cause", "Unknown cause",
                         "No decision has this cause; see Decision.cause.");
    for (size_t i = 0; i < CS_LEN(kinds); i++)
        out->kinds |= kind.p && span_eq(kind, span_str(kinds[i])) ? 1U << i : 0;
    if (kind.p && !out->kinds)
        return fault_set(f, 400, "kind", "Unknown kind", "kind is decision, change, ban or alarm.");
    return 0;
}

static int find_place(struct follower *f, struct span id, struct fault *fault)
{
    f->next = tape_end(f->hub->tape);
    if (!id.n)
        return 0;
    int err = tape_place(f->hub->tape, id, &f->next);
    if (err == CS_EPROTO)
        return fault_set(fault, 400, "last-event-id", "Malformed Last-Event-ID",
                         "It is the id of an event that came before.");
    f->lost = err != 0;
    f->said = id;
    return 0;
}

static void follow(struct stream_hub *h, struct follower *f)
{
    const struct http_feed feed = { .pull = pull, .closed = closed, .arg = f };
    list_push_back(&h->followers, &f->link);
    if (h->n++ == 0)
        timer_start(h->loop, &h->beat, DURATION_S(STREAM_BEAT_S));
    timer_stop(h->loop, &h->forget);
    audit_follow(h->audit, on_line, h);
    http_reply_feed(f->req, "text/event-stream", &feed);
}

void rest_stream(struct http_req *req, void *arg)
{
    struct stream_hub *h = ((struct rest *)arg)->hub;
    struct follower *f = arena_zalloc(http_arena(req), sizeof(*f));
    struct fault fault = { 0 };
    if (!f || h->n == STREAM_FOLLOWERS) {
        http_reply_header(req, "Retry-After", "10");
        http_problem(req, 503, "overloaded", "Too many followers",
                     "%d follow already. Try again later.", STREAM_FOLLOWERS);
        return;
    }
    f->hub = h;
    f->req = req;
    if (read_filter(req, &f->filter, &fault) ||
        find_place(f, http_header(req, "Last-Event-ID"), &fault)) {
        http_problem(req, fault.status, fault.type, fault.title, "%s", fault.detail);
        return;
    }
    follow(h, f);
}
