#include "authd/token/jwt.h"

#include "lib/test.h"

#include <openssl/bn.h>
#include <stdio.h>
#include <stdlib.h>

#include "authd/token/keyset.h"
#include "base/util.h"
#include "lib/guard.h"
#include "lib/token.h"

#define CLAIMS "{\"iss\":\"https://idp.example\"}"

static struct keyset *keys; /* one of each kind, by kid */

static int open_keys(void **state)
{
    (void)state;
    static char text[8192];
    snprintf(text, sizeof(text), "{\"keys\":[%s,%s,%s,%s]}",
             token_jwk(TOKEN_RSA, ",\"kid\":\"rsa\""), token_jwk(TOKEN_P256, ",\"kid\":\"p256\""),
             token_jwk(TOKEN_P384, ",\"kid\":\"p384\""),
             token_jwk(TOKEN_ED25519, ",\"kid\":\"ed\",\"use\":\"sig\",\"alg\":\"EdDSA\""));
    assert_int_equal(keyset_new(&keys), 0);
    assert_int_equal(keyset_add(keys, span_str(text)), 0);
    assert_int_equal(keys->n, 4);
    return 0;
}

static int close_keys(void **state)
{
    (void)state;
    keyset_free(&keys);
    return 0;
}

/* As tokens.c does: 0; CS_EPROTO and CS_ENOTSUP of parsing; CS_ENOENT no such key; CS_EDENIED. */
static int judge(const char *token)
{
    struct jwt t;
    const struct jwk *k;
    int err = jwt_parse(guard_span(span_str(token)), &t);
    if (!err) {
        err = keyset_find(keys, t.kid, t.alg, &k);
        if (!err)
            err = jwt_verify(&t, k);
        else if (err == CS_ENOTSUP)
            err = CS_EDENIED;
        jwt_fini(&t);
    }
    guard_release();
    return err;
}

static void test_each_algorithm_verifies_under_its_kind_of_key(void **state)
{
    (void)state;
    static const struct {
        enum token_key key;
        const char *alg, *kid;
    } rows[] = {
        { TOKEN_RSA, "RS256", "rsa" },    { TOKEN_RSA, "RS384", "rsa" },
        { TOKEN_RSA, "RS512", "rsa" },    { TOKEN_RSA, "PS256", "rsa" },
        { TOKEN_P256, "ES256", "p256" },  { TOKEN_P384, "ES384", "p384" },
        { TOKEN_ED25519, "EdDSA", "ed" },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        char header[128];
        snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"}", rows[i].alg,
                 rows[i].kid);
        char *token = strdup(token_sign(rows[i].key, rows[i].alg, header, CLAIMS));
        if (judge(token))
            fail_msg("%s is refused", rows[i].alg);
        /* Each single bit of the signature counts. */
        char *last = token + strlen(token) - 5;
        *last = *last == 'A' ? 'B' : 'A';
        if (judge(token) != CS_EDENIED)
            fail_msg("%s is taken with another signature", rows[i].alg);
        free(token);
    }
}

