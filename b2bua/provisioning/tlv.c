#include "b2bua/provisioning/tlv.h"

enum { HEAD = 3 };

static void put_head(struct buf *b, unsigned tag, size_t n)
{
    if (n > UINT16_MAX)
        b->full = true;
    buf_putc(b, (char)tag);
    buf_putc(b, (char)(n >> 8));
    buf_putc(b, (char)n);
}

void tlv_put(struct buf *b, unsigned tag, struct span value)
{
    put_head(b, tag, value.n);
    buf_put(b, value);
}

void tlv_text(struct buf *b, unsigned tag, struct span text)
{
    put_head(b, tag, text.n + 1);
    buf_put(b, text);
    buf_putc(b, '\0');
}

void tlv_u8(struct buf *b, unsigned tag, unsigned value)
{
    const char bytes[] = { (char)value };
    tlv_put(b, tag, span_of(bytes, sizeof(bytes)));
}

void tlv_u16(struct buf *b, unsigned tag, unsigned value)
{
    const char bytes[] = { (char)(value >> 8), (char)value };
    tlv_put(b, tag, span_of(bytes, sizeof(bytes)));
}

void tlv_u32(struct buf *b, unsigned tag, uint32_t value)
{
    const char bytes[] = { (char)(value >> 24), (char)(value >> 16), (char)(value >> 8),
                           (char)value };
    tlv_put(b, tag, span_of(bytes, sizeof(bytes)));
}

size_t tlv_begin(struct buf *b, unsigned tag)
{
    const size_t at = b->n;
    put_head(b, tag, 0);
    return at;
}

void tlv_end(struct buf *b, size_t at)
{
    if (buf_ok(b))
        tlv_patch(b, at + 1, b->n - at - HEAD);
}

void tlv_patch(struct buf *b, size_t at, size_t value)
{
    if (value > UINT16_MAX || at + 2 > b->n) {
        b->full = true;
        return;
    }
    b->p[at] = (char)(value >> 8);
    b->p[at + 1] = (char)value;
}
