#include "authd/calls/destination.h"

#include "e164/country.h"

/* RFC 3966, 3: these and what stands behind ";" is for people and for proxies. A trunk may leave
 * them away, so they must hide no prefix. */
static bool is_separator(char c)
{
    return c == '-' || c == '.' || c == '(' || c == ')' || c == ' ';
}

static bool is_form(struct span s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (!ascii_digit(s.p[i]))
            return false;
    }
    return s.n > 1 && s.n <= E164_MAX + 1 && s.p[0] == '+';
}

void destination_read(const struct e164 *dialled, struct span user, struct destination *out)
{
    struct span rest = user;
    struct span plain = span_cut(&rest, ';');
    *out = (struct destination){ 0 };
    struct buf number = buf_of(out->text, sizeof(out->text)), form = BUF_INIT(out->e164);
    for (size_t i = 0; i < plain.n && number.n < number.cap; i++) {
        if (!is_separator(plain.p[i]))
            buf_putc(&number, plain.p[i]);
    }
    out->number = buf_span(&number);
    if (is_form(out->number))
        out->form = out->number;
    else if (dialled && e164_from(dialled, out->number, &form))
        out->form = buf_span(&form);
    if (out->form.p)
        out->country = country_of(span_skip(out->form, 1));
}

static bool has_prefix(const struct destination_rule *r, const struct destination *to)
{
    for (size_t i = 0; i < r->n_prefixes; i++) {
        const struct span p = r->prefixes[i];
        if (span_starts(to->number, p) || (p.p[0] == '+' && span_starts(to->form, p)))
            return true;
    }
    return r->n_prefixes == 0;
}

static bool is_one_of(const struct span *list, size_t n, struct span s)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq(list[i], s))
            return true;
    }
    return false;
}

static bool is_caller(const struct destination_rule *r, struct span caller)
{
    const ptrdiff_t at = span_find(caller, '@');
    return r->n_callers == 0 || is_one_of(r->callers, r->n_callers, caller) ||
           (at >= 0 && is_one_of(r->callers, r->n_callers, span_skip(caller, (size_t)at)));
}

static bool fits(const struct destination_rule *r, const struct destination_call *call)
{
    const struct span country = call->to->country;
    return has_prefix(r, call->to) &&
           (!r->n_countries || is_one_of(r->countries, r->n_countries, country)) &&
           (!r->n_not_countries || !is_one_of(r->not_countries, r->n_not_countries, country)) &&
           is_caller(r, call->caller) &&
           (!r->n_trunks || is_one_of(r->trunks, r->n_trunks, call->trunk)) &&
           (!r->during || schedule_is_open(r->during, call->now)) &&
           (!r->outside || !schedule_is_open(r->outside, call->now)) &&
           (!r->first_time || call->first_time);
}

const struct destination_rule *destination_rule(const struct calls_conf *conf,
                                                const struct destination_call *call)
{
    for (size_t i = 0; i < conf->n_destinations; i++) {
        if (fits(&conf->destinations[i], call))
            return &conf->destinations[i];
    }
    return NULL;
}
