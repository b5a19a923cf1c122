#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

int addr_parse_host(struct span host, uint16_t port, struct addr *out)
{
    char text[INET6_ADDRSTRLEN];
    struct addr a = { 0 };
    *out = a;
    if (host.n >= 2 && host.p[0] == '[') {
        if (host.p[host.n - 1] != ']')
            return CS_EPROTO;
        host = span_of(host.p + 1, host.n - 2);
        if (span_find(host, ':') < 0)
            return CS_EPROTO; /* brackets belong to IPv6 */
    }
    if (host.n == 0 || host.n >= sizeof(text) || memchr(host.p, '\0', host.n))
        return CS_EPROTO;
    span_copy(text, sizeof(text), host);
    if (inet_pton(AF_INET, text, &a.in4.sin_addr) == 1) {
        a.in4.sin_family = AF_INET;
        a.in4.sin_port = htons(port);
    } else if (inet_pton(AF_INET6, text, &a.in6.sin6_addr) == 1) {
        a.in6.sin6_family = AF_INET6;
        a.in6.sin6_port = htons(port);
    } else {
        return CS_EPROTO;
    }
    addr_from_sockaddr(&a.sa, out);
    return 0;
}

int addr_parse(struct span text, uint16_t port, struct addr *out)
{
    ptrdiff_t colon = -1;
    *out = (struct addr){ 0 };
    for (size_t i = text.n; i-- > 0;) {
        if (text.p[i] == ']')
            break;
        if (text.p[i] == ':') {
            if (colon >= 0) { /* two colons outside brackets: a bare IPv6 address */
                colon = -1;
                break;
            }
            colon = (ptrdiff_t)i;
        }
    }
    if (colon >= 0) {
        uint64_t v;
        if (span_u64(span_skip(text, (size_t)colon + 1), 65535, &v))
            return CS_EPROTO;
        port = (uint16_t)v;
        text = span_head(text, (size_t)colon);
    }
    return addr_parse_host(text, port, out);
}

void addr_from_sockaddr(const struct sockaddr *sa, struct addr *out)
{
    struct addr a = { 0 };
    if (sa->sa_family == AF_INET) {
        memcpy(&a.in4, sa, sizeof(a.in4));
        memset(a.in4.sin_zero, 0, sizeof(a.in4.sin_zero));
    } else if (sa->sa_family == AF_INET6) {
        memcpy(&a.in6, sa, sizeof(a.in6));
        if (IN6_IS_ADDR_V4MAPPED(&a.in6.sin6_addr)) {
            struct addr v4 = { 0 };
            v4.in4.sin_family = AF_INET;
            v4.in4.sin_port = a.in6.sin6_port;
            memcpy(&v4.in4.sin_addr, a.in6.sin6_addr.s6_addr + 12, 4);
            a = v4;
        }
    }
    *out = a;
}

int addr_from_bytes(struct span bytes, struct addr *out)
{
    struct addr a = { 0 };
    *out = a;
    if (bytes.n == sizeof(a.in4.sin_addr)) {
        a.in4.sin_family = AF_INET;
        memcpy(&a.in4.sin_addr, bytes.p, bytes.n);
    } else if (bytes.n == sizeof(a.in6.sin6_addr)) {
        a.in6.sin6_family = AF_INET6;
        memcpy(&a.in6.sin6_addr, bytes.p, bytes.n);
    } else {
        return CS_EPROTO;
    }
    addr_from_sockaddr(&a.sa, out);
    return 0;
}

socklen_t addr_len(const struct addr *a)
{
    return a->sa.sa_family == AF_INET ? sizeof(a->in4) : sizeof(a->in6);
}

uint16_t addr_port(const struct addr *a)
{
    return ntohs(a->sa.sa_family == AF_INET ? a->in4.sin_port : a->in6.sin6_port);
}

void addr_set_port(struct addr *a, uint16_t port)
{
    if (a->sa.sa_family == AF_INET)
        a->in4.sin_port = htons(port);
    else
        a->in6.sin6_port = htons(port);
}

struct span addr_host_bytes(const struct addr *a)
{
    if (a->sa.sa_family == AF_INET)
        return span_of(&a->in4.sin_addr, 4);
    if (a->sa.sa_family == AF_INET6)
        return span_of(&a->in6.sin6_addr, 16);
    return SPAN_NULL;
}

