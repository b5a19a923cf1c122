#include "authd/rest/session.h"

#include "authd/check/aor.h"
#include "authd/check/bearer.h"

#define KIND(name) COUNTERSIGN__AUTH__VERDICT_KIND__##name

static void drop(struct op *op)
{
    struct session *s = container_of(op, struct session, op);
    waiter_cancel(&s->waiter);
    ct_wipe((char *)s->token.p, s->token.n);
    s->token = SPAN_NULL;
}

/* ---- answers ---- */

static void tell(struct session *s, Countersign__Auth__VerdictKind kind,
                 Countersign__Auth__Cause cause, unsigned status, struct span revoked, char *id)
{
    const struct rest_conf *conf = &s->op.rest->conf;
    const struct facts facts = { .transport = COUNTERSIGN__AUTH__TRANSPORT__TRANSPORT_UNKNOWN,
                                 .method = s->method,
                                 .request_uri = http_target(s->op.req),
                                 .to_aor = s->claims ? s->claims->aor : SPAN_NULL };
    const struct decision d = {
        .time = loop_wall(s->op.rest->loop),
        .id = span_of(id, DECISION_LEN),
        .kind = kind,
        .cause = cause,
        .status = status,
        .facts = &facts,
        .user = s->name,
        .realm = s->realm,
        .issuer = s->proof.issuer ? s->proof.issuer->name : SPAN_NULL,
        .revoked = revoked,
        .latency_us = (clock_mono().ns - s->began.ns) / 1000,
    };
    decision_id(id);
    audit_write(conf->audit, &d);
    explain_add(conf->explain, &d);
}

static void refuse(struct session *s, Countersign__Auth__Cause cause, struct span revoked)
{
    struct fault f;
    char id[DECISION_LEN + 1];
    const bool later = cause == CAUSE(ISSUER_UNAVAILABLE) || cause == CAUSE(OVERLOADED) ||
                       cause == CAUSE(STORE_UNAVAILABLE);
    const bool forbidden = cause == CAUSE(SCOPE_MISSING) || cause == CAUSE(UNKNOWN_USER) ||
                           cause == CAUSE(USER_DISABLED);
    const unsigned status = later ? 503 : forbidden ? 403 : 401;
    char *challenge = bearer_challenge(s->conf, s->method, cause, http_arena(s->op.req));
    tell(s,
         later       ? KIND(LATER)
         : forbidden ? KIND(REJECT)
                     : KIND(CHALLENGE),
         cause, status, revoked, id);
    if (challenge && (status == 401 || cause == CAUSE(SCOPE_MISSING)))
        http_reply_header(s->op.req, "WWW-Authenticate", challenge);
    fault_set(&f, status, later ? "later" : "token", later ? "Not now" : "Not with this token",
              "csctl explain %s tells more.", id);
    op_fault(&s->op, &f);
}

/* ---- the token, then its user ---- */

static void judge(struct session *s);
static void find_user(struct session *s);

static void on_user(void *arg, int err, const struct user *u)
{
    struct session *s = arg;
    char id[DECISION_LEN + 1];
    s->op.call = NULL;
    if (!err && s->former && u->enabled &&
        !config_former(s->conf->former, loop_wall(s->op.rest->loop)).p)
        err = CS_ENOENT; /* its time is over; but who is disabled stays so */
    if (err == CS_ENOENT && !s->former && s->conf->former) {
        s->former = true;
        find_user(s);
    } else if (err && err != CS_ENOENT) {
        refuse(s, CAUSE(STORE_UNAVAILABLE), SPAN_NULL);
    } else if (err && s->proof.issuer->users == USERS_REQUIRED) {
        refuse(s, CAUSE(UNKNOWN_USER), SPAN_NULL);
    } else if (!err && !u->enabled) {
        refuse(s, CAUSE(USER_DISABLED), SPAN_NULL);
    } else {
        tell(s, KIND(ACCEPT), CAUSE(OK), 0, SPAN_NULL, id);
        s->fn(s);
    }
}

