#include "e164/e164.h"

static bool is_all_digits(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_digit(s.p[i]))
            return false;
    }
    return s.n > 0;
}

bool e164_from(const struct e164 *e, struct span number, struct buf *out)
{
    struct span country = e->country, area = SPAN_NULL, rest = number;
    if (span_starts(rest, e->access))
        rest = span_skip(rest, e->access.n);
    if (e->access.n && rest.n < number.n && span_starts(rest, SPAN("+"))) {
        country = SPAN_NULL; /* 9*+49...: from a directory, with the prefix put before it */
        rest = span_skip(rest, 1);
    } else if (e->international.n && span_starts(rest, e->international)) {
        country = SPAN_NULL;
        rest = span_skip(rest, e->international.n);
    } else if (e->national.n && span_starts(rest, e->national)) {
        rest = span_skip(rest, e->national.n);
    } else if (e->area.n) {
        area = e->area;
    } else if (e->national.n) {
        return false;
    }
    if (rest.n < e->shortest || !is_all_digits(rest) || country.n + area.n + rest.n > E164_MAX)
        return false;
    buf_putc(out, '+');
    buf_put(out, country);
    buf_put(out, area);
    buf_put(out, rest);
    return true;
}
