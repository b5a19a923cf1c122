#include "authd/store/user.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "authd/check/auth_id.h"
#include "base/util.h"
#include "store.pb-c.h"

static const char k1[] = "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
static const char k2k1[] = "2:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
                           "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
static const char k2[] = "2:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

static struct vault *vault_of(const char *text)
{
    struct vault *v;
    assert_int_equal(vault_new(span_str(text), &v), 0);
    return v;
}

static struct user alice(struct vault *v, struct arena *a)
{
    static const struct span aors[] = { SPAN_INIT("sip:1001@example.com"),
                                        SPAN_INIT("sip:sales@example.com") };
    struct user u = { .name = SPAN("alice"),
                      .realm = SPAN("example.com"),
                      .enabled = true,
                      .aors = aors,
                      .n_aors = 2,
                      .max_contacts = 3,
                      .display_name = SPAN("Alice"),
                      .created = { 1700000000000 },
                      .changed = { 1700000000001 } };
    assert_int_equal(user_set_password(&u, v, ALG_ALL, SPAN("a good long password"), a), 0);
    return u;
}

static void test_record_comes_back_as_it_was(void **state)
{
    (void)state;
    char space[2048];
    struct buf b = BUF_INIT(space);
    struct arena a;
    struct user back;
    struct vault *v = vault_of(k1);
    arena_init(&a, NULL, 0, 0);
    struct user u = alice(v, &a);
    assert_int_equal(user_encode(&u, &b), 0);
    assert_null(strstr(space, "password"));
    assert_int_equal(user_decode(buf_span(&b), &a, &back), 0);
    assert_true(span_eq(back.name, u.name) && span_eq(back.realm, u.realm));
    assert_true(span_eq(back.display_name, u.display_name));
    assert_true(back.enabled);
    assert_int_equal(back.n_aors, 2);
    assert_true(span_eq(back.aors[1], u.aors[1]));
    assert_int_equal(back.max_contacts, 3);
    assert_int_equal(back.created.ms, u.created.ms);
    assert_int_equal(back.changed.ms, u.changed.ms);
    assert_int_equal(user_algorithms(&back), ALG_ALL);
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++)
        assert_true(span_eq(back.sealed[alg], u.sealed[alg]));
    assert_true(span_eq(back.record, buf_span(&b)));
    arena_fini(&a);
    vault_free(&v);
}

static void test_what_is_no_record_is_refused(void **state)
{
    (void)state;
    char space[2048];
    struct buf b = BUF_INIT(space);
    struct arena a;
    struct user u, back;
    struct vault *v = vault_of(k1);
    arena_init(&a, NULL, 0, 0);
    u = alice(v, &a);
    assert_int_equal(user_encode(&u, &b), 0);
    assert_int_equal(user_decode(SPAN(""), &a, &back), CS_EPROTO);
    assert_int_equal(user_decode(span_head(buf_span(&b), b.n - 1), &a, &back), CS_EPROTO);
    space[1] = 2; /* a schema of later */
    assert_int_equal(user_decode(buf_span(&b), &a, &back), CS_EPROTO);
    assert_null(back.name.p);
    /* the same algorithm twice: which one would count? */
    space[1] = 1;
    Countersign__Store__User *m = countersign__store__user__unpack(NULL, b.n, (const uint8_t *)b.p);
    assert_non_null(m);
    m->verifier[1]->algorithm = m->verifier[0]->algorithm;
    uint8_t twice[2048];
    size_t n = countersign__store__user__pack(m, twice);
    assert_int_equal(user_decode(span_of(twice, n), &a, &back), CS_EPROTO);
    countersign__store__user__free_unpacked(m, NULL);

    static char long_name[USER_MAX_NAME + 2];
    memset(long_name, 'x', sizeof(long_name) - 1);
    u.name = span_str(long_name);
    assert_int_equal(user_encode(&u, &b), CS_ELIMIT);
    arena_fini(&a);
    vault_free(&v);
}

