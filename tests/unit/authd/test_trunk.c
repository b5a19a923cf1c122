/* Trunks' records, their targets, and what is sealed in them. */
#include "authd/store/trunk.h"

#include <stdlib.h>

#include "lib/test.h"

#define K1 "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define K2 "2:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

static struct arena arena;
static struct vault *old_key, *both, *new_key;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 0);
    return vault_new(SPAN(K1), &old_key) || vault_new(SPAN(K2 K1), &both) ||
           vault_new(SPAN(K2), &new_key);
}

static int teardown(void **state)
{
    (void)state;
    vault_free(&old_key);
    vault_free(&both);
    vault_free(&new_key);
    arena_fini(&arena);
    return 0;
}

static struct trunk twilio(void)
{
    static const struct span targets[] = { SPAN_INIT("yourname.pstn.twilio.com"),
                                           SPAN_INIT("192.0.2.0/24") };
    static struct trunk_credential credentials[2];
    struct trunk t = { .name = SPAN("twilio"),
                       .targets = targets,
                       .n_targets = 2,
                       .credentials = credentials,
                       .n_credentials = 2,
                       .echo = DIGEST_ECHO_ALWAYS,
                       .lower = true,
                       .uri = TRUNK_URI_WITHOUT_TRANSPORT,
                       .prefer = { DIGEST_SHA256, DIGEST_MD5 },
                       .n_prefer = 2,
                       .created = { 1700000000000 },
                       .changed = { 1700000000001 } };
    credentials[0] =
        (struct trunk_credential){ .realm = SPAN("sip.twilio.com"), .user = SPAN("yourname") };
    credentials[1] = (struct trunk_credential){ .realm = SPAN("sip.twilio.com"),
                                                .user = SPAN("yourname"),
                                                .route = SPAN("160") };
    assert_int_equal(trunk_seal(&t, &credentials[0], old_key, SPAN("planted-one"), &arena), 0);
    assert_int_equal(trunk_seal(&t, &credentials[1], old_key, SPAN("planted-two"), &arena), 0);
    return t;
}

static void opens(const struct trunk *t, size_t i, struct vault *v, const char *want)
{
    char password[TRUNK_MAX_PASSWORD];
    size_t n;
    int err = trunk_open(t, &t->credentials[i], v, password, &n);
    assert_int_equal(err, want ? 0 : CS_EDENIED);
    assert_int_equal(n, want ? strlen(want) : 0);
    if (want)
        assert_memory_equal(password, want, n);
}

/* C-21 */
static void test_a_record_comes_back_as_it_was_and_holds_no_password(void **state)
{
    char space[4096];
    struct buf b = BUF_INIT(space);
    struct trunk t = twilio(), back;
    (void)state;
    assert_int_equal(trunk_encode(&t, &b), 0);
    assert_null(memmem(b.p, b.n, "planted", 7));
    assert_int_equal(trunk_decode(buf_span(&b), &arena, &back), 0);
    assert_span(back.name, "twilio");
    assert_int_equal(back.n_targets, 2);
    assert_span(back.targets[1], "192.0.2.0/24");
    assert_int_equal(back.n_credentials, 2);
    assert_null(back.credentials[0].route.p);
    assert_span(back.credentials[1].route, "160");
    assert_int_equal(back.echo, DIGEST_ECHO_ALWAYS);
    assert_true(back.lower);
    assert_int_equal(back.uri, TRUNK_URI_WITHOUT_TRANSPORT);
    assert_int_equal(back.n_prefer, 2);
    assert_int_equal(back.prefer[0], DIGEST_SHA256);
    assert_int_equal(back.created.ms, t.created.ms);
    assert_int_equal(back.changed.ms, t.changed.ms);
    assert_true(span_eq(back.record, buf_span(&b)));
    opens(&back, 0, old_key, "planted-one");
    opens(&back, 1, old_key, "planted-two");
}

static void test_a_sealed_password_cannot_be_moved(void **state)
{
    (void)state;
    for (int what = 0; what < 6; what++) {
        struct trunk t = twilio();
        switch (what) {
        case 0:
            t.name = SPAN("twili0");
            break;
        case 1:
            t.credentials[0].realm = SPAN("sip.twilio.org");
            break;
        case 2:
            t.credentials[0].user = SPAN("another");
            break;
        case 3:
            t.credentials[0].route = SPAN("161");
            break;
        case 4:
            t.credentials[0].sealed = t.credentials[1].sealed;
            break;
        default:
            t.credentials[0].sealed.n--;
        }
        opens(&t, 0, old_key, NULL);
    }
}

static void test_records_that_are_none_are_refused(void **state)
{
    char space[4096];
    struct buf b = BUF_INIT(space);
    struct trunk t = twilio(), back;
    (void)state;
    assert_int_equal(trunk_encode(&t, &b), 0);
    for (size_t n = 0; n < b.n; n++) {
        int err = trunk_decode(span_of(b.p, n), &arena, &back);
        assert_true(err == 0 || (err == CS_EPROTO && !back.name.p));
    }
    assert_int_equal(trunk_decode(SPAN("\x08\x02\x12\x01t"), &arena, &back), CS_EPROTO);
    assert_int_equal(trunk_decode(SPAN("\x08\x01\x12\x01{"), &arena, &back), CS_EPROTO);
    assert_int_equal(trunk_decode(SPAN("\x08\x01\x12\x01t\x28\x03"), &arena, &back), CS_EPROTO);
    assert_int_equal(trunk_decode(SPAN("\x08\x01\x12\x01t\x38\x09"), &arena, &back), CS_EPROTO);
    assert_int_equal(trunk_decode(SPAN("\x08\x01\x12\x01t"), &arena, &back), 0);
    t.name = SPAN("a name");
    b.n = 0;
    assert_int_equal(trunk_encode(&t, &b), CS_ELIMIT);
}

