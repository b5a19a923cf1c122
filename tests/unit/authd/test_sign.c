/* Challenges of trunks: which is answered, by whom, with what. */
#include "authd/calls/sign.h"

#include <stdio.h>

#include "lib/test.h"

#define K1  "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define URI "sip:+18001234567@yourname.pstn.twilio.com:5060"

static struct arena arena;
static struct vault *vault;
static struct hash *hash;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 0);
    return vault_new(SPAN(K1), &vault) || hash_new(&hash);
}

static int teardown(void **state)
{
    (void)state;
    vault_free(&vault);
    hash_free(&hash);
    arena_fini(&arena);
    return 0;
}

static struct trunk_credential credential(const struct trunk *t, const char *realm,
                                          const char *user, const char *route, const char *password)
{
    struct trunk_credential c = { .realm = span_str(realm),
                                  .user = span_str(user),
                                  .route = span_str(route) };
    assert_int_equal(trunk_seal(t, &c, vault, span_str(password), &arena), 0);
    return c;
}

/* W-02, W-03: a realm of its own, whatever the host. */
static struct trunk twilio(void)
{
    static const struct span targets[] = { SPAN_INIT("yourname.pstn.twilio.com") };
    static struct trunk_credential all[4];
    struct trunk t = { .name = SPAN("twilio"),
                       .targets = targets,
                       .n_targets = 1,
                       .credentials = all,
                       .n_credentials = 4 };
    all[0] = credential(&t, "sip.twilio.com", "yourname", NULL, "yourpassword1234567");
    all[1] = credential(&t, "sip.twilio.com", "sales", "160", "of sales");
    all[2] = credential(&t, "sip.twilio.com", "other", NULL, "of the other");
    all[3] = credential(&t, "wa.meta.vc", "meta", NULL, "of meta");
    return t;
}

static struct sign_ask ask_of(const struct span *challenges, size_t n)
{
    return (struct sign_ask){ .method = SPAN("INVITE"),
                              .uri = SPAN(URI),
                              .body = SPAN("v=0\r\n"),
                              .challenges = challenges,
                              .n_challenges = n };
}
#define ASK(...)                                 \
    ask_of((const struct span[]){ __VA_ARGS__ }, \
           sizeof((const struct span[]){ __VA_ARGS__ }) / sizeof(struct span))

static struct digest answer(const struct trunk *t, const struct sign_ask *a)
{
    static char value[4096];
    struct buf b = BUF_INIT(value);
    struct sign_choice choice;
    struct digest d;
    assert_int_equal(sign_choose(t, a, &choice), CAUSE(OK));
    assert_int_equal(sign_write(t, a, &choice, vault, hash, SPAN("0a4f113b"), 1, &b), 0);
    assert_int_equal(digest_parse(buf_span(&b), &d), 0);
    return d;
}

