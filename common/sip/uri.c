#include "sip/uri.h"

#include "sip/chars.h"

enum { PARTS_MAX = 64 }; /* parameters of a URI, and headers; each is compared with each */

/* ---- escapes (RFC 3261, 19.1.2) ---- */

/* The next character of escaped text, undone where that does not change its meaning: an escaped
 * reserved character differs from a plain one (19.1.4, RFC 2396) and comes with 0x100 set. */
static unsigned next_char(struct span *s)
{
    unsigned c = (unsigned char)*s->p;
    if (c != '%' || s->n < 3) {
        *s = span_skip(*s, 1);
        return c;
    }
    c = ((unsigned)ascii_hex(s->p[1]) << 4 | (unsigned)ascii_hex(s->p[2])) & 0xff;
    *s = span_skip(*s, 3);
    return c && strchr(";/?:@&=+$,", (int)c) ? c | 0x100 : c;
}

static bool escaped_eq(struct span a, struct span b, bool fold)
{
    while (a.n && b.n) {
        unsigned x = next_char(&a), y = next_char(&b);
        if (fold && x < 0x80 && y < 0x80) {
            x = (unsigned char)ascii_lower((char)x);
            y = (unsigned char)ascii_lower((char)y);
        }
        if (x != y)
            return false;
    }
    return a.n == b.n;
}

static bool name_eq(struct span a, struct span b)
{
    if (a.n == b.n && span_caseeq(a, b))
        return true;
    if (span_find(a, '%') < 0 && span_find(b, '%') < 0)
        return false;
    return escaped_eq(a, b, true);
}

/* ---- parameters and headers of a URI ---- */

/* Cuts "name=value" off the head of what follows a separator. value is absent without '='. */
static void cut_part(struct span *rest, char sep, struct span *name, struct span *value)
{
    *value = span_cut(rest, sep);
    *name = span_cut(value, '=');
}

static int parse_params(struct sip_uri *u)
{
    struct span seen[PARTS_MAX];
    size_t n = 0;
    struct span rest = u->params;
    if (rest.n == 0)
        return 0;
    rest = span_skip(rest, 1); /* its ';' */
    while (rest.p) {
        struct span name, value;
        cut_part(&rest, ';', &name, &value);
        if (name.n == 0 || !chars_all_escaped(name, CH_PARAM) || n == PARTS_MAX)
            return CS_EPROTO;
        if (value.p && (value.n == 0 || !chars_all_escaped(value, CH_PARAM)))
            return CS_EPROTO;
        for (size_t i = 0; i < n; i++) {
            if (name_eq(seen[i], name))
                return CS_EPROTO; /* 19.1.1: any given parameter at most once */
        }
        seen[n++] = name;
        if (!value.p)
            value = span_of(name.p + name.n, 0);
        if (name_eq(name, SPAN("transport")))
            u->transport = value;
        else if (name_eq(name, SPAN("lr")))
            u->lr = true;
        else if (name_eq(name, SPAN("maddr")))
            u->maddr = value;
        else if (name_eq(name, SPAN("user")))
            u->user_param = value;
        else if (name_eq(name, SPAN("method")))
            u->method = value;
        else if (name_eq(name, SPAN("ttl")))
            u->ttl = value;
    }
    if (u->maddr.p && !chars_is_host(u->maddr))
        return CS_EPROTO;
    return 0;
}

static int check_headers(struct span rest)
{
    size_t n = 0;
    while (rest.p) {
        struct span name, value;
        cut_part(&rest, '&', &name, &value);
        if (name.n == 0 || !value.p || n++ == PARTS_MAX)
            return CS_EPROTO;
        if (!chars_all_escaped(name, CH_HEADER) || !chars_all_escaped(value, CH_HEADER))
            return CS_EPROTO;
    }
    return 0;
}

/* ---- parsing ---- */

static int parse_port(struct span text, uint16_t *out)
{
    uint64_t v;
    if (span_u64(text, 65535, &v) || v == 0)
        return CS_EPROTO;
    *out = (uint16_t)v;
    return 0;
}

/* hostport = host [ ":" port ] */
static int parse_hostport(struct span text, struct sip_uri *u)
{
    size_t n = 0;
    if (text.n && text.p[0] == '[') {
        ptrdiff_t close = span_find(text, ']');
        if (close < 0)
            return CS_EPROTO;
        n = (size_t)close + 1;
    } else {
        while (n < text.n && text.p[n] != ':')
            n++;
    }
    u->host = span_head(text, n);
    if (!chars_is_host(u->host))
        return CS_EPROTO;
    if (n == text.n)
        return 0;
    if (text.p[n] != ':')
        return CS_EPROTO;
    return parse_port(span_skip(text, n + 1), &u->port);
}

