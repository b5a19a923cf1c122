#include "authd/check/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "authd/store/user.h"
#include "base/util.h"

static const struct span absent = { NULL, 0 };

/* RFC 2617, 3.5 and RFC 7616, 3.9.1 (its password as erratum 4495 has it), and the same inputs with
 * SHA-512/256, which RFC 7616 has no printed example of that can be reproduced. */
static const struct vector {
    const char *user, *realm, *password, *method, *uri, *nonce, *cnonce, *algorithm, *response;
} vectors[] = {
    { "Mufasa", "testrealm@host.com", "Circle Of Life", "GET", "/dir/index.html",
      "dcd98b7102dd2f0e8b11d0f600bfb0c093", "0a4f113b", NULL, "6629fae49393a05397450978507c4ef1" },
    { "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "/dir/index.html",
      "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
      "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "MD5", "8ca523f5e9506fed4657c9700eebdbec" },
    { "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "/dir/index.html",
      "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
      "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "SHA-256",
      "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
    { "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "/dir/index.html",
      "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
      "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "SHA-512-256",
      "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0" },
};

static struct digest_conf conf_of(unsigned algorithms, bool sess, unsigned qop)
{
    return (struct digest_conf){ .algorithm_mask = algorithms, .sess = sess, .qop = qop };
}

static bool judge(const struct vector *v, struct span response, const char *nc)
{
    struct hash *h;
    unsigned char ha1[ALG_MAX_LEN];
    struct claim claim;
    const struct digest_conf conf = conf_of(ALG_ALL, false, 1 << QOP_AUTH);
    const struct facts f = { .method = span_str(v->method) };
    struct credential c = { .username = span_str(v->user),
                            .realm = span_str(v->realm),
                            .nonce = span_str(v->nonce),
                            .uri = span_str(v->uri),
                            .response = response,
                            .algorithm = span_str(v->algorithm),
                            .qop = SPAN("auth"),
                            .nc = span_str(nc),
                            .cnonce = span_str(v->cnonce) };
    assert_int_equal(hash_new(&h), 0);
    assert_int_equal(digest_examine(&c, &conf, &claim), CAUSE(OK));
    assert_int_equal(verifier_ha1(claim.alg, c.username, c.realm, span_str(v->password), ha1), 0);
    bool right = digest_is_right(h, &c, &claim, &f, ha1);
    hash_free(&h);
    return right;
}

/* G-02, I-22 */
static void test_vectors_of_the_rfcs_are_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(vectors); i++)
        assert_true(judge(&vectors[i], span_str(vectors[i].response), "00000001"));
}

/* C-11 */
static void test_any_other_response_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(vectors); i++) {
        char text[72];
        size_t n = strlen(vectors[i].response);
        for (size_t k = 0; k < n; k++) { /* each flipped digit */
            memcpy(text, vectors[i].response, n + 1);
            text[k] = text[k] == '0' ? '1' : '0';
            assert_false(judge(&vectors[i], span_of(text, n), "00000001"));
        }
        assert_false(judge(&vectors[i], span_of(text, n - 1), "00000001"));
        assert_false(judge(&vectors[i], span_of(text, 0), "00000001"));
        assert_false(judge(&vectors[i], SPAN("not hexadecimal at all, but long"), "00000001"));
        assert_false(judge(&vectors[i], span_str(vectors[i].response), "00000002"));
    }
    assert_false(judge(&vectors[2], span_str(vectors[3].response), "00000001"));
}

static void test_response_in_upper_case_is_taken(void **state)
{
    (void)state;
    assert_true(judge(&vectors[0], SPAN("6629FAE49393A05397450978507C4EF1"), "00000001"));
}

static void test_parts_too_long_for_one_block_hash_the_same(void **state)
{
    (void)state;
    static char big[3000];
    struct hash *h;
    unsigned char a[ALG_MAX_LEN], b[ALG_MAX_LEN];
    memset(big, 'x', sizeof(big));
    big[1000] = ':';
    assert_int_equal(hash_new(&h), 0);
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++) {
        for (size_t n = 1015; n < 1035; n++) { /* around the block's end */
            assert_int_equal(hash_of(h, alg, a, span_of(big, 1000), span_of(big + 1001, n - 1001)),
                             0);
            assert_int_equal(hash_of(h, alg, b, span_of(big, n)), 0);
            assert_memory_equal(a, b, algorithm_len(alg));
        }
        assert_int_equal(hash_of(h, alg, a, absent, absent), 0);
        assert_int_equal(hash_of(h, alg, b, SPAN(":")), 0);
        assert_memory_equal(a, b, algorithm_len(alg));
    }
    hash_free(&h);
}

