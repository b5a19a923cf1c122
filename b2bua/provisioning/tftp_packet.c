#include "b2bua/provisioning/tftp_packet.h"

#include "base/util.h"

enum { BLOCK_LEAST = 8 /* RFC 2348 */ };

static void put_u16(struct buf *b, unsigned n)
{
    buf_putc(b, (char)(n >> 8));
    buf_putc(b, (char)n);
}

static unsigned get_u16(struct span s)
{
    return (unsigned)(unsigned char)s.p[0] << 8 | (unsigned char)s.p[1];
}

/* Up to its NUL, which is passed over; absent: it has none. */
static struct span take_text(struct span *rest)
{
    const ptrdiff_t end = span_find(*rest, '\0');
    const struct span text = end < 0 ? SPAN_NULL : span_head(*rest, (size_t)end);
    *rest = end < 0 ? SPAN_NULL : span_skip(*rest, (size_t)end + 1);
    return text;
}

static int take_option(struct span name, struct span value, struct tftp_packet *out)
{
    uint64_t n;
    if (span_caseeq(name, SPAN("tsize"))) {
        out->tsize = true;
    } else if (span_caseeq(name, SPAN("blksize"))) {
        if (span_u64(value, 65464, &n) || n < BLOCK_LEAST)
            return CS_EPROTO;
        out->blksize = (uint16_t)CS_MIN(n, (uint64_t)TFTP_BLOCK_MAX);
    }
    return 0;
}

static int parse_request(struct span rest, struct tftp_packet *out)
{
    out->file = take_text(&rest);
    const struct span mode = take_text(&rest);
    out->octet = span_caseeq(mode, SPAN("octet"));
    if (!out->file.n || !mode.n)
        return CS_EPROTO;
    while (rest.n) {
        const struct span name = take_text(&rest), value = take_text(&rest);
        if (!name.n || !value.p || take_option(name, value, out))
            return CS_EPROTO;
    }
    return 0;
}

int tftp_parse(struct span data, struct tftp_packet *out)
{
    struct tftp_packet p = { 0 };
    *out = p;
    if (data.n < 4)
        return CS_EPROTO;
    p.op = (enum tftp_op)get_u16(data);
    p.block = (uint16_t)get_u16(span_skip(data, 2));
    if (p.op == TFTP_RRQ || p.op == TFTP_WRQ) {
        p.block = 0;
        if (parse_request(span_skip(data, 2), &p))
            return CS_EPROTO;
    } else if (p.op != TFTP_ACK && p.op != TFTP_ERROR) {
        return CS_EPROTO;
    }
    *out = p;
    return 0;
}

void tftp_write_data(struct buf *b, uint16_t block, struct span data)
{
    put_u16(b, TFTP_DATA);
    put_u16(b, block);
    buf_put(b, data);
}

void tftp_write_error(struct buf *b, enum tftp_error code, const char *words)
{
    put_u16(b, TFTP_ERROR);
    put_u16(b, code);
    buf_put(b, span_str(words));
    buf_putc(b, '\0');
}

bool tftp_write_oack(struct buf *b, const struct tftp_packet *p, size_t size)
{
    if (!p->blksize && !p->tsize)
        return false;
    put_u16(b, TFTP_OACK);
    if (p->blksize)
        buf_printf(b, "blksize%c%u%c", 0, p->blksize, 0);
    if (p->tsize)
        buf_printf(b, "tsize%c%zu%c", 0, size, 0);
    return true;
}
