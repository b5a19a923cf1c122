#include "redis/slots.h"

#include <stdlib.h>

/* CRC-16/XMODEM, as the specification of Redis Cluster says. */
static unsigned crc16(struct span s)
{
    unsigned crc = 0;
    for (size_t i = 0; i < s.n; i++) {
        crc ^= (unsigned)(unsigned char)s.p[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
    }
    return crc;
}

unsigned slot_of(struct span key)
{
    ptrdiff_t open = span_find(key, '{');
    struct span rest = open < 0 ? SPAN_NULL : span_skip(key, (size_t)open + 1);
    ptrdiff_t close = span_find(rest, '}');
    return crc16(close > 0 ? span_head(rest, (size_t)close) : key) % SLOTS;
}

/* [host, port, id, ...]; without a host, who says so (cluster-preferred-endpoint-type). */
static bool read_node(const struct redis_reply *node, const struct addr *from, struct addr *out)
{
    if (node->type != REDIS_ARRAY || node->n < 2 || node->element[1].type != REDIS_INTEGER ||
        node->element[1].integer <= 0 || node->element[1].integer > UINT16_MAX)
        return false;
    uint16_t port = (uint16_t)node->element[1].integer;
    if (node->element[0].type == REDIS_STRING && node->element[0].str.n)
        return addr_parse_host(node->element[0].str, port, out) == 0;
    *out = *from;
    addr_set_port(out, port);
    return true;
}

/* [first, last, master, replica...] */
static const char *read_range(const struct redis_reply *range, const struct addr *from,
                              struct slot_map *out)
{
    struct addr master;
    if (range->type != REDIS_ARRAY || range->n < 3 || range->element[0].type != REDIS_INTEGER ||
        range->element[1].type != REDIS_INTEGER || range->element[0].integer < 0 ||
        range->element[1].integer >= SLOTS || range->element[0].integer > range->element[1].integer)
        return "the node does not say which slots there are";
    if (!read_node(&range->element[2], from, &master))
        return "the node names no address (cluster-preferred-endpoint-type must be ip)";
    unsigned first = (unsigned)range->element[0].integer, i = 0;
    while (i < out->n && !addr_eq(&out->master[i], &master))
        i++;
    if (i == SLOTS_MASTERS_MAX)
        return "the cluster has too many masters";
    if (i == out->n) {
        out->master[out->n++] = master;
        out->first[i] = first;
    }
    out->first[i] = CS_MIN(out->first[i], first);
    memset(out->of + first, (int)i, (size_t)range->element[1].integer - first + 1);
    return NULL;
}

/* In the order of their first slots, which outlasts failovers. */
static void sort(struct slot_map *m)
{
    unsigned char place[SLOTS_MASTERS_MAX + 1];
    struct slot_map sorted = { .n = m->n };
    for (size_t i = 0; i < m->n; i++) {
        size_t before = 0;
        for (size_t j = 0; j < m->n; j++)
            before += m->first[j] < m->first[i];
        place[i] = (unsigned char)before;
        sorted.master[before] = m->master[i];
        sorted.first[before] = m->first[i];
    }
    for (size_t i = 0; i < SLOTS; i++)
        sorted.of[i] = place[m->of[i]];
    *m = sorted;
}

const char *slots_read(const struct redis_reply *reply, const struct addr *from,
                       struct slot_map *out)
{
    out->n = 0;
    memset(out->of, SLOTS_MASTERS_MAX, sizeof(out->of));
    if (reply->type == REDIS_ERROR)
        return "the server does not tell its slots: is it a node of a cluster (cluster-enabled), "
               "and may we ask (+cluster|slots)?";
    if (reply->type != REDIS_ARRAY)
        return "the node does not say which slots there are";
    for (size_t i = 0; i < reply->n; i++) {
        const char *why = read_range(&reply->element[i], from, out);
        if (why)
            return why;
    }
    if (memchr(out->of, SLOTS_MASTERS_MAX, sizeof(out->of)))
        return "some slots of the cluster have no master";
    sort(out);
    return NULL;
}

int slots_read_redirect(struct span error, const struct addr *from, unsigned *slot,
                        struct addr *out)
{
    uint64_t n, port;
    ptrdiff_t colon = -1;
    (void)span_cut(&error, ' ');
    if (!error.p || span_u64(span_cut(&error, ' '), SLOTS - 1, &n))
        return CS_EPROTO;
    for (size_t i = 0; i < error.n; i++) { /* the last one: IPv6 comes without brackets */
        if (error.p[i] == ':')
            colon = (ptrdiff_t)i;
    }
    if (colon < 0 || span_u64(span_skip(error, (size_t)colon + 1), UINT16_MAX, &port))
        return CS_EPROTO;
    struct span host = span_head(error, (size_t)colon);
    *slot = (unsigned)n;
    if (host.n)
        return addr_parse_host(host, (uint16_t)port, out);
    *out = *from;
    addr_set_port(out, (uint16_t)port);
    return 0;
}
