#include "sip/chars.h"
#include "sip/head.h"

/* Content-Length, or its short form l: what else begins so is told apart by head_split(). */
static bool may_be_length(struct span line)
{
    char first = (char)(line.p[0] | 0x20);
    return first == 'l' || (first == 'c' && span_casestarts(line, SPAN("Content-")));
}

ptrdiff_t sip_frame(struct span in, const struct sip_limits *limits)
{
    struct sip_limits l = head_limits(limits);
    struct span rest = in;
    struct head_line line;
    struct sip_hdr hdr;
    uint64_t length = 0, v;
    bool have_length = false;
    size_t n_hdr = 0;
    if (in.n && !chars_is(in.p[0], CH_TOKEN))
        return CS_EPROTO; /* not the first letter of a method: another protocol */
    if (!head_next(&rest, &line)) {
        const char *lf = in.n ? memchr(in.p, '\n', in.n) : NULL;
        if (lf && !head_is_start_line(chars_trim(span_of(in.p, (size_t)(lf - in.p)))))
            return CS_EPROTO;
        return in.n > l.line ? CS_ELIMIT : 0;
    }
    if (line.text.n > l.line)
        return CS_ELIMIT;
    if (line.bad_end || line.folded || !head_is_start_line(line.text))
        return CS_EPROTO;
    for (;;) {
        size_t before = rest.n;
        if (!head_next(&rest, &line)) {
            if (before > l.line || in.n >= l.message)
                return CS_ELIMIT; /* a line without end, or a head */
            return 0;
        }
        if (line.bad_end)
            return CS_EPROTO;
        if (line.text.n == 0)
            break;
        if (line.text.n > l.line || ++n_hdr > l.headers)
            return CS_ELIMIT;
        if (!may_be_length(line.text) || !head_split(line.text, &hdr) ||
            hdr.id != SIP_HDR_CONTENT_LENGTH)
            continue; /* a malformed line gets its 400 from the parser */
        if (span_u64(hdr.value, UINT32_MAX, &v) || (have_length && v != length))
            return CS_EPROTO;
        length = v;
        have_length = true;
    }
    if (!have_length)
        return CS_EPROTO; /* RFC 3261, 18.3: required over streams */
    size_t head = in.n - rest.n;
    if (head > l.message || length > l.message - head)
        return CS_ELIMIT;
    return rest.n < length ? 0 : (ptrdiff_t)(head + length);
}
