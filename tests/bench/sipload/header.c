#include "header.h"

int header_next(struct span *rest, struct header *out)
{
    struct span line = span_cut(rest, '\n');
    *out = (struct header){ 0 };
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n == 0)
        return 0;
    struct span name = span_trim(span_cut(&line, ':'));
    if (!line.p) /* no server here folds its lines */
        return CS_EPROTO;
    *out = (struct header){ name, span_trim(line) };
    return 1;
}

bool header_is(const struct header *h, struct span name, char compact)
{
    return span_caseeq(h->name, name) || (h->name.n == 1 && ascii_lower(h->name.p[0]) == compact);
}

struct span header_param(struct span text, char sep, struct span name)
{
    while (text.p) {
        bool quoted = false;
        size_t i = 0;
        while (i < text.n && (quoted || text.p[i] != sep))
            quoted ^= text.p[i++] == '"';
        struct span one = span_head(text, i);
        text = i < text.n ? span_skip(text, i + 1) : SPAN_NULL;

        struct span key = span_trim(span_cut(&one, '='));
        struct span value = span_trim(one);
        if (!span_caseeq(key, name))
            continue;
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            return span_of(value.p + 1, value.n - 2);
        return value.p ? value : span_of("", 0);
    }
    return SPAN_NULL;
}