static void test_allocation_failure_is_said(void **state)
{
    (void)state;
    char space[2048];
    struct buf b = BUF_INIT(space);
    struct arena a;
    struct vault *v = vault_of(k1);
    arena_init(&a, NULL, 0, 0);
    struct user u = alice(v, &a);
    assert_int_equal(user_encode(&u, &b), 0);
    for (long n = 0; n < 3; n++) {
        struct arena few;
        struct user back;
        arena_init(&few, NULL, 0, 0);
        arena_fail_after(n);
        int err = user_decode(buf_span(&b), &few, &back);
        arena_fail_after(-1);
        assert_true(err == 0 || (err < 0 && !back.name.p));
        arena_fini(&few);
        arena_init(&few, NULL, 0, 0);
        arena_fail_after(n);
        err = user_copy(&u, &few, &back);
        arena_fail_after(-1);
        assert_true(err == 0 || (err == CS_ENOMEM && !back.name.p));
        arena_fini(&few);
    }
    arena_fini(&a);
    vault_free(&v);
}

static void test_verifier_opens_for_its_own_user_realm_and_algorithm_only(void **state)
{
    (void)state;
    struct arena a;
    unsigned char ha1[ALG_MAX_LEN], right[ALG_MAX_LEN];
    struct vault *v = vault_of(k1);
    arena_init(&a, NULL, 0, 0);
    struct user u = alice(v, &a), moved;
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++) {
        assert_int_equal(user_open_verifier(&u, v, alg, ha1), 0);
        assert_int_equal(verifier_ha1(alg, u.name, u.realm, SPAN("a good long password"), right),
                         0);
        assert_memory_equal(ha1, right, algorithm_len(alg));
        moved = u;
        moved.name = SPAN("mallory");
        assert_int_equal(user_open_verifier(&moved, v, alg, ha1), CS_EDENIED);
        moved = u;
        moved.realm = SPAN("example.org");
        assert_int_equal(user_open_verifier(&moved, v, alg, ha1), CS_EDENIED);
    }
    moved = u;
    moved.sealed[ALG_SHA512_256] = u.sealed[ALG_SHA256];
    assert_int_equal(user_open_verifier(&moved, v, ALG_SHA512_256, ha1), CS_EDENIED);
    moved.sealed[ALG_SHA256] = SPAN_NULL;
    assert_int_equal(user_open_verifier(&moved, v, ALG_SHA256, ha1), CS_ENOENT);
    assert_int_equal(user_open_verifier(&u, v, ALG_UNKNOWN, ha1), CS_ENOENT);
    arena_fini(&a);
    vault_free(&v);
}

static void test_every_changed_byte_of_a_verifier_is_noticed(void **state)
{
    (void)state;
    struct arena a;
    unsigned char ha1[ALG_MAX_LEN];
    struct vault *v = vault_of(k1);
    arena_init(&a, NULL, 0, 0);
    struct user u = alice(v, &a);
    char *p = (char *)u.sealed[ALG_MD5].p;
    for (size_t i = 0; i < u.sealed[ALG_MD5].n; i++) {
        p[i] ^= 0x10;
        assert_int_equal(user_open_verifier(&u, v, ALG_MD5, ha1), CS_EDENIED);
        p[i] ^= 0x10;
    }
    u.sealed[ALG_MD5].n--;
    assert_int_equal(user_open_verifier(&u, v, ALG_MD5, ha1), CS_EDENIED);
    u.sealed[ALG_MD5].n = 0;
    assert_int_equal(user_open_verifier(&u, v, ALG_MD5, ha1), CS_EDENIED);
    arena_fini(&a);
    vault_free(&v);
}

static void test_sealing_keys_rotate(void **state)
{
    (void)state;
    struct arena a;
    unsigned char ha1[ALG_MAX_LEN];
    struct vault *old = vault_of(k1), *both = vault_of(k2k1), *new = vault_of(k2);
    arena_init(&a, NULL, 0, 0);
    struct user u = alice(old, &a);
    assert_int_equal(user_open_verifier(&u, both, ALG_MD5, ha1), 0);
    assert_int_equal(user_open_verifier(&u, new, ALG_MD5, ha1), CS_EDENIED);
    struct user again = alice(both, &a);
    assert_int_equal(user_open_verifier(&again, new, ALG_MD5, ha1), 0);
    assert_false(span_eq(u.sealed[ALG_MD5], alice(old, &a).sealed[ALG_MD5])); /* another IV */
    arena_fini(&a);
    vault_free(&old);
    vault_free(&both);
    vault_free(&new);
}