/* RFC 2617, 3.5; RFC 7616, 3.9.1. (Their URIs are none of SIP, so nothing is chosen for them.) */
static void test_examples_of_the_rfcs(void **state)
{
    static const struct {
        const char *challenge, *password, *cnonce, *response;
    } cases[] = {
        { "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
          "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
          "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
          "Circle Of Life", "0a4f113b", "6629fae49393a05397450978507c4ef1" },
        { "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
          "CircleOfLife", "", "1949323746fe6a43ef61f9606e7febea" },
        { "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, "
          "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"",
          "Circle of Life", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
          "8ca523f5e9506fed4657c9700eebdbec" },
        { "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, "
          "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"",
          "Circle of Life", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
          "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        char value[2048];
        struct buf b = BUF_INIT(value);
        struct trunk t = { .name = SPAN("t") };
        struct sign_choice choice;
        struct digest d;
        const struct sign_ask a = { .method = SPAN("GET"), .uri = SPAN("/dir/index.html") };
        assert_int_equal(digest_challenge_parse(span_str(cases[i].challenge), &choice.challenge),
                         0);
        char *realm = arena_str(&arena, choice.challenge.realm);
        struct trunk_credential c = credential(&t, realm, "Mufasa", NULL, cases[i].password);
        choice.credential = &c;
        assert_int_equal(sign_write(&t, &a, &choice, vault, hash, span_str(cases[i].cnonce), 1, &b),
                         0);
        assert_int_equal(digest_parse(buf_span(&b), &d), 0);
        assert_span(d.response, cases[i].response);
    }
}

/* Of Python's hashlib: each algorithm of RFC 8760, each qop, with and without -sess. I-22, I-24. */
static void test_every_algorithm_and_qop(void **state)
{
    static const char *const responses[3][2][3] = {
        { { "7983b8f6e336e85b7e2b67bc5b7a4f1e", "5e647939a244bc5174b5af00c08e9110",
            "1b808853bd77c7e5e3ce5ff779ecdaa6" },
          { "cf0b88496a9a6b994784fc1c29d54ac2", "d7a03c6bf7be1e2c94e3924f671e6fa2",
            "b4c9a0730a8c46d97fc550b8a7a0055d" } },
        { { "9b44442ede9dc2ab5b5cfda0a1eac99bb1b9c36cc1b77565e51506f73d8a6dfe",
            "8f676bb7f7f9b9f3dce4b004f35dc4cf6e1369296b603fc8ce5ead6a283ea8f7",
            "6ea1566ad65181f42a8eee11c52ecfde7b4a4a4403ad4e5b5193ec1d8a018a70" },
          { "83baf8993d518320de3dac33e21b7d19162a6f311226f6836680c64ee69dfffb",
            "3aec781ab86ff1335c341dd3cb6ffb3ba9bc68e951f57659de59b2b0f361022f",
            "941b3d39a759a8baea8b9cb03ca6e12dc8e9243b4cfc72e57668a53f63c92dc1" } },
        { { "6509f3ab8834a0f4bf4c93e20bd2885a619c85bdaf775528b9ae86de04586db7",
            "4d8a700d8892e805bae0e80b19d49f9e2d8ed1d1822309ffeff6c4823cdb148e",
            "a2a5bc653b79634bf2f2e644df17521d0e913d0d4f26f452a58269e069628cfb" },
          { "198b07fe449209d3049a23b97141fa3f162732c19abe0fbdf08219e92d886891",
            "a12069ad1184c1aa770bc8f6073ec55fc20f2b0b99c2c940f9a26d2df88480bc",
            "6614ac49fcdfbc571d0e49bed70a9b13f85b12e0fce3b738332cef932662ab5e" } },
    };
    static const char *const qops[] = { ", qop=\"auth\"", ", qop=auth-int", "" };
    const struct trunk t = twilio();
    (void)state;
    for (enum digest_alg alg = 0; alg < DIGEST_UNKNOWN; alg++) {
        for (size_t k = 0; k < 6; k++) {
            char text[512];
            snprintf(text, sizeof(text),
                     "Digest realm=\"sip.twilio.com\", nonce=\"planted-nonce\", algorithm=%s%s",
                     digest_alg_name(alg, k / 3).p, qops[k % 3]);
            const struct sign_ask a = ASK(span_str(text));
            struct digest d = answer(&t, &a);
            assert_span(d.response, responses[alg][k / 3][k % 3]);
            assert_int_equal(d.alg, alg);
            assert_int_equal(d.sess, k / 3);
        }
    }
}

/* W-09, W-10, W-13: a Cisco gateway's answer to Twilio's challenge. */
static void test_the_answer_of_a_cisco_gateway(void **state)
{
    char value[1024];
    struct buf b = BUF_INIT(value);
    struct trunk t = twilio();
    struct sign_choice choice;
    const struct sign_ask a = ASK(
        SPAN("Digest realm=\"sip.twilio.com\",qop=\"auth\",nonce=\"planted-nonce\",opaque=\"o0\""));
    (void)state;
    t.echo = DIGEST_ECHO_ALWAYS;
    t.lower = true;
    assert_int_equal(sign_choose(&t, &a, &choice), CAUSE(OK));
    assert_int_equal(sign_write(&t, &a, &choice, vault, hash, SPAN("0a4f113b"), 1, &b), 0);
    buf_putc(&b, '\0');
    assert_string_equal(value, "Digest username=\"yourname\", realm=\"sip.twilio.com\", "
                               "nonce=\"planted-nonce\", uri=\"" URI "\", "
                               "response=\"7983b8f6e336e85b7e2b67bc5b7a4f1e\", algorithm=md5, "
                               "cnonce=\"0a4f113b\", qop=auth, nc=00000001, opaque=\"o0\"");
}

#define TWILIO(nonce, more) SPAN("Digest realm=\"sip.twilio.com\", nonce=\"" nonce "\"" more)

/* I-19, I-21: two challenges of one realm, as Meta sends them. */
static void test_the_best_challenge_is_answered_or_the_preferred_one(void **state)
{
    struct trunk t = twilio();
    const struct sign_ask a =
        ASK(TWILIO("1", ", algorithm=MD5, qop=auth"), TWILIO("2", ", algorithm=SHA-256, qop=auth"),
            TWILIO("3", ", algorithm=SHA3-512, qop=auth"),
            TWILIO("4", ", algorithm=SHA-512-256, qop=token"),
            TWILIO("5", ", algorithm=SHA-256, qop=auth"));
    (void)state;
    assert_span(answer(&t, &a).nonce, "2");
    t.prefer[t.n_prefer++] = DIGEST_MD5;
    assert_span(answer(&t, &a).nonce, "1");
}

/* C-20, R-17, W-02 */
static void test_whose_credentials(void **state)
{
    static const struct {
        const char *challenge, *realm, *user, *route, *want; /* want NULL: none */
    } cases[] = {
        { "sip.twilio.com", NULL, NULL, NULL, "yourname" },
        { "sip.twilio.com", NULL, NULL, "160", "sales" },
        { "sip.twilio.com", NULL, NULL, "161", "yourname" },
        { "sip.twilio.com", NULL, "other", NULL, "other" },
        { "sip.twilio.com", NULL, "other", "160", "other" },
        { "sip.twilio.com", NULL, "sales", NULL, NULL },
        { "sip.twilio.com", NULL, "nobody", NULL, NULL },
        { "sip.twilio.com\", username=\"other", NULL, NULL, NULL, "other" },
        { "sip.twilio.com\", username=\"other", NULL, NULL, "160", "other" },
        { "sip.twilio.com\", username=\"nobody", NULL, NULL, "160", "sales" },
        { "wa.meta.vc", NULL, NULL, NULL, "meta" },
        { "wa.meta.vc", "wa.meta.vc", NULL, NULL, "meta" },
        { "wa\\.meta.vc", NULL, NULL, NULL, "meta" },
        { "SIP.twilio.com", NULL, NULL, NULL, NULL },
        { "yourname.pstn.twilio.com", NULL, NULL, NULL, NULL },
        { "", NULL, NULL, NULL, NULL },
    };
    const struct trunk t = twilio();
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        char text[256];
        snprintf(text, sizeof(text), "Digest realm=\"%s\", nonce=\"n\"", cases[i].challenge);
        struct sign_ask a = ASK(span_str(text));
        struct sign_choice choice;
        a.realm = span_str(cases[i].realm);
        a.user = span_str(cases[i].user);
        a.route = span_str(cases[i].route);
        if (cases[i].want) {
            assert_span(answer(&t, &a).username, cases[i].want);
        } else {
            assert_int_equal(sign_choose(&t, &a, &choice), CAUSE(TRUNK_REALM_UNKNOWN));
            assert_null(choice.credential);
            assert_non_null(choice.challenge.realm.p);
        }
    }
}

