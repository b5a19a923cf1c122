#include <string.h>

#include "sdp/sdp.h"

/* Lines and words of what is left; the first error sticks. */
struct reader {
    struct span rest;
    struct arena *arena;
    size_t lines;
    int err;
    char type;        /* of the line at hand; 0: none is left */
    struct span line; /* behind "x=" */
};

static void fail(struct reader *r, int err)
{
    if (!r->err)
        r->err = err;
    r->type = 0;
}

/* RFC 8866, 9: type "=" value CRLF; a value has no NUL, CR or LF. */
static void next_line(struct reader *r)
{
    r->type = 0;
    if (r->err || r->rest.n == 0)
        return;
    struct span line = span_cut(&r->rest, '\n');
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n == 0 && r->rest.n == 0)
        return; /* an empty line at the very end is no harm */
    if (line.n < 2 || line.p[1] != '=' || memchr(line.p, '\0', line.n) ||
        memchr(line.p, '\r', line.n)) {
        fail(r, CS_EPROTO);
        return;
    }
    if (++r->lines > SDP_MAX_LINES) {
        fail(r, CS_ELIMIT);
        return;
    }
    r->type = line.p[0];
    r->line = span_skip(line, 2);
}

/* Fields are separated by exactly one space (RFC 8866, 9); what stands between two is empty, which
 * no field may be. */
static struct span word(struct span *rest)
{
    return span_cut(rest, ' ');
}

static bool is_end(struct span rest)
{
    return span_trim(rest).n == 0;
}

/* One more element of a list: its array doubles when it is full, which its length tells. */
static void *append(struct reader *r, void *array, size_t *n, size_t size)
{
    char **list = array;
    if ((*n & (*n - 1)) == 0) {
        char *more = arena_alloc(r->arena, (*n ? *n * 2 : 1) * size);
        if (!more) {
            fail(r, CS_ENOMEM);
            return NULL;
        }
        if (*n)
            memcpy(more, *list, *n * size);
        *list = more;
    }
    void *out = *list + (*n)++ * size;
    memset(out, 0, size);
    return out;
}

/* ---- lines ---- */

/* o=user id version IN IP4 host */
static void read_origin(struct reader *r, struct sdp *s)
{
    struct span rest = r->line;
    s->origin.user = word(&rest);
    s->origin.id = word(&rest);
    struct span version = word(&rest), net = word(&rest), family = word(&rest);
    s->origin.host = word(&rest);
    if (!s->origin.user.n || !s->origin.id.n || !s->origin.host.n || !is_end(rest) ||
        span_u64(version, UINT64_MAX, &s->origin.version) || !span_eq(net, SPAN("IN")) ||
        (!span_eq(family, SPAN("IP4")) && !span_eq(family, SPAN("IP6"))))
        fail(r, CS_EPROTO);
}

/* c=IN IP4 host; a TTL or a number of addresses behind it is multicast's (RFC 8866, 5.7). */
static int connection_of(struct span rest, struct sdp_connection *c)
{
    struct span net = word(&rest), family = word(&rest);
    const bool v4 = span_eq(family, SPAN("IP4")), v6 = span_eq(family, SPAN("IP6"));
    c->host = word(&rest);
    if (!span_eq(net, SPAN("IN")) || (!v4 && !v6) || !c->host.n || !is_end(rest))
        return CS_EPROTO;
    if (span_find(c->host, '/') >= 0)
        return CS_ENOTSUP;
    if (span_find(c->host, '[') >= 0)
        return CS_EPROTO;
    if (addr_parse_host(c->host, 0, &c->addr)) {
        memset(&c->addr, 0, sizeof(c->addr));
        /* A name; but an address that cannot be read, "1.2.3.999", is none. */
        const char last = c->host.p[c->host.n - 1];
        return span_find(c->host, ':') >= 0 || ascii_digit(last) ? CS_EPROTO : 0;
    }
    return (c->addr.sa.sa_family == AF_INET6) == v6 ? 0 : CS_EPROTO;
}

static void read_connection(struct reader *r, struct sdp_connection *c)
{
    int err = c->host.p ? CS_EPROTO : connection_of(r->line, c);
    if (err)
        fail(r, err);
}

static void read_bandwidth(struct reader *r, struct sdp_bandwidth **list, size_t *n)
{
    struct span rest = r->line;
    struct span type = span_cut(&rest, ':');
    struct sdp_bandwidth *b = append(r, list, n, sizeof(*b));
    if (!b)
        return;
    b->type = type;
    if (!type.n || !rest.p || span_u64(rest, UINT64_MAX, &b->value))
        fail(r, CS_EPROTO);
}

static void read_attr(struct reader *r, struct sdp_attrs *attrs)
{
    struct span value = r->line, name = span_cut(&value, ':');
    if (!name.n || span_find(name, ' ') >= 0) {
        fail(r, CS_EPROTO);
        return;
    }
    struct sdp_attr *a = append(r, &attrs->a, &attrs->n, sizeof(*a));
    if (a)
        *a = (struct sdp_attr){ name, value };
}

