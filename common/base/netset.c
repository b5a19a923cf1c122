#include "base/netset.h"

struct key {
    char head[32];
    size_t n;
};

/* Every part has one place, so that two different keys differ in their bytes. */
static struct key key_of(const struct cidr *net, uint16_t port, uint64_t tag)
{
    struct key k = { 0 };
    struct span host = addr_host_bytes(&net->net);
    struct buf b = BUF_INIT(k.head);
    buf_putc(&b, (char)net->bits);
    buf_put(&b, span_of(&port, sizeof(port)));
    buf_put(&b, span_of(&tag, sizeof(tag)));
    buf_put(&b, host);
    k.n = b.n;
    return k;
}

static bool is_key(const struct map_node *n, const void *key)
{
    const struct netset_member *m = container_of(n, struct netset_member, node);
    const struct key *k = key, own = key_of(&m->net, m->port, m->tag);
    return span_eq(span_of(own.head, own.n), span_of(k->head, k->n));
}

void netset_init(struct netset *s)
{
    *s = (struct netset){ 0 };
    map_init(&s->map);
}

void netset_fini(struct netset *s)
{
    map_fini(&s->map);
    s->n_lengths = 0;
}

static struct netset_length *length_of(struct netset *s, const struct netset_member *m)
{
    size_t family = addr_host_bytes(&m->net.net).n;
    for (size_t i = 0; i < s->n_lengths; i++) {
        struct netset_length *l = &s->lengths[i];
        if (l->family == family && l->bits == m->net.bits && l->port == (m->port != 0))
            return l;
    }
    return NULL;
}

int netset_add(struct netset *s, struct netset_member *m)
{
    struct netset_length *l = length_of(s, m);
    if (!l && s->n_lengths == CS_LEN(s->lengths))
        return CS_ELIMIT;
    const struct key k = key_of(&m->net, m->port, m->tag);
    int err = map_insert(&s->map, &m->node, map_hash(span_of(k.head, k.n)));
    if (err)
        return err;
    if (!l) {
        l = &s->lengths[s->n_lengths++];
        *l = (struct netset_length){ .family = (unsigned char)addr_host_bytes(&m->net.net).n,
                                     .bits = (unsigned char)m->net.bits,
                                     .port = m->port != 0 };
    }
    l->n++;
    return 0;
}

void netset_remove(struct netset *s, struct netset_member *m)
{
    struct netset_length *l = length_of(s, m);
    map_remove(&s->map, &m->node);
    if (l && --l->n == 0)
        *l = s->lengths[--s->n_lengths];
}

struct netset_member *netset_get(const struct netset *s, const struct cidr *net, uint16_t port,
                                 uint64_t tag)
{
    const struct key k = key_of(net, port, tag);
    struct map_node *n = map_find(&s->map, map_hash(span_of(k.head, k.n)), is_key, &k);
    return n ? container_of(n, struct netset_member, node) : NULL;
}

struct netset_member *netset_find(const struct netset *s, const struct addr *a, uint64_t tag)
{
    size_t family = addr_host_bytes(a).n;
    for (size_t i = 0; i < s->n_lengths; i++) {
        const struct netset_length *l = &s->lengths[i];
        if (l->family != family)
            continue;
        const struct cidr net = cidr_of(a, l->bits);
        struct netset_member *m = netset_get(s, &net, l->port ? addr_port(a) : 0, tag);
        if (m)
            return m;
    }
    return NULL;
}
