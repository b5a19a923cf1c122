#include "authd/token/claims.h"

#include "lib/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "authd/check/bearer.h"
#include "authd/token/json.h"
#include "authd/token/metadata.h"
#include "base/util.h"

static struct span audiences[] = { SPAN_INIT("sip"), SPAN_INIT("sip:example.com") };
static struct span strong[] = { SPAN_INIT("urn:loa:2"), SPAN_INIT("urn:loa:3") };
static struct span methods[] = { SPAN_INIT("mfa"), SPAN_INIT("hwk") };

static struct issuer_conf conf_of(void)
{
    return (struct issuer_conf){
        .issuer = SPAN("https://idp.example"),
        .audiences = audiences,
        .n_audiences = CS_LEN(audiences),
        .identity = { SPAN("sub"), SPAN("example.com") },
        .scopes = { SPAN("register"), SPAN("call"), SPAN("presence") },
        .lifetime = { DURATION_S(300), DURATION_S(3600) },
        .leeway = DURATION_S(30),
    };
}

/* The members of a good token; one of them may be another, or missing. */
static const struct {
    const char *name, *value;
} usual[] = {
    { "iss", "\"https://idp.example\"" },
    { "sub", "\"alice\"" },
    { "aud", "\"sip\"" },
    { "iat", "1000000000" },
    { "exp", "1000000600" },
    { "scope", "\"register call\"" },
    { "jti", "\"id-1\"" },
};

static char text[4096];

static json_t *json_with(const char *name, const char *value)
{
    struct buf b = BUF_INIT(text);
    bool put = !value;
    buf_putc(&b, '{');
    for (size_t i = 0; i < CS_LEN(usual); i++) {
        const char *v = usual[i].value;
        if (name && strcmp(usual[i].name, name) == 0) {
            v = value;
            put = true;
        }
        if (v)
            buf_printf(&b, "%s\"%s\":%s", b.n > 1 ? "," : "", usual[i].name, v);
    }
    if (name && !put)
        buf_printf(&b, ",\"%s\":%s", name, value);
    buf_putc(&b, '}');
    json_t *j = json_read_object(buf_span(&b));
    if (!j)
        fail_msg("the test's own JSON is wrong: " SPAN_FMT, SPAN_ARG(buf_span(&b)));
    return j;
}

static struct arena arena;
static struct claims claims;

static Countersign__Auth__Cause judge(const struct issuer_conf *c, enum claims_source source,
                                      const char *name, const char *value)
{
    json_t *j = json_with(name, value);
    arena_fini(&arena);
    arena_init(&arena, NULL, 0, 0);
    Countersign__Auth__Cause cause = claims_of(j, c, source, &arena, &claims);
    json_decref(j); /* what claims hold is their own */
    return cause;
}

