#include "net/nft.h"

#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "base/util.h"

enum { WAIT_S = 2, BUFFER = 8192 };

struct set {
    char name[NFT_NAME_LEN]; /* "": none */
    size_t key;              /* bytes of an element */
};

struct nft {
    struct mnl_socket *socket;
    uint32_t seq;
    uint8_t family;
    char table[NFT_NAME_LEN];
    struct set sets[2]; /* of IPv4, of IPv6 */
};

static const uint8_t families[] = { [NFT_INET] = NFPROTO_INET,
                                    [NFT_IP] = NFPROTO_IPV4,
                                    [NFT_IP6] = NFPROTO_IPV6,
                                    [NFT_NETDEV] = NFPROTO_NETDEV };

static struct nlmsghdr *put(struct nft *n, char *at, uint16_t type, uint16_t flags, uint8_t family,
                            uint16_t res_id)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(at);
    h->nlmsg_type = type;
    h->nlmsg_flags = NLM_F_REQUEST | flags;
    h->nlmsg_seq = ++n->seq;
    struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
    g->nfgen_family = family;
    g->version = NFNETLINK_V0;
    g->res_id = htobe16(res_id);
    return h;
}

static struct nlmsghdr *put_nft(struct nft *n, char *at, int type, uint16_t flags)
{
    return put(n, at, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, n->family, 0);
}

/* ---- answers ---- */

struct answer {
    uint32_t seq;
    bool seen;
    uint32_t flags, key; /* of a set */
};

static int on_attribute(const struct nlattr *a, void *arg)
{
    struct answer *x = arg;
    if (mnl_attr_get_type(a) == NFTA_SET_FLAGS && !mnl_attr_validate(a, MNL_TYPE_U32))
        x->flags = be32toh(mnl_attr_get_u32(a));
    if (mnl_attr_get_type(a) == NFTA_SET_KEY_LEN && !mnl_attr_validate(a, MNL_TYPE_U32))
        x->key = be32toh(mnl_attr_get_u32(a));
    return MNL_CB_OK;
}

static int on_set(const struct nlmsghdr *h, void *arg)
{
    struct answer *x = arg;
    if (h->nlmsg_seq == x->seq && h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSET)) {
        x->seen = true;
        (void)mnl_attr_parse(h, sizeof(struct nfgenmsg), on_attribute, x);
    }
    return MNL_CB_OK;
}

/* The errors between first and last, which are what was asked; 0 when the last is acknowledged and
 * there was none. What is left of an earlier question is passed over. */
static int hear(struct nft *n, uint32_t first, uint32_t last, struct answer *set)
{
    char in[BUFFER];
    int err = 0;
    for (;;) {
        ssize_t got = mnl_socket_recvfrom(n->socket, in, sizeof(in));
        if (got < 0)
            return err ? err : errno == EAGAIN ? -ETIMEDOUT : -errno;
        int left = (int)got;
        for (struct nlmsghdr *h = (void *)in; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
            if (h->nlmsg_seq < first || h->nlmsg_seq > last)
                continue;
            if (set)
                (void)on_set(h, set);
            if (h->nlmsg_type != NLMSG_ERROR)
                continue;
            const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
            if (mnl_nlmsg_get_payload_len(h) < sizeof(e->error))
                continue;
            err = err ? err : e->error;
            if (h->nlmsg_seq == last || err)
                return err;
        }
    }
}

static int ask(struct nft *n, const void *data, size_t size, uint32_t first, uint32_t last,
               struct answer *set)
{
    if (mnl_socket_sendto(n->socket, data, size) < 0)
        return -errno;
    return hear(n, first, last, set);
}

/* ---- elements ---- */

/* The first address behind the network; false: there is none. */
static bool end_of(const struct cidr *net, unsigned char *at)
{
    size_t bits = net->bits;
    if (!bits)
        return false;
    for (size_t i = (bits - 1) / 8 + 1; i-- > 0;) {
        unsigned step = i == (bits - 1) / 8 ? 1U << (7 - (bits - 1) % 8) : 1;
        unsigned sum = at[i] + step;
        at[i] = (unsigned char)sum;
        if (sum < 256)
            return true;
    }
    return false;
}

static void put_element(struct nlmsghdr *h, const void *key, size_t n, bool end,
                        struct duration rest)
{
    struct nlattr *element = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
    struct nlattr *value = mnl_attr_nest_start(h, NFTA_SET_ELEM_KEY);
    mnl_attr_put(h, NFTA_DATA_VALUE, n, key);
    mnl_attr_nest_end(h, value);
    if (end)
        mnl_attr_put_u32(h, NFTA_SET_ELEM_FLAGS, htobe32(NFT_SET_ELEM_INTERVAL_END));
    else if (rest.ms > 0)
        mnl_attr_put_u64(h, NFTA_SET_ELEM_TIMEOUT, htobe64((uint64_t)rest.ms));
    mnl_attr_nest_end(h, element);
}

