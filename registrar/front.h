/* The face to strangers: takes each new request, refuses what can be refused without a question,
 * and hands the rest to register or proxy. */
#ifndef CS_REGISTRAR_FRONT_H
#define CS_REGISTRAR_FRONT_H

#include "capture/capture.h"
#include "certs/certs.h"
#include "gate/gate.h"
#include "hops/probes.h"
#include "registrar/bound.h"
#include "registrar/config.h"
#include "registrar/nodes.h"
#include "registrar/route_token.h"

struct front {
    struct loop *loop;
    const struct registrar_conf *conf;
    char node[65];
    struct redis *redis;
    struct locations *locations;
    struct gate *gate;
    struct capture *capture;
    struct siptp *tp;
    struct siptx *tx;
    struct nodes *nodes;
    struct dns *dns;
    struct locator *locator;
    struct hop_means means;
    struct hop_probes *hop_probes;
    char *addresses[2 * LISTENERS_MAX]; /* as advertised and, if other, as bound, host:port */
    size_t n_addresses;
    struct link_place link;
    char tls_name[65];                /* in our certificate */
    struct list forks, registrations; /* under way */
    struct bound bound;
    struct certs *certs;
    struct tls_ticket_seed *ticket_seed; /* of a worker, until it is used */
    unsigned worker;                     /* from 1; 0: the only process */
    const int *fds;                      /* of a worker: sockets of the listeners */
    bool draining;                       /* about to stop: nothing new is begun */
    struct probes *probes;               /* NULL: none */
    struct flood *flood;
    struct kernel_bans *kernel_bans; /* NULL: none */
    struct route_key route_key;
};

/* Opens the listeners of the configuration; gate and redis are there already. On failure what is
 * wrong was logged, and front_close() is still due. */
CS_CHECK int front_open(struct front *f);
/* Opens the trusted link, if there is one, and looks for the others. As the user that will stay:
 * the others know us by it. */
CS_CHECK int front_open_link(struct front *f);
/* Of a worker: reads from its sockets, for front_open() does not. What came before waits there. */
CS_CHECK int front_listen(struct front *f);
/* Whether a request can be answered by anything else than 503. */
bool front_is_ready(const struct front *f);
void front_close(struct front *f);
/* What authd says is no longer so: flows are closed, commits under way are undone. */
void front_revoke(struct front *f, const Countersign__Auth__Revoked *r);

/* The canonical AOR of a URI in the message's arena; absent if it is none. */
struct span front_aor(struct sip_msg *m, const struct sip_uri *uri);
/* Whether it shows credentials, good or not. */
static inline bool front_has_credentials(const struct sip_msg *m)
{
    return sip_has(m, SIP_HDR_AUTHORIZATION) || sip_has(m, SIP_HDR_PROXY_AUTHORIZATION);
}
/* A request that came by this flow was accepted. */
void front_accepted(struct front *f, struct flow *flow, const Countersign__Auth__Verdict *v);
/* Answers, and counts the answer. lines may be absent. */
void front_reply(struct tx *tx, unsigned status, const char *reason, struct span lines);
/* Answers with a verdict that is no ACCEPT, and counts it. */
void front_refuse(struct tx *tx, enum verdict kind, const Countersign__Auth__Verdict *v);
/* 503 with a jittered Retry-After: something behind us is away (architecture: an outage is never a
 * wrong password). */
void front_reply_later(struct tx *tx);

/* Extensions that we know (RFC 3261, 20.37). */
#define FRONT_SUPPORTED "Supported: path, outbound, gruu\r\n"

/* Headers that say who somebody is: ours to write, not a stranger's (RFC 3325, 5). */
#define FRONT_IDENTITY                                                                      \
    (SIP_HDR_BIT(SIP_HDR_P_ASSERTED_IDENTITY) | SIP_HDR_BIT(SIP_HDR_P_PREFERRED_IDENTITY) | \
     SIP_HDR_BIT(SIP_HDR_REMOTE_PARTY_ID))

#endif
