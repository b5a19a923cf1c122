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

void loops_branch(struct buf *b, uint64_t hash)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(hash >> (56 - 8 * i));
    siptx_branch(b);
    buf_putc(b, '.');
    buf_hex(b, bytes, sizeof(bytes));
}

static bool has_hash(const struct sip_via *via, uint64_t hash)
{
    uint64_t h;
    return via->branch.n == LOOPS_BRANCH_LEN && via->branch.p[SIP_BRANCH_LEN] == '.' &&
           span_hex(span_skip(via->branch, SIP_BRANCH_LEN + 1), &h) == 0 && h == hash;
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
