#include "http/route.h"

#include "base/addr.h"

struct span route_pair_get(const struct route_pairs *p, struct span name)
{
    for (size_t i = 0; i < p->n; i++) {
        if (span_eq(p->pair[i].name, name))
            return p->pair[i].value;
    }
    return SPAN_NULL;
}

/* RFC 3986, 2.1. A NUL would end the text early for whoever reads it as a C string. */
static int decode(struct span text, bool plus, struct arena *a, struct span *out)
{
    char *p = arena_alloc(a, text.n + 1);
    size_t n = 0;
    if (!p)
        return CS_ENOMEM;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '%') {
            if (text.n - i < 3 || hex_decode(span_of(text.p + i + 1, 2), &c, 1))
                return CS_EPROTO;
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == '\0')
            return CS_EPROTO;
        p[n++] = c;
    }
    p[n] = '\0';
    *out = span_of(p, n);
    return 0;
}

static bool is_param(struct span segment)
{
    return segment.n > 2 && segment.p[0] == '{' && segment.p[segment.n - 1] == '}';
}

bool route_match(const char *pattern, struct span path)
{
    struct span want = span_str(pattern);
    while (want.p && path.p) {
        struct span w = span_cut(&want, '/'), got = span_cut(&path, '/');
        if (is_param(w) ? got.n == 0 : !span_eq(w, got))
            return false;
    }
    return !want.p && !path.p;
}

int route_params(const char *pattern, struct span path, struct arena *a, struct route_pairs *out)
{
    struct span want = span_str(pattern);
    out->n = 0;
    while (want.p && path.p) {
        struct span w = span_cut(&want, '/'), got = span_cut(&path, '/');
        if (!is_param(w))
            continue;
        struct route_pair *pair = &out->pair[out->n++];
        pair->name = span_of(w.p + 1, w.n - 2);
        int err = decode(got, false, a, &pair->value);
        if (err)
            return err;
    }
    return 0;
}

int route_query(struct span query, struct arena *a, struct route_pairs *out)
{
    out->n = 0;
    while (query.p) {
        struct span value = span_cut(&query, '&');
        if (value.n == 0)
            continue;
        struct span name = span_cut(&value, '=');
        if (out->n == ROUTE_MAX_QUERY)
            return CS_ELIMIT;
        struct route_pair pair = { .value = SPAN("") };
        int err = decode(name, true, a, &pair.name);
        if (!err && value.p)
            err = decode(value, true, a, &pair.value);
        if (err)
            return err;
        if (route_pair_get(out, pair.name).p)
            return CS_EPROTO;
        out->pair[out->n++] = pair;
    }
    return 0;
}

bool route_host_is_ours(struct span host, const char *name)
{
    struct addr addr;
    uint64_t port;
    if (addr_parse(host, 0, &addr) == 0)
        return true;
    struct span n = span_cut(&host, ':');
    if (host.p && host.n && span_u64(host, 65535, &port))
        return false;
    return span_caseeq(n, SPAN("localhost")) || (name && span_caseeq(n, span_str(name)));
}

bool route_media_is(struct span content_type, struct span type)
{
    return span_caseeq(span_trim(span_cut(&content_type, ';')), type);
}
