#include "b2bua/call/call_impl.h"

enum { VALUE_MAX = 256, WRITTEN_MAX = 64 /* of a side: each takes memory as long as the call */ };

void call_note_headers(struct call *c, unsigned side, const struct trunk_conf *t,
                       const struct sip_msg *m)
{
    __typeof__(c->headers[0]) *h = &c->headers[side];
    if (h->trunk != t)
        *h = (__typeof__(c->headers[0])){ .trunk = t };
    for (size_t i = 0; t && i < t->n_record_headers && h->n < WRITTEN_MAX; i++) {
        const struct span said = sip_hdr_named(m, t->record_headers[i]),
                          value = span_head(said, CS_MIN(said.n, (size_t)VALUE_MAX));
        if (said.p && !h->value)
            h->value = arena_zalloc(&c->arena, RECORD_HEADERS_MAX * sizeof(*h->value));
        if (!said.p || !h->value || (h->value[i].p && span_eq(h->value[i], value)))
            continue;
        h->value[i] = arena_dup(&c->arena, value);
        h->n++;
    }
}

static void write_side(struct buf *b, const char *key, const struct call *c, unsigned side)
{
    const __typeof__(c->headers[0]) *h = &c->headers[side];
    const char *before = "{";
    for (size_t i = 0; h->value && i < h->trunk->n_record_headers; i++) {
        if (!h->value[i].p)
            continue;
        if (*before == '{')
            buf_printf(b, ",\"%s\":", key);
        buf_put(b, span_str(before));
        buf_putc(b, '"');
        buf_json(b, h->trunk->record_headers[i]);
        buf_lit(b, "\":\"");
        buf_json(b, h->value[i]);
        buf_putc(b, '"');
        before = ",";
    }
    if (*before == ',')
        buf_putc(b, '}');
}

void call_write_headers(struct buf *b, const struct call *c)
{
    write_side(b, "headers_caller", c, SIDE_A);
    write_side(b, "headers_callee", c, SIDE_B);
}
