#include "authd/check/group.h"

static bool among(const struct span *names, size_t n, struct span s)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq(names[i], s))
            return true;
    }
    return n == 0;
}

/* Hosts are compared without regard to case (RFC 3261, 19.1.4). */
static bool among_hosts(const struct span *names, size_t n, struct span s)
{
    for (size_t i = 0; i < n; i++) {
        if (s.p && span_caseeq(names[i], s))
            return true;
    }
    return n == 0;
}

/* What a front did not say matches only a group that does not ask. */
bool group_matches(const struct group_match *m, const struct facts *f)
{
    unsigned transport = f->transport > 0 ? 1u << (f->transport - 1) : 0;
    return (!m->transports || (m->transports & transport)) &&
           among(m->listeners, m->n_listeners, f->listener) &&
           (place_is_empty(&m->place) || place_holds(&m->place, f)) &&
           among_hosts(m->domains, m->n_domains, f->domain);
}

const struct group_conf *group_of(const struct group_conf *groups, size_t n, const struct facts *f)
{
    for (size_t i = 0; i < n; i++) {
        if (group_matches(&groups[i].match, f))
            return &groups[i];
    }
    return NULL;
}
