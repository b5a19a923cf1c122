/* Networks, each with any port or one, and a tag that tells several of a network apart, found by an
 * address. Its members are the owner's, and so is what they mean; the links are inside them.
 *
 * Looking up costs one probe for each length of prefix that is in the set, and nothing while it is
 * empty. */
#ifndef CS_BASE_NETSET_H
#define CS_BASE_NETSET_H

#include "base/addr.h"
#include "base/map.h"

struct netset_member {
    struct map_node node;
    struct cidr net;
    uint16_t port; /* 0: any */
    uint64_t tag;
};

struct netset {
    struct map map;
    struct netset_length {
        unsigned char family; /* 4 or 16 bytes */
        unsigned char bits;
        bool port;
        size_t n;
    } lengths[32]; /* those in use come first */
    size_t n_lengths;
};

void netset_init(struct netset *s);
/* Members are the owner's and may still be linked. */
void netset_fini(struct netset *s);
/* net, port and tag are set; the same may not be there already. CS_ENOMEM; CS_ELIMIT when it would
 * be of one more than 32 kinds of prefix. */
CS_CHECK int netset_add(struct netset *s, struct netset_member *m);
void netset_remove(struct netset *s, struct netset_member *m);
/* Exactly this one, or NULL. */
struct netset_member *netset_get(const struct netset *s, const struct cidr *net, uint16_t port,
                                 uint64_t tag);
/* One that a with its port belongs to, or NULL. */
struct netset_member *netset_find(const struct netset *s, const struct addr *a, uint64_t tag);

#endif
