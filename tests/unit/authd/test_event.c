/* Which changes of a user are events, and what stands in the stream. */
#include "authd/revocation/event.h"

#include <stdio.h>

#include "lib/test.h"

static struct arena arena;
static const struct wall now = { 1795255761123 };

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static const struct span aors[] = { SPAN_INIT("sip:1001@example.com"),
                                    SPAN_INIT("sip:1002@example.com"),
                                    SPAN_INIT("sip:1003@example.com") };

static struct user alice(void)
{
    return (struct user){ .name = SPAN("alice"),
                          .realm = SPAN("example.com"),
                          .enabled = true,
                          .aors = aors,
                          .n_aors = 2,
                          .sealed = { [ALG_SHA256] = SPAN_INIT("sealed") } };
}

static void test_only_what_takes_something_is_an_event(void **state)
{
    const struct user was = alice();
    (void)state;
    enum {
        SAME,
        ENABLED,
        AOR_MORE,
        AOR_LESS,
        AOR_OTHER,
        NAMED,
        PASSWORD,
        VERIFIER_MORE,
        OVERLAP,
        GONE,
        N
    };
    static const bool takes[N] = {
        [AOR_LESS] = true, [AOR_OTHER] = true, [PASSWORD] = true, [ENABLED] = true, [GONE] = true
    };
    for (unsigned i = 0; i < N; i++) {
        struct user is = was;
        Countersign__Store__Event e;
        is.enabled = i != ENABLED;
        is.n_aors = i == AOR_MORE ? 3 : i == AOR_LESS ? 1 : 2;
        is.aors = i == AOR_OTHER ? aors + 1 : aors;
        is.display_name = i == NAMED ? SPAN("Alice") : SPAN_NULL;
        if (i == PASSWORD)
            is.sealed[ALG_SHA256] = SPAN("other");
        const struct verifier kept = { .alg = ALG_SHA256,
                                       .name = was.name,
                                       .realm = was.realm,
                                       .until = { 1 },
                                       .sealed = was.sealed[ALG_SHA256] };
        if (i == OVERLAP) { /* another password, and the one before is good as well */
            is.sealed[ALG_SHA256] = SPAN("other");
            is.others = &kept;
            is.n_others = 1;
        }
        if (i == VERIFIER_MORE)
            is.sealed[ALG_MD5] = SPAN("another");
        if (i == GONE)
            is = (struct user){ 0 };
        int err = event_of_change(&was, &is, now, &arena, &e);
        if (err != (takes[i] ? 0 : CS_ENOENT))
            fail_msg("change %u: %d", i, err);
    }
}

static void test_who_had_nothing_loses_nothing(void **state)
{
    struct user was = alice(), is = alice(), none = { 0 };
    Countersign__Store__Event e;
    (void)state;
    was.enabled = false;
    assert_int_equal(event_of_change(&was, &is, now, &arena, &e), CS_ENOENT);
    assert_int_equal(event_of_change(&was, &none, now, &arena, &e), CS_ENOENT);
}

static void test_an_event_names_all_that_may_be_concerned(void **state)
{
    struct user was = alice(), is = alice();
    Countersign__Store__Event e, *back, *other;
    struct span name, realm;
    (void)state;
    is.aors = aors + 1; /* one went, one came */
    assert_int_equal(event_of_change(&was, &is, now, &arena, &e), 0);
    struct span packed = event_encode(&e, &arena);
    assert_non_null(packed.p);
    assert_int_equal(event_decode(packed, &arena, &back), 0);
    assert_int_equal(back->kind, COUNTERSIGN__STORE__EVENT_KIND__EVENT_USER);
    assert_string_equal(back->user, "alice@example.com");
    assert_int_equal(back->n_aor, 3);
    for (size_t i = 0; i < 3; i++)
        assert_span(aors[i], back->aor[i]);
    assert_int_equal(back->time_ms, now.ms);
    assert_int_equal(strlen(back->token), EVENT_TOKEN_LEN);
    assert_true(event_user(back, &name, &realm));
    assert_span(name, "alice");
    assert_span(realm, "example.com");
    assert_int_equal(event_of_change(&was, &is, now, &arena, &e), 0);
    assert_int_equal(event_decode(event_encode(&e, &arena), &arena, &other), 0);
    assert_string_not_equal(back->token, other->token);
}

