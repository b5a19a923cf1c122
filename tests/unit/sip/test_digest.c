#include "base/buf.h"
#include "lib/guard.h"
#include "lib/test.h"
#include "sip/digest.h"

#define BASE "username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"00\""

static int parse(const char *text, struct digest *d)
{
    memset(d, 0xff, sizeof(*d));
    return digest_parse(guard_span(span_str(text)), d);
}

/* RFC 7616, 3.9.1 */
static void test_credentials_are_taken_apart(void **state)
{
    struct digest d;
    (void)state;
    assert_int_equal(
        parse("Digest username=\"Mufasa\",\r\n "
              "realm=\"http-auth@example.org\",uri=\"/dir/index.html\","
              " algorithm=SHA-256, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
              "nc=00000001,"
              " cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth,"
              " response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\","
              " opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", userhash=false",
              &d),
        0);
    assert_span(d.username, "Mufasa");
    assert_span(d.realm, "http-auth@example.org");
    assert_span(d.uri, "/dir/index.html");
    assert_span(d.nc, "00000001");
    assert_span(d.qop, "auth");
    assert_span(d.userhash, "false");
    assert_int_equal(d.alg, DIGEST_SHA256);
    assert_false(d.sess);
    guard_release();
}

/* I-23, W-13 */
static void test_case_quotes_order_and_spaces_do_not_matter(void **state)
{
    struct digest d;
    (void)state;
    assert_int_equal(
        parse("dIGEST RESPONSE=\"00\",NC=\"00000001\",QoP=\"auth-int\",Algorithm=\"md5-SESS\","
              "URI = \"sip:x\" ,nonce=\"n\",Realm=\"r\",UserName=\"a\\\"b\",X-New=1",
              &d),
        0);
    assert_span(d.username, "a\\\"b"); /* as written: unescaping is the caller's */
    assert_span(d.qop, "auth-int");
    assert_int_equal(d.alg, DIGEST_MD5);
    assert_true(d.sess);
    guard_release();
}

/* W-10 */
static void test_absent_algorithm_is_md5_and_unheard_of_is_unknown(void **state)
{
    struct digest d;
    (void)state;
    assert_int_equal(parse("Digest " BASE, &d), 0);
    assert_int_equal(d.alg, DIGEST_MD5);
    assert_null(d.algorithm.p);
    assert_null(d.qop.p);
    assert_int_equal(parse("Digest " BASE ", algorithm=SHA-512", &d), 0);
    assert_int_equal(d.alg, DIGEST_UNKNOWN);
    assert_int_equal(parse("Digest " BASE ", algorithm=\"\"", &d), 0);
    assert_int_equal(d.alg, DIGEST_UNKNOWN);
    guard_release();
}

static void test_repeated_param_is_refused(void **state)
{
    static const char *const again[] = { "username=x",  "realm=x",  "nonce=x",   "uri=x",
                                         "response=x",  "nc=1",     "qop=a",     "cnonce=x",
                                         "algorithm=x", "opaque=x", "userhash=x" };
    char text[256];
    struct digest d;
    (void)state;
    for (size_t i = 0; i < CS_LEN(again); i++) {
        struct buf b = BUF_INIT(text);
        buf_printf(&b, "Digest " BASE ", %s", again[i]);
        bool fifth = i >= 5;
        assert_int_equal(digest_parse(buf_span(&b), &d), fifth ? 0 : CS_EPROTO);
        buf_printf(&b, ",%s", again[i]);
        assert_int_equal(digest_parse(buf_span(&b), &d), CS_EPROTO);
        assert_null(d.username.p);
    }
}

static void test_malformed_credentials_are_refused(void **state)
{
    static const char *const bad[] = {
        "Digest",
        "Digest ",
        "Digest username=\"bob\"",
        "Digest realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"00\"",
        "Digest " BASE ",",
        "Digest ," BASE,
        "Digest " BASE " x",
        "Digest " BASE ", x",
        "Digest " BASE ", x=",
        "Digest " BASE ", =x",
        "Digest " BASE ", x=\"y",
        "Digest " BASE ", opaque=\"a\\",
        "Digest " BASE ", opaque=\"a\tb\"",
        "Digest " BASE ", opaque=\"a\r\n b\"", /* hashed differently by different readers */
        "Digest " BASE "; opaque=x",
    };
    struct digest d;
    (void)state;
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        if (parse(bad[i], &d) != CS_EPROTO)
            fail_msg("taken: %s", bad[i]);
        assert_null(d.username.p);
        assert_null(d.opaque.p);
    }
    assert_int_equal(
        digest_parse(SPAN("Digest realm=r, nonce=n, uri=x, response=0, username=\"a\\\0b\""), &d),
        CS_EPROTO);
    guard_release();
}

static void test_other_schemes_are_not_ours(void **state)
{
    struct digest d;
    (void)state;
    assert_int_equal(parse("Basic YTpi", &d), CS_ENOTSUP);
    assert_int_equal(parse("Bearer x.y.z", &d), CS_ENOTSUP);
    assert_int_equal(parse("DigestX " BASE, &d), CS_ENOTSUP);
    assert_int_equal(parse("", &d), CS_ENOTSUP);
    guard_release();
}

static void test_challenges_are_taken_apart(void **state)
{
    struct digest_challenge c;
    (void)state;
    assert_int_equal(digest_challenge_parse(SPAN("Digest realm=\"r\", nonce=\"n\", opaque=\"\", "
                                                 "qop=\"auth , AUTH-INT,x\", stale=TRUE, "
                                                 "algorithm=SHA-512-256, domain=\"sip:x\""),
                                            &c),
                     0);
    assert_span(c.realm, "r");
    assert_span(c.opaque, "");
    assert_span(c.domain, "sip:x");
    assert_true(c.qop_auth && c.qop_auth_int && c.is_stale);
    assert_int_equal(c.alg, DIGEST_SHA512_256);

    assert_int_equal(digest_challenge_parse(SPAN("Digest realm=r,nonce=n"), &c), 0);
    assert_false(c.qop_auth || c.qop_auth_int || c.is_stale);

    assert_int_equal(digest_challenge_parse(SPAN("Digest realm=\"r\""), &c), CS_EPROTO);
    assert_int_equal(digest_challenge_parse(SPAN("Digest nonce=n, realm=r, realm=r"), &c),
                     CS_EPROTO);
    assert_int_equal(digest_challenge_parse(SPAN("Basic realm=\"r\""), &c), CS_ENOTSUP);
    assert_null(c.realm.p);
}

static void test_algorithm_names_go_both_ways(void **state)
{
    (void)state;
    for (enum digest_alg alg = DIGEST_MD5; alg < DIGEST_UNKNOWN; alg++) {
        for (int sess = 0; sess < 2; sess++) {
            bool is_sess;
            assert_int_equal(digest_alg_of(digest_alg_name(alg, sess), &is_sess), alg);
            assert_int_equal(is_sess, sess);
        }
    }
    assert_null(digest_alg_name(DIGEST_UNKNOWN, false).p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credentials_are_taken_apart),
        cmocka_unit_test(test_case_quotes_order_and_spaces_do_not_matter),
        cmocka_unit_test(test_absent_algorithm_is_md5_and_unheard_of_is_unknown),
        cmocka_unit_test(test_repeated_param_is_refused),
        cmocka_unit_test(test_malformed_credentials_are_refused),
        cmocka_unit_test(test_other_schemes_are_not_ours),
        cmocka_unit_test(test_challenges_are_taken_apart),
        cmocka_unit_test(test_algorithm_names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
