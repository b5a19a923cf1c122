#include "capture/hep.h"

/* Chunks of vendor 0, by their type. */
enum chunk {
    CHUNK_FAMILY = 0x01,
    CHUNK_PROTOCOL = 0x02,
    CHUNK_FROM4 = 0x03,
    CHUNK_TO4 = 0x04,
    CHUNK_FROM6 = 0x05,
    CHUNK_TO6 = 0x06,
    CHUNK_FROM_PORT = 0x07,
    CHUNK_TO_PORT = 0x08,
    CHUNK_SECONDS = 0x09,
    CHUNK_MICROSECONDS = 0x0a,
    CHUNK_TYPE = 0x0b,
    CHUNK_AGENT = 0x0c,
    CHUNK_PASSWORD = 0x0e,
    CHUNK_PAYLOAD = 0x0f,
    CHUNK_CORRELATION = 0x11,
    CHUNK_NODE = 0x13,
};

enum { CHUNK_HEAD = 6, FAMILY_IPV4 = 2, FAMILY_IPV6 = 10, OVER_TCP = 6, OVER_UDP = 17 };

static void put_number(struct buf *b, uint32_t v, size_t bytes)
{
    while (bytes--)
        buf_putc(b, (char)(v >> 8 * bytes));
}

static void put_chunk(struct buf *b, enum chunk type, struct span value)
{
    put_number(b, 0, 2);
    put_number(b, type, 2);
    put_number(b, (uint32_t)(CHUNK_HEAD + value.n), 2);
    buf_put(b, value);
}

static void put_value(struct buf *b, enum chunk type, uint32_t v, size_t bytes)
{
    put_number(b, 0, 2);
    put_number(b, type, 2);
    put_number(b, (uint32_t)(CHUNK_HEAD + bytes), 2);
    put_number(b, v, bytes);
}

static void put_text(struct buf *b, enum chunk type, struct span value)
{
    if (value.n)
        put_chunk(b, type, value);
}

void hep_write(struct buf *b, const struct hep *h)
{
    const bool v6 = h->from.sa.sa_family == AF_INET6;
    const size_t begin = b->n;
    buf_lit(b, "HEP3");
    put_number(b, 0, 2); /* its length, known below */
    put_value(b, CHUNK_FAMILY, v6 ? FAMILY_IPV6 : FAMILY_IPV4, 1);
    put_value(b, CHUNK_PROTOCOL, h->stream ? OVER_TCP : OVER_UDP, 1);
    put_chunk(b, v6 ? CHUNK_FROM6 : CHUNK_FROM4, addr_host_bytes(&h->from));
    put_chunk(b, v6 ? CHUNK_TO6 : CHUNK_TO4, addr_host_bytes(&h->to));
    put_value(b, CHUNK_FROM_PORT, addr_port(&h->from), 2);
    put_value(b, CHUNK_TO_PORT, addr_port(&h->to), 2);
    put_value(b, CHUNK_SECONDS, (uint32_t)(h->time_us / 1000000), 4);
    put_value(b, CHUNK_MICROSECONDS, (uint32_t)(h->time_us % 1000000), 4);
    put_value(b, CHUNK_TYPE, h->type, 1);
    put_value(b, CHUNK_AGENT, h->agent, 4);
    put_text(b, CHUNK_PASSWORD, h->password);
    put_text(b, CHUNK_NODE, h->node);
    put_text(b, CHUNK_CORRELATION, h->correlation);
    put_text(b, CHUNK_PAYLOAD, h->payload);
    const size_t n = b->n - begin;
    if (n > UINT16_MAX)
        b->full = true;
    if (!buf_ok(b))
        return;
    b->p[begin + 4] = (char)(n >> 8);
    b->p[begin + 5] = (char)n;
}
