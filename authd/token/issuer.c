#include "authd/token/issuer.h"

#include "authd/token/alg.h"

enum { URL_MAX = 2048 };

static const char *const introspect_names[] = { "never", "instead", "also", NULL };
static const char *const users_names[] = { "required", "optional", NULL };

#define I struct issuer_conf

#define K __typeof__(((I *)0)->keys)
static const struct conf_key keys_keys[] = {
    CONF_PATHS("files", K, files, "Files with a JWK Set each; read again every refresh."),
    CONF_STR("url", K, url, "Where the JWK Set is; discovery says it when nothing is written.",
             .max = URL_MAX),
    CONF_DURATION("refresh", K, refresh,
                  "How old keys become before they are fetched again; sooner when the issuer says "
                  "so. A key that was withdrawn works no longer than this.",
                  .def = "5m", .min = CONF_SECOND, .max = CONF_DAY),
    CONF_DURATION("refetch", K, refetch,
                  "A token with an unknown key has keys fetched at once, but only so often.",
                  .def = "30s", .min = CONF_SECOND, .max = CONF_HOUR),
    CONF_DURATION("keep", K, keep,
                  "How long keys stay in use while the issuer cannot be reached; then its tokens "
                  "get 503.",
                  .def = "1d", .min = CONF_SECOND, .max = 30 * CONF_DAY),
    { 0 },
};

static void keys_check(struct conf_check *c, void *section)
{
    K *k = section;
    if (k->n_files && k->url.p)
        conf_error(c, "url", "stands beside files; write one of them");
    const char *fault = k->url.p ? issuer_url_fault(k->url) : NULL;
    if (fault)
        conf_error(c, "url", "%s", fault);
}
static const struct conf_section keys_section = {
    .size = sizeof(K),
    .keys = keys_keys,
    .check = keys_check,
};

#define N __typeof__(((I *)0)->introspection)
static const struct conf_key introspection_keys[] = {
    CONF_ENUM("mode", N, mode, introspect_names,
              "Whether the issuer is asked about each token (RFC 7662): never, instead of "
              "verifying it here, or also.",
              .def = "never"),
    CONF_STR("url", N, url, "Where it is asked; discovery says it when nothing is written.",
             .max = URL_MAX),
    CONF_STR("client_id", N, client_id, "What authd calls itself there.", .max = 256),
    CONF_PATH("client_secret_file", N, client_secret_file, "File that holds its secret."),
    CONF_DURATION("cache", N, cache, "How long its answer holds.", .def = "5s",
                  .max = 5 * CONF_MINUTE),
    { 0 },
};

static void introspection_check(struct conf_check *c, void *section)
{
    N *n = section;
    if (n->mode == INTROSPECT_NEVER)
        return;
    if (!n->client_id.p || !n->client_secret_file)
        conf_error(c, n->client_id.p ? "client_secret_file" : "client_id",
                   "is missing: an issuer answers only those it knows");
    const char *fault = n->url.p ? issuer_url_fault(n->url) : NULL;
    if (fault)
        conf_error(c, "url", "%s", fault);
}
static const struct conf_section introspection_section = {
    .size = sizeof(N),
    .keys = introspection_keys,
    .check = introspection_check,
};

#define D __typeof__(((I *)0)->identity)
static const struct conf_key identity_keys[] = {
    CONF_STR("claim", D, claim,
             "Claim that says who it is: an address (sip:alice@example.com, alice@example.com), "
             "or a user name.",
             .def = "sub", .min = 1, .max = 128),
    CONF_STR("domain", D, domain,
             "Domain a user name belongs to; addresses in another one are refused.", .min = 1,
             .max = 253),
    { 0 },
};
static const struct conf_section identity_section = { .size = sizeof(D), .keys = identity_keys };

