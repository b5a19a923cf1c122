#include "authd/token/claims.h"

#include <assert.h>

#include "authd/check/aor.h"
#include "authd/token/json.h"
#include "base/ct.h"

#define SECONDS_MAX INT64_C(253402300800) /* the year 10000 */
#define DESTINATION SPAN("sip_dest:")

/* ---- single claims ---- */

/* NumericDate (RFC 7519, 2): seconds, perhaps with a fraction. Absent is 0. */
static bool read_date(const json_t *j, const char *name, int64_t *out)
{
    const json_t *v = json_object_get(j, name);
    *out = 0;
    if (!v)
        return true;
    double d = json_number_value(v); /* 0 for what is no number */
    if (!(d >= 1 && d < (double)SECONDS_MAX))
        return false;
    *out = (int64_t)d;
    return true;
}

static bool is_among(const struct span *list, size_t n, struct span s)
{
    for (size_t i = 0; s.p && i < n; i++) {
        if (span_eq(list[i], s))
            return true;
    }
    return false;
}

/* A string, or a list of which one is enough (RFC 7519, 4.1.3). */
static bool has_one_of(const json_t *v, const struct span *list, size_t n)
{
    const json_t *item;
    size_t i;
    if (json_is_string(v))
        return is_among(list, n, json_text(v));
    json_array_foreach(v, i, item)
    {
        if (is_among(list, n, json_text(item)))
            return true;
    }
    return false;
}

/* scope is a string (RFC 8693, 4.2); some issuers write scp, as a string or a list. */
static bool read_scope(const json_t *j, struct arena *a, struct span *out)
{
    const json_t *v = json_object_get(j, "scope"), *item;
    size_t i, n = 0;
    v = v ? v : json_object_get(j, "scp");
    *out = json_text(v);
    if (!json_is_array(v))
        return true;
    json_array_foreach(v, i, item)
    {
        n += json_string_length(item) + 1;
    }
    char *p = arena_alloc(a, n + 1);
    if (!p)
        return false;
    struct buf b = buf_of(p, n + 1);
    json_array_foreach(v, i, item)
    {
        buf_put(&b, json_text(item));
        buf_putc(&b, ' ');
    }
    *out = buf_span(&b);
    return true;
}

/* Whom it may call is kept among the words of its scope, and goes where those go. An empty list is
 * nobody. */
static bool read_destinations(const json_t *j, struct arena *a, struct span *scope)
{
    const json_t *v = json_object_get(j, "sip_dest"), *item;
    const size_t items = json_is_array(v) ? json_array_size(v) : v != NULL;
    size_t n = scope->n + (items + 1) * (DESTINATION.n + 1);
    if (!v)
        return true;
    for (size_t i = 0; i < items; i++) {
        item = json_is_array(v) ? json_array_get(v, i) : v;
        n += json_string_length(item);
    }
    char *p = arena_alloc(a, n);
    if (!p)
        return false;
    struct buf b = buf_of(p, n);
    buf_put(&b, *scope);
    for (size_t i = 0; i < CS_MAX(items, (size_t)1); i++) {
        item = json_is_array(v) ? json_array_get(v, i) : v;
        const struct span name = json_text(item);
        buf_putc(&b, ' ');
        buf_put(&b, DESTINATION);
        if (span_find(name, ' ') < 0) /* else nobody has that name */
            buf_put(&b, name);
    }
    *scope = buf_span(&b);
    return buf_ok(&b);
}

/* What it is bound to (RFC 7800; RFC 8705, 3.1). A bond we do not know cannot be shown to hold. */
static bool read_bond(const json_t *j, struct claims *out)
{
    const json_t *cnf = json_object_get(j, "cnf");
    struct span text = json_member(cnf, "x5t#S256");
    size_t n;
    if (!cnf)
        return true;
    out->bound = true;
    return json_object_size(cnf) == 1 && text.p &&
           base64url_decode(text, out->thumbprint, sizeof(out->thumbprint), &n) == 0 &&
           n == sizeof(out->thumbprint);
}

/* A name becomes a C string on its way to fronts: a NUL, escaped, would make it another one. */
static bool has_control(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return true;
    }
    return false;
}

