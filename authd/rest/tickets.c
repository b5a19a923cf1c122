/* Applications ask for one-time tickets: for a user they have authenticated, or for a token. */
#include "authd/check/aor.h"
#include "authd/check/check.h"
#include "authd/rest/op.h"

struct ticket_op {
    struct op op;
    struct check *check; /* while a token is judged */
    struct span aor;     /* canonical; absent: the user's first */
    struct ticket ticket;
};

static struct checker *checker_of(const struct ticket_op *t)
{
    return t->op.rest->conf.checker;
}

/* ---- the ticket ---- */

static json_t *json_time(int64_t seconds)
{
    char text[WALL_STRLEN];
    wall_format((struct wall){ seconds * 1000 }, text);
    return json_string(text);
}

/* most: when it ends at the latest, in seconds; 0: no earlier than configured. */
static void give(struct ticket_op *t, int64_t most)
{
    const struct checker *k = checker_of(t);
    const int64_t now = loop_wall(k->loop).ms / 1000;
    struct span text;
    struct ticket *ticket = &t->ticket;
    ticket->until = now + k->conf->tickets.lifetime.ms / 1000;
    if (most)
        ticket->until = CS_MIN(ticket->until, most);
    ticket->use_until = CS_MIN(now + k->conf->tickets.use_within.ms / 1000, ticket->until);
    if (ticket_mint(k->tickets, ticket, http_arena(t->op.req), &text)) {
        op_no_memory(&t->op);
        return;
    }
    log_action(&t->op, SPAN("ticket given"), ticket->aor,
               ticket->issuer.p ? SPAN("for a token") : SPAN_NULL);
    json_t *j = json_object();
    json_object_set_new(j, "ticket", json_of(text));
    json_object_set_new(j, "aor", json_of(ticket->aor));
    json_object_set_new(j, "use_until", json_time(ticket->use_until));
    json_object_set_new(j, "until", json_time(ticket->until));
    op_reply(&t->op, 201, j);
}

/* ---- for a user ---- */

static void on_user(void *arg, int err, const struct user *u)
{
    struct ticket_op *t = arg;
    struct arena *a = http_arena(t->op.req);
    struct fault f;
    size_t i = 0;
    t->op.call = NULL;
    if (err) {
        op_store_error(&t->op, err);
        return;
    }
    while (t->aor.p && i < u->n_aors && !span_eq(u->aors[i], t->aor))
        i++;
    if (!u->enabled)
        fault_set(&f, 409, "disabled", "Disabled", "This user is disabled. Enable it first.");
    else if (i >= u->n_aors)
        fault_set(&f, 409, "not-his", "Not this user's",
                  "This address of record is none of the user's.");
    if (!u->enabled || i >= u->n_aors) {
        op_fault(&t->op, &f);
        return;
    }
    t->ticket.aor = arena_dup(a, u->aors[i]);
    if (t->ticket.aor.p)
        give(t, 0);
    else
        op_no_memory(&t->op);
}

static void for_user(struct ticket_op *t, const char *user, const char *realm)
{
    struct fault f;
    const struct realm_conf *rc = realm_of(t->op.rest, span_str(realm), &f);
    if (!rc) {
        op_fault(&t->op, &f);
        return;
    }
    t->ticket.user = span_str(user);
    t->ticket.realm = rc->name;
    t->op.call =
        store_get_user(t->op.rest->conf.store, t->ticket.user, t->ticket.realm, on_user, t);
    if (!t->op.call)
        op_no_memory(&t->op);
}

/* ---- for a token ---- */

static void on_waits(struct check *c)
{
    ((struct ticket_op *)c->owner)->check = c;
}

static int take_claims(struct ticket *t, const struct check *c, struct arena *a)
{
    const struct claims *k = &c->proof.claims;
    const struct {
        struct span from, *to;
    } all[] = { { c->proof.issuer->name, &t->issuer },
                { k->iss, &t->iss },
                { k->sub, &t->sub },
                { k->jti, &t->jti },
                { k->sid, &t->sid },
                { k->scope, &t->scope },
                { k->aor, &t->aor } };
    for (size_t i = 0; i < CS_LEN(all); i++) {
        *all[i].to = arena_dup(a, all[i].from);
        if (all[i].from.p && !all[i].to->p)
            return CS_ENOMEM;
    }
    t->iat = k->iat;
    return 0;
}

