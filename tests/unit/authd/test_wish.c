#include "authd/rest/wish.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/util.h"

#define GOOD                 "correct horse battery staple"
#define ALL                  (WISH_NAME | WISH_FIELDS | WISH_SECRET)
#define assert_span(s, text) assert_true(span_eq((s), SPAN(text)))

struct fixture {
    struct arena arena;
    struct vault *vault;
    struct fault fault;
    json_t *j;
};

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){ 0 };
    arena_init(&f.arena, NULL, 0, 0);
    assert_int_equal(vault_new(SPAN("000102030405060708090a0b0c0d0e0f"
                                    "000102030405060708090a0b0c0d0e0f"),
                               &f.vault),
                     0);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    json_decref(f->j);
    vault_free(&f->vault);
    arena_fini(&f->arena);
    return 0;
}

static int parse(struct fixture *f, const char *text, unsigned allowed, struct wish *out)
{
    json_decref(f->j);
    f->j = json_loads(text, 0, NULL);
    assert_non_null(f->j);
    return wish_parse(f->j, allowed, &f->arena, out, &f->fault);
}

static void test_what_is_not_said_is_absent(void **state)
{
    struct wish w;
    assert_int_equal(parse(*state, "{\"user\": \"alice\"}", ALL, &w), 0);
    assert_span(w.name, "alice");
    assert_null(w.realm.p);
    assert_null(w.password.p);
    assert_false(w.has_aors || w.has_enabled || w.has_display_name || w.has_max_contacts);
    assert_false(w.has_verifiers || w.generate || w.allow_weak);
}

static void test_faults_name_the_member(void **state)
{
    static const struct {
        const char *json, *word;
    } rows[] = {
        { "{}", "user is missing" },
        { "{\"user\": null}", "user must be a string" },
        { "{\"user\": \"a\", \"enabled\": \"yes\"}", "enabled must be true or false" },
        { "{\"user\": \"a\", \"aors\": [7]}", "aors" },
        { "{\"user\": \"a\", \"aors\": [\"sip:host\"]}", "sip:host" },
        { "{\"user\": \"a\", \"max_contacts\": 1001}", "max_contacts" },
        { "{\"user\": \"a\", \"verifiers\": {\"MD5\": \"xyz\"}}", "32 hexadecimal digits" },
        { "{\"user\": \"a\", \"verifiers\": {\"SHA-512\": \"\"}}", "SHA-512" },
        { "{\"user\": \"a\", \"Password\": \"x\"}", "Password" },
        { "{\"user\": \"a%sn\", \"%s%n\": 1}", "%s%n" },
    };
    struct fixture *f = *state;
    struct wish w;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        assert_int_equal(parse(f, rows[i].json, ALL, &w), CS_EPROTO);
        if (f->fault.status != 422 || !strstr(f->fault.detail, rows[i].word))
            fail_msg("%s: %u %s", rows[i].json, f->fault.status, f->fault.detail);
    }
}

static void test_members_of_another_request_are_unknown(void **state)
{
    struct wish w;
    assert_int_equal(parse(*state, "{\"user\": \"a\"}", WISH_FIELDS, &w), CS_EPROTO);
    assert_int_equal(parse(*state, "{\"password\": \"a\"}", WISH_FIELDS, &w), CS_EPROTO);
    assert_int_equal(parse(*state, "{\"enabled\": true}", WISH_SECRET, &w), CS_EPROTO);
    assert_int_equal(parse(*state, "{\"no_password\": true}", WISH_SECRET, &w), CS_EPROTO);
    assert_int_equal(parse(*state, "{\"enabled\": true}", WISH_FIELDS, &w), 0);
}