static void test_what_a_group_does_not_allow_is_named(void **state)
{
    (void)state;
    const unsigned auth = 1 << QOP_AUTH, both = auth | 1 << QOP_AUTH_INT, none = 1 << QOP_NONE;
    static const char cn[] = "cn";
    const struct {
        unsigned algorithms;
        bool sess;
        unsigned qop_allowed;
        const char *algorithm, *qop, *nc, *cnonce;
        Countersign__Auth__Cause cause;
    } rows[] = {
        { ALG_ALL, false, both, NULL, "auth", "00000001", cn, CAUSE(OK) },
        { ALG_ALL, false, both, "sha-256", "AUTH", "00000001", cn, CAUSE(OK) },
        { ALG_ALL, false, both, "MD5", "auth-int", "1", cn, CAUSE(OK) },
        { ALG_ALL, true, both, "SHA-512-256-sess", "auth", "ffffffff", cn, CAUSE(OK) },
        { ALG_ALL, false, none, "MD5", NULL, NULL, NULL, CAUSE(OK) },
        { ALG_BIT(ALG_MD5), false, auth, "SHA-256", "auth", "00000001", cn,
          CAUSE(ALGORITHM_NOT_ALLOWED) },
        { ALG_BIT(ALG_SHA256), false, auth, NULL, "auth", "00000001", cn,
          CAUSE(ALGORITHM_NOT_ALLOWED) },
        { ALG_ALL, false, auth, "SHA-512", "auth", "00000001", cn, CAUSE(ALGORITHM_NOT_ALLOWED) },
        { ALG_ALL, false, auth, "SHA-2567", "auth", "00000001", cn, CAUSE(ALGORITHM_NOT_ALLOWED) },
        { ALG_ALL, false, auth, "", "auth", "00000001", cn, CAUSE(ALGORITHM_NOT_ALLOWED) },
        { ALG_ALL, false, auth, "MD5-sess", "auth", "00000001", cn, CAUSE(ALGORITHM_NOT_ALLOWED) },
        { ALG_ALL, false, auth, "MD5", "auth-int", "00000001", cn, CAUSE(QOP_NOT_ALLOWED) },
        { ALG_ALL, false, both, "MD5", NULL, NULL, NULL, CAUSE(QOP_NOT_ALLOWED) },
        { ALG_ALL, false, both, "MD5", "", "00000001", cn, CAUSE(QOP_NOT_ALLOWED) },
        { ALG_ALL, false, both, "MD5", "auth,auth-int", "00000001", cn, CAUSE(QOP_NOT_ALLOWED) },
        { ALG_ALL, false, both, "MD5", "none", "00000001", cn, CAUSE(QOP_NOT_ALLOWED) },
        { ALG_ALL, false, none, "MD5", "auth", "00000001", cn, CAUSE(QOP_NOT_ALLOWED) },
        { ALG_ALL, false, auth, "MD5", "auth", NULL, cn, CAUSE(NC_INVALID) },
        { ALG_ALL, false, auth, "MD5", "auth", "", cn, CAUSE(NC_INVALID) },
        { ALG_ALL, false, auth, "MD5", "auth", "0", cn, CAUSE(NC_INVALID) },
        { ALG_ALL, false, auth, "MD5", "auth", "000000001", cn, CAUSE(NC_INVALID) },
        { ALG_ALL, false, auth, "MD5", "auth", "-0000001", cn, CAUSE(NC_INVALID) },
        { ALG_ALL, false, auth, "MD5", "auth", "00000001", NULL, CAUSE(CREDENTIALS_MALFORMED) },
        { ALG_ALL, true, none, "MD5-sess", NULL, NULL, NULL, CAUSE(CREDENTIALS_MALFORMED) },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        const struct digest_conf conf =
            conf_of(rows[i].algorithms, rows[i].sess, rows[i].qop_allowed);
        const struct credential c = { .algorithm = span_str(rows[i].algorithm),
                                      .qop = span_str(rows[i].qop),
                                      .nc = span_str(rows[i].nc),
                                      .cnonce = span_str(rows[i].cnonce) };
        struct claim claim;
        if (digest_examine(&c, &conf, &claim) != rows[i].cause)
            fail_msg("row %zu", i);
    }
    const struct digest_conf conf = conf_of(ALG_ALL, false, auth);
    const struct credential hashed = {
        .qop = SPAN("auth"), .nc = SPAN("00000001"), .cnonce = SPAN("cn"), .userhash = true
    };
    struct claim claim;
    assert_int_equal(digest_examine(&hashed, &conf, &claim), CAUSE(USERHASH_NOT_OFFERED));
}