struct span addr_net_bytes(const struct addr *a)
{
    return span_head(addr_host_bytes(a), 8);
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
    return a->sa.sa_family == b->sa.sa_family && span_eq(addr_host_bytes(a), addr_host_bytes(b));
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
    return addr_same_host(a, b) && addr_port(a) == addr_port(b);
}

bool addr_is_loopback(const struct addr *a)
{
    if (a->sa.sa_family == AF_INET)
        return ntohl(a->in4.sin_addr.s_addr) >> 24 == 127;
    return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

bool addr_is_any(const struct addr *a)
{
    if (a->sa.sa_family == AF_INET)
        return a->in4.sin_addr.s_addr == htonl(INADDR_ANY);
    return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

void addr_write_bare(struct buf *b, const struct addr *a)
{
    if (a->sa.sa_family == AF_INET) {
        const unsigned char *q = (const unsigned char *)&a->in4.sin_addr;
        for (int i = 0; i < 4; i++) {
            if (i)
                buf_putc(b, '.');
            buf_u64(b, q[i]);
        }
    } else if (a->sa.sa_family == AF_INET6) {
        char text[INET6_ADDRSTRLEN];
        if (inet_ntop(AF_INET6, &a->in6.sin6_addr, text, sizeof(text)))
            buf_put(b, span_str(text));
    } else {
        buf_lit(b, "none");
    }
}

void addr_write_host(struct buf *b, const struct addr *a)
{
    const bool v6 = a->sa.sa_family == AF_INET6;
    if (v6)
        buf_putc(b, '[');
    addr_write_bare(b, a);
    if (v6)
        buf_putc(b, ']');
}

void addr_write(struct buf *b, const struct addr *a)
{
    addr_write_host(b, a);
    if (a->sa.sa_family != AF_UNSPEC) {
        buf_putc(b, ':');
        buf_u64(b, addr_port(a));
    }
}

char *addr_format(const struct addr *a, char out[ADDR_STRLEN])
{
    struct buf b = buf_of(out, ADDR_STRLEN - 1);
    addr_write(&b, a);
    out[b.n] = '\0';
    return out;
}

static bool same_prefix(struct span a, struct span b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (a.n == 0 || a.n != b.n || memcmp(a.p, b.p, whole) != 0)
        return false;
    unsigned mask = 0xffu << (8 - rest) & 0xffu;
    return rest == 0 || ((unsigned char)a.p[whole] & mask) == ((unsigned char)b.p[whole] & mask);
}

int cidr_parse(struct span text, struct cidr *out)
{
    struct span rest = text;
    struct cidr c = { 0 };
    uint64_t bits;
    *out = c;
    struct span host = span_cut(&rest, '/');
    if (addr_parse_host(host, 0, &c.net))
        return CS_EPROTO;
    struct span bytes = addr_host_bytes(&c.net);
    c.bits = (unsigned)bytes.n * 8;
    if (rest.p) {
        if (span_u64(rest, c.bits, &bits))
            return CS_EPROTO;
        c.bits = (unsigned)bits;
    }
    for (unsigned i = c.bits; i < bytes.n * 8; i++) {
        if ((unsigned char)bytes.p[i / 8] >> (7 - i % 8) & 1)
            return CS_EPROTO;
    }
    *out = c;
    return 0;
}

bool cidr_contains(const struct cidr *c, const struct addr *a)
{
    return c->net.sa.sa_family == a->sa.sa_family &&
           same_prefix(addr_host_bytes(&c->net), addr_host_bytes(a), c->bits);
}

struct cidr cidr_of(const struct addr *a, unsigned bits)
{
    struct cidr c = { .net = *a };
    struct span host = addr_host_bytes(&c.net);
    unsigned char *p = (unsigned char *)host.p;
    c.bits = CS_MIN(bits, (unsigned)host.n * 8);
    for (size_t i = 0; i < host.n; i++) {
        unsigned kept = c.bits > 8 * i ? CS_MIN(c.bits - 8 * (unsigned)i, 8u) : 0;
        p[i] &= (unsigned char)(0xff00u >> kept);
    }
    if (host.n)
        addr_set_port(&c.net, 0);
    return c;
}

struct cidr cidr_of_subscriber(const struct addr *a)
{
    return cidr_of(a, (unsigned)addr_net_bytes(a).n * 8);
}

void cidr_write(struct buf *b, const struct cidr *c)
{
    addr_write_bare(b, &c->net);
    if (c->bits < addr_host_bytes(&c->net).n * 8) {
        buf_putc(b, '/');
        buf_u64(b, c->bits);
    }
}