/* How many verifiers fit, and whether the first opens to the HA1 of this password. */
static size_t fits(const struct user *u, struct vault *v, const char *name, const char *realm,
                   int64_t now, const char *password)
{
    unsigned char ha1[ALG_MAX_LEN], right[ALG_MAX_LEN];
    struct verifier found[USER_TRIES];
    size_t n =
        user_verifiers(u, ALG_SHA256, span_str(name), span_str(realm), (struct wall){ now }, found);
    if (n == 0)
        return 0;
    assert_int_equal(verifier_open(&found[0], v, ha1), 0);
    assert_int_equal(
        verifier_ha1(ALG_SHA256, span_str(name), span_str(realm), span_str(password), right), 0);
    assert_memory_equal(ha1, right, algorithm_len(ALG_SHA256));
    return n;
}

/* G-07, R-16: other names, a realm's former name, and what a password was before. */
static void test_others_fit_their_name_realm_and_time_alone(void **state)
{
    (void)state;
    static const char first[] = "the first long password", next[] = "the next long password";
    const struct user_also also = { .forms = FORM_USER | FORM_USER_AT_DOMAIN,
                                    .former = SPAN("old.example"),
                                    .until = { 5000 } };
    char space[USER_MAX_RECORD];
    struct buf b = BUF_INIT(space);
    struct arena a;
    struct vault *v = vault_of(k1), *both = vault_of(k2k1), *new = vault_of(k2);
    bool changed;
    arena_init(&a, NULL, 0, 0);
    struct user u = alice(v, &a), back, copy;
    assert_int_equal(user_set_password(&u, v, ALG_ALL, span_str(first), &a), 0);
    assert_int_equal(user_add_password(&u, v, ALG_ALL, &also, span_str(first), &a), 0);
    assert_int_equal(u.n_others, 3 * 3); /* a name here, two there */
    assert_int_equal(user_overlap(&u).ms, 0);

    assert_int_equal(user_retire(&u, (struct wall){ 3000 }, &a), 0);
    assert_int_equal(user_set_password(&u, v, ALG_ALL, span_str(next), &a), 0);
    assert_int_equal(user_add_password(&u, v, ALG_ALL, &also, span_str(next), &a), 0);
    assert_int_equal(user_overlap(&u).ms, 3000);
    assert_int_equal(user_encode(&u, &b), 0);
    assert_int_equal(user_decode(buf_span(&b), &a, &back), 0);
    assert_int_equal(user_reseal(&back, both, &a, &changed), 0);
    assert_true(changed);
    assert_int_equal(user_copy(&back, &a, &copy), 0);

    assert_int_equal(fits(&copy, new, "alice", "example.com", 2999, next), 2);
    assert_int_equal(fits(&copy, new, "alice", "example.com", 3000, next), 1);
    assert_int_equal(fits(&copy, new, "alice@example.com", "example.com", 2999, next), 2);
    assert_int_equal(fits(&copy, new, "alice@example.com", "example.com", 9000, next), 1);
    assert_int_equal(fits(&copy, new, "alice", "old.example", 2999, first), 2);
    assert_int_equal(fits(&copy, new, "alice", "old.example", 3000, next), 1);
    assert_int_equal(fits(&copy, new, "alice", "old.example", 5000, next), 0);
    assert_int_equal(fits(&copy, new, "alice@other.example", "example.com", 0, next), 0);
    assert_int_equal(fits(&copy, new, "bob", "example.com", 0, next), 0);
    assert_int_equal(fits(&copy, new, "alice", "nowhere", 0, next), 0);

    /* However often it is replaced, two generations are kept. */
    const size_t kept = u.n_others;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(user_retire(&u, (struct wall){ 4000 }, &a), 0);
        assert_int_equal(user_set_password(&u, v, ALG_ALL, span_str(next), &a), 0);
        assert_int_equal(user_add_password(&u, v, ALG_ALL, &also, span_str(next), &a), 0);
        assert_int_equal(u.n_others, kept);
    }
    assert_int_equal(user_retire(&u, (struct wall){ 0 }, &a), 0);
    assert_int_equal(u.n_others, 0);
    arena_fini(&a);
    vault_free(&v);
    vault_free(&both);
    vault_free(&new);
}

