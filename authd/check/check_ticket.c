/* What becomes of a request on a connection that began with a ticket: it is judged as the token is
 * that the ticket stands for, or as its user's word. */
#include "authd/check/check_impl.h"

/* Of a ticket that an operator gave out: no scopes, but the user must be there. */
static const struct issuer_conf operators = { .name = SPAN_INIT("ticket"),
                                              .users = USERS_REQUIRED };

static const struct issuer_conf *issuer_of(const struct check *c)
{
    const struct token_conf *t = &c->group->token;
    if (!c->ticket.issuer.p)
        return &operators;
    for (size_t i = 0; i < t->n_issuers; i++) {
        if (span_eq(t->issuers[i]->name, c->ticket.issuer))
            return t->issuers[i];
    }
    return NULL;
}

static void proceed(struct check *c)
{
    const struct ticket *t = &c->ticket;
    c->proof.issuer = issuer_of(c);
    c->proof.claims = (struct claims){ .iss = t->iss.p ? t->iss : SPAN("ticket"),
                                       .sub = t->sub,
                                       .jti = t->jti.p ? t->jti : t->id,
                                       .sid = t->sid,
                                       .aor = t->aor,
                                       .scope = t->scope,
                                       .iat = t->iat,
                                       .exp = t->until };
    if (!c->proof.issuer)
        check_refuse_token(c, CAUSE(TOKEN_ISSUER_UNKNOWN));
    else if (t->realm.p && !span_eq(t->realm, c->group->token.realm))
        check_refuse_token(c, CAUSE(WRONG_REALM));
    else
        check_proceed_with_token(c, c->group->token.realm, t->user);
}

static void on_claimed(void *arg, const struct redis_reply *reply)
{
    struct check *c = arg;
    c->claiming = NULL;
    Countersign__Auth__Cause cause =
        ticket_judge(c->k->tickets, &c->ticket, c->flow, reply, loop_wall(c->k->loop));
    if (cause == CAUSE(STORE_UNAVAILABLE))
        check_later(c, cause);
    else if (cause != CAUSE(OK))
        check_refuse_token(c, cause);
    else
        proceed(c);
}

static void claim(struct check *c)
{
    int err = check_outlive(c);
    if (!err) {
        c->flow = arena_dup(&c->arena, c->flow);
        c->claiming = c->flow.p ? ticket_claim(c->k->tickets, &c->ticket, c->flow,
                                               loop_wall(c->k->loop), on_claimed, c)
                                : NULL;
        err = c->claiming ? 0 : CS_ENOMEM;
    }
    if (err)
        check_later(c, CAUSE(OVERLOADED));
}

void check_ticket(struct check *c)
{
    if (!store_is_ready(c->k->store) || !revoker_is_current(c->k->revoker)) {
        check_later(c, CAUSE(STORE_UNAVAILABLE));
        return;
    }
    Countersign__Auth__Cause cause =
        c->flow.n
            ? ticket_open(c->k->tickets, c->token, loop_wall(c->k->loop), &c->arena, &c->ticket)
            : CAUSE(TICKET_INVALID);
    if (cause == CAUSE(OVERLOADED))
        check_later(c, cause);
    else if (cause != CAUSE(OK))
        check_refuse_token(c, cause);
    else if (ticket_is_known(c->k->tickets, &c->ticket, c->flow))
        proceed(c);
    else
        claim(c);
}