static int parse_sip(struct span rest, struct sip_uri *u)
{
    ptrdiff_t at = span_find(rest, '@');
    if (at >= 0) { /* no '@' may stand unescaped behind the host, so the first is the one */
        struct span info = span_head(rest, (size_t)at);
        rest = span_skip(rest, (size_t)at + 1);
        u->password = info;
        u->user = span_cut(&u->password, ':');
        if (u->user.n == 0 || !chars_all_escaped(u->user, CH_USER) ||
            !chars_all_escaped(u->password, CH_PASSWORD))
            return CS_EPROTO;
    }
    size_t n = 0;
    while (n < rest.n && rest.p[n] != ';' && rest.p[n] != '?')
        n++;
    if (parse_hostport(span_head(rest, n), u))
        return CS_EPROTO;
    rest = span_skip(rest, n);
    ptrdiff_t q = span_find(rest, '?');
    u->params = q < 0 ? rest : span_head(rest, (size_t)q);
    if (q >= 0)
        u->headers = span_skip(rest, (size_t)q + 1);
    if (parse_params(u) || check_headers(u->headers))
        return CS_EPROTO;
    return 0;
}

/* telephone-subscriber (RFC 3966, 3): the number becomes the user */
static int parse_tel(struct span rest, struct sip_uri *u)
{
    ptrdiff_t semi = span_find(rest, ';');
    u->user = semi < 0 ? rest : span_head(rest, (size_t)semi);
    u->params = span_skip(rest, u->user.n);
    if (u->user.n == 0 || !chars_all(u->user, CH_TEL))
        return CS_EPROTO;
    return parse_params(u);
}

static int parse(struct span text, struct sip_uri *u)
{
    ptrdiff_t colon = span_find(text, ':');
    if (colon < 1 || !ascii_alpha(text.p[0]) || (size_t)colon + 1 == text.n)
        return CS_EPROTO;
    u->text = text;
    u->scheme_name = span_head(text, (size_t)colon);
    for (size_t i = 1; i < u->scheme_name.n; i++) {
        char c = text.p[i];
        if (!ascii_alpha(c) && !ascii_digit(c) && c != '+' && c != '-' && c != '.')
            return CS_EPROTO;
    }
    struct span rest = span_skip(text, (size_t)colon + 1);
    if (span_caseeq(u->scheme_name, SPAN("sip")))
        u->scheme = SIP_SCHEME_SIP;
    else if (span_caseeq(u->scheme_name, SPAN("sips")))
        u->scheme = SIP_SCHEME_SIPS;
    else if (span_caseeq(u->scheme_name, SPAN("tel")))
        u->scheme = SIP_SCHEME_TEL;
    switch (u->scheme) {
    case SIP_SCHEME_SIP:
    case SIP_SCHEME_SIPS:
        return parse_sip(rest, u);
    case SIP_SCHEME_TEL:
        return parse_tel(rest, u);
    case SIP_SCHEME_OTHER:
        break;
    }
    return chars_all_escaped(rest, CH_URI) ? 0 : CS_EPROTO;
}

int sip_uri_parse(struct span text, struct sip_uri *out)
{
    *out = (struct sip_uri){ 0 };
    if (parse(text, out)) {
        *out = (struct sip_uri){ 0 };
        return CS_EPROTO;
    }
    return 0;
}

struct span sip_uri_param(const struct sip_uri *u, struct span name)
{
    struct span rest = u->params.n ? span_skip(u->params, 1) : SPAN_NULL;
    while (rest.p) {
        struct span n, v;
        cut_part(&rest, ';', &n, &v);
        if (name_eq(n, name))
            return v.p ? v : span_of(n.p + n.n, 0);
    }
    return SPAN_NULL;
}

/* ---- comparison (RFC 3261, 19.1.4) ---- */

static bool host_eq(struct span a, struct span b)
{
    struct addr x, y;
    if (span_caseeq(a, b))
        return true;
    return chars_ipv6(a, &x) && chars_ipv6(b, &y) && addr_same_host(&x, &y);
}

/* Present in both and the same, or absent in both; absent differs from empty. */
static bool both_eq(struct span a, struct span b, bool fold)
{
    return !a.p || !b.p ? a.p == b.p : escaped_eq(a, b, fold);
}

/* Parameters that are in both must match; others are ignored. */
static bool common_params_eq(const struct sip_uri *a, const struct sip_uri *b)
{
    struct span rest = a->params.n ? span_skip(a->params, 1) : SPAN_NULL;
    while (rest.p) {
        struct span name, value;
        cut_part(&rest, ';', &name, &value);
        struct span other = sip_uri_param(b, name);
        if (other.p && !escaped_eq(value, other, true))
            return false;
    }
    return true;
}

static size_t count_header(struct span headers, struct span name, struct span value)
{
    size_t n = 0;
    while (headers.p) {
        struct span hn, hv;
        cut_part(&headers, '&', &hn, &hv);
        n += name_eq(hn, name) && escaped_eq(hv, value, false);
    }
    return n;
}

