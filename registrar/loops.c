#include "registrar/loops.h"

#include "base/map.h"

uint64_t loops_hash(const struct sip_msg *m)
{
    uint64_t h = map_hash2(m->uri.text, m->call_id);
    const struct span parts[] = { m->from.tag, m->to.tag, m->method_name,
                                  span_of(&m->cseq, sizeof(m->cseq)) };
    for (size_t i = 0; i < CS_LEN(parts); i++)
        h = map_hash2(span_of(&h, sizeof(h)), parts[i]);
    for (struct sip_values it = sip_values(m, SIP_HDR_ROUTE); sip_next(&it);)
        h = map_hash2(span_of(&h, sizeof(h)), it.value);
    return h;
}

enum { HASH_AT = SIP_BRANCH_LEN + 1, NODE_AT = HASH_AT + 16 + 1 };

static void write_hex(struct buf *b, uint64_t v, unsigned n)
{
    unsigned char bytes[8];
    for (unsigned i = 0; i < n; i++)
        bytes[i] = (unsigned char)(v >> (8 * (n - 1 - i)));
    buf_putc(b, '.');
    buf_hex(b, bytes, n);
}

void loops_branch(struct buf *b, uint64_t hash, uint32_t node)
{
    siptx_branch(b);
    write_hex(b, hash, 8);
    write_hex(b, node, 4);
}

static bool has_form(struct span branch)
{
    return branch.n == LOOPS_BRANCH_LEN && branch.p[HASH_AT - 1] == '.' &&
           branch.p[NODE_AT - 1] == '.';
}

uint32_t loops_node(struct span branch)
{
    uint64_t node;
    return has_form(branch) && span_hex(span_skip(branch, NODE_AT), &node) == 0 ? (uint32_t)node
                                                                                : 0;
}

static bool has_hash(const struct sip_via *via, uint64_t hash)
{
    uint64_t h;
    return has_form(via->branch) &&
           span_hex(span_head(span_skip(via->branch, HASH_AT), 16), &h) == 0 && h == hash;
}

bool loops_back(const struct sip_msg *m, uint64_t hash, const struct siptp *tp)
{
    for (struct sip_values it = sip_values(m, SIP_HDR_VIA); sip_next(&it);) {
        struct sip_via via;
        if (sip_via_parse(it.value, &via) == 0 && has_hash(&via, hash) &&
            siptp_is_us(tp, via.host, via.port))
            return true;
    }
    return false;
}
