#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "net/stream.h"
#include "way.h"

enum { REQUEST_MAX = 8 * 1024, ANSWER_MAX = 16 * 1024 };

struct connection {
    struct rest_way *way;
    struct stream *stream;
    unsigned slot;
};

struct rest_way {
    struct way way;
    const struct asker *asker;
    const struct way_events *events;
    void *arg;
    const char *token;
    unsigned n, opened, open;
    bool closing;
    struct connection connection[];
};

static void on_opened(struct stream *s, void *arg)
{
    struct connection *c = arg;
    (void)s;
    if (++c->way->opened == c->way->n)
        c->way->events->ready(c->way->arg);
}

/* The verdict of an answer's body, as the documentation of /v1/verify/digest says. */
static void tell(struct connection *c, struct span body)
{
    struct rest_way *w = c->way;
    json_t *j = json_loadb(body.p, body.n, 0, NULL);
    const char *verdict = json_string_value(json_object_get(j, "verdict"));
    const char *challenge = json_string_value(json_array_get(json_object_get(j, "challenges"), 0));
    if (verdict && strcmp(verdict, "accept") == 0)
        w->events->answered(w->arg, c->slot, ANSWER_ACCEPT, SPAN_NULL);
    else if (verdict && strcmp(verdict, "challenge") == 0 && challenge)
        w->events->answered(w->arg, c->slot, ANSWER_CHALLENGE, span_str(challenge));
    else
        w->events->answered(w->arg, c->slot, ANSWER_WRONG, body);
    json_decref(j);
}

/* authd says Content-Length in all it answers. */
static ptrdiff_t on_data(struct stream *s, void *arg, struct span in)
{
    static const struct span blank = SPAN_INIT("\r\n\r\n"), length = SPAN_INIT("Content-Length:");
    struct connection *c = arg;
    (void)s;
    const char *end = memmem(in.p, in.n, blank.p, blank.n);
    if (!end)
        return 0;
    struct span head = span_of(in.p, (size_t)(end - in.p));
    const char *at = memmem(head.p, head.n, length.p, length.n);
    size_t n = at ? strtoul(at + length.n, NULL, 10) : 0;
    size_t all = head.n + blank.n + n;
    if (in.n < all)
        return 0;
    tell(c, span_of(end + blank.n, n));
    return (ptrdiff_t)all;
}

static void on_closed(struct stream *s, void *arg, int reason)
{
    struct connection *c = arg;
    struct rest_way *w = c->way;
    (void)s;
    w->open--;
    if (w->closing) {
        if (w->open == 0)
            free(w);
        return;
    }
    c->stream = NULL;
    fprintf(stderr, "authload: REST closed the connection: %s\n", cs_strerror(reason));
    w->events->broken(w->arg);
}

static const struct stream_events stream_events = { on_opened, on_data, on_closed };

static void ask(struct way *way, unsigned slot, const struct question *q)
{
    struct rest_way *w = container_of(way, struct rest_way, way);
    struct stream *s = w->connection[slot].stream;
    char body[REQUEST_MAX], head[1024];
    struct buf b = BUF_INIT(body), h = BUF_INIT(head);
    question_to_json(q, w->asker, &b);
    buf_printf(&h,
               "POST /v1/verify/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
               "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
               q->kind == KIND_TOKEN ? "token" : "digest", w->token, b.n);
    if (!s || !buf_ok(&b) || !buf_ok(&h)) {
        fputs("authload: a question is too long, or its connection is gone\n", stderr);
        w->events->broken(w->arg);
        return;
    }
    stream_write(s, buf_span(&h));
    stream_write(s, buf_span(&b));
}

static void close_rest(struct way *way)
{
    struct rest_way *w = container_of(way, struct rest_way, way);
    w->closing = true;
    if (w->open == 0)
        free(w);
    else
        for (unsigned i = 0, n = w->n; i < n; i++)
            if (w->connection[i].stream)
                stream_close(w->connection[i].stream, 0);
}

struct way *way_rest(struct loop *l, const struct addr *to, const char *token, unsigned slots,
                     const struct asker *asker, const struct way_events *events, void *arg)
{
    static const struct stream_limits limits = { ANSWER_MAX, 4 * REQUEST_MAX };
    struct rest_way *w = calloc(1, sizeof(*w) + slots * sizeof(*w->connection));
    if (!w)
        return NULL;
    w->way = (struct way){ ask, close_rest };
    w->asker = asker;
    w->events = events;
    w->arg = arg;
    w->token = token;
    w->n = slots;
    for (unsigned i = 0; i < slots; i++) {
        struct connection *c = &w->connection[i];
        *c = (struct connection){ .way = w, .slot = i };
        if (stream_connect_tcp(l, to, NULL, &limits, &stream_events, c, &c->stream)) {
            close_rest(&w->way);
            return NULL;
        }
        w->open++;
    }
    return &w->way;
}