static void test_uris_are_compared_as_the_group_says(void **state)
{
    (void)state;
    static const struct {
        const char *shown, *request;
        enum uri_match lenient, strict;
    } rows[] = {
        { "sip:example.com", "sip:example.com", URI_SAME, URI_SAME },
        { "sip:EXAMPLE.com", "sip:example.com", URI_SAME, URI_SAME },
        { "sip:bob@example.com", "sip:bob@example.com;transport=tls", URI_DIFFERS, URI_WRONG },
        { "sip:bob@example.com:5060", "sip:bob@example.com", URI_DIFFERS, URI_WRONG },
        { "sip:example.com", "sip:192.0.2.1", URI_DIFFERS, URI_WRONG },
        { "sip:192.0.2.1:5060", "sip:example.com", URI_DIFFERS, URI_WRONG },
        { "sip:bob@example.com", "sip:bob@10.1.1.1:5070", URI_DIFFERS, URI_WRONG },
        { "sip:bob@example.com", "sip:bob@example.net", URI_DIFFERS, URI_WRONG },
        { "sip:example.com", "sip:example.net", URI_WRONG, URI_WRONG },
        { "sip:bob@example.com", "sip:premium@example.com", URI_WRONG, URI_WRONG },
        { "sip:bob@example.com", "sip:example.com", URI_WRONG, URI_WRONG },
        { "sip:example.com", "sip:bob@example.com", URI_WRONG, URI_WRONG },
        { "", "sip:example.com", URI_WRONG, URI_WRONG },
        { "garbage", "sip:example.com", URI_WRONG, URI_WRONG },
        { "sip:example.com", NULL, URI_WRONG, URI_WRONG },
        { "tel:+15551234", "tel:+15551234", URI_SAME, URI_SAME },
        { "http://example.com", "sip:example.com", URI_WRONG, URI_WRONG },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct span shown = span_str(rows[i].shown), request = span_str(rows[i].request);
        if (digest_uri(shown, request, URI_LENIENT) != rows[i].lenient ||
            digest_uri(shown, request, URI_STRICT) != rows[i].strict)
            fail_msg("row %zu: %s", i, rows[i].shown);
    }
}

static void test_matching_kind_of_credentials_is_preferred(void **state)
{
    (void)state;
    Countersign__Auth__DigestCredentials d[3], *list[3];
    Countersign__Auth__Check m = COUNTERSIGN__AUTH__CHECK__INIT;
    char *names[] = { (char *)"as uas", (char *)"as proxy", (char *)"again" };
    struct credential c;
    for (size_t i = 0; i < 3; i++) {
        countersign__auth__digest_credentials__init(&d[i]);
        d[i].username = names[i];
        d[i].realm = (char *)"r";
        d[i].nonce_secret = d[i].uri = d[i].response_secret = (char *)"x";
        d[i].has_proxy = true;
        d[i].proxy = i == 1;
        list[i] = &d[i];
    }
    m.digest = list;
    assert_int_equal(digest_pick(&m, SPAN("r"), true, &c), CAUSE(NO_CREDENTIALS));
    m.n_digest = 3;
    assert_int_equal(digest_pick(&m, SPAN("r"), true, &c), CAUSE(OK));
    assert_true(span_eq(c.username, SPAN("as proxy")));
    assert_int_equal(digest_pick(&m, SPAN("r"), false, &c), CAUSE(OK));
    assert_true(span_eq(c.username, SPAN("as uas")));
    assert_int_equal(digest_pick(&m, SPAN("R"), false, &c), CAUSE(WRONG_REALM));
    d[1].uri = NULL;
    assert_int_equal(digest_pick(&m, SPAN("r"), true, &c), CAUSE(OK));
    assert_true(span_eq(c.username, SPAN("as uas")));
    assert_int_equal(digest_pick(&m, SPAN("R"), true, &c), CAUSE(CREDENTIALS_MALFORMED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_of_the_rfcs_are_right),
        cmocka_unit_test(test_any_other_response_is_wrong),
        cmocka_unit_test(test_response_in_upper_case_is_taken),
        cmocka_unit_test(test_parts_too_long_for_one_block_hash_the_same),
        cmocka_unit_test(test_what_a_group_does_not_allow_is_named),
        cmocka_unit_test(test_uris_are_compared_as_the_group_says),
        cmocka_unit_test(test_matching_kind_of_credentials_is_preferred),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
