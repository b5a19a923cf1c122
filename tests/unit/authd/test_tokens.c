#include "authd/token/tokens.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "authd/token/provider.h"
#include "base/metric.h"
#include "lib/run.h"
#include "lib/test.h"
#include "lib/tmp.h"
#include "lib/token.h"

/* An issuer whose keys are a file, and what it signs. */
static struct {
    struct loop loop;
    struct arena arena, claims;
    struct authd_conf conf;
    struct token_conf group;
    const struct issuer_conf *list[1];
    struct tokens *tokens;
    struct waiter waiter;
    struct token_proof proof;
    unsigned woken;
    const char *keys;
} w;

static void write_keys(const char *first, const char *second)
{
    char text[4096];
    int n = snprintf(text, sizeof(text), "{\"keys\":[%s%s%s]}", first, *second ? "," : "", second);
    w.keys = tmp_file("keys.json", text, (size_t)n);
}

static void on_waiter(struct waiter *waiter)
{
    (void)waiter;
    w.woken++;
}

static void open_tokens(void)
{
    w.conf = (struct authd_conf){ 0 };
    static struct span audience[] = { SPAN_INIT("sip") };
    static const char *files[1];
    static struct issuer_conf issuer;
    files[0] = w.keys;
    issuer = (struct issuer_conf){
        .name = SPAN("file"),
        .issuer = SPAN("https://idp.example"),
        .audiences = audience,
        .n_audiences = 1,
        .algorithms = JWT_ALG_BIT(JWT_RS256) | JWT_ALG_BIT(JWT_ES256),
        .keys = { .files = files,
                  .n_files = 1,
                  .refresh = DURATION_S(300),
                  .refetch = DURATION_S(30),
                  .keep = DURATION_S(3600) },
        .timeout = DURATION_S(1),
        .identity = { SPAN("sub"), SPAN("example.com") },
        .scopes = { SPAN("register"), SPAN("call"), SPAN("presence") },
        .lifetime = { DURATION_S(300), DURATION_S(3600) },
        .leeway = DURATION_S(30),
    };
    w.conf.token_issuers = &issuer;
    w.conf.n_token_issuers = 1;
    w.conf.limits.cached_tokens = 16;
    w.list[0] = &issuer;
    w.group = (struct token_conf){ .issuers = w.list, .n_issuers = 1 };
    assert_int_equal(loop_init(&w.loop), 0);
    arena_init(&w.claims, NULL, 0, 0);
    assert_int_equal(tokens_new(&w.loop, &w.conf, &w.tokens), 0);
    waiter_init(&w.waiter, on_waiter);
    w.woken = 0;
    loop_skip(&w.loop, DURATION_MS(1)); /* tokens come in later turns */
}

static void close_tokens(void)
{
    waiter_cancel(&w.waiter);
    tokens_free(&w.tokens);
    arena_fini(&w.claims);
    assert_true(run_down(&w.loop));
}

static const char *token_of(enum token_key key, const char *alg, const char *kid, int64_t age)
{
    char header[128], claims[512];
    const int64_t iat = loop_wall(&w.loop).ms / 1000 - age;
    snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"}", alg, kid);
    snprintf(claims, sizeof(claims),
             "{\"iss\":\"https://idp.example\",\"sub\":\"alice\",\"aud\":\"sip\",\"iat\":%lld,"
             "\"exp\":%lld,\"scope\":\"register\",\"jti\":\"%s\"}",
             (long long)iat, (long long)iat + 600, kid);
    return token_sign(key, alg, header, claims);
}

static Countersign__Auth__Cause judge(const char *token)
{
    waiter_cancel(&w.waiter);
    waiter_init(&w.waiter, on_waiter); /* of another question */
    return tokens_judge(w.tokens, span_str(token), &w.group, &w.waiter, &w.claims, &w.proof);
}

#define assert_cause(token, name) assert_int_equal(judge(token), CAUSE(name))

static void test_a_token_seen_before_is_not_verified_again(void **state)
{
    (void)state;
    write_keys(token_jwk(TOKEN_RSA, ",\"kid\":\"a\""), "");
    open_tokens();
    const char *token = token_of(TOKEN_RSA, "RS256", "a", 0);
    int64_t right = metric_get(M_AUTHD_TOKENS, 0), again = metric_get(M_AUTHD_TOKENS, 2);
    for (int i = 0; i < 5; i++) {
        assert_cause(token, OK);
        assert_span(w.proof.claims.aor, "sip:alice@example.com");
        assert_span(w.proof.claims.jti, "a");
        assert_ptr_equal(w.proof.issuer, w.list[0]);
    }
    assert_int_equal(metric_get(M_AUTHD_TOKENS, 0) - right, 1);
    assert_int_equal(metric_get(M_AUTHD_TOKENS, 2) - again, 4);
    loop_skip(&w.loop, DURATION_S(629));
    assert_cause(token, OK);
    loop_skip(&w.loop, DURATION_S(2)); /* with the leeway it has ended */
    assert_cause(token, TOKEN_EXPIRED);
    close_tokens();
}