static void find_user(struct session *s)
{
    s->op.call = store_get_user(s->op.rest->conf.store, s->name,
                                s->former ? s->conf->former->name : s->realm, on_user, s);
    if (!s->op.call)
        refuse(s, CAUSE(OVERLOADED), SPAN_NULL);
}

static Countersign__Auth__Cause look_at_claims(struct session *s)
{
    struct arena *a = http_arena(s->op.req);
    const struct claims *k = &s->proof.claims;
    struct span domain;
    const struct wall now = loop_wall(s->op.rest->loop);
    countersign__auth__grant__init(&s->grant);
    s->grant.expires_max_s = UINT32_MAX;
    s->claims = k;
    s->realm = s->conf->realm;
    if (aor_split(k->aor, a, &s->name, &domain) || bearer_bound(k, now, a, &s->grant))
        return CAUSE(OVERLOADED);
    tags_of_grant(&s->tags, &s->grant);
    if (s->grant.expires_max_s == 0 || k->exp * 1000 < now.ms + s->least.ms)
        return CAUSE(TOKEN_EXPIRED); /* leeway alone keeps it alive, or too little is left */
    if (!s->method.p)
        return k->bound ? CAUSE(TOKEN_NOT_BOUND) : CAUSE(OK);
    return bearer_covers(k, s->proof.issuer, s->method, k->aor, SPAN_NULL);
}

static void proceed(struct session *s)
{
    const struct rest_conf *conf = &s->op.rest->conf;
    char text[REVOCATION_WORDS_MAX];
    struct buf words = BUF_INIT(text);
    const Countersign__Auth__Cause cause = look_at_claims(s);
    const struct rests rests = tags_rests(&s->tags, &s->grant);
    if (cause != CAUSE(OK)) {
        refuse(s, cause, SPAN_NULL);
        return;
    }
    const struct revocation *r = revocations_find(revoker_revocations(conf->revoker), &rests);
    if (r) {
        revocation_write(&words, r);
        refuse(s, CAUSE(TOKEN_REVOKED), buf_span(&words));
        return;
    }
    if (s->method.p)
        find_user(s);
    else
        s->fn(s);
}

static void on_wake(struct waiter *w)
{
    judge(container_of(w, struct session, waiter));
}

static void judge(struct session *s)
{
    struct tokens *tokens = s->op.rest->conf.checker->tokens;
    const Countersign__Auth__Cause cause =
        tokens_judge(tokens, s->token, s->conf, &s->waiter, http_arena(s->op.req), &s->proof);
    if (cause == CAUSE(OK))
        proceed(s);
    else if (cause != CAUSE(CAUSE_NONE)) /* else it wakes us */
        refuse(s, cause, SPAN_NULL);
}

void session_start(struct rest *rest, struct http_req *req, size_t size,
                   const struct token_conf *conf, struct duration least, struct span method,
                   void (*fn)(struct session *s))
{
    struct session *s = op_new(rest, req, size);
    if (!s)
        return;
    const struct span shown = bearer_token(http_header(req, "Authorization"));
    s->op.drop = drop;
    s->conf = conf;
    s->least = least;
    s->method = method;
    s->fn = fn;
    s->began = clock_mono();
    waiter_init(&s->waiter, on_wake);
    s->token = arena_dup(http_arena(req), shown);
    if (!shown.p)
        refuse(s, CAUSE(NO_CREDENTIALS), SPAN_NULL);
    else if (!s->token.p)
        refuse(s, CAUSE(OVERLOADED), SPAN_NULL);
    else if (!store_is_ready(rest->conf.store) || !revoker_is_current(rest->conf.revoker))
        refuse(s, CAUSE(STORE_UNAVAILABLE), SPAN_NULL);
    else
        judge(s);
}

void session_start_operator(struct rest *rest, struct http_req *req, void (*fn)(struct session *s))
{
    session_start(rest, req, sizeof(struct session), &rest->conf.checker->conf->http.operators,
                  DURATION_MS(0), SPAN_NULL, fn);
}

void session_leave(struct session *s)
{
    list_remove(&s->op.link);
    http_on_abort(s->op.req, NULL, NULL);
    drop(&s->op);
}
