#include "b2bua/desk/message_summary.h"

#include "sip/scan.h"

/* Of "Name: value"; without a colon there is no name. */
static struct span cut_line(struct span *rest, struct span *value)
{
    struct span line = span_cut(rest, '\n'), name;
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    *value = line;
    name = span_trim(span_cut(value, ':'));
    *value = span_trim(*value);
    return value->p ? name : SPAN_NULL;
}

int message_summary_parse(struct span body, struct message_summary *out)
{
    struct span rest = body, value;
    struct message_summary s = { 0 };
    *out = s;
    if (!span_caseeq(cut_line(&rest, &value), SPAN("Messages-Waiting")))
        return CS_EPROTO;
    s.waiting = span_caseeq(value, SPAN("yes"));
    if (!s.waiting && !span_caseeq(value, SPAN("no")))
        return CS_EPROTO;
    while (rest.n) {
        struct span name = cut_line(&rest, &value);
        if (!span_caseeq(name, SPAN("Voice-Message")))
            continue;
        struct scan at = scan_of(value); /* "2/8 (0/2)", urgent ones in parentheses */
        s.fresh = scan_u32(&at);
        scan_expect(&at, '/');
        s.old = scan_u32(&at);
        if (at.err)
            s.fresh = s.old = 0;
    }
    *out = s;
    return 0;
}