static void test_exactly_one_secret(void **state)
{
    static const struct {
        const char *json;
        bool good;
    } rows[] = {
        { "{\"generate\": true}", true },
        { "{\"generate\": false}", false },
        { "{\"password\": \"" GOOD "\"}", true },
        { "{\"password\": \"" GOOD "\", \"generate\": false}", true },
        { "{\"password\": \"" GOOD "\", \"generate\": true}", false },
        { "{\"verifiers\": {\"MD5\": \"00112233445566778899aabbccddeeff\"}}", true },
        { "{\"password\": \"" GOOD
          "\", \"verifiers\": {\"MD5\": \"00112233445566778899aabbccddeeff\"}}",
          false },
        { "{\"no_password\": true}", true },
        { "{\"no_password\": false}", false },
        { "{\"no_password\": true, \"generate\": true}", false },
        { "{\"no_password\": true, \"password\": \"" GOOD "\"}", false },
        { "{}", false },
    };
    struct fixture *f = *state;
    char generated[USER_PASSWORD_LEN + 1];
    struct wish w;
    bool weak;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        assert_int_equal(parse(f, rows[i].json, WISH_SECRET | WISH_NO_SECRET, &w), 0);
        w.name = SPAN("alice");
        if ((wish_check_secret(&w, generated, &weak, &f->fault) == 0) != rows[i].good)
            fail_msg("%s", rows[i].json);
    }
}

/* G-18 */
static void test_weak_passwords_want_a_word(void **state)
{
    struct fixture *f = *state;
    char generated[USER_PASSWORD_LEN + 1];
    struct wish w;
    bool weak;
    assert_int_equal(parse(f, "{\"password\": \"alice\"}", WISH_SECRET, &w), 0);
    w.name = SPAN("Alice");
    assert_int_equal(wish_check_secret(&w, generated, &weak, &f->fault), CS_EPROTO);
    assert_string_equal(f->fault.type, "weak-password");
    assert_null(strstr(f->fault.detail, "alice"));
    w.allow_weak = true;
    assert_int_equal(wish_check_secret(&w, generated, &weak, &f->fault), 0);
    assert_true(weak);
    w.password = SPAN("");
    assert_int_equal(wish_check_secret(&w, generated, &weak, &f->fault), CS_EPROTO);
}

static void test_aors_become_canonical_and_single(void **state)
{
    struct wish w;
    assert_int_equal(parse(*state,
                           "{\"user\": \"a\", \"aors\": [\"sips:A@Example.COM:5061;x=y\","
                           "\"A@example.com\", \"sip:%61@example.com\", \"sip:b@[2001:DB8::1]\"]}",
                           ALL, &w),
                     0);
    assert_int_equal(w.n_aors, 3);
    assert_span(w.aors[0], "sip:A@example.com");
    assert_span(w.aors[1], "sip:a@example.com");
}

static void test_a_new_user_gets_an_aor_of_its_name(void **state)
{
    static const struct {
        const char *name, *realm, *aor; /* NULL: there is none */
    } rows[] = {
        { "alice", "example.com", "sip:alice@example.com" },
        { "a b", "Example.com", "sip:a%20b@example.com" },
        { "a@b", "example.com", "sip:a%40b@example.com" },
        { "+49 30", "192.0.2.1", "sip:+49%2030@192.0.2.1" },
        { "alice", "My PBX", NULL },
        { "alice", "", NULL },
    };
    struct fixture *f = *state;
    struct wish w = { 0 };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct user u = { .name = span_str(rows[i].name), .realm = span_str(rows[i].realm) };
        int err = wish_apply(&w, true, &f->arena, &u, &f->fault);
        if (rows[i].aor) {
            assert_int_equal(err, 0);
            assert_true(u.enabled);
            assert_int_equal(u.n_aors, 1);
            assert_true(span_eq(u.aors[0], span_str(rows[i].aor)));
        } else {
            assert_int_equal(err, CS_EPROTO);
            assert_string_equal(f->fault.type, "invalid-aor");
        }
    }
}