static void on_answer(struct check *c, const Countersign__Auth__Verdict *v)
{
    struct ticket_op *t = c->owner;
    struct fault f;
    t->check = NULL;
    if (v->kind == COUNTERSIGN__AUTH__VERDICT_KIND__ACCEPT && c->proof.issuer) {
        if (c->proof.claims.bound)
            fault_set(&f, 403, "token-refused", "Token refused",
                      "It is bound to a client certificate, which a ticket cannot show.");
        else if (take_claims(&t->ticket, c, http_arena(t->op.req)))
            store_fault(CS_ENOMEM, &f);
        else
            f.status = 0;
        if (f.status)
            op_fault(&t->op, &f);
        else
            give(t, c->proof.claims.exp);
        return;
    }
    if (v->kind == COUNTERSIGN__AUTH__VERDICT_KIND__LATER)
        fault_set(&f, 503, "later", "Cannot be judged now", SPAN_FMT,
                  SPAN_ARG(cause_text(v->cause)));
    else
        fault_set(&f, 403, "token-refused", "Token refused", SPAN_FMT " (decision %s)",
                  SPAN_ARG(cause_text(v->cause)), v->decision);
    op_fault(&t->op, &f);
}

static const struct check_asker asker = { on_waits, on_answer };

static void drop(struct op *op)
{
    struct ticket_op *t = container_of(op, struct ticket_op, op);
    if (t->check)
        check_cancel(t->check);
    t->check = NULL;
}

/* As if a phone showed the token in a REGISTER over WSS. */
static void for_token(struct ticket_op *t, const char *token, const char *listener)
{
    Countersign__Auth__Check m = COUNTERSIGN__AUTH__CHECK__INIT;
    struct arena *a = http_arena(t->op.req);
    struct span name, domain;
    if (aor_split(t->aor, a, &name, &domain)) {
        op_no_memory(&t->op);
        return;
    }
    m.method = (char *)"REGISTER";
    m.has_transport = true;
    m.transport = COUNTERSIGN__AUTH__TRANSPORT__WSS;
    m.listener = (char *)listener;
    m.from_aor = m.to_aor = (char *)t->aor.p;
    m.domain = arena_str(a, domain);
    m.bearer_secret = (char *)token;
    t->op.drop = drop;
    if (!m.domain || !check_start(checker_of(t), &m, &asker, t))
        op_no_memory(&t->op);
}

/* ---- the question ---- */

struct question { /* texts are the JSON's */
    const char *user, *realm, *aor, *token, *listener;
};

static int read_question(const json_t *j, struct question *q, struct fault *f)
{
    const struct {
        const char *name, **to;
    } members[] = { { "user", &q->user },
                    { "realm", &q->realm },
                    { "aor", &q->aor },
                    { "token", &q->token },
                    { "listener", &q->listener } };
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)j, name, value)
    {
        size_t i = 0;
        while (i < CS_LEN(members) && strcmp(members[i].name, name) != 0)
            i++;
        if (i == CS_LEN(members))
            return fault_member(f, "A member", "is none of those documented");
        if (!json_is_string(value) || json_string_length(value) == 0 ||
            strlen(json_string_value(value)) != json_string_length(value))
            return fault_member(f, name, "must be a string, and not empty");
        *members[i].to = json_string_value(value);
    }
    if (!q->user == !q->token)
        return fault_member(f, "user", "or token must be there, and not both");
    if (q->token ? q->realm != NULL : q->listener != NULL)
        return fault_member(f, q->token ? "realm" : "listener",
                            q->token ? "is of user alone" : "is of token alone");
    return q->token && !q->aor ? fault_member(f, "aor", "must be there beside token") : 0;
}

void rest_ticket_create(struct http_req *req, void *arg)
{
    struct question q = { 0 };
    struct fault f;
    struct ticket_op *t = op_new(arg, req, sizeof(*t));
    if (!t)
        return;
    if (!op_body(&t->op))
        return;
    int err = read_question(t->op.body, &q, &f);
    if (!err && q.aor && aor_of(span_str(q.aor), http_arena(req), &t->aor))
        err = fault_member(&f, "aor", "must be an address, sip:alice@example.com");
    if (err)
        op_fault(&t->op, &f);
    else if (q.token)
        for_token(t, q.token, q.listener);
    else
        for_user(t, q.user, q.realm);
}