/* Each header of a stands in b as often. */
static bool headers_in(struct span a, struct span b)
{
    struct span rest = a;
    while (rest.p) {
        struct span name, value;
        cut_part(&rest, '&', &name, &value);
        if (count_header(a, name, value) != count_header(b, name, value))
            return false;
    }
    return true;
}

/* RFC 3966, 4: visual separators do not count; each parameter must stand in both. */
static bool tel_eq(const struct sip_uri *a, const struct sip_uri *b)
{
    struct span x = a->user, y = b->user;
    for (;;) {
        while (x.n && strchr("-.()", *x.p))
            x = span_skip(x, 1);
        while (y.n && strchr("-.()", *y.p))
            y = span_skip(y, 1);
        if (x.n == 0 || y.n == 0)
            break;
        if (ascii_lower(*x.p) != ascii_lower(*y.p))
            return false;
        x = span_skip(x, 1);
        y = span_skip(y, 1);
    }
    if (x.n || y.n)
        return false;
    const struct sip_uri *sides[2] = { a, b };
    for (int i = 0; i < 2; i++) {
        struct span rest = sides[i]->params.n ? span_skip(sides[i]->params, 1) : SPAN_NULL;
        while (rest.p) {
            struct span name, value;
            cut_part(&rest, ';', &name, &value);
            if (!sip_uri_param(sides[1 - i], name).p)
                return false;
        }
    }
    return common_params_eq(a, b);
}

bool sip_uri_eq(const struct sip_uri *a, const struct sip_uri *b)
{
    if (a->scheme != b->scheme || !a->text.p || !b->text.p)
        return false; /* sip and sips are never equal */
    if (a->scheme == SIP_SCHEME_TEL)
        return tel_eq(a, b);
    if (a->scheme == SIP_SCHEME_OTHER)
        return span_caseeq(a->scheme_name, b->scheme_name) &&
               span_eq(span_skip(a->text, a->scheme_name.n), span_skip(b->text, b->scheme_name.n));
    if (!both_eq(a->user, b->user, false) || !both_eq(a->password, b->password, false))
        return false;
    if (!host_eq(a->host, b->host) || a->port != b->port)
        return false;
    /* These never match when only one has them, not even with their default. */
    if (!both_eq(a->user_param, b->user_param, true) || !both_eq(a->ttl, b->ttl, true) ||
        !both_eq(a->method, b->method, true) || !both_eq(a->maddr, b->maddr, true) ||
        !both_eq(a->transport, b->transport, true))
        return false;
    if (!common_params_eq(a, b))
        return false;
    return headers_in(a->headers, b->headers) && headers_in(b->headers, a->headers);
}

uint16_t sip_uri_default_port(const struct sip_uri *u)
{
    if (u->scheme == SIP_SCHEME_SIPS || span_caseeq(u->transport, SPAN("tls")))
        return 5061;
    return 5060;
}

/* ---- addresses of record ---- */

static void write_user(struct buf *b, struct span user)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < user.n; i++) {
        if (user.p[i] != '%' || user.n - i < 3) {
            buf_putc(b, user.p[i]);
            continue;
        }
        unsigned c = (unsigned)ascii_hex(user.p[i + 1]) << 4 | (unsigned)ascii_hex(user.p[i + 2]);
        i += 2;
        if (chars_is((char)c, CH_UNRESERVED)) {
            buf_putc(b, (char)c);
        } else {
            buf_putc(b, '%');
            buf_putc(b, digits[c >> 4 & 15]);
            buf_putc(b, digits[c & 15]);
        }
    }
}

int sip_aor_write(struct buf *b, const struct sip_uri *u)
{
    char text[SIP_AOR_MAX];
    struct buf t = BUF_INIT(text);
    struct addr a;
    if ((u->scheme != SIP_SCHEME_SIP && u->scheme != SIP_SCHEME_SIPS) || u->user.n == 0)
        return CS_EPROTO;
    buf_lit(&t, "sip:");
    write_user(&t, u->user);
    buf_putc(&t, '@');
    if (chars_ipv6(u->host, &a)) {
        addr_write_host(&t, &a);
    } else {
        for (size_t i = 0; i < u->host.n; i++)
            buf_putc(&t, ascii_lower(u->host.p[i]));
    }
    if (!buf_ok(&t))
        return CS_ELIMIT;
    buf_put(b, buf_span(&t));
    return buf_ok(b) ? 0 : CS_ELIMIT;
}

struct span sip_user_plain(struct span user, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < user.n; i++) {
        uint64_t c = (unsigned char)user.p[i];
        if (c == '%' && span_hex(span_head(span_skip(user, i + 1), 2), &c) == 0)
            i += 2;
        out[n++] = (char)c;
    }
    return span_of(out, n);
}

void sip_user_write(struct buf *b, struct span plain)
{
    for (size_t i = 0; i < plain.n; i++) {
        if (chars_is(plain.p[i], CH_USER))
            buf_putc(b, plain.p[i]);
        else
            buf_printf(b, "%%%02X", (unsigned char)plain.p[i]);
    }
}