static void test_a_new_key_takes_over(void **state)
{
    struct trunk t = twilio();
    bool changed = false;
    (void)state;
    assert_int_equal(trunk_reseal(&t, both, &arena, &changed), 0);
    assert_true(changed);
    opens(&t, 0, new_key, "planted-one");
    opens(&t, 1, new_key, "planted-two");
    opens(&t, 0, old_key, NULL);
    assert_int_equal(trunk_reseal(&t, both, &arena, &changed), 0);
    assert_false(changed);
    t = twilio();
    assert_int_equal(trunk_reseal(&t, new_key, &arena, &changed), CS_EDENIED);
}

static void test_targets(void **state)
{
    static const struct {
        const char *target, *kept; /* kept NULL: refused */
    } forms[] = {
        { "SIP.Example.com", "sip.example.com" },
        { "*.Example.com", "*.example.com" },
        { "192.0.2.1", "192.0.2.1" },
        { "192.0.2.0/24", "192.0.2.0/24" },
        { "2001:DB8::1", "2001:db8::1" },
        { "[2001:db8::1]", "2001:db8::1" },
        { "2001:db8::/32", "2001:db8::/32" },
        { "", NULL },
        { "*", NULL },
        { "10.0.0.0/8", "10.0.0.0/8" },
        { "0.0.0.0/0", NULL },
        { "64.0.0.0/7", NULL },
        { "::/0", NULL },
        { "2001::/16", "2001::/16" },
        { "*.com", NULL },
        { "*.*.example.com", NULL },
        { "example.com:5060", NULL },
        { "sip:example.com", NULL },
        { "a@example.com", NULL },
        { "example.com;transport=tls", NULL },
        { "192.0.2.1/24", NULL },
        { "exa mple.com", NULL },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(forms); i++) {
        struct span kept;
        int err = trunk_target(span_str(forms[i].target), &arena, &kept);
        assert_int_equal(err, forms[i].kept ? 0 : CS_EPROTO);
        if (forms[i].kept)
            assert_span(kept, forms[i].kept);
    }
}

static void test_only_targets_are_signed_for(void **state)
{
    static const struct span targets[] = { SPAN_INIT("sip.example.com"), SPAN_INIT("*.example.net"),
                                           SPAN_INIT("192.0.2.0/24"), SPAN_INIT("2001:db8::1") };
    static const struct {
        const char *uri;
        bool is;
    } cases[] = {
        { "sip:+1800@sip.example.com", true },
        { "sip:+1800@SIP.Example.Com:5060;transport=tls", true },
        { "sips:sip.example.com", true },
        { "sip:x@192.0.2.77:5070", true },
        { "sip:x@[2001:db8::1]:5070", true },
        { "sip:x@[2001:DB8:0::1]", true },
        { "sip:x@a.example.net", true },
        { "sip:x@a.b.example.net", true },
        { "sip:x@sip.example.com;maddr=192.0.2.1", true },
        { "sip:x@sip.example.com;maddr=198.51.100.1", false },
        { "sip:x@example.net", false },
        { "sip:x@evilexample.net", false },
        { "sip:x@sip.example.com.evil.test", false },
        { "sip:sip.example.com@evil.test", false },
        { "sip:x@evil.test;x=sip.example.com", false },
        { "sip:x@192.0.3.1", false },
        { "sip:x@[2001:db8::2]", false },
        { "tel:+1800", false },
        { "http://sip.example.com", false },
    };
    const struct trunk t = { .targets = targets, .n_targets = CS_LEN(targets) };
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        struct sip_uri u;
        assert_int_equal(sip_uri_parse(span_str(cases[i].uri), &u), 0);
        if (trunk_is_target(&t, &u) != cases[i].is)
            fail_msg("%s", cases[i].uri);
    }
}

static void test_without_memory_nothing_is_made(void **state)
{
    char space[4096];
    struct buf b = BUF_INIT(space);
    struct trunk t = twilio(), back;
    (void)state;
    assert_int_equal(trunk_encode(&t, &b), 0);
    int err = CS_ENOMEM;
    for (long n = 0; err; n++) {
        struct arena a;
        arena_init(&a, NULL, 0, 0);
        arena_fail_after(n);
        err = trunk_decode(buf_span(&b), &a, &back);
        arena_fail_after(-1);
        assert_true(err == 0 || !back.name.p);
        arena_fini(&a);
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_comes_back_as_it_was_and_holds_no_password),
        cmocka_unit_test(test_a_sealed_password_cannot_be_moved),
        cmocka_unit_test(test_records_that_are_none_are_refused),
        cmocka_unit_test(test_a_new_key_takes_over),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_only_targets_are_signed_for),
        cmocka_unit_test(test_without_memory_nothing_is_made),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
