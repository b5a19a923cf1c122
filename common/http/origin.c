#include "http/origin.h"

static bool is_clean(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"',;\\", s.p[i]))
            return false;
    }
    return true;
}

struct span origin_of(struct span url)
{
    struct span rest = url, scheme = span_cut(&rest, ':');
    if ((!span_eq(scheme, SPAN("https")) && !span_eq(scheme, SPAN("http"))) || !is_clean(url) ||
        !span_starts(rest, SPAN("//")))
        return SPAN_NULL;
    rest = span_skip(rest, 2);
    size_t n = 0;
    while (n < rest.n && !strchr("/?#", rest.p[n]))
        n++;
    return n && span_find(span_head(rest, n), '@') < 0
               ? span_head(url, (size_t)(rest.p - url.p) + n)
               : SPAN_NULL;
}