/* The classic forgeries (RFC 8725, 2; benmcollins/libjwt#200). */
static void test_a_token_cannot_choose_how_it_is_verified(void **state)
{
    (void)state;
    static const struct {
        const char *what, *sign, *header;
        enum token_key key;
    } rows[] = {
        { "HS256 with the public key", "HS256", "{\"alg\":\"HS256\",\"kid\":\"rsa\"}", TOKEN_RSA },
        { "the same without kid", "HS256", "{\"alg\":\"HS256\"}", TOKEN_RSA },
        { "none", "none", "{\"alg\":\"none\",\"kid\":\"rsa\"}", TOKEN_RSA },
        { "NONE", "none", "{\"alg\":\"NONE\",\"kid\":\"rsa\"}", TOKEN_RSA },
        { "rs256 in lower case", "RS256", "{\"alg\":\"rs256\",\"kid\":\"rsa\"}", TOKEN_RSA },
        { "RS256 that names an EC key", "RS256", "{\"alg\":\"RS256\",\"kid\":\"p256\"}",
          TOKEN_RSA },
        { "ES256 that names an RSA key", "ES256", "{\"alg\":\"ES256\",\"kid\":\"rsa\"}",
          TOKEN_P256 },
        { "ES256 that names a key of P-384", "ES256", "{\"alg\":\"ES256\",\"kid\":\"p384\"}",
          TOKEN_P256 },
        { "PS256 said, RS256 done", "RS256", "{\"alg\":\"PS256\",\"kid\":\"rsa\"}", TOKEN_RSA },
        { "RS256 said, PS256 done", "PS256", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", TOKEN_RSA },
        { "RS256 said, RS512 done", "RS512", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", TOKEN_RSA },
        { "another's key", "RS256", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", TOKEN_RSA_OTHER },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        int err = judge(token_sign(rows[i].key, rows[i].sign, rows[i].header, CLAIMS));
        if (err != CS_EDENIED && err != CS_ENOENT)
            fail_msg("%s: %d", rows[i].what, err);
    }
    /* RFC 7518, 3.1: unknown names verify nothing, even where a key would do everything. */
    struct jwt t;
    assert_int_equal(
        jwt_parse(span_str(token_sign(TOKEN_RSA, "RS256", "{\"alg\":\"HS256\"}", CLAIMS)), &t), 0);
    assert_int_equal(t.alg, JWT_ALG_UNKNOWN);
    struct jwk all = keys->keys[0];
    all.algs = ~0u;
    assert_int_equal(jwt_verify(&t, &all), CS_EDENIED);
    jwt_fini(&t);
}

static void test_a_key_in_the_header_is_not_looked_at(void **state)
{
    (void)state;
    char header[2048];
    static const char *const rows[] = { "\"jku\":\"http://127.0.0.1:1/keys\"",
                                        "\"x5u\":\"http://127.0.0.1:1/cert\"",
                                        "\"x5c\":[\"MIIB\"]" };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        snprintf(header, sizeof(header), "{\"alg\":\"RS256\",\"kid\":\"rsa\",%s}", rows[i]);
        assert_int_equal(judge(token_sign(TOKEN_RSA, "RS256", header, CLAIMS)), 0);
        assert_int_equal(judge(token_sign(TOKEN_RSA_OTHER, "RS256", header, CLAIMS)), CS_EDENIED);
    }
    snprintf(header, sizeof(header), "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jwk\":%s}",
             token_jwk(TOKEN_RSA_OTHER, ""));
    assert_int_equal(judge(token_sign(TOKEN_RSA_OTHER, "RS256", header, CLAIMS)), CS_EDENIED);
    assert_int_equal(judge(token_sign(TOKEN_RSA, "RS256", header, CLAIMS)), 0);
}

static void test_types_of_access_tokens_are_taken_and_others_not(void **state)
{
    (void)state;
    static const struct {
        const char *typ;
        int err;
    } rows[] = {
        { "\"JWT\"", 0 },
        { "\"jwt\"", 0 },
        { "\"at+jwt\"", 0 },
        { "\"AT+JWT\"", 0 },
        { "\"application/at+jwt\"", 0 },
        { "\"dpop+jwt\"", CS_ENOTSUP },
        { "\"logout+jwt\"", CS_ENOTSUP },
        { "\"\"", CS_ENOTSUP },
        { "7", CS_ENOTSUP },
        { "null", CS_ENOTSUP },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        char header[128];
        snprintf(header, sizeof(header), "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":%s}",
                 rows[i].typ);
        if (judge(token_sign(TOKEN_RSA, "RS256", header, CLAIMS)) != rows[i].err)
            fail_msg("typ %s", rows[i].typ);
    }
}

static void test_headers_that_two_could_read_differently_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header, *claims;
        int err;
    } rows[] = {
        { "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[\"exp\"]}", CLAIMS, CS_ENOTSUP },
        { "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[]}", CLAIMS, CS_ENOTSUP },
        { "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"b64\":false,\"crit\":[\"b64\"]}", CLAIMS,
          CS_ENOTSUP },
        { "{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"rsa\"}", CLAIMS, CS_EPROTO },
        { "{\"alg\":\"RS256\",\"kid\":\"x\",\"kid\":\"rsa\"}", CLAIMS, CS_EPROTO },
        { "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", "{\"sub\":\"a\",\"sub\":\"b\"}", CS_EPROTO },
        { "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", "{\"a\":{\"b\":1,\"b\":2}}", CS_EPROTO },
        { "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", "{} ", 0 },
        { "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", "{}{}", CS_EPROTO },
        { "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", "[]", CS_EPROTO },
        { "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", "7", CS_EPROTO },
        { "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", "{\"sub\":\"a\\u0000b\"}", CS_EPROTO },
        { "{\"alg\":\"RS256\",\"kid\":7}", CLAIMS, CS_EPROTO },
        { "{\"alg\":[\"RS256\"],\"kid\":\"rsa\"}", CLAIMS, CS_EPROTO },
        { "{\"kid\":\"rsa\"}", CLAIMS, CS_EPROTO },
        { "[]", CLAIMS, CS_EPROTO },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        if (judge(token_sign(TOKEN_RSA, "RS256", rows[i].header, rows[i].claims)) != rows[i].err)
            fail_msg("row %zu", i);
    }
}

