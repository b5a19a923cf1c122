#include "sdp/sdp.h"

static void put_address(struct buf *b, struct span host, const struct addr *addr)
{
    const bool v6 = addr && addr->sa.sa_family == AF_INET6;
    buf_put(b, v6 ? SPAN("IN IP6 ") : SPAN("IN IP4 "));
    buf_put(b, host);
    buf_lit(b, "\r\n");
}

static void put_connection(struct buf *b, const struct sdp_connection *c)
{
    if (!c->host.p)
        return;
    buf_lit(b, "c=");
    put_address(b, c->host, &c->addr);
}

static void put_bandwidth(struct buf *b, const struct sdp_bandwidth *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_lit(b, "b=");
        buf_put(b, list[i].type);
        buf_putc(b, ':');
        buf_u64(b, list[i].value);
        buf_lit(b, "\r\n");
    }
}

static void put_attrs(struct buf *b, const struct sdp_attrs *attrs)
{
    for (size_t i = 0; i < attrs->n; i++) {
        buf_lit(b, "a=");
        buf_put(b, attrs->a[i].name);
        if (attrs->a[i].value.p) {
            buf_putc(b, ':');
            buf_put(b, attrs->a[i].value);
        }
        buf_lit(b, "\r\n");
    }
}

static void put_media(struct buf *b, const struct sdp_media *m)
{
    buf_lit(b, "m=");
    buf_put(b, m->kind);
    buf_putc(b, ' ');
    buf_u64(b, m->port);
    if (m->ports > 1) {
        buf_putc(b, '/');
        buf_u64(b, m->ports);
    }
    buf_putc(b, ' ');
    buf_put(b, m->proto_text);
    for (size_t i = 0; i < m->n_formats; i++) {
        buf_putc(b, ' ');
        buf_put(b, m->formats[i]);
    }
    buf_lit(b, "\r\n");
    put_connection(b, &m->connection);
    put_bandwidth(b, m->bandwidth, m->n_bandwidth);
    put_attrs(b, &m->attrs);
}

void sdp_write(struct buf *b, const struct sdp *s)
{
    struct addr origin;
    const bool numeric = addr_parse_host(s->origin.host, 0, &origin) == 0;
    buf_lit(b, "v=0\r\no=");
    buf_put(b, s->origin.user);
    buf_putc(b, ' ');
    buf_put(b, s->origin.id);
    buf_putc(b, ' ');
    buf_u64(b, s->origin.version);
    buf_putc(b, ' ');
    put_address(b, s->origin.host, numeric ? &origin : NULL);
    buf_lit(b, "s=");
    buf_put(b, s->name.n ? s->name : SPAN("-"));
    buf_lit(b, "\r\n");
    put_connection(b, &s->connection);
    put_bandwidth(b, s->bandwidth, s->n_bandwidth);
    buf_lit(b, "t=0 0\r\n");
    put_attrs(b, &s->attrs);
    for (size_t i = 0; i < s->n_media; i++)
        put_media(b, &s->media[i]);
}
