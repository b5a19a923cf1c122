/* What becomes of a REGISTER over the trusted link: b2bua shows the pass of a line of a desk phone
 * that attached (check_attach.c), and may for that line what the phone's group may. A pass is a
 * ticket that no connection can begin with. */
#include "authd/check/check_impl.h"
#include "authd/store/directory.h"

static const struct group_conf *group_named(const struct authd_conf *conf, struct span name)
{
    for (size_t i = 0; i < conf->n_peer_groups; i++) {
        if (span_eq(conf->peer_groups[i].name, name))
            return &conf->peer_groups[i];
    }
    return NULL;
}

static Countersign__Auth__Cause fault_of(struct check *c)
{
    struct ticket *t = &c->ticket;
    char space[USER_MAX_NAME * 2 + 2];
    struct buf line = BUF_INIT(space);
    Countersign__Auth__Cause cause =
        ticket_open(c->k->tickets, c->token, loop_wall(c->k->loop), &c->arena, t);
    if (cause != CAUSE(OK))
        return cause == CAUSE(TOKEN_EXPIRED) ? CAUSE(TICKET_EXPIRED) : cause;
    if (t->use_until > 0 || !t->sub.n || !t->user.n || !t->realm.n)
        return CAUSE(TICKET_INVALID);
    c->group = group_named(c->k->conf, t->issuer);
    if (!c->group)
        return CAUSE(NO_PEER_GROUP);
    buf_put(&line, t->user);
    buf_putc(&line, '@');
    buf_put(&line, t->realm);
    const struct device *d = directory_device(c->k->directory, t->sub);
    if (!d)
        return CAUSE(UNKNOWN_DEVICE);
    c->device = t->sub;
    return buf_ok(&line) && device_has_line(d, buf_span(&line)) ? CAUSE(OK)
                                                                : CAUSE(AOR_NOT_ALLOWED);
}

void check_pass(struct check *c, const Countersign__Auth__Check *m)
{
    Countersign__Auth__Cause cause = !c->facts.is_register ? CAUSE(METHOD_NOT_ALLOWED)
                                     : !m->bearer_secret   ? CAUSE(NO_CREDENTIALS)
                                                           : CAUSE(OK);
    if (cause == CAUSE(OK) && (!c->k->directory || !directory_is_known(c->k->directory) ||
                               !store_is_ready(c->k->store) || !revoker_is_current(c->k->revoker)))
        cause = CAUSE(STORE_UNAVAILABLE);
    c->token = span_str(m->bearer_secret);
    if (cause == CAUSE(OK))
        cause = fault_of(c);
    if (cause == CAUSE(STORE_UNAVAILABLE) || cause == CAUSE(OVERLOADED)) {
        check_later(c, cause);
    } else if (cause != CAUSE(OK)) {
        check_reject(c, cause, CAUSE(CAUSE_NONE));
    } else {
        c->cred.username = c->ticket.user;
        c->cred.realm = c->ticket.realm;
        check_named_user(c);
    }
}