static void test_text_around_a_token_is_no_part_of_it(void **state)
{
    (void)state;
    const char *good =
        token_sign(TOKEN_RSA, "RS256", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", CLAIMS);
    static const char *const rows[] = {
        " %s", "%s ", "%s\n", "%s=", "%s==", "%s.", ".%s", "%s.e30"
    };
    char text[4096];
    assert_int_equal(judge(good), 0);
    for (size_t i = 0; i < CS_LEN(rows); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof(text), rows[i], good);
#pragma GCC diagnostic pop
        if (judge(text) != CS_EPROTO)
            fail_msg("\"%s\" is taken", rows[i]);
    }
    static const char *const broken[] = { "",          ".",         "..",         "...",
                                          "a.b",       "e30.e30",   "e30..",      ".e30.",
                                          "e30.e30.!", "e30.e30.A", "eyJ.e30.e30" };
    for (size_t i = 0; i < CS_LEN(broken); i++)
        assert_int_equal(judge(broken[i]), CS_EPROTO);
    /* Spare bits of the last character say nothing, so only zero is good (RFC 4648, 3.5). */
    snprintf(text, sizeof(text), "%s", good);
    text[strlen(text) - 1]++;
    assert_int_equal(judge(text), CS_EPROTO);
}

static void test_length_of_a_token_is_bounded(void **state)
{
    (void)state;
    static char claims[JWT_MAX + 64];
    snprintf(claims, sizeof(claims), "{\"a\":\"%0*d\"}", JWT_MAX, 0);
    assert_int_equal(
        judge(token_sign(TOKEN_RSA, "RS256", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", claims)),
        CS_EPROTO);
}

static const char *with_signature(const char *token, const unsigned char *sig, size_t n)
{
    static char text[2048];
    const char *dot = strrchr(token, '.');
    snprintf(text, sizeof(text), "%.*s.%s", (int)(dot - token), token, token_base64url(sig, n));
    return text;
}

/* RFC 7518, 3.4: r and s, 32 bytes each, and nothing else. */
static void test_signature_of_es256_has_one_form(void **state)
{
    (void)state;
    const char *token =
        token_sign(TOKEN_P256, "ES256", "{\"alg\":\"ES256\",\"kid\":\"p256\"}", CLAIMS);
    struct jwt t;
    assert_int_equal(jwt_parse(span_str(token), &t), 0);
    unsigned char sig[128] = { 0 };
    memcpy(sig, t.signature, 64);
    jwt_fini(&t);
    assert_int_equal(judge(with_signature(token, sig, 64)), 0);
    assert_int_equal(judge(with_signature(token, sig, 63)), CS_EDENIED);
    assert_int_equal(judge(with_signature(token, sig, 65)), CS_EDENIED);
    assert_int_equal(judge(with_signature(token, sig, 96)), CS_EDENIED);
    assert_int_equal(judge(with_signature(token, sig, 0)), CS_EDENIED);
    static const unsigned char zero[64];
    assert_int_equal(judge(with_signature(token, zero, 64)), CS_EDENIED);

    /* DER is what OpenSSL speaks, not what a token holds. */
    unsigned char der[80] = { 0x30, 68, 2, 32 };
    memcpy(der + 4, sig, 32);
    der[36] = 2;
    der[37] = 32;
    memcpy(der + 38, sig + 32, 32);
    assert_int_equal(judge(with_signature(token, der, 70)), CS_EDENIED);

    /* r beyond the order, although equal to it modulo n, is out of range. */
    unsigned char order[64];
    memset(order, 0xff, sizeof(order));
    assert_int_equal(judge(with_signature(token, order, 64)), CS_EDENIED);

    /* s and n - s are both right in ECDSA: another text of the same token, which says the same. */
    BIGNUM *n = NULL, *s = BN_bin2bn(sig + 32, 32, NULL);
    assert_true(BN_hex2bn(&n, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"));
    assert_true(BN_sub(s, n, s));
    assert_int_equal(BN_bn2binpad(s, sig + 32, 32), 32);
    BN_free(s);
    BN_free(n);
    assert_int_equal(judge(with_signature(token, sig, 64)), 0);
}

static void test_without_kid_only_an_unambiguous_key_is_taken(void **state)
{
    (void)state;
    struct keyset *two;
    struct jwt t;
    const struct jwk *k;
    assert_int_equal(judge(token_sign(TOKEN_RSA, "RS256", "{\"alg\":\"RS256\"}", CLAIMS)), 0);
    assert_int_equal(keyset_new(&two), 0);
    assert_int_equal(keyset_add(two, span_str(token_jwk(TOKEN_RSA, ",\"kid\":\"a\""))), 0);
    assert_int_equal(keyset_add(two, span_str(token_jwk(TOKEN_RSA_OTHER, ""))), 0);
    const char *token = token_sign(TOKEN_RSA, "RS256", "{\"alg\":\"RS256\"}", CLAIMS);
    assert_int_equal(jwt_parse(span_str(token), &t), 0);
    assert_int_equal(keyset_find(two, t.kid, t.alg, &k), CS_ENOENT);
    assert_int_equal(keyset_find(two, SPAN("a"), JWT_RS256, &k), 0);
    assert_int_equal(keyset_find(two, SPAN("a"), JWT_ES256, &k), CS_ENOTSUP);
    assert_int_equal(keyset_find(two, SPAN("b"), JWT_RS256, &k), CS_ENOENT);
    assert_true(keyset_has(two, two->keys[1].id));
    assert_false(keyset_has(keys, two->keys[1].id));
    assert_true(keyset_has(keys, two->keys[0].id)); /* the same key, whatever its kid */
    jwt_fini(&t);
    keyset_free(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_algorithm_verifies_under_its_kind_of_key),
        cmocka_unit_test(test_a_token_cannot_choose_how_it_is_verified),
        cmocka_unit_test(test_a_key_in_the_header_is_not_looked_at),
        cmocka_unit_test(test_types_of_access_tokens_are_taken_and_others_not),
        cmocka_unit_test(test_headers_that_two_could_read_differently_are_refused),
        cmocka_unit_test(test_text_around_a_token_is_no_part_of_it),
        cmocka_unit_test(test_length_of_a_token_is_bounded),
        cmocka_unit_test(test_signature_of_es256_has_one_form),
        cmocka_unit_test(test_without_kid_only_an_unambiguous_key_is_taken),
    };
    return cmocka_run_group_tests_name("jwt", tests, open_keys, close_keys);
}
