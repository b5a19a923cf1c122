/* c-ares on our loop: questions to DNS servers and the bytes of their responses. For dns.c alone.
 */
#ifndef CS_DNS_CHANNEL_H
#define CS_DNS_CHANNEL_H

#include "dns/dns.h"

struct channel;

/* 0 with the bytes of a response, borrowed for the call, whatever it says; CS_ETIMEOUT when no
 * server gave one, CS_ECLOSED when the channel was closed, or another error. May be called from
 * inside channel_ask(). */
typedef void channel_fn(void *arg, int err, struct span wire);

CS_CHECK int channel_open(struct loop *l, const struct dns_conf *conf, struct channel **out);
/* Ends what is asked; fn is called for each. */
void channel_close(struct channel **c);
/* fn is called once. name is one that dns_name_is_good(). */
void channel_ask(struct channel *c, const char *name, enum dns_type type, channel_fn *fn,
                 void *arg);

#endif
