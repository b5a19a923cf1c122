#include "base/metric.h"
#include "siptp/impl.h"

struct span siptp_head(struct span in)
{
    const char *end = in.n ? memmem(in.p, in.n, "\r\n\r\n", 4) : NULL;
    return end ? span_of(in.p, (size_t)(end - in.p) + 4) : SPAN_NULL;
}

/* Which limit it was: the parser says only that one was passed. */
static enum sip_refused over_limit(struct span in, const struct sip_limits *limits)
{
    struct span head = siptp_head(in);
    struct span rest = head.p ? span_head(head, head.n - 4) : in;
    size_t lines = 0, line = 0;
    while (rest.p) {
        struct span text = span_cut(&rest, '\n');
        bool folded = text.n && (text.p[0] == ' ' || text.p[0] == '\t');
        line = folded ? line + text.n + 1 : text.n;
        if (line > limits->line)
            return REFUSED_LINE_TOO_LONG;
        if (!folded && lines++ > limits->headers)
            return REFUSED_TOO_MANY_HEADERS;
    }
    return REFUSED_TOO_LARGE;
}

void siptp_count_refused(const struct siptp *tp, const struct addr *from,
                         enum sip_transport transport, enum sip_refused why)
{
    metric_inc(M_SIP_REFUSED, why);
    if (tp->conf.guard && transport != SIP_LINK)
        tp->conf.guard->refused(tp->conf.guard_arg, from, transport, why);
}

void siptp_refuse(const struct siptp *tp, const struct addr *from, enum sip_transport transport,
                  struct span in, int err)
{
    enum sip_refused why = REFUSED_MALFORMED;
    if (err == CS_ENOMEM)
        why = REFUSED_MEMORY;
    else if (err == CS_ELIMIT)
        why = over_limit(in, &tp->conf.limits);
    siptp_count_refused(tp, from, transport, why);
}
