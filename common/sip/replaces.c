#include "sip/replaces.h"

#include "sip/chars.h"
#include "sip/params.h"

static int keep(struct replaces *r, const struct params *it)
{
    if (span_caseeq(it->name, SPAN("to-tag")))
        r->to_tag = it->value;
    else if (span_caseeq(it->name, SPAN("from-tag")))
        r->from_tag = it->value;
    else if (span_caseeq(it->name, SPAN("early-only")))
        r->early_only = true;
    else
        return 0;                      /* generic-param */
    return it->quoted ? CS_EPROTO : 0; /* a tag is a token */
}

int replaces_parse(struct span value, struct replaces *out)
{
    struct replaces r = { 0 };
    struct params it;
    struct span rest = value;
    *out = r;
    r.call_id = span_trim(span_cut(&rest, ';'));
    if (!r.call_id.n || !rest.p)
        return CS_EPROTO;
    for (size_t i = 0; i < r.call_id.n; i++) {
        if (r.call_id.p[i] <= ' ' || r.call_id.p[i] == ',')
            return CS_EPROTO; /* two values, or no word */
    }
    params_init(&it, span_of(rest.p - 1, rest.n + 1));
    while (params_next(&it)) {
        if (keep(&r, &it))
            return CS_EPROTO;
    }
    if (it.s.err || !r.to_tag.n || !r.from_tag.n)
        return CS_EPROTO;
    *out = r;
    return 0;
}
