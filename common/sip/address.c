#include "sip/chars.h"
#include "sip/msg.h"
#include "sip/params.h"

/* display-name = *(token LWS) / quoted-string, up to the '<' (RFC 3261, 25.1) */
static struct span parse_display(struct scan *s)
{
    scan_lws(s);
    const char *start = s->p;
    if (s->p < s->end && *s->p == '"') {
        (void)scan_quoted(s);
        return span_of(start, (size_t)(s->p - start));
    }
    const char *end = start;
    while (s->p < s->end && *s->p != '<' && !s->err) {
        /* Non-ASCII text without quotes is no token, yet has one reading only. */
        const char *word = s->p;
        while (s->p < s->end && (chars_is(*s->p, CH_TOKEN) || (unsigned char)*s->p >= 0x80))
            s->p++;
        s->err |= s->p == word;
        end = s->p;
        scan_lws(s);
    }
    return end > start ? span_of(start, (size_t)(end - start)) : SPAN_NULL;
}

static int parse_uri(struct scan *s, struct sip_addr *a)
{
    const char *start = s->p;
    bool name_addr = s->p < s->end && *s->p == '"';
    /* A '<' before any ';' or '"' belongs to a name-addr; in an addr-spec it could not stand. */
    for (const char *p = s->p; !name_addr && p < s->end && *p != ';' && *p != '"'; p++)
        name_addr = *p == '<';
    if (name_addr) {
        a->display = parse_display(s);
        scan_expect(s, '<');
        if (s->err)
            return CS_EPROTO;
        start = s->p;
        const char *close = memchr(start, '>', (size_t)(s->end - start));
        if (!close)
            return CS_EPROTO;
        s->p = close + 1;
        return sip_uri_parse(span_of(start, (size_t)(close - start)), &a->uri);
    }
    while (s->p < s->end && *s->p != ';' && !chars_is_space(*s->p)) {
        if (*s->p == '?' || *s->p == ',')
            return CS_EPROTO; /* RFC 3261, 20: such a URI must stand in angle brackets */
        s->p++;
    }
    return sip_uri_parse(span_of(start, (size_t)(s->p - start)), &a->uri);
}

int sip_addr_parse(struct span value, struct sip_addr *out)
{
    struct scan s = scan_of(value);
    struct sip_addr a = { .text = value };
    struct params it;
    *out = (struct sip_addr){ 0 };
    scan_lws(&s);
    if (parse_uri(&s, &a))
        return CS_EPROTO;
    scan_lws(&s);
    a.params = chars_trim(span_of(s.p, (size_t)(s.end - s.p)));
    params_init(&it, a.params);
    while (params_next(&it)) {
        if (!span_caseeq(it.name, SPAN("tag")))
            continue;
        if (it.value.n == 0 || it.quoted || !chars_all(it.value, CH_TOKEN))
            return CS_EPROTO;
        a.tag = it.value;
    }
    if (it.s.err)
        return CS_EPROTO;
    *out = a;
    return 0;
}