struct scopes { /* issuer_conf.scopes, by name */
    struct span one[SCOPE_COUNT];
};
#define S struct scopes
static const struct conf_key scopes_keys[] = {
    CONF_STR("register", S, one[SCOPE_REGISTER], "For REGISTER; empty: every token will do.",
             .def = "register", .max = 128),
    CONF_STR("call", S, one[SCOPE_CALL], "For INVITE and whatever is not below.", .def = "call",
             .max = 128),
    CONF_STR("presence", S, one[SCOPE_PRESENCE], "For SUBSCRIBE, NOTIFY, PUBLISH and MESSAGE.",
             .def = "presence", .max = 128),
    { 0 },
};

/* They stand in a challenge (RFC 6749, 3.3: scope-token). */
static void scopes_check(struct conf_check *c, void *section)
{
    static const char *const names[SCOPE_COUNT] = { "register", "call", "presence" };
    S *s = section;
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        for (size_t k = 0; k < s->one[i].n; k++) {
            unsigned char ch = (unsigned char)s->one[i].p[k];
            if (ch <= ' ' || ch > '~' || ch == '"' || ch == '\\') {
                conf_error(c, names[i], "is no scope: no spaces, quotes or backslashes");
                break;
            }
        }
    }
}
static const struct conf_section scopes_section = {
    .size = sizeof(S),
    .keys = scopes_keys,
    .check = scopes_check,
};

#define O struct operators_conf
static const struct conf_key operators_keys[] = {
    CONF_STR("claim", O, claim,
             "Claim that says what he may, a text or a list of texts; with points between the "
             "names of members inside members, as realm_access.roles.",
             .def = "groups", .min = 1, .max = 128),
    CONF_STRS("read", O, read, "Values of those who may read.", .min = 1, .max = 255,
              .unique = true),
    CONF_STRS("operate", O, operate, "Values of those who may operate as well.", .min = 1,
              .max = 255, .unique = true),
    CONF_STRS("administer", O, administer, "Values of those who may do all.", .min = 1, .max = 255,
              .unique = true),
    { 0 },
};

static void operators_check(struct conf_check *c, void *section)
{
    const O *o = section;
    if (!o->n_read && !o->n_operate && !o->n_administer)
        conf_error(c, "read", "nobody is an operator; write administer: [sip-admins], or less");
}
static const struct conf_section operators_section = {
    .size = sizeof(O),
    .keys = operators_keys,
    .check = operators_check,
};

#define L __typeof__(((I *)0)->lifetime)
static const struct conf_key lifetime_keys[] = {
    CONF_DURATION("min", L, min, "Tokens that live shorter (exp - iat) are refused.", .def = "5m",
                  .min = CONF_SECOND, .max = CONF_DAY),
    CONF_DURATION("max", L, max, "And those that live longer.", .def = "60m", .min = CONF_SECOND,
                  .max = 30 * CONF_DAY),
    { 0 },
};

static void lifetime_check(struct conf_check *c, void *section)
{
    L *l = section;
    if (l->min.ms > l->max.ms)
        conf_error(c, "min", "is longer than max");
}
static const struct conf_section lifetime_section = {
    .size = sizeof(L),
    .keys = lifetime_keys,
    .check = lifetime_check,
};