static int close_arena(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

#define C(name) CAUSE(name)

static void test_each_claim_that_is_wrong_has_its_cause(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        Countersign__Auth__Cause cause;
    } rows[] = {
        { NULL, NULL, C(OK) },
        { "iss", NULL, C(TOKEN_ISSUER_UNKNOWN) },
        { "iss", "\"https://idp.example/\"", C(TOKEN_ISSUER_UNKNOWN) },
        { "iss", "\"HTTPS://idp.example\"", C(TOKEN_ISSUER_UNKNOWN) },
        { "iss", "[\"https://idp.example\"]", C(TOKEN_ISSUER_UNKNOWN) },
        { "aud", NULL, C(TOKEN_AUDIENCE) },
        { "aud", "\"SIP\"", C(TOKEN_AUDIENCE) },
        { "aud", "\"sip2\"", C(TOKEN_AUDIENCE) },
        { "aud", "[]", C(TOKEN_AUDIENCE) },
        { "aud", "{\"sip\":1}", C(TOKEN_AUDIENCE) },
        { "aud", "[\"other\",7,\"sip:example.com\"]", C(OK) },
        { "exp", NULL, C(TOKEN_INVALID) },
        { "exp", "\"1000000600\"", C(TOKEN_INVALID) },
        { "exp", "-1", C(TOKEN_INVALID) },
        { "exp", "0", C(TOKEN_INVALID) },
        { "exp", "1e300", C(TOKEN_INVALID) },
        { "exp", "9223372036854775807", C(TOKEN_INVALID) },
        { "exp", "1000000600.75", C(OK) },
        { "iat", NULL, C(TOKEN_INVALID) },
        { "iat", "true", C(TOKEN_INVALID) },
        { "nbf", "\"now\"", C(TOKEN_INVALID) },
        { "nbf", "1000000000", C(OK) },
        { "exp", "1000000299", C(TOKEN_LIFETIME) },
        { "exp", "1000000300", C(OK) },
        { "exp", "1000003600", C(OK) },
        { "exp", "1000003601", C(TOKEN_LIFETIME) },
        { "exp", "999999999", C(TOKEN_LIFETIME) },
        { "sub", NULL, C(TOKEN_IDENTITY) },
        { "sub", "\"\"", C(TOKEN_IDENTITY) },
        { "sub", "7", C(TOKEN_IDENTITY) },
        { "sub", "\"alice@elsewhere.example\"", C(TOKEN_IDENTITY) },
        { "sub", "\"sip:alice@elsewhere.example\"", C(TOKEN_IDENTITY) },
        { "sub", "\"alice@example.com@elsewhere.example\"", C(TOKEN_IDENTITY) },
        { "sub", "\"alice@example.com;x@elsewhere.example\"", C(TOKEN_IDENTITY) },
        { "sub", "\"@example.com\"", C(TOKEN_IDENTITY) },
        { "cnf", "{\"jwk\":{}}", C(TOKEN_NOT_BOUND) },
        { "cnf", "{\"x5t#S256\":\"AAAA\"}", C(TOKEN_NOT_BOUND) },
        { "cnf", "7", C(TOKEN_NOT_BOUND) },
        { "cnf", "{\"x5t#S256\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", C(OK) },
        { "cnf", "{\"x5t#S256\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"jkt\":\"x\"}",
          C(TOKEN_NOT_BOUND) },
    };
    const struct issuer_conf c = conf_of();
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        Countersign__Auth__Cause got = judge(&c, CLAIMS_SIGNED, rows[i].name, rows[i].value);
        if (got != rows[i].cause)
            fail_msg("row %zu (%s): " SPAN_FMT, i, rows[i].value, SPAN_ARG(cause_name(got)));
    }
}

static void test_identity_is_an_address_or_a_name_in_the_domain(void **state)
{
    (void)state;
    static const struct {
        const char *domain, *sub, *aor;
    } rows[] = {
        { "example.com", "\"alice\"", "sip:alice@example.com" },
        { "example.com", "\"alice@EXAMPLE.com\"", "sip:alice@example.com" },
        { "example.com", "\"sip:alice@example.com\"", "sip:alice@example.com" },
        { "example.com", "\"sips:alice@example.com:5061;user=phone\"", "sip:alice@example.com" },
        { "example.com", "\"auth0|123\"", "sip:auth0%7C123@example.com" },
        { "example.com", "\"alice%00x@example.com\"", NULL },
        { "example.com", "\"sip:alice%0d%0a@example.com\"", NULL },
        { "example.com", "\"alice\\n\"", NULL },
        { "example.com", "\"alice%00\"",
          "sip:alice%2500@example.com" }, /* a name is as it stands */
        { NULL, "\"alice@other.example\"", "sip:alice@other.example" },
        { NULL, "\"alice\"", NULL },
        { NULL, "\"tel:+15551234\"", NULL },
        { NULL, "\"sip:example.com\"", NULL },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct issuer_conf c = conf_of();
        c.identity.domain = span_str(rows[i].domain);
        Countersign__Auth__Cause got = judge(&c, CLAIMS_SIGNED, "sub", rows[i].sub);
        assert_int_equal(got, rows[i].aor ? C(OK) : C(TOKEN_IDENTITY));
        if (rows[i].aor)
            assert_span(claims.aor, rows[i].aor);
    }
    struct issuer_conf c = conf_of();
    c.identity.claim = SPAN("preferred_username");
    assert_int_equal(judge(&c, CLAIMS_SIGNED, "preferred_username", "\"bob\""), C(OK));
    assert_span(claims.aor, "sip:bob@example.com");
}

