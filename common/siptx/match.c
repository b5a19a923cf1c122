#include "siptx/impl.h"

_Thread_local char tx_scratch[TX_SCRATCH];

static struct tx_key key_of(struct span kind, struct span text)
{
    uint64_t hash[2];
    map_hash_wide(kind, text, hash);
    return (struct tx_key){ hash[0], hash[1] };
}

static void put_part(struct buf *b, struct span s)
{
    uint32_t n = (uint32_t)s.n;
    buf_put(b, span_of(&n, sizeof(n))); /* so that no two lists of parts read alike */
    buf_put(b, s);
}

bool tx_has_branch(const struct sip_msg *m)
{
    return m->via.rfc3261 && m->via.branch.n > 7; /* RFC 4475, 3.4.1: not the cookie alone */
}

struct tx_key tx_key_server(const struct sip_msg *m, enum sip_method as)
{
    struct buf b = BUF_INIT(tx_scratch);
    const struct sip_via *via = &m->via;
    if (tx_has_branch(m)) {
        put_part(&b, via->branch);
        for (size_t i = 0; i < via->host.n; i++)
            buf_putc(&b, ascii_lower(via->host.p[i]));
        buf_put(&b, span_of(&via->port, sizeof(via->port)));
    } else { /* 17.2.3, for clients of RFC 2543; the ACK's To tag is looked at by the caller */
        put_part(&b, m->uri.text);
        put_part(&b, m->from.tag);
        put_part(&b, m->call_id);
        put_part(&b, via->text);
        buf_put(&b, span_of(&m->cseq, sizeof(m->cseq)));
    }
    if (as == SIP_OTHER)
        put_part(&b, m->method_name);
    else
        buf_putc(&b, (char)as);
    return key_of(SPAN("server\0"), buf_span(&b));
}

struct tx_key tx_key_client(struct span branch, enum sip_method method)
{
    const char kind[8] = { 'c', 'l', 'i', 'e', 'n', 't', 0, (char)method };
    return key_of(span_of(kind, sizeof(kind)), branch);
}

static bool tx_is(const struct map_node *n, const void *key)
{
    return container_of(n, struct tx, node)->key.b == ((const struct tx_key *)key)->b;
}

struct tx *tx_find(const struct siptx *x, struct tx_key key)
{
    struct map_node *n = map_find(&x->live, key.a, tx_is, &key);
    return n ? container_of(n, struct tx, node) : NULL;
}
