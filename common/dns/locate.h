/* Where a request goes (RFC 3263, 4): from a URI to transports and addresses, in the order in which
 * they are to be tried. What failed lately comes last. */
#ifndef CS_DNS_LOCATE_H
#define CS_DNS_LOCATE_H

#include "dns/dns.h"
#include "siptp/siptp.h"

enum { LOCATE_TARGETS_MAX = 32 };
#define LOCATE_SPEAKS(transport) (1U << (transport))

struct locator; /* a resolver, and which targets failed */

struct locate_target {
    enum sip_transport transport;
    struct addr addr;
};

struct locate_ask {
    struct span host; /* of the URI, or its maddr; copied */
    uint16_t port;    /* 0: none is given */
    bool sips;
    bool has_transport; /* transport is the URI's */
    enum sip_transport transport;
    unsigned speaks; /* LOCATE_SPEAKS() of what we can send over */
    bool ipv4, ipv6; /* which addresses we can send to; of both the latter come first */
    uint64_t seed;   /* the same one makes the same choice among servers of one weight */
};

struct locate_call;
/* 0 with one target or more, borrowed for the call; CS_ENOENT: there are none; CS_ENOTSUP: only by
 * a transport or to a family that we do not speak; or an error of dns_ask(). */
typedef void locate_fn(void *arg, int err, const struct locate_target *targets, size_t n);

/* The resolver is borrowed. */
CS_CHECK int locator_new(struct dns *dns, struct duration avoid, struct locator **out);
/* All calls have ended. */
void locator_free(struct locator **l);

/* The ask of a URI: its host or maddr, port, scheme and transport. CS_ENOTSUP: a transport that
 * nobody knows, or no SIP URI. */
CS_CHECK int locate_ask_of(const struct sip_uri *uri, struct locate_ask *out);
/* fn is called once, not from inside. NULL: no memory. */
struct locate_call *locate(struct locator *l, const struct locate_ask *ask, locate_fn *fn,
                           void *arg);
/* fn is not called. */
void locate_cancel(struct locate_call *c);

/* This target did not answer, or said 503: for a while others are tried before it. */
void locator_avoid(struct locator *l, const struct locate_target *t);
/* It does answer. */
void locator_trust(struct locator *l, const struct locate_target *t);

#endif
