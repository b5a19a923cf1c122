#include "authd/check/bearer.h"

#include "authd/check/policy.h"

/* ---- challenges ---- */

/* RFC 6750, 3.1. Why exactly is between us and the audit log; but that a token has expired its
 * client must know, or it never fetches another. */
static void write_error(struct buf *b, Countersign__Auth__Cause cause)
{
    switch (cause) {
    case CAUSE(NO_CREDENTIALS):
        break;
    case CAUSE(TOKEN_EXPIRED):
        buf_lit(b, ", error=\"invalid_token\", error_description=\"The token has expired\"");
        break;
    case CAUSE(SCOPE_MISSING):
    case CAUSE(TOKEN_DESTINATION):
        buf_lit(b, ", error=\"insufficient_scope\", "
                   "error_description=\"The token does not cover this\"");
        break;
    case CAUSE(CREDENTIALS_MALFORMED):
        buf_lit(b, ", error=\"invalid_request\", error_description=\"One token, and once\"");
        break;
    case CAUSE(AOR_NOT_ALLOWED):
    case CAUSE(FROM_NOT_ALLOWED):
        buf_lit(b, ", error=\"invalid_request\", "
                   "error_description=\"The token is for another address\"");
        break;
    case CAUSE(TICKET_EXPIRED):
    case CAUSE(TICKET_USED):
        buf_lit(b, ", error=\"invalid_token\", error_description=\"The ticket serves once, and "
                   "soon\"");
        break;
    default:
        buf_lit(b, ", error=\"invalid_token\", "
                   "error_description=\"The token is not valid here\"");
    }
}

char *bearer_challenge(const struct token_conf *t, struct span method,
                       Countersign__Auth__Cause cause, struct arena *a)
{
    const struct span scope =
        t->n_issuers && method.p ? claims_scope_of(t->issuers[0], method) : SPAN_NULL;
    const size_t cap = 256 + t->realm.n + t->authz_server.n + scope.n;
    char *p = arena_alloc(a, cap);
    if (!p)
        return NULL;
    struct buf b = buf_of(p, cap);
    buf_lit(&b, "Bearer realm=\"");
    buf_put(&b, t->realm);
    buf_putc(&b, '"');
    if (t->authz_server.p) { /* a group that takes tickets alone has none */
        buf_lit(&b, ", authz_server=\"");
        buf_put(&b, t->authz_server);
        buf_putc(&b, '"');
    }
    if (scope.p) {
        buf_lit(&b, ", scope=\"");
        buf_put(&b, scope);
        buf_putc(&b, '"');
    }
    write_error(&b, cause);
    buf_putc(&b, '\0');
    return buf_ok(&b) ? p : NULL;
}

/* ---- verdicts ---- */

Countersign__Auth__Cause bearer_covers(const struct claims *k, const struct issuer_conf *c,
                                       struct span method, struct span claimed,
                                       struct span certificate_sha256)
{
    if (!claims_fit_certificate(k, certificate_sha256))
        return CAUSE(TOKEN_NOT_BOUND);
    if (!claims_have_scope(k, claims_scope_of(c, method)))
        return CAUSE(SCOPE_MISSING);
    if (!claimed.p || !span_eq(k->aor, claimed))
        return span_eq(method, SPAN("REGISTER")) ? CAUSE(AOR_NOT_ALLOWED) : CAUSE(FROM_NOT_ALLOWED);
    return CAUSE(OK);
}

/* Whom a REFER names is not looked at: who may not call all sends none. Without a name it is for
 * us, unless it is a call. */
Countersign__Auth__Cause bearer_reaches(const struct claims *k, struct span method, bool in_dialog,
                                        struct span target)
{
    const bool refers = span_eq(method, SPAN("REFER")), calls = span_eq(method, SPAN("INVITE"));
    if (!refers && (in_dialog || (!target.p && !calls)))
        return CAUSE(OK);
    return claims_reach(k, refers ? SPAN_NULL : target) ? CAUSE(OK) : CAUSE(TOKEN_DESTINATION);
}

static char *text(struct arena *a, struct span s)
{
    return s.p ? arena_str(a, s) : NULL;
}

int bearer_bound(const struct claims *k, struct wall now, struct arena *a,
                 Countersign__Auth__Grant *g)
{
    Countersign__Auth__Token *t = arena_alloc(a, sizeof(*t));
    if (!t)
        return CS_ENOMEM;
    policy_end(g, (struct wall){ k->exp * 1000 }, now);
    countersign__auth__token__init(t);
    t->iss = text(a, k->iss);
    t->sub = text(a, k->sub);
    t->jti = text(a, k->jti);
    t->sid = text(a, k->sid);
    t->has_iat_s = k->iat > 0;
    t->iat_s = (uint64_t)k->iat;
    t->has_exp_s = true;
    t->exp_s = (uint64_t)k->exp;
    g->token = t;
    return 0;
}
