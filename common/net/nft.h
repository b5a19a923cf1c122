/* Elements of two sets of the kernel's packet filter (nf_tables), one for IPv4 and one for IPv6.
 * They are the operator's, with flags interval and timeout, and so are the rules that look into
 * them. Each call asks the kernel and waits for its answer, which needs CAP_NET_ADMIN. */
#ifndef CS_NET_NFT_H
#define CS_NET_NFT_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/err.h"

/* Values of nft_conf.family, by their names in nft(8). */
enum nft_family { NFT_INET, NFT_IP, NFT_IP6, NFT_NETDEV };
enum { NFT_NAME_LEN = 128 };

struct nft_conf { /* copied */
    enum nft_family family;
    struct span table, set4, set6; /* a set that is absent is not used */
};

struct nft;

/* In the network namespace of the caller. Errors: those of the system, CS_ENOMEM. */
CS_CHECK int nft_open(const struct nft_conf *conf, struct nft **out);
/* Whether the sets can be used: UV_EPERM without the capability, CS_ENOENT when one is not there,
 * CS_ECONF when it has not both flags, or is of other elements. */
CS_CHECK int nft_check(struct nft *n);
/* Takes everything out of them. */
CS_CHECK int nft_flush(struct nft *n);
/* For so long; one that is there begins anew. UV_EEXIST: the set has another that overlaps it.
 * CS_ENOTSUP: there is no set for its family. */
CS_CHECK int nft_add(struct nft *n, const struct cidr *net, struct duration rest);
/* 0 also when it was not there. */
CS_CHECK int nft_remove(struct nft *n, const struct cidr *net);
/* Whether it is there: CS_ENOENT when not. */
CS_CHECK int nft_look(struct nft *n, const struct cidr *net);
void nft_close(struct nft **n);

#endif