static void test_ha1_in_hex_is_taken_at_its_exact_length(void **state)
{
    (void)state;
    struct arena a;
    unsigned char ha1[ALG_MAX_LEN];
    struct vault *v = vault_of(k1);
    arena_init(&a, NULL, 0, 0);
    struct user u = { .name = SPAN("Mufasa"), .realm = SPAN("testrealm@host.com") };
    struct span md5 = SPAN("939e7578ed9e3c518a452acee763bce9");
    assert_int_equal(user_set_verifier(&u, v, ALG_MD5, md5, &a), 0);
    assert_int_equal(user_open_verifier(&u, v, ALG_MD5, ha1), 0);
    unsigned char right[ALG_MAX_LEN];
    assert_int_equal(verifier_ha1(ALG_MD5, u.name, u.realm, SPAN("Circle Of Life"), right), 0);
    assert_memory_equal(ha1, right, 16);
    assert_int_equal(user_set_verifier(&u, v, ALG_SHA256, md5, &a), CS_EPROTO);
    assert_int_equal(user_set_verifier(&u, v, ALG_MD5, span_head(md5, 31), &a), CS_EPROTO);
    assert_int_equal(user_set_verifier(&u, v, ALG_MD5, SPAN(""), &a), CS_EPROTO);
    assert_int_equal(
        user_set_verifier(&u, v, ALG_MD5, SPAN("x39e7578ed9e3c518a452acee763bce9"), &a), CS_EPROTO);
    assert_int_equal(user_set_verifier(&u, v, ALG_UNKNOWN, md5, &a), CS_ENOTSUP);
    assert_int_equal(user_algorithms(&u), ALG_BIT(ALG_MD5));
    /* a password replaces them all */
    assert_int_equal(user_set_password(&u, v, ALG_BIT(ALG_SHA256), SPAN("something"), &a), 0);
    assert_int_equal(user_algorithms(&u), ALG_BIT(ALG_SHA256));
    arena_fini(&a);
    vault_free(&v);
}

static void test_names_that_would_confuse_digest_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "a:b", "a\"b", "a\\b", "a\nb", " a", "a ", "a\x7f" };
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        assert_non_null(user_name_fault(span_str(bad[i])));
        assert_non_null(user_realm_fault(span_str(bad[i])));
    }
    assert_null(user_name_fault(SPAN("alice@example.com")));
    assert_null(user_name_fault(SPAN("J\xc3\xbcrgen M")));
    assert_null(user_realm_fault(SPAN("phones.example.com")));
    assert_non_null(user_realm_fault(SPAN("a@b")));
}

static void test_weak_passwords_are_refused_and_generated_ones_are_not(void **state)
{
    (void)state;
    static const struct {
        const char *user, *password;
        bool weak;
    } rows[] = {
        { "1001", "1001", true },
        { "1001", "short", true },
        { "1001", "123456789012345", true },
        { "longusernamelong1", "LongUserNameLong1", true },
        { "1001", "aaaaaaaaaaaaaaaaaaaa", true },
        { "1001", "ababababababababab", true },
        { "1001", "tab\tinside it 123", true },
        { "1001", "correct horse battery", false },
        { "1001", "1234567890123456", false },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct span p = span_str(rows[i].password);
        if ((user_password_fault(span_str(rows[i].user), p) != NULL) != rows[i].weak)
            fail_msg("row %zu", i);
    }
    char a[USER_PASSWORD_LEN + 1], b[USER_PASSWORD_LEN + 1];
    for (int i = 0; i < 100; i++) {
        user_password_generate(a);
        user_password_generate(b);
        assert_int_equal(strlen(a), USER_PASSWORD_LEN);
        assert_null(user_password_fault(SPAN("1001"), span_str(a)));
        assert_string_not_equal(a, b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_comes_back_as_it_was),
        cmocka_unit_test(test_what_is_no_record_is_refused),
        cmocka_unit_test(test_allocation_failure_is_said),
        cmocka_unit_test(test_verifier_opens_for_its_own_user_realm_and_algorithm_only),
        cmocka_unit_test(test_every_changed_byte_of_a_verifier_is_noticed),
        cmocka_unit_test(test_sealing_keys_rotate),
        cmocka_unit_test(test_others_fit_their_name_realm_and_time_alone),
        cmocka_unit_test(test_ha1_in_hex_is_taken_at_its_exact_length),
        cmocka_unit_test(test_names_that_would_confuse_digest_are_refused),
        cmocka_unit_test(test_weak_passwords_are_refused_and_generated_ones_are_not),
    };
    return cmocka_run_group_tests_name("user", tests, NULL, NULL);
}
