#include "sip/chars.h"
#include "sip/params.h"
#include "sip/parse.h"

/* received = IPv4address / IPv6address, with brackets or without (RFC 5118, 4.5) */
static bool is_address(struct span s)
{
    struct addr a;
    return addr_parse_host(s, 0, &a) == 0;
}

static bool is_number(struct span s, uint64_t max)
{
    uint64_t v;
    return span_u64(s, max, &v) == 0;
}

static bool keep(struct sip_via *v, const struct params *it)
{
    struct span value = it->value;
    if (span_caseeq(it->name, SPAN("branch"))) {
        v->branch = value;
        /* The cookie alone says nothing (RFC 4475, 3.2.1). */
        v->rfc3261 = value.n > 7 && span_casestarts(value, SPAN("z9hG4bK"));
        return value.n && !it->quoted && chars_all(value, CH_TOKEN);
    }
    if (span_caseeq(it->name, SPAN("rport"))) { /* RFC 3581 */
        v->rport = value.p ? value : span_of(it->name.p + it->name.n, 0);
        return !value.p || is_number(value, 65535);
    }
    if (span_caseeq(it->name, SPAN("received"))) {
        v->received = value;
        return value.p && is_address(value);
    }
    if (span_caseeq(it->name, SPAN("maddr"))) {
        v->maddr = value;
        return value.p && chars_is_host(value);
    }
    if (span_caseeq(it->name, SPAN("ttl"))) {
        v->ttl = value;
        return value.p && value.n <= 3 && is_number(value, 255);
    }
    return true;
}

/* sent-protocol LWS sent-by (RFC 3261, 20.42). Another version is malformed, too, but can be
 * answered to. */
static int parse_sent(struct scan *s, struct sip_via *v, bool *version_ok)
{
    struct span name = scan_token(s);
    scan_expect(s, '/');
    struct span version = scan_token(s);
    scan_expect(s, '/');
    v->transport = scan_token(s);
    if (s->err || !span_caseeq(name, SPAN("SIP")))
        return CS_EPROTO;
    *version_ok = span_eq(version, SPAN("2.0"));
    const char *end = s->p;
    scan_lws(s);
    if (s->p == end)
        return CS_EPROTO;
    const char *host = s->p;
    if (s->p < s->end && *s->p == '[') {
        while (s->p < s->end && *s->p != ']')
            s->p++;
        scan_expect(s, ']');
    } else {
        while (s->p < s->end && chars_is(*s->p, CH_HOST) && *s->p != ':')
            s->p++;
    }
    v->host = span_of(host, (size_t)(s->p - host));
    if (s->err || !chars_is_host(v->host))
        return CS_EPROTO;
    if (scan_accept(s, ':')) {
        uint32_t port = scan_u32(s);
        if (s->err || port == 0 || port > 65535)
            return CS_EPROTO;
        v->port = (uint16_t)port;
    }
    return 0;
}

int parse_via(struct span value, struct sip_via *out, bool *sent)
{
    struct params it;
    struct scan s = scan_of(value);
    *out = (struct sip_via){ .text = value };
    bool version_ok = false;
    *sent = parse_sent(&s, out, &version_ok) == 0;
    if (!*sent || !version_ok)
        return CS_EPROTO;
    struct sip_via v = *out; /* so far it can be answered to */
    scan_lws(&s);
    v.params = span_of(s.p, (size_t)(s.end - s.p));
    params_init(&it, v.params);
    while (params_next(&it)) {
        if (!keep(&v, &it))
            return CS_EPROTO;
    }
    if (it.s.err)
        return CS_EPROTO;
    *out = v;
    return 0;
}

int sip_via_parse(struct span value, struct sip_via *out)
{
    bool sent;
    int rc = parse_via(value, out, &sent);
    if (rc)
        *out = (struct sip_via){ 0 };
    return rc;
}
