#include "sip/params.h"

#include "sip/msg.h"

void params_init(struct params *it, struct span params)
{
    it->s = scan_of(params);
    it->n = 0;
}

bool params_next(struct params *it)
{
    struct scan *s = &it->s;
    scan_lws(s);
    if (s->p == s->end || s->err)
        return false;
    const char *start = s->p;
    scan_expect(s, ';');
    it->name = scan_token(s);
    it->value = SPAN_NULL;
    it->quoted = false;
    const char *end = s->p;
    if (scan_accept(s, '=')) {
        it->value = scan_value(s);
        it->quoted = !s->err && s->p[-1] == '"';
        end = s->p;
    }
    if (s->err || it->n == PARAMS_MAX) {
        s->err = true;
        return false;
    }
    for (size_t i = 0; i < it->n; i++) {
        if (span_caseeq(it->seen[i], it->name)) {
            s->err = true; /* RFC 3261, 7.3.1: a parameter name must not appear twice */
            return false;
        }
    }
    it->seen[it->n++] = it->name;
    it->text = span_of(start, (size_t)(end - start));
    return true;
}

int params_q(struct span text, uint32_t *out)
{
    uint64_t whole, fraction = 0;
    struct span rest = text;
    if (span_u64(span_cut(&rest, '.'), 1, &whole) || rest.n > 3)
        return CS_EPROTO;
    if (rest.n && span_u64(rest, 999, &fraction))
        return CS_EPROTO;
    for (size_t i = rest.n; i < 3; i++)
        fraction *= 10;
    if (whole * 1000 + fraction > 1000)
        return CS_EPROTO;
    *out = (uint32_t)(whole * 1000 + fraction);
    return 0;
}

int sip_param(struct span params, struct span name, struct span *out)
{
    struct params it;
    int rc = CS_ENOENT;
    params_init(&it, params);
    *out = SPAN_NULL;
    while (params_next(&it)) {
        if (span_caseeq(it.name, name)) {
            *out = it.value.p ? it.value : span_of(it.name.p + it.name.n, 0);
            rc = 0;
        }
    }
    if (it.s.err) {
        *out = SPAN_NULL;
        return CS_EPROTO;
    }
    return rc;
}
