/* The process that alone may change the packet filter. The registrar, which talks to strangers, has
 * no capability; this one has CAP_NET_ADMIN and talks to the registrar, by orders that name a
 * network: it can have nobody banned but in the sets of the configuration. It ends with the last
 * process that has the other end. */
#ifndef CS_REGISTRAR_BOUNCER_H
#define CS_REGISTRAR_BOUNCER_H

#include "net/nft.h"

enum bouncer_what {
    BOUNCER_BEGIN, /* looks whether the sets can be used, and empties them */
    BOUNCER_ADD,
    BOUNCER_REMOVE,
    BOUNCER_LOOK, /* whether one is there still */
};

/* Bytes of one packet, of one machine. */
struct bouncer_order {
    uint32_t what;
    uint32_t seconds; /* ADD */
    uint8_t bits, n_host;
    unsigned char host[16];
};
struct bouncer_answer { /* one to each order, in their order */
    int32_t err;        /* of nft_check() and so on */
    struct bouncer_order order;
};

void bouncer_write(struct bouncer_order *o, enum bouncer_what what, const struct cidr *net,
                   struct duration rest);
/* CS_EPROTO: there is none in it. */
CS_CHECK int bouncer_net(const struct bouncer_order *o, struct cidr *net);

/* Starts it as user, and does without the capability from now on. *fd: where orders go and answers
 * come from. To be called before there are threads or secrets in memory. Errors of the system. */
CS_CHECK int bouncer_start(const struct nft_conf *conf, struct span user, int *fd);

#endif