static const struct conf_key issuer_keys[] = {
    CONF_STR("name", I, name, "Name in logs and in peer groups.", .required = true, .min = 1,
             .max = 64),
    CONF_STR("issuer", I, issuer,
             "What its tokens say in iss, byte for byte; discovery asks there.", .required = true,
             .min = 1, .max = URL_MAX),
    CONF_STRS("audiences", I, audiences, "One of these must be in aud: who the token is for.",
              .at_least = 1, .required = true, .unique = true),
    CONF_SET("algorithms", I, algorithms, jwt_alg_names,
             "Signatures that are taken, where the key is of that kind.",
             .def = "RS256,RS384,RS512,PS256,ES256,ES384,EdDSA"),
    CONF_SECTION("keys", I, keys, &keys_section, "Where its public keys are."),
    CONF_PATH("ca_file", I, ca_file,
              "Authorities who may vouch for it; the system's when nothing is written."),
    CONF_DURATION("timeout", I, timeout, "For one answer of the issuer.", .def = "3s",
                  .min = 10 * CONF_MS, .max = CONF_MINUTE),
    CONF_SECTION("introspection", I, introspection, &introspection_section,
                 "Asking the issuer whether a token still holds."),
    CONF_SECTION("identity", I, identity, &identity_section, "Whose address a token proves."),
    CONF_ENUM("users", I, users, users_names,
              "Whether there must be a user with that address; one that is disabled is refused in "
              "any case.",
              .def = "required"),
    CONF_SECTION("scopes", I, scopes, &scopes_section, "Scope that each kind of method needs."),
    CONF_STRS("acr", I, acr, "Authentication contexts of which one must be said (acr)."),
    CONF_STRS("amr", I, amr, "Authentication methods of which one must be said (amr), as mfa."),
    CONF_SECTION("lifetime", I, lifetime, &lifetime_section, "Bounds of a token's life."),
    CONF_DURATION("leeway", I, leeway, "How far the issuer's clock may be from ours.", .def = "30s",
                  .max = 5 * CONF_MINUTE),
    CONF_OPTION("operators", I, operators, &operators_section,
                "Its tokens are for REST, and say who may do what there; no phone registers with "
                "them."),
    { 0 },
};

bool issuer_discovers(const struct issuer_conf *c)
{
    return (issuer_has_keys(c) && !c->keys.n_files && !c->keys.url.p) ||
           (c->introspection.mode != INTROSPECT_NEVER && !c->introspection.url.p);
}

bool issuer_has_keys(const struct issuer_conf *c)
{
    return c->introspection.mode != INTROSPECT_INSTEAD;
}

static void issuer_check(struct conf_check *c, void *section)
{
    I *i = section;
    if (!i->algorithms)
        conf_error(c, "algorithms", "must name at least one");
    if (i->operators && !issuer_has_keys(i))
        conf_error(c, "introspection.mode", "operators show tokens that are JWTs; write also");
    const char *fault = issuer_discovers(i) ? issuer_url_fault(i->issuer) : NULL;
    if (fault)
        conf_error(c, "issuer", "%s; or write keys.url or keys.files", fault);
}
const struct conf_section issuer_section = {
    .size = sizeof(I),
    .keys = issuer_keys,
    .check = issuer_check,
};

/* ---- addresses ---- */

static bool is_loopback(struct span host)
{
    return span_caseeq(host, SPAN("localhost")) || span_eq(host, SPAN("127.0.0.1")) ||
           span_eq(host, SPAN("[::1]"));
}

const char *issuer_url_fault(struct span url)
{
    const bool secure = span_casestarts(url, SPAN("https://"));
    struct span rest = span_skip(url, secure ? 8 : 7);
    if (!secure && !span_casestarts(url, SPAN("http://")))
        return "is no https:// address";
    for (size_t i = 0; i < url.n; i++) {
        if (url.p[i] <= ' ' || url.p[i] > '~' || url.p[i] == '#' || url.p[i] == '\\' ||
            url.p[i] == '"')
            return "has characters that an address cannot have";
    }
    struct span authority = rest;
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] == '/' || rest.p[i] == '?') {
            authority.n = i;
            break;
        }
    }
    if (span_find(authority, '@') >= 0)
        return "must not hold a user or password";
    struct span host = authority;
    for (size_t i = authority.n; i > 0 && host.n && host.p[host.n - 1] != ']'; i--) {
        if (authority.p[i - 1] == ':') {
            host.n = i - 1;
            break;
        }
    }
    if (!host.n)
        return "names no host";
    if (!secure && !is_loopback(host))
        return "is plain http, which is for 127.0.0.1, [::1] and localhost only";
    return NULL;
}