/* G-33: MFA by the identity provider. */
static void test_required_sign_in_must_be_said(void **state)
{
    (void)state;
    struct issuer_conf c = conf_of();
    c.acr = strong;
    c.n_acr = 2;
    assert_int_equal(judge(&c, CLAIMS_SIGNED, NULL, NULL), C(TOKEN_CONTEXT));
    assert_int_equal(judge(&c, CLAIMS_SIGNED, "acr", "\"urn:loa:1\""), C(TOKEN_CONTEXT));
    assert_int_equal(judge(&c, CLAIMS_SIGNED, "acr", "\"urn:loa:3\""), C(OK));
    c.n_acr = 0;
    c.amr = methods;
    c.n_amr = 2;
    assert_int_equal(judge(&c, CLAIMS_SIGNED, NULL, NULL), C(TOKEN_CONTEXT));
    assert_int_equal(judge(&c, CLAIMS_SIGNED, "amr", "[\"pwd\"]"), C(TOKEN_CONTEXT));
    assert_int_equal(judge(&c, CLAIMS_SIGNED, "amr", "[\"pwd\",\"mfa\"]"), C(OK));
}

static void test_what_an_operator_may_is_said_by_one_claim(void **state)
{
    static struct span read[] = { SPAN_INIT("staff"), SPAN_INIT("guests") };
    static struct span all[] = { SPAN_INIT("admins") };
    static const struct {
        const char *claim, *name, *value;
        enum operator_right right;
    } rows[] = {
        { "groups", "groups", "[\"admins\"]", RIGHT_ADMINISTER },
        { "groups", "groups", "[\"staff\",\"admins\"]", RIGHT_ADMINISTER },
        { "groups", "groups", "\"guests\"", RIGHT_READ },
        { "groups", "groups", "\"guests admins\"", RIGHT_NONE },
        { "groups", "groups", "[\"Admins\",[\"admins\"],7]", RIGHT_NONE },
        { "groups", "groups", "{\"admins\":true}", RIGHT_NONE },
        { "groups", NULL, NULL, RIGHT_NONE },
        { "realm_access.roles", "realm_access", "{\"roles\":[\"staff\"]}", RIGHT_READ },
        { "realm_access.roles", "realm_access", "[\"staff\"]", RIGHT_NONE },
        { "realm_access.roles", "realm_access.roles", "[\"admins\"]", RIGHT_ADMINISTER },
        { "a.b.c", "a", "{\"b\":{\"c\":\"admins\"}}", RIGHT_ADMINISTER },
        { "a.b.c", "a", "{\"b\":\"admins\"}", RIGHT_NONE },
        { "https://example.com/roles", "https://example.com/roles", "[\"staff\"]", RIGHT_READ },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct operators_conf o = { .claim = span_str(rows[i].claim),
                                    .read = read,
                                    .n_read = CS_LEN(read),
                                    .administer = all,
                                    .n_administer = CS_LEN(all) };
        struct issuer_conf c = conf_of();
        assert_int_equal(judge(&c, CLAIMS_SIGNED, rows[i].name, rows[i].value), C(OK));
        assert_int_equal(claims.right, RIGHT_NONE); /* of an issuer that speaks of users */
        c.operators = &o;
        assert_int_equal(judge(&c, CLAIMS_SIGNED, rows[i].name, rows[i].value), C(OK));
        if (claims.right != rows[i].right)
            fail_msg("%s of %s: %d", rows[i].claim, rows[i].value, claims.right);
    }
}

static void test_the_issuers_own_word_may_leave_out_who_it_is_and_since_when(void **state)
{
    (void)state;
    const struct issuer_conf c = conf_of();
    assert_int_equal(judge(&c, CLAIMS_INQUIRED, "iss", NULL), C(OK));
    assert_span(claims.iss, "https://idp.example");
    assert_int_equal(judge(&c, CLAIMS_INQUIRED, "iss", "\"https://evil.example\""),
                     C(TOKEN_ISSUER_UNKNOWN));
    assert_int_equal(judge(&c, CLAIMS_INQUIRED, "aud", NULL), C(TOKEN_AUDIENCE));
    assert_int_equal(judge(&c, CLAIMS_INQUIRED, "exp", NULL), C(TOKEN_INVALID));
    assert_int_equal(judge(&c, CLAIMS_INQUIRED, "iat", NULL), C(OK));
    /* Then what is left of it is bounded. */
    assert_int_equal(claims_time(&claims, &c, (struct wall){ 1000000000000 }), C(OK));
    assert_int_equal(claims_time(&claims, &c, (struct wall){ 999996000000 }), C(TOKEN_LIFETIME));
}

