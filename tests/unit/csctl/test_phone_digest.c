#include "common/tools/csctl/phone_digest.h"
#include "lib/test.h"

#define RFC_NONCE  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define RFC_CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

/* Answers a challenge and takes the answer apart again. */
static int answer(const char *challenge, const struct digest_answer *who, struct digest *out)
{
    static char text[1024];
    struct buf b = BUF_INIT(text);
    struct digest_challenge c;
    assert_int_equal(digest_challenge_parse(span_str(challenge), &c), 0);
    int err = phone_digest_write(&b, &c, who);
    return err ? err : digest_parse(buf_span(&b), out);
}

static struct digest_answer mufasa(const char *password, const char *cnonce)
{
    return (struct digest_answer){ .user = SPAN("Mufasa"),
                                   .password = span_str(password),
                                   .method = SPAN("GET"),
                                   .uri = SPAN("/dir/index.html"),
                                   .cnonce = span_str(cnonce),
                                   .nc = 1 };
}

/* RFC 7616, 3.9.1 */
static void test_examples_of_the_rfc_are_answered(void **state)
{
    struct digest d;
    struct digest_answer who = mufasa("Circle of Life", RFC_CNONCE);
    (void)state;
    assert_int_equal(answer("Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
                            "algorithm=MD5, nonce=\"" RFC_NONCE "\", opaque=\"FQhe\"",
                            &who, &d),
                     0);
    assert_span(d.response, "8ca523f5e9506fed4657c9700eebdbec");
    assert_span(d.username, "Mufasa");
    assert_span(d.realm, "http-auth@example.org");
    assert_span(d.nonce, RFC_NONCE);
    assert_span(d.uri, "/dir/index.html");
    assert_span(d.qop, "auth");
    assert_span(d.nc, "00000001");
    assert_span(d.cnonce, RFC_CNONCE);
    assert_span(d.opaque, "FQhe");
    assert_int_equal(answer("Digest realm=\"http-auth@example.org\", qop=\"auth\", "
                            "algorithm=SHA-256, nonce=\"" RFC_NONCE "\"",
                            &who, &d),
                     0);
    assert_span(d.response, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    assert_span(d.algorithm, "SHA-256");
    assert_null(d.opaque.p);
}

/* The example of RFC 7616, 3.9.2, was computed with another hash; this is what Python's hashlib
 * says. */
static void test_sha_512_256_is_not_sha_512_cut_short(void **state)
{
    struct digest d;
    struct digest_answer who = { .user = SPAN("J\xc3\xa4s\xc3\xb8n Doe"),
                                 .password = SPAN("Secret, or not?"),
                                 .method = SPAN("GET"),
                                 .uri = SPAN("/doe.json"),
                                 .cnonce = SPAN("NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm"),
                                 .nc = 1 };
    (void)state;
    assert_int_equal(answer("Digest realm=\"api@example.org\", qop=\"auth\", "
                            "algorithm=SHA-512-256, "
                            "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\"",
                            &who, &d),
                     0);
    assert_span(d.response, "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c");
}

/* RFC 2617, 3.5, as RFC 2069 would have it. */
static void test_without_qop_the_old_form_is_written(void **state)
{
    struct digest d;
    struct digest_answer who = mufasa("Circle Of Life", "0a4f113b");
    (void)state;
    assert_int_equal(answer("Digest realm=\"testrealm@host.com\", "
                            "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
                            &who, &d),
                     0);
    assert_span(d.response, "670fd8c2df070c60b045671b8b24ff02");
    assert_null(d.qop.p);
    assert_null(d.nc.p);
    assert_null(d.cnonce.p);
    assert_null(d.algorithm.p);
}

static void test_escapes_of_the_realm_are_echoed_but_not_hashed(void **state)
{
    struct digest d;
    struct digest_answer who = { .user = SPAN("a\"b"),
                                 .password = SPAN("p"),
                                 .method = SPAN("REGISTER"),
                                 .uri = SPAN("sip:x"),
                                 .cnonce = SPAN("c"),
                                 .nc = 1 };
    (void)state;
    assert_int_equal(answer("Digest realm=\"say \\\"r\\\"\", nonce=\"n\", qop=\"auth\"", &who, &d),
                     0);
    assert_span(d.realm, "say \\\"r\\\"");
    assert_span(d.username, "a\\\"b");
    assert_span(d.response, "7c5dd6ca96414af35ccb22bc216245ad");
}

static void test_auth_int_alone_is_not_answered(void **state)
{
    struct digest d;
    struct digest_answer who = mufasa("x", "y");
    (void)state;
    assert_int_equal(answer("Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", &who, &d),
                     CS_ENOTSUP);
    assert_int_equal(
        answer("Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-1", &who, &d),
        CS_ENOTSUP);
}

static int choose(const char *status, const char *challenges, struct digest_challenge *out,
                  struct sip_msg **m)
{
    char text[2048];
    struct buf b = BUF_INIT(text);
    buf_printf(&b,
               "SIP/2.0 %s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@h>;tag=1\r\n"
               "To: <sip:a@h>;tag=2\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n%s\r\n",
               status, challenges);
    assert_int_equal(sip_msg_parse(buf_span(&b), true, NULL, m), 0);
    return phone_digest_choose(*m, out);
}

static void test_the_strongest_challenge_is_chosen_whatever_its_place(void **state)
{
    struct digest_challenge c;
    struct sip_msg *m;
    (void)state;
    assert_int_equal(
        choose("401 x",
               "WWW-Authenticate: Digest realm=\"r\", nonce=\"1\", qop=\"auth\", algorithm=MD5\r\n"
               "WWW-Authenticate: Digest realm=\"r\", nonce=\"2\", qop=\"auth\", "
               "algorithm=SHA-512-256\r\n"
               "WWW-Authenticate: Digest realm=\"r\", nonce=\"3\", qop=\"auth\", "
               "algorithm=SHA-256\r\n"
               "WWW-Authenticate: Digest realm=\"r\", nonce=\"4\", qop=\"auth\", "
               "algorithm=SHA3-512\r\n"
               "Proxy-Authenticate: Digest realm=\"p\", nonce=\"5\", qop=\"auth\"\r\n",
               &c, &m),
        0);
    assert_span(c.nonce, "2");
    sip_msg_unref(&m);
    assert_int_equal(
        choose("407 x",
               "WWW-Authenticate: Digest realm=\"r\", nonce=\"1\", algorithm=SHA-256\r\n"
               "Proxy-Authenticate: Digest realm=\"p\", nonce=\"5\"\r\n",
               &c, &m),
        0);
    assert_span(c.nonce, "5");
    sip_msg_unref(&m);
}

static void test_what_cannot_be_answered_is_not_chosen(void **state)
{
    struct digest_challenge c;
    struct sip_msg *m;
    (void)state;
    assert_int_equal(
        choose("401 x",
               "WWW-Authenticate: Basic realm=\"r\"\r\n"
               "WWW-Authenticate: Digest realm=\"r\"\r\n"
               "WWW-Authenticate: Digest realm=\"r\", nonce=\"1\", qop=\"auth-int\"\r\n"
               "WWW-Authenticate: Digest realm=\"r\", nonce=\"1\", algorithm=SHA3-512\r\n",
               &c, &m),
        CS_ENOENT);
    sip_msg_unref(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_of_the_rfc_are_answered),
        cmocka_unit_test(test_sha_512_256_is_not_sha_512_cut_short),
        cmocka_unit_test(test_without_qop_the_old_form_is_written),
        cmocka_unit_test(test_escapes_of_the_realm_are_echoed_but_not_hashed),
        cmocka_unit_test(test_auth_int_alone_is_not_answered),
        cmocka_unit_test(test_the_strongest_challenge_is_chosen_whatever_its_place),
        cmocka_unit_test(test_what_cannot_be_answered_is_not_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
