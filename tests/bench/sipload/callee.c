#include "callee.h"

#include "header.h"

static int read_call_id(struct span value, struct delivery *d)
{
    uint64_t caller;
    if (span_hex(span_cut(&value, '-'), &d->run) != 0 || span_hex(value, &caller) != 0 ||
        caller > UINT32_MAX)
        return CS_EPROTO;
    d->caller = (uint32_t)caller;
    return 0;
}

/* Copies what an answer repeats (RFC 3261, 8.2.6.2). */
static void repeat(struct buf *b, const struct header *h, struct span tag)
{
    buf_put(b, h->name);
    buf_lit(b, ": ");
    buf_put(b, h->value);
    if (tag.p) {
        buf_lit(b, ";tag=");
        buf_put(b, tag);
    }
    buf_lit(b, "\r\n");
}

int callee_answer(struct buf *b, struct span text, struct delivery *out)
{
    struct span line = span_cut(&text, '\n');
    struct span method = span_cut(&line, ' '), uri = span_cut(&line, ' ');
    struct delivery d = { .uri = uri };
    struct header h, to = { 0 };
    uint64_t length = 0;
    unsigned vias = 0, call_ids = 0, froms = 0, cseqs = 0;
    int more;
    *out = (struct delivery){ 0 };
    if (!span_eq(method, SPAN("MESSAGE")) || !span_starts(line, SPAN("SIP/2.0")))
        return CS_EPROTO;

    buf_lit(b, "SIP/2.0 200 OK\r\n");
    while ((more = header_next(&text, &h)) == 1) {
        bool via = header_is(&h, SPAN("Via"), 'v'), from = header_is(&h, SPAN("From"), 'f'),
             call_id = header_is(&h, SPAN("Call-ID"), 'i'), cseq = header_is(&h, SPAN("CSeq"), 0);
        vias += via;
        froms += from;
        call_ids += call_id;
        cseqs += cseq;
        if (via || from || call_id || cseq)
            repeat(b, &h, SPAN_NULL);
        if (call_id && read_call_id(h.value, &d) != 0)
            return CS_EPROTO;
        if (header_is(&h, SPAN("To"), 't'))
            to = h;
        if (header_is(&h, SPAN("Content-Length"), 'l') &&
            span_u64(h.value, UINT16_MAX, &length) != 0)
            return CS_EPROTO;
    }
    /* A caller's Via is there below the servers' own, which it does not see again. */
    if (more != 0 || vias < 2 || froms != 1 || call_ids != 1 || cseqs != 1 || !to.name.p ||
        header_param(to.value, ';', SPAN("tag")).p || text.n != length ||
        message_read_mark(text, &d.slot, &d.serial) != 0)
        return CS_EPROTO;
    repeat(b, &to, text);
    buf_lit(b, "Content-Length: 0\r\n\r\n");
    *out = d;
    return buf_ok(b) ? 0 : CS_EPROTO;
}

bool callee_is(const struct delivery *d, const struct phone *callee)
{
    char text[300];
    struct buf uri = BUF_INIT(text);
    message_contact(&uri, callee);
    return span_eq(d->uri, buf_span(&uri));
}