static Countersign__Auth__Cause read_identity(const json_t *j, const struct issuer_conf *c,
                                              struct arena *a, struct span *out)
{
    const struct span text = json_member(j, c->identity.claim.p), domain = c->identity.domain;
    struct span name, host;
    const bool address = span_find(text, '@') >= 0;
    if (!text.n || (!address && !domain.p))
        return CAUSE(TOKEN_IDENTITY);
    int err = address ? aor_of(text, a, out) : aor_of_user(text, domain, a, out);
    if (!err)
        err = aor_split(*out, a, &name, &host);
    if (!err && ((domain.p && !span_caseeq(host, domain)) || has_control(name)))
        return CAUSE(TOKEN_IDENTITY);
    return err == CS_ENOMEM ? CAUSE(CAUSE_NONE) : err ? CAUSE(TOKEN_IDENTITY) : CAUSE(OK);
}

/* A member of that name, or one inside others. */
static const json_t *member_at(const json_t *j, struct span path)
{
    const json_t *whole = json_object_get(j, path.p);
    char name[128 + 1];
    for (struct span rest = path; !whole && j && rest.p;) {
        span_copy(name, sizeof(name), span_cut(&rest, '.'));
        j = json_object_get(j, name);
        if (!rest.p)
            return j;
    }
    return whole;
}

static enum operator_right read_right(const json_t *j, const struct operators_conf *o)
{
    const json_t *said = o ? member_at(j, o->claim) : NULL;
    if (!said)
        return RIGHT_NONE;
    if (has_one_of(said, o->administer, o->n_administer))
        return RIGHT_ADMINISTER;
    if (has_one_of(said, o->operate, o->n_operate))
        return RIGHT_OPERATE;
    return has_one_of(said, o->read, o->n_read) ? RIGHT_READ : RIGHT_NONE;
}

/* ---- all of them ---- */

static void texts_of(struct claims *k, struct span *list[6])
{
    struct span *const all[] = { &k->iss, &k->sub, &k->jti, &k->sid, &k->aor, &k->scope };
    memcpy(list, all, sizeof(all));
}

static bool own_texts(struct claims *k, struct arena *a)
{
    struct span *list[6];
    texts_of(k, list);
    for (size_t i = 0; i < CS_LEN(list); i++) {
        struct span copy = arena_dup(a, *list[i]);
        if (list[i]->p && !copy.p)
            return false;
        *list[i] = copy;
    }
    return true;
}

static bool lives_as_allowed(const struct claims *k, const struct issuer_conf *c)
{
    const int64_t life = (k->exp - k->iat) * 1000;
    return !k->iat || (life >= c->lifetime.min.ms && life <= c->lifetime.max.ms);
}

Countersign__Auth__Cause claims_of(const json_t *j, const struct issuer_conf *c,
                                   enum claims_source source, struct arena *a, struct claims *out)
{
    const bool told = source == CLAIMS_INQUIRED;
    *out = (struct claims){
        .iss = json_member(j, "iss"),
        .sub = json_member(j, "sub"),
        .jti = json_member(j, "jti"),
        .sid = json_member(j, "sid"),
        .right = read_right(j, c->operators),
    };
    if (!(told && !json_object_get(j, "iss")) && !span_eq(out->iss, c->issuer))
        return CAUSE(TOKEN_ISSUER_UNKNOWN);
    if (!out->iss.p)
        out->iss = c->issuer;
    if (!has_one_of(json_object_get(j, "aud"), c->audiences, c->n_audiences))
        return CAUSE(TOKEN_AUDIENCE);
    if (!read_date(j, "exp", &out->exp) || !read_date(j, "iat", &out->iat) ||
        !read_date(j, "nbf", &out->nbf) || !out->exp || (!out->iat && !told))
        return CAUSE(TOKEN_INVALID);
    if (!lives_as_allowed(out, c))
        return CAUSE(TOKEN_LIFETIME);
    if ((c->n_acr && !is_among(c->acr, c->n_acr, json_member(j, "acr"))) ||
        (c->n_amr && !has_one_of(json_object_get(j, "amr"), c->amr, c->n_amr)))
        return CAUSE(TOKEN_CONTEXT);
    if (!read_bond(j, out))
        return CAUSE(TOKEN_NOT_BOUND);
    Countersign__Auth__Cause cause = read_identity(j, c, a, &out->aor);
    if (cause == CAUSE(OK) && (!read_scope(j, a, &out->scope) ||
                               !read_destinations(j, a, &out->scope) || !own_texts(out, a)))
        cause = CAUSE(CAUSE_NONE);
    return cause;
}