static enum sdp_proto proto_of(struct span text)
{
    static const struct {
        struct span text;
        enum sdp_proto proto;
    } known[] = {
        { SPAN_INIT("RTP/AVP"), SDP_AVP },
        { SPAN_INIT("RTP/AVPF"), SDP_AVPF },
        { SPAN_INIT("RTP/SAVP"), SDP_SAVP },
        { SPAN_INIT("RTP/SAVPF"), SDP_SAVPF },
        { SPAN_INIT("UDP/TLS/RTP/SAVP"), SDP_TLS_SAVP },
        { SPAN_INIT("UDP/TLS/RTP/SAVPF"), SDP_TLS_SAVPF },
    };
    for (size_t i = 0; i < CS_LEN(known); i++) {
        if (span_eq(text, known[i].text))
            return known[i].proto;
    }
    return SDP_OTHER;
}

/* m=audio 49170/2 RTP/AVP 0 8 97 */
static void read_media(struct reader *r, struct sdp *s)
{
    if (s->n_media == SDP_MAX_MEDIA) {
        fail(r, CS_ELIMIT);
        return;
    }
    struct sdp_media *m = append(r, &s->media, &s->n_media, sizeof(*m));
    if (!m)
        return;
    struct span rest = r->line;
    m->kind = word(&rest);
    struct span ports = word(&rest), port = span_cut(&ports, '/');
    m->proto_text = word(&rest);
    m->proto = proto_of(m->proto_text);
    uint64_t first = 0, n = 1;
    if (!m->kind.n || !m->proto_text.n || span_u64(port, UINT16_MAX, &first) ||
        (ports.p && (span_u64(ports, UINT16_MAX, &n) || n == 0)) || first + n > UINT16_MAX + 1) {
        fail(r, CS_EPROTO);
        return;
    }
    m->port = (uint16_t)first;
    m->ports = (uint16_t)n;
    while (!r->err && !is_end(rest)) {
        struct span *f = append(r, &m->formats, &m->n_formats, sizeof(*f));
        if (f)
            *f = word(&rest);
        if (f && !f->n)
            fail(r, CS_EPROTO);
    }
    if (!r->err && m->n_formats == 0)
        fail(r, CS_EPROTO);
}

/* ---- sections ---- */

static void read_media_lines(struct reader *r, struct sdp_media *m)
{
    for (next_line(r); r->type && r->type != 'm'; next_line(r)) {
        switch (r->type) {
        case 'c':
            read_connection(r, &m->connection);
            break;
        case 'b':
            read_bandwidth(r, &m->bandwidth, &m->n_bandwidth);
            break;
        case 'a':
            read_attr(r, &m->attrs);
            break;
        case 'i':
        case 'k':
            break;
        default:
            fail(r, CS_EPROTO);
        }
    }
}

static void read_session(struct reader *r, struct sdp *s)
{
    bool timed = false;
    next_line(r);
    if (r->type != 'v')
        fail(r, CS_EPROTO);
    else if (!span_eq(r->line, SPAN("0")))
        fail(r, CS_ENOTSUP);
    next_line(r);
    if (r->type == 'o')
        read_origin(r, s);
    else
        fail(r, CS_EPROTO);
    next_line(r);
    if (r->type == 's')
        s->name = r->line;
    else
        fail(r, CS_EPROTO);
    for (next_line(r); r->type && r->type != 'm'; next_line(r)) {
        switch (r->type) {
        case 'c':
            read_connection(r, &s->connection);
            break;
        case 'b':
            read_bandwidth(r, &s->bandwidth, &s->n_bandwidth);
            break;
        case 'a':
            read_attr(r, &s->attrs);
            break;
        case 't':
            timed = true;
            break;
        case 'i':
        case 'u':
        case 'e':
        case 'p':
        case 'r':
        case 'z':
        case 'k':
            break;
        default:
            fail(r, CS_EPROTO);
        }
    }
    if (!timed)
        fail(r, CS_EPROTO);
}

/* Whoever is to send needs to know where. */
static bool is_reachable(const struct sdp *s)
{
    for (size_t i = 0; i < s->n_media; i++) {
        if (s->media[i].port && !sdp_connection_of(s, &s->media[i]).host.p)
            return false;
    }
    return true;
}

int sdp_parse(struct span text, struct arena *a, struct sdp *out)
{
    struct reader r = { .rest = text, .arena = a };
    struct sdp s = { 0 };
    *out = s;
    if (text.n > SDP_MAX)
        return CS_ELIMIT;
    read_session(&r, &s);
    while (r.type == 'm') {
        read_media(&r, &s);
        if (!r.err)
            read_media_lines(&r, &s.media[s.n_media - 1]);
    }
    if (!r.err && !is_reachable(&s))
        fail(&r, CS_EPROTO);
    if (!r.err)
        *out = s;
    return r.err;
}