static void test_a_change_leaves_what_it_does_not_say(void **state)
{
    struct fixture *f = *state;
    struct span aor = SPAN("sip:x@example.com");
    struct user u = { .name = SPAN("x"),
                      .realm = SPAN("example.com"),
                      .aors = &aor,
                      .n_aors = 1,
                      .max_contacts = 5,
                      .display_name = SPAN("X") };
    struct wish w;
    assert_int_equal(parse(f, "{\"display_name\": null}", WISH_FIELDS, &w), 0);
    assert_int_equal(wish_apply(&w, false, &f->arena, &u, &f->fault), 0);
    assert_false(u.enabled);
    assert_int_equal(u.n_aors, 1);
    assert_int_equal(u.max_contacts, 5);
    assert_null(u.display_name.p);
}

static void test_the_same_secret_is_recognised(void **state)
{
    struct fixture *f = *state;
    struct user u = { .name = SPAN("x"), .realm = SPAN("example.com") };
    struct wish same = { .password = SPAN(GOOD) }, other = { .password = SPAN(GOOD "!") };
    const struct wish_realm two = { .algorithms = ALG_BIT(ALG_MD5) | ALG_BIT(ALG_SHA256) },
                            all = { .algorithms = ALG_ALL },
                            md5 = { .algorithms = ALG_BIT(ALG_MD5) };
    assert_int_equal(wish_apply_secret(&same, f->vault, &two, &f->arena, &u, &f->fault), 0);
    assert_int_equal(user_algorithms(&u), two.algorithms);
    assert_true(wish_has_secret(&same, f->vault, &two, &u));
    assert_false(wish_has_secret(&other, f->vault, &two, &u));
    assert_false(wish_has_secret(&same, f->vault, &all, &u)); /* one is missing */
    assert_false(wish_has_secret(&same, f->vault, &md5, &u)); /* one too many */

    /* MD5("x:example.com:" GOOD) given as a verifier is not the whole of it. */
    struct wish verifier = { .has_verifiers = true };
    verifier.verifier[ALG_MD5] = SPAN("00112233445566778899aabbccddeeff");
    assert_false(wish_has_secret(&verifier, f->vault, &two, &u));
    assert_int_equal(wish_apply_secret(&verifier, f->vault, &two, &f->arena, &u, &f->fault), 0);
    assert_int_equal(user_algorithms(&u), ALG_BIT(ALG_MD5));
    assert_true(wish_has_secret(&verifier, f->vault, &two, &u));
    verifier.verifier[ALG_MD5] = SPAN("00112233445566778899AABBCCDDEEFF");
    assert_true(wish_has_secret(&verifier, f->vault, &two, &u));
}

static void test_no_memory_is_said(void **state)
{
    struct fixture *f = *state;
    for (long n = 0;; n++) {
        struct wish w;
        struct user u = { .name = SPAN("x"), .realm = SPAN("example.com") };
        struct arena a;
        arena_init(&a, NULL, 0, 0);
        json_decref(f->j);
        f->j = json_loads("{\"user\": \"x\", \"aors\": [\"a@b\", \"c@d\"]}", 0, NULL);
        arena_fail_after(n);
        int err = wish_parse(f->j, ALL, &a, &w, &f->fault);
        w.has_aors = false;
        if (!err)
            err = wish_apply(&w, true, &a, &u, &f->fault);
        arena_fail_after(-1);
        arena_fini(&a);
        if (!err)
            break;
        assert_int_equal(f->fault.status, 503);
        assert_true(n < 100);
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_not_said_is_absent),
        TEST(test_faults_name_the_member),
        TEST(test_members_of_another_request_are_unknown),
        TEST(test_exactly_one_secret),
        TEST(test_weak_passwords_want_a_word),
        TEST(test_aors_become_canonical_and_single),
        TEST(test_a_new_user_gets_an_aor_of_its_name),
        TEST(test_a_change_leaves_what_it_does_not_say),
        TEST(test_the_same_secret_is_recognised),
        TEST(test_no_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
