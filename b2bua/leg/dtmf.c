#include "b2bua/leg/dtmf.h"

#include <string.h>

void dtmf_write(struct buf *b, char digit)
{
    buf_printf(b, "Signal=%c\r\nDuration=%u\r\n", digit, DTMF_MS);
}

static struct span trim_line(struct span s)
{
    while (s.n && (s.p[s.n - 1] == '\r' || s.p[s.n - 1] == '\n'))
        s.n--;
    return span_trim(s);
}

/* 10 and 11 are how some say * and #. */
static char digit_of(struct span s)
{
    const char c = s.n == 1 && s.p[0] >= 'a' && s.p[0] <= 'd' ? (char)(s.p[0] - 'a' + 'A')
                   : s.n == 1                                 ? s.p[0]
                   : span_eq(s, SPAN("10"))                   ? '*'
                   : span_eq(s, SPAN("11"))                   ? '#'
                                                              : '\0';
    return c && strchr("0123456789*#ABCD", c) ? c : '\0';
}

static char read_relay(struct span body, unsigned *ms)
{
    char digit = '\0';
    while (body.n) {
        struct span value = trim_line(span_cut(&body, '\n'));
        const struct span name = span_trim(span_cut(&value, '='));
        uint64_t n;
        if (span_caseeq(name, SPAN("Signal")))
            digit = digit_of(span_trim(value));
        else if (span_caseeq(name, SPAN("Duration")) &&
                 span_u64(span_trim(value), UINT32_MAX, &n) == 0)
            *ms = n ? (unsigned)CS_MIN(n, (uint64_t)DTMF_LONGEST_MS) : DTMF_MS;
    }
    return digit;
}

char dtmf_read(struct span type, struct span body, unsigned *ms)
{
    struct span rest = type;
    type = span_trim(span_cut(&rest, ';'));
    *ms = DTMF_MS;
    if (span_caseeq(type, DTMF_RELAY))
        return read_relay(body, ms);
    return span_caseeq(type, SPAN("application/dtmf")) ? digit_of(trim_line(body)) : '\0';
}
