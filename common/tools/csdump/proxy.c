/* Two streams for each front: what comes on one goes out on the other as it came, and whole frames
 * in it are shown. What is no frame ends the pair, as authd would. */
#include <stdlib.h>

#include "base/log.h"
#include "dump.h"

struct proxy {
    struct loop *loop;
    struct listener *listener;
    const char *to;
    FILE *record;
    unsigned count;
    struct list pairs;
    bool closing;
};

struct pair {
    struct list link;
    struct proxy *proxy;
    unsigned number;
    struct end {
        struct stream *stream; /* NULL: gone */
        enum direction dir;    /* of what comes from it */
    } front, authd;
};

static const struct log lg = { .module = "csdump" };

static void pair_free(struct pair *pr)
{
    struct proxy *p = pr->proxy;
    list_remove(&pr->link);
    free(pr);
    if (p->closing && list_empty(&p->pairs))
        free(p);
}

static ptrdiff_t on_data(void *arg, struct end *from, struct stream *to, struct span in)
{
    struct pair *pr = arg;
    struct span payload;
    size_t used = 0;
    for (;;) {
        ptrdiff_t n = ipc_frame(span_skip(in, used), &payload);
        if (n < 0)
            return n;
        if (n == 0)
            break;
        struct wall now = loop_wall(pr->proxy->loop);
        dump_frame(now, from->dir, pr->number, payload, stdout);
        if (pr->proxy->record)
            dump_record(now, from->dir, payload, pr->proxy->record);
        used += (size_t)n;
    }
    if (to && used)
        stream_write(to, span_head(in, used));
    fflush(stdout);
    return (ptrdiff_t)used;
}

static ptrdiff_t on_front_data(struct stream *s, void *arg, struct span in)
{
    struct pair *pr = arg;
    (void)s;
    return on_data(pr, &pr->front, pr->authd.stream, in);
}

static ptrdiff_t on_authd_data(struct stream *s, void *arg, struct span in)
{
    struct pair *pr = arg;
    (void)s;
    return on_data(pr, &pr->authd, pr->front.stream, in);
}

static void on_closed(struct pair *pr, struct end *gone, struct end *other, int reason)
{
    gone->stream = NULL;
    if (reason && reason != UV_EOF)
        log_warn(&lg, "connection lost", kv_u("connection", pr->number),
                 kv_str("side", gone == &pr->front ? "front" : "authd"), kv_err(reason));
    if (other->stream)
        stream_close(other->stream, 0);
    else
        pair_free(pr);
}

static void on_front_closed(struct stream *s, void *arg, int reason)
{
    struct pair *pr = arg;
    (void)s;
    on_closed(pr, &pr->front, &pr->authd, reason);
}

static void on_authd_closed(struct stream *s, void *arg, int reason)
{
    struct pair *pr = arg;
    (void)s;
    on_closed(pr, &pr->authd, &pr->front, reason);
}

static const struct stream_limits limits = {
    .max_unread = IPC_MAX_FRAME + 4,
    .max_unsent = 64 * IPC_MAX_FRAME,
};
static const struct stream_events front_events = { NULL, on_front_data, on_front_closed };
static const struct stream_events authd_events = { NULL, on_authd_data, on_authd_closed };

static int on_accept(void *arg, struct stream *s, void **out)
{
    struct proxy *p = arg;
    struct pair *pr = calloc(1, sizeof(*pr));
    if (!pr)
        return CS_ENOMEM;
    pr->proxy = p;
    pr->number = ++p->count;
    pr->front = (struct end){ s, TO_AUTHD };
    pr->authd.dir = FROM_AUTHD;
    int err = stream_connect_unix(p->loop, p->to, &limits, &authd_events, pr, &pr->authd.stream);
    if (err) {
        log_warn(&lg, "authd is not reachable", kv_str("socket", p->to), kv_err(err));
        free(pr);
        return err;
    }
    list_push_back(&p->pairs, &pr->link);
    *out = pr;
    return 0;
}

int proxy_open(struct loop *l, const char *listen, unsigned mode, const char *to, FILE *record,
               struct proxy **out)
{
    struct proxy *p = calloc(1, sizeof(*p));
    if (!p)
        return CS_ENOMEM;
    p->loop = l;
    p->to = to;
    p->record = record;
    list_init(&p->pairs);
    int err =
        listener_open_unix(l, listen, mode, &limits, &front_events, on_accept, p, &p->listener);
    if (err)
        free(p);
    else
        *out = p;
    return err;
}

void proxy_close(struct proxy **pp)
{
    struct proxy *p = *pp;
    if (!p)
        return;
    *pp = NULL;
    p->closing = true;
    listener_close(&p->listener);
    list_for_each (it, &p->pairs) {
        struct pair *pr = container_of(it, struct pair, link);
        if (pr->front.stream)
            stream_close(pr->front.stream, 0);
        if (pr->authd.stream)
            stream_close(pr->authd.stream, 0);
    }
    if (list_empty(&p->pairs))
        free(p);
}