static void test_clocks_may_differ_by_the_leeway(void **state)
{
    (void)state;
    static const struct {
        int64_t now;
        Countersign__Auth__Cause cause;
    } rows[] = {
        { 999999969999, C(TOKEN_NOT_YET_VALID) },
        { 999999970000, C(OK) },
        { 1000000600000, C(OK) },
        { 1000000629999, C(OK) },
        { 1000000630000, C(TOKEN_EXPIRED) },
        { INT64_C(4000000000000), C(TOKEN_EXPIRED) },
    };
    struct issuer_conf c = conf_of();
    assert_int_equal(judge(&c, CLAIMS_SIGNED, NULL, NULL), C(OK));
    for (size_t i = 0; i < CS_LEN(rows); i++)
        assert_int_equal(claims_time(&claims, &c, (struct wall){ rows[i].now }), rows[i].cause);
    assert_int_equal(judge(&c, CLAIMS_SIGNED, "nbf", "1000000100"), C(OK));
    assert_int_equal(claims_time(&claims, &c, (struct wall){ 1000000069999 }),
                     C(TOKEN_NOT_YET_VALID));
    assert_int_equal(claims_time(&claims, &c, (struct wall){ 1000000070000 }), C(OK));
    c.leeway = DURATION_S(0);
    assert_int_equal(claims_time(&claims, &c, (struct wall){ 1000000599999 }), C(OK));
    assert_int_equal(claims_time(&claims, &c, (struct wall){ 1000000600000 }), C(TOKEN_EXPIRED));
}

/* G-34 */
static void test_each_method_needs_its_scope(void **state)
{
    (void)state;
    static const struct {
        const char *method, *scope;
    } rows[] = {
        { "REGISTER", "register" },  { "INVITE", "call" },      { "BYE", "call" },
        { "REFER", "call" },         { "OPTIONS", "call" },     { "UNHEARD-OF", "call" },
        { "SUBSCRIBE", "presence" }, { "PUBLISH", "presence" }, { "NOTIFY", "presence" },
        { "MESSAGE", "presence" },   { "register", "call" },
    };
    struct issuer_conf c = conf_of();
    for (size_t i = 0; i < CS_LEN(rows); i++)
        assert_span(claims_scope_of(&c, span_str(rows[i].method)), rows[i].scope);
    static const struct {
        const char *name, *value;
        bool registers, calls;
    } said[] = {
        { NULL, NULL, true, true },
        { "scope", "\"call\"", false, true },
        { "scope", "\"openid  register\"", true, false },
        { "scope", "\"registers call2 REGISTER\"", false, false },
        { "scope", "[\"call\",\"register\"]", true, true },
        { "scope", "7", false, false },
        { "scope", NULL, false, false },
    };
    for (size_t i = 0; i < CS_LEN(said); i++) {
        assert_int_equal(judge(&c, CLAIMS_SIGNED, said[i].name, said[i].value), C(OK));
        assert_int_equal(claims_have_scope(&claims, SPAN("register")), said[i].registers);
        assert_int_equal(claims_have_scope(&claims, SPAN("call")), said[i].calls);
    }
    c.scopes[SCOPE_REGISTER] = SPAN("");
    assert_null(claims_scope_of(&c, SPAN("REGISTER")).p);
    assert_true(claims_have_scope(&claims, SPAN_NULL));
}

static void test_scp_serves_where_there_is_no_scope(void **state)
{
    (void)state;
    const struct issuer_conf c = conf_of();
    json_t *j = json_with("scope", NULL);
    json_object_set_new(j, "scp", json_pack("[ss]", "register", "x"));
    assert_int_equal(claims_of(j, &c, CLAIMS_SIGNED, &arena, &claims), C(OK));
    assert_true(claims_have_scope(&claims, SPAN("register")));
    json_decref(j);
}

