#include "lint_b2bua.h"

#include "auth.pb-c.h"
#include "b2bua/config.h"

/* As authd's groups have them: in the order of Transport, from UDP. */
static unsigned bit(Countersign__Auth__Transport t)
{
    return 1U << (t - COUNTERSIGN__AUTH__TRANSPORT__UDP);
}

/* Of phones' files; false: none are given. */
static bool files_listener(const struct provisioning_conf *p, struct lint_listener *out)
{
    *out = (struct lint_listener){ p->listener, 0 };
    if (p->http.sa.sa_family != AF_UNSPEC || p->tftp.sa.sa_family != AF_UNSPEC)
        out->transport |= bit(COUNTERSIGN__AUTH__TRANSPORT__SCCP);
    if (p->https.sa.sa_family != AF_UNSPEC)
        out->transport |= bit(COUNTERSIGN__AUTH__TRANSPORT__SCCPS);
    return out->transport;
}

bool lint_b2bua_listener(const struct b2bua_conf *b, size_t i, struct lint_listener *out)
{
    if (i < b->n_listeners) {
        const struct listener_conf *l = &b->listeners[i];
        *out = (struct lint_listener){ l->name, 1U << l->transport };
        return true;
    }
    i -= b->n_listeners;
    if (i == b->sccp.n_listeners)
        return files_listener(&b->provisioning, out);
    if (i > b->sccp.n_listeners)
        return false;
    const struct desk_listener_conf *l = &b->sccp.listeners[i];
    *out = (struct lint_listener){ l->name, bit(l->tls ? COUNTERSIGN__AUTH__TRANSPORT__SCCPS
                                                       : COUNTERSIGN__AUTH__TRANSPORT__SCCP) };
    return true;
}

bool lint_b2bua_group(const struct b2bua_conf *b, size_t i, struct span *out)
{
    if (i >= b->n_trunks)
        return false;
    *out = b->trunks[i].group;
    return true;
}

struct span lint_b2bua_user(const struct b2bua_conf *b)
{
    return b->user;
}