/* R-09, C-19, I-17: what is not ours is left alone. */
static void test_a_realm_beside_ours_is_not_answered(void **state)
{
    const struct trunk t = twilio();
    struct sign_choice choice;
    struct sign_ask a = ASK(SPAN("Digest realm=\"evil.test\", nonce=\"1\", algorithm=SHA-512-256"),
                            TWILIO("2", ""), SPAN("Digest realm=\"wa.meta.vc\", nonce=\"3\""));
    (void)state;
    assert_span(answer(&t, &a).nonce, "2");
    a.realm = SPAN("wa.meta.vc");
    assert_span(answer(&t, &a).nonce, "3");
    a.realm = SPAN("evil.test");
    assert_int_equal(sign_choose(&t, &a, &choice), CAUSE(TRUNK_REALM_UNKNOWN));
    assert_span(choice.challenge.realm, "evil.test");
    a.realm = SPAN("nobody.test");
    assert_int_equal(sign_choose(&t, &a, &choice), CAUSE(CHALLENGE_UNANSWERABLE));
}

static void test_what_cannot_be_answered(void **state)
{
    static const char *const cases[] = {
        "Basic realm=\"sip.twilio.com\"",
        "Bearer realm=\"sip.twilio.com\"",
        "Digest realm=\"sip.twilio.com\"",
        "Digest nonce=\"n\"",
        "Digest realm=\"sip.twilio.com\", nonce=\"n\", nonce=\"m\"",
        "Digest realm=\"sip.twilio.com\", nonce=\"n\", algorithm=SHA-1",
        "Digest realm=\"sip.twilio.com\", nonce=\"n\", qop=\"auth-conf\"",
        "Digest realm=\"sip.twilio.com\", nonce=\"n\x01\"",
        "Digest realm=\"sip.twilio.com\" nonce=\"n\"",
        "Digest realm=\"sip.twilio.com",
        "",
    };
    const struct trunk t = twilio();
    struct sign_choice choice;
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        const struct sign_ask a = ASK(span_str(cases[i]));
        assert_int_equal(sign_choose(&t, &a, &choice), CAUSE(CHALLENGE_UNANSWERABLE));
        assert_null(choice.credential);
    }
    const struct sign_ask none = ask_of(NULL, 0);
    assert_int_equal(sign_choose(&t, &none, &choice), CAUSE(CHALLENGE_UNANSWERABLE));
}