/* RFC 8705, 3.1 */
static void test_bound_token_needs_its_certificate(void **state)
{
    (void)state;
    const struct issuer_conf c = conf_of();
    static const char zero[32], other[32] = { 1 };
    const struct span aor = SPAN("sip:alice@example.com"), invite = SPAN("INVITE");
    assert_int_equal(judge(&c, CLAIMS_SIGNED, "cnf",
                           "{\"x5t#S256\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"),
                     C(OK));
    assert_int_equal(bearer_covers(&claims, &c, invite, aor, span_of(zero, 32)), C(OK));
    assert_int_equal(bearer_covers(&claims, &c, invite, aor, span_of(other, 32)),
                     C(TOKEN_NOT_BOUND));
    assert_int_equal(bearer_covers(&claims, &c, invite, aor, SPAN_NULL), C(TOKEN_NOT_BOUND));
    assert_int_equal(bearer_covers(&claims, &c, invite, aor, span_of(zero, 31)),
                     C(TOKEN_NOT_BOUND));
    assert_int_equal(judge(&c, CLAIMS_SIGNED, NULL, NULL), C(OK));
    assert_int_equal(bearer_covers(&claims, &c, invite, aor, SPAN_NULL), C(OK));
}

/* G-32, A-16 */
static void test_a_token_is_for_one_address(void **state)
{
    (void)state;
    const struct issuer_conf c = conf_of();
    assert_int_equal(judge(&c, CLAIMS_SIGNED, NULL, NULL), C(OK));
    assert_int_equal(
        bearer_covers(&claims, &c, SPAN("REGISTER"), SPAN("sip:alice@example.com"), SPAN_NULL),
        C(OK));
    assert_int_equal(
        bearer_covers(&claims, &c, SPAN("REGISTER"), SPAN("sip:bob@example.com"), SPAN_NULL),
        C(AOR_NOT_ALLOWED));
    assert_int_equal(
        bearer_covers(&claims, &c, SPAN("INVITE"), SPAN("sip:bob@example.com"), SPAN_NULL),
        C(FROM_NOT_ALLOWED));
    assert_int_equal(bearer_covers(&claims, &c, SPAN("INVITE"), SPAN_NULL, SPAN_NULL),
                     C(FROM_NOT_ALLOWED));
    assert_int_equal(
        bearer_covers(&claims, &c, SPAN("SUBSCRIBE"), SPAN("sip:alice@example.com"), SPAN_NULL),
        C(SCOPE_MISSING));
}

static void test_whom_it_may_call(void **state)
{
    static const struct {
        const char *scope, *aor;
        bool reaches;
    } rows[] = {
        { "call", "sip:1001@example.com", true },
        { "call", NULL, true },
        { "call sip_dest:", "sip:1001@example.com", false },
        { "sip_dest:*", "sip:1001@example.com", true },
        { "sip_dest:*", NULL, false },
        { "call sip_dest:1001 sip_dest:+49*", "sip:1001@example.com", true },
        { "call sip_dest:1001 sip_dest:+49*", "sip:10011@example.com", false },
        { "call sip_dest:1001 sip_dest:+49*", "sip:+4930@example.com", true },
        { "call sip_dest:1001 sip_dest:+49*", "sip:+4@example.com", false },
        { "sip_dest:sip:*@EXAMPLE.com", "sip:1001@example.com", true },
        { "sip_dest:*@example.com", "sip:1001@example.org", false },
        { "sip_dest:1001@", "sip:1001@example.com", false },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        const struct claims k = { .scope = span_str(rows[i].scope) };
        assert_int_equal(claims_reach(&k, span_str(rows[i].aor)), rows[i].reaches);
    }
    const struct claims some = { .scope = SPAN("sip_dest:1001") };
    assert_int_equal(bearer_reaches(&some, SPAN("INVITE"), false, SPAN_NULL), C(TOKEN_DESTINATION));
    assert_int_equal(bearer_reaches(&some, SPAN("INVITE"), true, SPAN_NULL), C(OK));
    assert_int_equal(bearer_reaches(&some, SPAN("OPTIONS"), false, SPAN_NULL), C(OK));
    assert_int_equal(bearer_reaches(&some, SPAN("REFER"), true, SPAN_NULL), C(TOKEN_DESTINATION));
}