static void put_elements(struct nlmsghdr *h, const struct cidr *net, struct duration rest)
{
    const struct span host = addr_host_bytes(&net->net);
    unsigned char end[16];
    struct nlattr *list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
    put_element(h, host.p, host.n, false, rest);
    memcpy(end, host.p, host.n);
    if (end_of(net, end))
        put_element(h, end, host.n, true, rest);
    mnl_attr_nest_end(h, list);
}

/* Without a network: all of the set. */
static int change(struct nft *n, int type, uint16_t flags, const struct set *set,
                  const struct cidr *net, struct duration rest)
{
    char out[1024]; /* names and two elements */
    struct nlmsghdr *h = put(n, out, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    const uint32_t first = h->nlmsg_seq;
    size_t size = h->nlmsg_len;
    h = put_nft(n, out + size, type, flags | NLM_F_ACK);
    const uint32_t last = h->nlmsg_seq;
    mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, n->table);
    mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set->name);
    if (net)
        put_elements(h, net, rest);
    size += h->nlmsg_len;
    h = put(n, out + size, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    size += h->nlmsg_len;
    return ask(n, out, size, first, last, NULL);
}

static const struct set *set_of(const struct nft *n, const struct cidr *net)
{
    const struct set *set = &n->sets[addr_host_bytes(&net->net).n == 16];
    return set->name[0] ? set : NULL;
}

int nft_remove(struct nft *n, const struct cidr *net)
{
    const struct set *set = set_of(n, net);
    int err = set ? change(n, NFT_MSG_DELSETELEM, 0, set, net, DURATION_MS(0)) : CS_ENOTSUP;
    return err == -ENOENT ? 0 : err;
}

int nft_add(struct nft *n, const struct cidr *net, struct duration rest)
{
    /* Before Linux 6.12 one that is there keeps its time. */
    int err = nft_remove(n, net);
    return err ? err : change(n, NFT_MSG_NEWSETELEM, NLM_F_CREATE, set_of(n, net), net, rest);
}

int nft_look(struct nft *n, const struct cidr *net)
{
    char out[1024];
    const struct span host = addr_host_bytes(&net->net);
    const struct set *set = set_of(n, net);
    if (!set)
        return CS_ENOTSUP;
    struct nlmsghdr *h = put_nft(n, out, NFT_MSG_GETSETELEM, NLM_F_ACK);
    mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, n->table);
    mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set->name);
    struct nlattr *list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
    put_element(h, host.p, host.n, false, DURATION_MS(0));
    mnl_attr_nest_end(h, list);
    int err = ask(n, out, h->nlmsg_len, h->nlmsg_seq, h->nlmsg_seq, NULL);
    return err == -ENOENT ? CS_ENOENT : err;
}

int nft_flush(struct nft *n)
{
    int err = 0;
    for (size_t i = 0; !err && i < CS_LEN(n->sets); i++) {
        if (n->sets[i].name[0])
            err = change(n, NFT_MSG_DELSETELEM, 0, &n->sets[i], NULL, DURATION_MS(0));
    }
    return err;
}

/* ---- the sets ---- */

int nft_check(struct nft *n)
{
    for (size_t i = 0; i < CS_LEN(n->sets); i++) {
        char out[1024];
        if (!n->sets[i].name[0])
            continue;
        struct nlmsghdr *h = put_nft(n, out, NFT_MSG_GETSET, NLM_F_ACK);
        mnl_attr_put_strz(h, NFTA_SET_TABLE, n->table);
        mnl_attr_put_strz(h, NFTA_SET_NAME, n->sets[i].name);
        struct answer x = { .seq = h->nlmsg_seq };
        int err = ask(n, out, h->nlmsg_len, x.seq, x.seq, &x);
        if (err || !x.seen)
            return err == -ENOENT || !err ? CS_ENOENT : err;
        const uint32_t want = NFT_SET_INTERVAL | NFT_SET_TIMEOUT;
        if ((x.flags & want) != want || x.flags & NFT_SET_MAP || x.key != n->sets[i].key)
            return CS_ECONF;
    }
    return 0;
}

static int open_socket(struct nft *n)
{
    const struct timeval wait = { .tv_sec = WAIT_S };
    n->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (!n->socket || mnl_socket_bind(n->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
        setsockopt(mnl_socket_get_fd(n->socket), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
        return -errno;
    n->seq = (uint32_t)time(NULL);
    return 0;
}

int nft_open(const struct nft_conf *conf, struct nft **out)
{
    struct nft *n = calloc(1, sizeof(*n));
    *out = n;
    if (!n)
        return CS_ENOMEM;
    n->family = families[conf->family];
    span_copy(n->table, sizeof(n->table), conf->table);
    span_copy(n->sets[0].name, sizeof(n->sets[0].name), conf->set4);
    span_copy(n->sets[1].name, sizeof(n->sets[1].name), conf->set6);
    n->sets[0].key = 4;
    n->sets[1].key = 16;
    int err = open_socket(n);
    if (err)
        nft_close(out);
    return err;
}

void nft_close(struct nft **np)
{
    struct nft *n = *np;
    *np = NULL;
    if (!n)
        return;
    if (n->socket)
        mnl_socket_close(n->socket);
    free(n);
}