static void test_a_name_may_have_an_at_and_a_realm_has_none(void **state)
{
    struct user was = alice(), is = { 0 };
    Countersign__Store__Event e;
    struct span name, realm;
    (void)state;
    was.name = SPAN("alice@home");
    assert_int_equal(event_of_change(&was, &is, now, &arena, &e), 0);
    assert_true(event_user(&e, &name, &realm));
    assert_span(name, "alice@home");
    assert_span(realm, "example.com");
}

static void test_what_is_no_event_is_refused(void **state)
{
    static char text[USER_MAX_NAME + 3];
    static char *many[EVENT_MAX_AORS + 1];
    Countersign__Store__Event e, *out;
    char *one = text;
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    enum { GOOD, SCHEMA, NOBODY, NO_REALM, NO_NAME, LONG_REALM, LONG_AOR, MANY, TOKEN, N };
    for (unsigned i = 0; i < N; i++) {
        static char name[2 * sizeof(text)];
        countersign__store__event__init(&e);
        e.kind = COUNTERSIGN__STORE__EVENT_KIND__EVENT_USER;
        snprintf(name, sizeof(name), "%s@%s", i == NO_NAME ? "" : "a",
                 i == LONG_REALM ? text
                 : i == NO_REALM ? ""
                                 : "example.com");
        e.user = i == NOBODY ? NULL : name;
        e.token = i == TOKEN ? text : NULL;
        if (i == LONG_AOR) {
            e.aor = &one;
            e.n_aor = 1;
        }
        for (size_t k = 0; i == MANY && k < CS_LEN(many); k++)
            many[k] = name;
        if (i == MANY) {
            e.aor = many;
            e.n_aor = CS_LEN(many);
        }
        struct span packed = event_encode(&e, &arena);
        if (i == SCHEMA)
            ((char *)packed.p)[1] = 2;
        int err = event_decode(packed, &arena, &out);
        if (err != (i == GOOD ? 0 : CS_EPROTO) || (out != NULL) != (i == GOOD))
            fail_msg("fault %u: %d", i, err);
    }
    assert_int_equal(event_decode(SPAN_NULL, &arena, &out), CS_EPROTO);
    assert_int_equal(event_decode(SPAN(""), &arena, &out), CS_EPROTO);
    assert_int_equal(event_decode(SPAN("\xff\xff"), &arena, &out), CS_EPROTO);
}

static void test_memory_that_runs_out_is_said_to(void **state)
{
    struct user was = alice(), is = { 0 };
    Countersign__Store__Event e;
    (void)state;
    for (long n = 0; n < 2; n++) {
        struct arena small;
        arena_init(&small, NULL, 0, 0);
        arena_fail_after(n);
        int err = event_of_change(&was, &is, now, &small, &e);
        arena_fail_after(-1);
        assert_int_equal(err, n ? 0 : CS_ENOMEM);
        arena_fini(&small);
    }
}

static void test_ids_of_entries_are_two_numbers(void **state)
{
    static const char *const good[] = { "0-0", "1795255761123-0",
                                        "18446744073709551615-18446744073709551615" };
    static const char *const bad[] = { "",
                                       "-",
                                       "1",
                                       "1-",
                                       "-1",
                                       "1-2-3",
                                       "a-1",
                                       "1-x",
                                       " 1-1",
                                       "18446744073709551616-0",
                                       "000018446744073709551615-18446744073709551615" };
    (void)state;
    for (size_t i = 0; i < CS_LEN(good); i++)
        assert_true(event_is_id(span_str(good[i])));
    for (size_t i = 0; i < CS_LEN(bad); i++)
        assert_false(event_is_id(span_str(bad[i])));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_only_what_takes_something_is_an_event),
        TEST(test_who_had_nothing_loses_nothing),
        TEST(test_an_event_names_all_that_may_be_concerned),
        TEST(test_a_name_may_have_an_at_and_a_realm_has_none),
        TEST(test_what_is_no_event_is_refused),
        TEST(test_memory_that_runs_out_is_said_to),
        TEST(test_ids_of_entries_are_two_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