static void test_a_grant_ends_with_its_token(void **state)
{
    (void)state;
    const struct issuer_conf c = conf_of();
    static const struct {
        int64_t now;
        uint32_t min, max, standard;
    } rows[] = {
        { 1000000000000, 60, 600, 600 }, { 1000000000001, 60, 599, 599 },
        { 1000000580000, 20, 20, 20 },   { 1000000599000, 1, 1, 1 },
        { 1000000599001, 0, 0, 0 },      { 1000000610000, 0, 0, 0 },
    };
    assert_int_equal(judge(&c, CLAIMS_SIGNED, NULL, NULL), C(OK));
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        Countersign__Auth__Grant g = COUNTERSIGN__AUTH__GRANT__INIT;
        g.expires_min_s = 60;
        g.expires_max_s = 3600;
        g.expires_default_s = 1800;
        assert_int_equal(bearer_bound(&claims, (struct wall){ rows[i].now }, &arena, &g), 0);
        assert_int_equal(g.expires_min_s, rows[i].min);
        assert_int_equal(g.expires_max_s, rows[i].max);
        assert_int_equal(g.expires_default_s, rows[i].standard);
        assert_string_equal(g.token->jti, "id-1");
        assert_string_equal(g.token->sub, "alice");
        assert_string_equal(g.token->iss, "https://idp.example");
        assert_null(g.token->sid);
        assert_int_equal(g.token->iat_s, 1000000000);
        assert_int_equal(g.token->exp_s, 1000000600);
    }
}

static void test_challenge_says_where_tokens_are_and_what_was_wrong(void **state)
{
    (void)state;
    const struct issuer_conf c = conf_of(), *list[] = { &c };
    const struct token_conf t = { .issuers = list,
                                  .n_issuers = 1,
                                  .realm = SPAN("example.com"),
                                  .authz_server = SPAN("https://idp.example") };
#define HEAD "Bearer realm=\"example.com\", authz_server=\"https://idp.example\", scope="
    static const struct {
        const char *method;
        Countersign__Auth__Cause cause;
        const char *text;
    } rows[] = {
        { "REGISTER", C(NO_CREDENTIALS), HEAD "\"register\"" },
        { "INVITE", C(NO_CREDENTIALS), HEAD "\"call\"" },
        { "REGISTER", C(TOKEN_EXPIRED),
          HEAD "\"register\", error=\"invalid_token\", error_description=\"The token has "
               "expired\"" },
        { "REGISTER", C(SCOPE_MISSING),
          HEAD "\"register\", error=\"insufficient_scope\", error_description=\"The token does "
               "not cover this\"" },
        { "INVITE", C(CREDENTIALS_MALFORMED),
          HEAD "\"call\", error=\"invalid_request\", error_description=\"One token, and once\"" },
        { "INVITE", C(FROM_NOT_ALLOWED),
          HEAD "\"call\", error=\"invalid_request\", error_description=\"The token is for another "
               "address\"" },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++)
        assert_string_equal(bearer_challenge(&t, span_str(rows[i].method), rows[i].cause, &arena),
                            rows[i].text);
    /* Of what else may be wrong with a token nothing shows. */
    const char *other = NULL;
    for (int cause = C(TOKEN_NOT_YET_VALID); cause < C(ISSUER_UNAVAILABLE); cause++) {
        char *one = bearer_challenge(&t, SPAN("REGISTER"), (Countersign__Auth__Cause)cause, &arena);
        assert_string_equal(one, other ? other : one);
        assert_non_null(strstr(one, "error=\"invalid_token\""));
        other = one;
    }
}

static void test_packed_claims_stand_by_themselves(void **state)
{
    (void)state;
    const struct issuer_conf c = conf_of();
    char block[CLAIMS_MAX], small[64];
    struct buf b = BUF_INIT(block), cut = BUF_INIT(small);
    struct claims again;
    assert_int_equal(judge(&c, CLAIMS_SIGNED, "sid", "\"\""), C(OK));
    assert_int_equal(claims_pack(&claims, &b), 0);
    assert_int_equal(claims_pack(&claims, &cut), CS_ELIMIT);
    claims_unpack(buf_span(&b), &again);
    assert_span(again.iss, "https://idp.example");
    assert_span(again.sub, "alice");
    assert_span(again.jti, "id-1");
    assert_span(again.aor, "sip:alice@example.com");
    assert_span(again.scope, "register call");
    assert_true(again.sid.p && again.sid.n == 0); /* empty is not absent */
    assert_true(again.iss.p >= block && again.iss.p < block + b.n);
    assert_int_equal(again.exp, claims.exp);
}

