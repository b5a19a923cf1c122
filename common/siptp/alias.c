/* Connection reuse (RFC 5923): who connects to us over TLS, shows a certificate and says "alias"
 * has the requests to him sent by that connection. Whoever else might claim somebody's address does
 * not get what is for that one: the certificate must be of an authority that vouches for the
 * servers we connect to, for a server, and say the domain that was looked up; the address is the
 * one he came from, and of his own choice is the port alone; and something of his must have been
 * accepted. */
#include <stdlib.h>

#include "base/metric.h"
#include "net/tls_names.h"
#include "siptp/impl.h"

enum { TAKEN, REFUSED }; /* of SIP_ALIASES */

static struct alias *alias_of(const struct map_node *n)
{
    return container_of((struct map_node *)n, struct alias, node);
}

static struct alias *alias_new(struct conn *c, uint16_t port)
{
    struct alias *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->conn = c;
    a->addr = c->flow.remote;
    addr_set_port(&a->addr, port);
    if (map_insert(&c->flow.tp->by_alias, &a->node, conn_addr_hash(&a->addr)) == 0)
        return a;
    free(a);
    return NULL;
}

void alias_take(struct conn *c, const struct sip_msg *m)
{
    struct siptp *tp = c->flow.tp;
    struct span value;
    if (c->flow.transport != SIP_TLS || c->ours || c->alias_asked || !m->is_request || m->bad ||
        sip_param(m->via.params, SPAN("alias"), &value))
        return;
    c->alias_asked = true;
    if (c->certificate && tp->tls && stream_is_vouched(c->stream, tp->tls))
        c->alias = alias_new(c, m->via.port ? m->via.port : sip_transport_port(SIP_TLS));
    metric_inc(M_SIP_ALIASES, c->alias ? TAKEN : REFUSED);
    if (c->alias)
        log_debug(flow_log(&c->flow), "requests to it will go by its own connection",
                  kv_addr("to", &c->alias->addr));
}

void alias_drop(struct conn *c)
{
    if (!c->alias)
        return;
    map_remove(&c->flow.tp->by_alias, &c->alias->node);
    free(c->alias);
    c->alias = NULL;
}

struct wanted {
    const struct addr *remote;
    struct span domain;
    struct conn **newest;
};

/* Says no to all, to have seen all: of one that has restarted the last connection lives. */
static bool look_at(const struct map_node *n, const void *key)
{
    const struct wanted *want = key;
    struct conn *c = alias_of(n)->conn;
    if (addr_eq(&alias_of(n)->addr, want->remote) && list_empty(&c->stranger) &&
        (!*want->newest || (*want->newest)->flow.id < c->flow.id) &&
        tls_names_sip_domain(c->certificate, want->domain))
        *want->newest = c;
    return false;
}

struct conn *alias_find(const struct siptp *tp, const struct addr *remote, struct span domain)
{
    struct conn *newest = NULL;
    const struct wanted want = { remote, domain, &newest };
    map_find(&tp->by_alias, conn_addr_hash(remote), look_at, &want);
    return newest;
}