static void test_an_algorithm_that_the_issuer_does_not_list_is_refused(void **state)
{
    (void)state;
    write_keys(token_jwk(TOKEN_RSA, ",\"kid\":\"a\""), token_jwk(TOKEN_P256, ",\"kid\":\"e\""));
    open_tokens();
    assert_cause(token_of(TOKEN_RSA, "PS256", "a", 0), TOKEN_ALGORITHM);
    assert_cause(token_of(TOKEN_RSA, "RS512", "a", 0), TOKEN_ALGORITHM);
    assert_cause(token_of(TOKEN_RSA, "HS256", "a", 0), TOKEN_ALGORITHM);
    assert_cause(token_of(TOKEN_RSA, "none", "a", 0), TOKEN_ALGORITHM);
    assert_cause(token_of(TOKEN_RSA, "RS256", "e", 0), TOKEN_ALGORITHM);
    assert_cause(token_of(TOKEN_P256, "ES256", "e", 0), OK);
    assert_cause(token_of(TOKEN_RSA_OTHER, "RS256", "a", 0), TOKEN_SIGNATURE);
    close_tokens();
}

/* Rotation: the new key is found when it is first named, and the old one goes, cached or not. */
static void test_keys_come_and_go_with_the_file(void **state)
{
    (void)state;
    write_keys(token_jwk(TOKEN_RSA, ",\"kid\":\"a\""), "");
    open_tokens();
    const char *old = token_of(TOKEN_RSA, "RS256", "a", 0);
    assert_cause(old, OK);
    write_keys(token_jwk(TOKEN_RSA_OTHER, ",\"kid\":\"b\""),
               token_jwk(TOKEN_RSA, ",\"kid\":\"a\""));
    const char *now = token_of(TOKEN_RSA_OTHER, "RS256", "b", 0);
    assert_cause(now, ISSUER_UNAVAILABLE); /* the file was read less than refetch ago */
    loop_skip(&w.loop, DURATION_S(30));
    assert_cause(now, OK);
    assert_cause(old, OK);
    write_keys(token_jwk(TOKEN_RSA_OTHER, ",\"kid\":\"b\""), "");
    assert_cause(old, OK); /* not known yet */
    loop_skip(&w.loop, DURATION_S(301));
    assert_cause(old, TOKEN_KEY_UNKNOWN);
    assert_cause(now, OK);
    close_tokens();
}

/* The same kid for another key: what was verified by the old one is verified anew. */
static void test_another_key_under_the_same_name_is_another_key(void **state)
{
    (void)state;
    write_keys(token_jwk(TOKEN_RSA, ",\"kid\":\"a\""), "");
    open_tokens();
    const char *token = token_of(TOKEN_RSA, "RS256", "a", 0);
    assert_cause(token, OK);
    write_keys(token_jwk(TOKEN_RSA_OTHER, ",\"kid\":\"a\""), "");
    loop_skip(&w.loop, DURATION_S(301));
    assert_cause(token, TOKEN_SIGNATURE);
    close_tokens();
}

static void test_an_unknown_key_is_refused_only_when_the_token_is_older_than_the_keys(void **state)
{
    (void)state;
    write_keys(token_jwk(TOKEN_RSA, ",\"kid\":\"a\""), "");
    open_tokens();
    assert_cause(token_of(TOKEN_RSA, "RS256", "zz", 29), ISSUER_UNAVAILABLE);
    assert_cause(token_of(TOKEN_RSA, "RS256", "zz", 32), TOKEN_KEY_UNKNOWN);
    /* It may lie about its age. */
    const char *const ages[] = { "9223372036854775807", "-9223372036854775807", "0", "\"x\"" };
    for (size_t i = 0; i < CS_LEN(ages); i++) {
        char claims[256];
        snprintf(claims, sizeof(claims), "{\"iss\":\"https://idp.example\",\"iat\":%s}", ages[i]);
        const char *liar =
            token_sign(TOKEN_RSA, "RS256", "{\"alg\":\"RS256\",\"kid\":\"zz\"}", claims);
        assert_int_equal(judge(liar),
                         ages[i][0] == '-' ? CAUSE(TOKEN_KEY_UNKNOWN) : CAUSE(ISSUER_UNAVAILABLE));
    }
    loop_skip(&w.loop, DURATION_S(31));
    /* Keys are read for it, and it is not among them. */
    assert_cause(token_of(TOKEN_RSA, "RS256", "zz", 0), TOKEN_KEY_UNKNOWN);
    close_tokens();
}