static void test_addresses_of_issuers_are_https_or_loopback(void **state)
{
    (void)state;
    static const char *const good[] = {
        "https://idp.example",    "https://idp.example:8443/realms/a?b=c",
        "HTTPS://idp.example/",   "http://127.0.0.1:8080/x",
        "http://localhost",       "http://[::1]:80/",
        "https://[2001:db8::1]/",
    };
    static const char *const bad[] = {
        "",
        "idp.example",
        "ftp://idp.example",
        "http://idp.example",
        "http://127.0.0.1.example/",
        "http://127.0.0.1@evil.example/",
        "https://user:pw@idp.example/",
        "https:///path",
        "https://idp.example/#x",
        "https://idp.example/a b",
        "https://idp.example/\"",
        "http://localhost.example",
        "file:///etc/passwd",
        "https://",
        "http://127.0.0.2/",
        "https://idp.example\\@evil.example",
        "https://:443/",
    };
    for (size_t i = 0; i < CS_LEN(good); i++) {
        if (issuer_url_fault(span_str(good[i])))
            fail_msg("%s: %s", good[i], issuer_url_fault(span_str(good[i])));
    }
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        if (!issuer_url_fault(span_str(bad[i])))
            fail_msg("%s is taken", bad[i]);
    }
}

static void test_discovery_must_speak_of_the_issuer_that_was_asked(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
    } rows[] = {
        { "{\"issuer\":\"https://idp.example\",\"jwks_uri\":\"https://idp.example/jwks\"}", 0 },
        { "{\"issuer\":\"https://idp.example\"}", 0 },
        { "{\"issuer\":\"https://idp.example/\"}", CS_EDENIED },
        { "{\"jwks_uri\":\"https://idp.example/jwks\"}", CS_EDENIED },
        { "{\"issuer\":\"https://idp.example\",\"jwks_uri\":\"http://idp.example/jwks\"}",
          CS_EDENIED },
        { "{\"issuer\":\"https://idp.example\",\"jwks_uri\":\"file:///etc/passwd\"}", CS_EDENIED },
        { "{\"issuer\":\"https://idp.example\",\"jwks_uri\":\"http://127.0.0.1:8080/\"}",
          CS_EDENIED },
        { "{\"issuer\":\"https://idp.example\",\"jwks_uri\":7}", CS_EPROTO },
        { "{\"issuer\":\"https://evil.example\",\"issuer\":\"https://idp.example\"}", CS_EPROTO },
        { "[]", CS_EPROTO },
        { "", CS_EPROTO },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct metadata m;
        int err = metadata_parse(span_str(rows[i].text), SPAN("https://idp.example"), &arena, &m);
        if (err != rows[i].err)
            fail_msg("row %zu: %d", i, err);
        if (err)
            assert_null(m.jwks_uri.p);
    }
    char url[128];
    struct buf b = BUF_INIT(url);
    assert_int_equal(metadata_url(SPAN("https://idp.example/realms/a/"), &b), 0);
    assert_string_equal(url, "https://idp.example/realms/a/.well-known/openid-configuration");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_claim_that_is_wrong_has_its_cause),
        cmocka_unit_test(test_identity_is_an_address_or_a_name_in_the_domain),
        cmocka_unit_test(test_required_sign_in_must_be_said),
        cmocka_unit_test(test_what_an_operator_may_is_said_by_one_claim),
        cmocka_unit_test(test_the_issuers_own_word_may_leave_out_who_it_is_and_since_when),
        cmocka_unit_test(test_clocks_may_differ_by_the_leeway),
        cmocka_unit_test(test_each_method_needs_its_scope),
        cmocka_unit_test(test_scp_serves_where_there_is_no_scope),
        cmocka_unit_test(test_bound_token_needs_its_certificate),
        cmocka_unit_test(test_a_token_is_for_one_address),
        cmocka_unit_test(test_whom_it_may_call),
        cmocka_unit_test(test_a_grant_ends_with_its_token),
        cmocka_unit_test(test_challenge_says_where_tokens_are_and_what_was_wrong),
        cmocka_unit_test(test_packed_claims_stand_by_themselves),
        cmocka_unit_test(test_addresses_of_issuers_are_https_or_loopback),
        cmocka_unit_test(test_discovery_must_speak_of_the_issuer_that_was_asked),
    };
    arena_init(&arena, NULL, 0, 0);
    return cmocka_run_group_tests_name("claims", tests, NULL, close_arena);
}
