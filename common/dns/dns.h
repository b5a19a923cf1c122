/* Asking DNS without waiting: a cache that is bounded in number and in age, with what is not there
 * (RFC 2308), and one question for all who ask it at the same time. While no server answers, what
 * was known goes on to be said for a while (RFC 8767). */
#ifndef CS_DNS_DNS_H
#define CS_DNS_DNS_H

#include "dns/answer.h"
#include "net/loop.h"

struct dns;
struct dns_call;

struct dns_conf {               /* 0 means the default */
    const struct addr *servers; /* copied; none: those of /etc/resolv.conf */
    size_t n_servers;
    struct duration timeout;  /* for a server's first try, 1 s; longer at each further one */
    unsigned tries;           /* of each server, 2 */
    struct duration deadline; /* who asks is answered by then, 4 s */
    size_t max_names;         /* answers kept, 4096 */
    size_t max_open;          /* questions to servers at once, 256; beyond it CS_ELIMIT */
    struct duration max_ttl;  /* no answer is believed for longer, 1 h */
    struct duration stale;    /* beyond its time, while no server answers, 1 h */
};

/* 0 with an answer, which may be that there is nothing; CS_ETIMEOUT, CS_EPROTO when what came is no
 * answer, CS_ELIMIT, CS_ENOMEM. The answer is borrowed for the call. */
typedef void dns_fn(void *arg, int err, const struct dns_answer *answer);

CS_CHECK int dns_open(struct loop *l, const struct dns_conf *conf, struct dns **out);
/* No fn is called any more. Whoever has a call does not cancel it after this. */
void dns_close(struct dns **d);
/* fn is called once, not from inside. A name that cannot be one has nothing. NULL: no memory. */
struct dns_call *dns_ask(struct dns *d, struct span name, enum dns_type type, dns_fn *fn,
                         void *arg);
/* fn is not called. */
void dns_cancel(struct dns_call *c);
struct loop *dns_loop(const struct dns *d);

#endif