Countersign__Auth__Cause claims_time(const struct claims *k, const struct issuer_conf *c,
                                     struct wall now)
{
    const int64_t leeway = c->leeway.ms;
    if (now.ms >= k->exp * 1000 + leeway) /* on or after (RFC 7519, 4.1.4) */
        return CAUSE(TOKEN_EXPIRED);
    if (k->nbf * 1000 > now.ms + leeway || k->iat * 1000 > now.ms + leeway)
        return CAUSE(TOKEN_NOT_YET_VALID);
    /* Where it does not say when it began, what is left of it must not be too much. */
    if (!k->iat && k->exp * 1000 - now.ms > c->lifetime.max.ms + leeway)
        return CAUSE(TOKEN_LIFETIME);
    return CAUSE(OK);
}

struct span claims_scope_of(const struct issuer_conf *c, struct span method)
{
    static const struct {
        struct span method;
        enum scope scope;
    } rows[] = {
        { SPAN_INIT("REGISTER"), SCOPE_REGISTER }, { SPAN_INIT("SUBSCRIBE"), SCOPE_PRESENCE },
        { SPAN_INIT("NOTIFY"), SCOPE_PRESENCE },   { SPAN_INIT("PUBLISH"), SCOPE_PRESENCE },
        { SPAN_INIT("MESSAGE"), SCOPE_PRESENCE },
    };
    enum scope scope = SCOPE_CALL;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        if (span_eq(method, rows[i].method))
            scope = rows[i].scope;
    }
    return c->scopes[scope].n ? c->scopes[scope] : SPAN_NULL;
}

bool claims_have_scope(const struct claims *k, struct span scope)
{
    struct span rest = k->scope;
    while (rest.p) {
        if (span_eq(span_cut(&rest, ' '), scope))
            return true;
    }
    return !scope.p;
}

static struct span without_scheme(struct span s)
{
    return span_starts(s, SPAN("sip:"))    ? span_skip(s, 4)
           : span_starts(s, SPAN("sips:")) ? span_skip(s, 5)
                                           : s;
}

/* "+49*", "1001", "1001@example.com", "*@example.com", with sip: before it or without. */
static bool names(struct span pattern, struct span aor)
{
    struct span host = without_scheme(aor), at = without_scheme(pattern);
    const struct span user = span_cut(&host, '@'), wanted = span_cut(&at, '@');
    if (!wanted.n || (at.p && !span_caseeq(at, host)))
        return false;
    if (wanted.p[wanted.n - 1] == '*')
        return span_starts(user, span_head(wanted, wanted.n - 1));
    return span_eq(user, wanted);
}

bool claims_reach(const struct claims *k, struct span aor)
{
    bool any = true;
    for (struct span rest = k->scope; rest.p;) {
        const struct span word = span_cut(&rest, ' ');
        if (!span_starts(word, DESTINATION))
            continue;
        if (aor.p && names(span_skip(word, DESTINATION.n), aor))
            return true;
        any = false;
    }
    return any;
}

bool claims_fit_certificate(const struct claims *k, struct span sha256)
{
    return !k->bound || ct_eq(sha256, span_of(k->thumbprint, sizeof(k->thumbprint)));
}

/* ---- keeping ---- */

int claims_pack(const struct claims *k, struct buf *out)
{
    struct claims copy = *k;
    struct span *list[6];
    texts_of(&copy, list);
    buf_put(out, span_of(&copy, sizeof(copy))); /* of its texts only lengths and absence count */
    for (size_t i = 0; i < CS_LEN(list); i++)
        buf_put(out, *list[i]);
    return buf_ok(out) ? 0 : CS_ELIMIT;
}

void claims_unpack(struct span block, struct claims *out)
{
    struct span *list[6];
    assert(block.n >= sizeof(*out));
    memcpy(out, block.p, sizeof(*out));
    struct span rest = span_skip(block, sizeof(*out));
    texts_of(out, list);
    for (size_t i = 0; i < CS_LEN(list); i++) {
        const size_t n = list[i]->n;
        list[i]->p = list[i]->p ? rest.p : NULL;
        rest = span_skip(rest, n);
    }
}
