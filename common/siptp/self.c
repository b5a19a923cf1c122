/* The addresses of this machine, for listeners bound to any of them. They can change (DHCP), so the
 * list is read again when it is old. */
#include <ifaddrs.h>
#include <stdlib.h>

#include "siptp/impl.h"

#define SELF_LIFETIME DURATION_S(10)

struct self {
    struct loop *loop;
    struct addr *addrs;
    size_t n;
    struct mono read_at;
};

static void refresh(struct self *s)
{
    struct mono now = loop_now(s->loop);
    if (s->addrs && mono_before(now, mono_add(s->read_at, SELF_LIFETIME)))
        return;
    struct ifaddrs *all;
    if (getifaddrs(&all))
        return; /* what we know is better than nothing */
    size_t n = 0;
    for (struct ifaddrs *it = all; it; it = it->ifa_next)
        n++;
    struct addr *addrs = calloc(n + 1, sizeof(*addrs));
    if (addrs) {
        free(s->addrs);
        s->addrs = addrs;
        s->n = 0;
        s->read_at = now;
        for (struct ifaddrs *it = all; it; it = it->ifa_next) {
            int family = it->ifa_addr ? it->ifa_addr->sa_family : AF_UNSPEC;
            if (family == AF_INET || family == AF_INET6)
                addr_from_sockaddr(it->ifa_addr, &addrs[s->n++]);
        }
    }
    freeifaddrs(all);
}

int self_new(struct loop *l, struct self **out)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return CS_ENOMEM;
    (*out)->loop = l;
    return 0;
}

void self_free(struct self **s)
{
    if (*s)
        free((*s)->addrs);
    free(*s);
    *s = NULL;
}

bool self_has(struct self *s, const struct addr *a)
{
    refresh(s);
    for (size_t i = 0; i < s->n; i++) {
        if (addr_same_host(&s->addrs[i], a))
            return true;
    }
    return addr_is_loopback(a); /* all of 127.0.0.0/8 */
}

void self_name(struct self *s, int family, struct addr *out)
{
    refresh(s);
    const struct addr *found = NULL;
    for (size_t i = 0; i < s->n; i++) {
        const struct addr *a = &s->addrs[i];
        bool scoped = family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr);
        if (a->sa.sa_family != family || scoped)
            continue;
        if (!found || (addr_is_loopback(found) && !addr_is_loopback(a)))
            found = a;
    }
    if (found)
        *out = *found;
}