static void test_what_is_not_signed_for(void **state)
{
    static const struct {
        const char *method, *uri;
    } cases[] = {
        { "INVITE", "sip:+1800@evil.test" },
        { "INVITE", "sip:+1800@yourname.pstn.twilio.com.evil.test" },
        { "INVITE", "sip:+1800@yourname.pstn.twilio.com;maddr=evil.test" },
        { "INVITE", "sip:+1800@yourname.pstn.twilio.com\", response=\"" },
        { "INVITE", "tel:+1800" },
        { "INVITE", NULL },
        { "INVITE", "" },
        { NULL, URI },
        { "INVITE:sip:x@evil.test", URI },
    };
    const struct trunk t = twilio();
    struct sign_choice choice;
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        struct sign_ask a = ASK(TWILIO("n", ""));
        a.method = span_str(cases[i].method);
        a.uri = span_str(cases[i].uri);
        assert_int_equal(sign_choose(&t, &a, &choice), CAUSE(TRUNK_URI_REFUSED));
        assert_null(choice.credential);
    }
}

/* I-20 */
static void test_the_uri_has_the_form_the_trunk_wants(void **state)
{
#define H "yourname.pstn.twilio.com"
    static const struct {
        enum trunk_uri form;
        const char *uri, *want;
    } cases[] = {
        { TRUNK_URI_AS_SENT, "sip:a@" H ":5060;transport=tls;x=1?Y=z",
          "sip:a@" H ":5060;transport=tls;x=1?Y=z" },
        { TRUNK_URI_WITHOUT_TRANSPORT, "sip:a@" H ":5060;transport=tls;x=1?Y=z",
          "sip:a@" H ":5060;x=1?Y=z" },
        { TRUNK_URI_WITHOUT_TRANSPORT, "sip:a@" H ";user=phone;Transport=TLS",
          "sip:a@" H ";user=phone" },
        { TRUNK_URI_WITHOUT_TRANSPORT, "sip:a;transport=b@" H ";transport",
          "sip:a;transport=b@" H },
        { TRUNK_URI_WITHOUT_TRANSPORT, "sip:a@" H "?Y=z", "sip:a@" H "?Y=z" },
        { TRUNK_URI_WITHOUT_TRANSPORT, "sip:a@" H, "sip:a@" H },
        { TRUNK_URI_WITHOUT_PARAMETERS, "sip:a@" H ":5060;transport=tls;x=1?Y=z",
          "sip:a@" H ":5060" },
        { TRUNK_URI_WITHOUT_PARAMETERS, "sip:a@" H "?Y=z", "sip:a@" H },
        { TRUNK_URI_WITHOUT_PARAMETERS, "sip:a;b@" H ":1", "sip:a;b@" H ":1" },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        struct trunk t = twilio();
        struct sign_ask a = ASK(TWILIO("n", ""));
        t.uri = cases[i].form;
        a.uri = span_str(cases[i].uri);
        assert_span(answer(&t, &a).uri, cases[i].want);
    }
}

static void test_a_password_of_another_trunk_is_not_used(void **state)
{
    char value[1024];
    struct buf b = BUF_INIT(value);
    struct trunk t = twilio();
    struct sign_choice choice;
    const struct sign_ask a = ASK(TWILIO("n", ""));
    (void)state;
    t.name = SPAN("another");
    assert_int_equal(sign_choose(&t, &a, &choice), CAUSE(OK));
    assert_int_equal(sign_write(&t, &a, &choice, vault, hash, SPAN("c"), 1, &b), CS_EDENIED);
    assert_int_equal(b.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_of_the_rfcs),
        cmocka_unit_test(test_every_algorithm_and_qop),
        cmocka_unit_test(test_the_answer_of_a_cisco_gateway),
        cmocka_unit_test(test_the_best_challenge_is_answered_or_the_preferred_one),
        cmocka_unit_test(test_whose_credentials),
        cmocka_unit_test(test_a_realm_beside_ours_is_not_answered),
        cmocka_unit_test(test_what_cannot_be_answered),
        cmocka_unit_test(test_what_is_not_signed_for),
        cmocka_unit_test(test_the_uri_has_the_form_the_trunk_wants),
        cmocka_unit_test(test_a_password_of_another_trunk_is_not_used),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
