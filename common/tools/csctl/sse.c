#include "sse.h"

static void keep(char *dst, size_t cap, struct span value)
{
    if (value.n < cap && !memchr(value.p, '\0', value.n))
        span_copy(dst, cap, value);
}

static void add_data(struct sse *s, struct span value)
{
    const size_t n = value.n + s->has_data; /* lines are joined by LF */
    if (n > sizeof(s->data) - s->n_data) {
        s->too_long = true;
        return;
    }
    if (s->has_data)
        s->data[s->n_data++] = '\n';
    if (value.n)
        memcpy(s->data + s->n_data, value.p, value.n);
    s->n_data += value.n;
    s->has_data = true;
}

/* False: fn said stop. */
static bool end_line(struct sse *s, bool (*fn)(void *, struct span, struct span), void *arg)
{
    struct span value = span_of(s->line, s->n), name;
    bool go_on = true;
    if (s->n == 0) { /* the end of an event */
        if (s->has_data && !s->too_long)
            go_on = fn(arg, s->event[0] ? span_str(s->event) : SPAN("message"),
                       span_of(s->data, s->n_data));
        s->event[0] = '\0';
        s->n_data = 0;
        s->has_data = s->too_long = false;
        return go_on;
    }
    s->n = 0;
    name = span_cut(&value, ':'); /* a comment has none */
    if (!value.p)
        value = SPAN("");
    if (value.n && value.p[0] == ' ')
        value = span_skip(value, 1);
    if (span_eq(name, SPAN("data")))
        add_data(s, value);
    else if (span_eq(name, SPAN("event")))
        keep(s->event, sizeof(s->event), value);
    else if (span_eq(name, SPAN("id")))
        keep(s->id, sizeof(s->id), value);
    return true;
}

bool sse_feed(struct sse *s, struct span piece, bool (*fn)(void *, struct span, struct span),
              void *arg)
{
    for (size_t i = 0; i < piece.n; i++) {
        const char c = piece.p[i];
        const bool second = s->skip_lf && c == '\n';
        s->skip_lf = c == '\r';
        if (second)
            continue;
        if (c == '\r' || c == '\n') {
            if (!end_line(s, fn, arg))
                return false;
        } else if (s->n < sizeof(s->line)) {
            s->line[s->n++] = c;
        } else {
            s->too_long = true;
        }
    }
    return true;
}

void sse_restart(struct sse *s)
{
    s->n = s->n_data = 0;
    s->too_long = s->skip_lf = s->has_data = false;
    s->event[0] = '\0';
}