static void test_keys_that_cannot_be_read_again_serve_until_they_are_too_old(void **state)
{
    (void)state;
    write_keys(token_jwk(TOKEN_RSA, ",\"kid\":\"a\""), "");
    open_tokens();
    assert_cause(token_of(TOKEN_RSA, "RS256", "a", 0), OK);
    assert_int_equal(unlink(w.keys), 0);
    for (int i = 0; i < 11; i++) {
        loop_skip(&w.loop, DURATION_S(310));
        assert_cause(token_of(TOKEN_RSA, "RS256", "a", 0), OK);
    }
    loop_skip(&w.loop, DURATION_S(310)); /* an hour has passed */
    assert_cause(token_of(TOKEN_RSA, "RS256", "a", 0), ISSUER_UNAVAILABLE);
    write_keys(token_jwk(TOKEN_RSA, ",\"kid\":\"a\""), "");
    loop_skip(&w.loop, DURATION_S(31));
    assert_cause(token_of(TOKEN_RSA, "RS256", "a", 0), OK);
    close_tokens();
}

static void test_a_key_file_that_is_none_stops_the_start(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "[]", "{\"keys\":7}", "-----BEGIN PUBLIC KEY-----" };
    for (size_t i = 0; i < CS_LEN(texts); i++) {
        struct provider *p = (struct provider *)1;
        write_keys(token_jwk(TOKEN_RSA, ",\"kid\":\"a\""), "");
        open_tokens();
        tmp_file("keys.json", texts[i], strlen(texts[i]));
        assert_int_equal(provider_new(&w.loop, NULL, w.list[0], &p), CS_EPROTO);
        assert_null(p);
        close_tokens();
    }
}

/* A flood of new tokens is verified in portions: whoever comes meanwhile is heard between them. */
static void test_many_new_tokens_share_a_turn_with_others(void **state)
{
    enum { MANY = 200 };
    static struct waiter waiters[MANY];
    static const char *tokens[MANY];
    (void)state;
    write_keys(token_jwk(TOKEN_P256, ",\"kid\":\"e\""), "");
    open_tokens();
    for (size_t i = 0; i < MANY; i++) {
        char header[64];
        snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"e\",\"n\":%zu}", i);
        char claims[256];
        int64_t now = loop_wall(&w.loop).ms / 1000;
        snprintf(claims, sizeof(claims),
                 "{\"iss\":\"https://idp.example\",\"sub\":\"alice\",\"aud\":\"sip\",\"iat\":%lld,"
                 "\"exp\":%lld}",
                 (long long)now, (long long)now + 600);
        tokens[i] = token_sign(TOKEN_P256, "ES256", header, claims);
        waiter_init(&waiters[i], on_waiter);
    }
    unsigned good = 0, waits = 0, turns = 0;
    loop_touch(&w.loop);
    for (size_t i = 0; i < MANY; i++) {
        Countersign__Auth__Cause c =
            tokens_judge(w.tokens, span_str(tokens[i]), &w.group, &waiters[i], &w.claims, &w.proof);
        good += c == CAUSE(OK);
        waits += c == CAUSE(CAUSE_NONE);
    }
    assert_int_equal(good + waits, MANY);
    assert_true(good >= 1 && waits >= MANY / 2);
    for (; w.woken < waits && turns < 100; turns++)
        run_for(&w.loop, 1);
    assert_int_equal(w.woken, waits); /* each once */
    for (size_t i = 0; i < MANY; i++)
        waiter_cancel(&waiters[i]);
    close_tokens();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_token_seen_before_is_not_verified_again),
        cmocka_unit_test(test_an_algorithm_that_the_issuer_does_not_list_is_refused),
        cmocka_unit_test(test_keys_come_and_go_with_the_file),
        cmocka_unit_test(test_another_key_under_the_same_name_is_another_key),
        cmocka_unit_test(test_an_unknown_key_is_refused_only_when_the_token_is_older_than_the_keys),
        cmocka_unit_test(test_keys_that_cannot_be_read_again_serve_until_they_are_too_old),
        cmocka_unit_test(test_a_key_file_that_is_none_stops_the_start),
        cmocka_unit_test(test_many_new_tokens_share_a_turn_with_others),
    };
    return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
