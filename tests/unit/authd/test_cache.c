/* Kept records never outlive what Redis says of them. */
#include <signal.h>

#include "authd/store/cache.h"
#include "lib/test.h"
#include "unit/authd/bench.h"

#define REALM SPAN("example.com")

static struct cache *cache; /* beside the checker's: what it holds is put by hand */

static void put(const char *name)
{
    cache_put(cache, span_str(name), REALM, span_str(name), cache_generation(cache));
}

static bool has(const char *name)
{
    struct span record = cache_get(cache, span_str(name), REALM);
    if (record.p)
        assert_span(record, name);
    return record.p != NULL;
}

/* Whether it is forgotten before ms have passed. */
static bool goes(const char *name, unsigned ms)
{
    for (unsigned i = 0; i < ms && has(name); i += 5)
        run_for(&bench.loop, 5);
    return !has(name);
}

static void until_it_keeps(void)
{
    for (unsigned i = 0; i < 500; i++) {
        put("probe");
        if (has("probe"))
            break;
        run_for(&bench.loop, 10);
    }
    assert_true(has("probe"));
}

static int open_cache(void **state)
{
    struct redis_conf rc = { .unix_path = bench.server.socket, .deadline = DURATION_MS(100) };
    (void)state;
    assert_int_equal(cache_open(&bench.loop, &rc, 4, DURATION_MS(300), &cache), 0);
    until_it_keeps();
    bench_settle();
    return 0;
}

static int close_cache(void **state)
{
    (void)state;
    cache_close(&cache);
    assert_null(cache);
    return 0;
}

static void test_a_changed_user_is_forgotten_and_others_are_not(void **state)
{
    (void)state;
    put("alice");
    put("bob");
    bench_do(SPAN("SET"), SPAN("cs:user:{alice@example.com}"), SPAN("x"));
    assert_true(goes("alice", 100));
    assert_true(has("bob"));
    bench_do(SPAN("DEL"), SPAN("cs:user:{alice@example.com}"));
    bench_do(SPAN("SET"), SPAN("cs:user:{bob@example.com}"), SPAN("x"));
    bench_do(SPAN("DEL"), SPAN("cs:user:{bob@example.com}"));
    assert_true(goes("bob", 100));
}

static void put_owner(const char *aor, const char *name)
{
    const struct user u = { .name = span_str(name), .realm = REALM, .record = span_str(name) };
    cache_put_owner(cache, span_str(aor), &u, cache_generation(cache));
}

static bool has_owner(const char *aor)
{
    return cache_get_owner(cache, span_str(aor)).p;
}

static void test_who_has_an_address_is_forgotten_with_either(void **state)
{
    (void)state;
    put_owner("sip:a@example.com", "alice");
    put_owner("sip:b@example.com", "bob");
    assert_span(cache_get_owner(cache, SPAN("sip:a@example.com")), "alice");
    bench_do(SPAN("SADD"), SPAN("cs:aor:{sip:a@example.com}"), SPAN("carol@example.com"));
    for (unsigned i = 0; i < 20 && has_owner("sip:a@example.com"); i++)
        run_for(&bench.loop, 5);
    assert_false(has_owner("sip:a@example.com"));
    assert_true(has_owner("sip:b@example.com"));
    assert_true(has("alice"));
    bench_do(SPAN("SET"), SPAN("cs:user:{bob@example.com}"), SPAN("x"));
    assert_true(goes("bob", 100));
    assert_false(has_owner("sip:b@example.com"));
    put_owner("sip:b@example.com", "bob");
    assert_true(has_owner("sip:b@example.com"));
    bench_do(SPAN("DEL"), SPAN("cs:aor:{sip:a@example.com}"), SPAN("cs:user:{bob@example.com}"));
    assert_true(goes("bob", 100));
}

static void test_what_was_being_read_at_a_change_is_not_kept(void **state)
{
    (void)state;
    uint64_t before = cache_generation(cache);
    bench_do(SPAN("SET"), SPAN("cs:user:{alice@example.com}"), SPAN("x"));
    for (unsigned i = 0; i < 20 && cache_generation(cache) == before; i++)
        run_for(&bench.loop, 5);
    cache_put(cache, SPAN("alice"), REALM, SPAN("old"), before);
    assert_false(has("alice"));
    put("alice");
    assert_true(has("alice"));
    bench_do(SPAN("DEL"), SPAN("cs:user:{alice@example.com}"));
    assert_true(goes("alice", 100));
}

static void test_it_is_bounded_and_the_one_used_longest_ago_makes_room(void **state)
{
    static char large[9000];
    (void)state;
    put("a");
    put("b");
    put("c");
    put("d");
    assert_true(has("a")); /* used now */
    put("e");
    assert_false(has("b"));
    assert_true(has("a") && has("c") && has("d") && has("e"));
    put("e"); /* again: takes the place of itself */
    assert_true(has("a") && has("c") && has("d") && has("e"));
    cache_put(cache, SPAN("f"), REALM, span_of(large, sizeof(large)), cache_generation(cache));
    assert_false(has("f"));
}

static void test_a_name_longer_than_any_user_is_not_kept(void **state)
{
    static char name[1000];
    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    put(name);
    assert_false(has(name));
}

static void test_an_entry_lives_a_minute(void **state)
{
    (void)state;
    bool kept = false; /* unless the watcher asked something just then: it takes that for silence */
    for (unsigned i = 0; i < 5 && !kept; i++) {
        put("alice");
        loop_skip(&bench.loop, DURATION_S(57));
        until_it_keeps();
        kept = has("alice");
    }
    assert_true(kept);
    loop_skip(&bench.loop, DURATION_S(4));
    until_it_keeps();
    assert_false(has("alice"));
    bench_settle();
}

static void test_a_flush_empties_it(void **state)
{
    (void)state;
    put("alice");
    put("bob");
    bench_do(SPAN("FLUSHALL"));
    assert_true(goes("alice", 100));
    assert_false(has("bob"));
}

static void test_nothing_is_kept_while_the_watcher_is_away(void **state)
{
    (void)state;
    put("alice");
    redis_server_kill(&bench.server);
    assert_true(goes("alice", 1000));
    put("bob");
    assert_false(has("bob"));
    redis_server_start(&bench.server, NULL);
    until_it_keeps();
    assert_false(has("alice")); /* a new connection may have missed anything */
    assert_false(has("bob"));
    bench_settle();
}

static void test_nothing_is_kept_when_redis_stands_still(void **state)
{
    (void)state;
    put("alice");
    assert_int_equal(kill(bench.server.pid, SIGSTOP), 0);
    assert_true(goes("alice", 2000));
    assert_int_equal(kill(bench.server.pid, SIGCONT), 0);
    until_it_keeps();
    assert_false(has("alice"));
    bench_settle();
}

/* As after a SIGSTOP: what was changed meanwhile may not have been read yet. */
static void test_who_stood_still_uses_nothing_until_it_hears_of_redis(void **state)
{
    (void)state;
    put("alice");
    assert_true(has("alice"));
    loop_skip(&bench.loop, DURATION_MS(1600));
    assert_false(has("alice"));
    until_it_keeps();
    bench_settle();
}

static void test_what_others_know_to_be_changed_is_forgotten(void **state)
{
    (void)state;
    put("alice");
    put("bob");
    uint64_t before = cache_generation(cache);
    cache_forget(cache, SPAN("alice"), REALM);
    assert_false(has("alice"));
    assert_true(has("bob"));
    cache_put(cache, SPAN("alice"), REALM, SPAN("old"), before);
    assert_false(has("alice"));
    cache_forget_all(cache);
    assert_false(has("bob"));
}

static bool recalls(const char *name)
{
    return cache_recall(cache, span_str(name), REALM).p;
}

static void test_what_was_kept_is_recalled_for_a_while(void **state)
{
    (void)state;
    put("alice");
    put("bob");
    put_owner("sip:a@example.com", "alice");
    assert_false(recalls("alice")); /* Redis is there */
    cache_forget(cache, SPAN("bob"), REALM);
    cache_lose(cache);
    assert_false(has("alice"));
    assert_true(recalls("alice"));
    assert_span(cache_recall_owner(cache, SPAN("sip:a@example.com")), "alice");
    assert_false(recalls("bob"));
    run_for(&bench.loop, 150);
    cache_lose(cache); /* again: it does not begin anew */
    run_for(&bench.loop, 200);
    assert_false(recalls("alice"));
    assert_null(cache_recall_owner(cache, SPAN("sip:a@example.com")).p);
}

static void test_nothing_is_recalled_of_before_redis_was_back(void **state)
{
    (void)state;
    put("alice");
    cache_lose(cache);
    assert_true(recalls("alice"));
    cache_forget_all(cache);
    cache_lose(cache);
    assert_false(recalls("alice"));
}

static void test_a_cache_of_nothing_keeps_nothing(void **state)
{
    struct redis_conf rc = { .unix_path = bench.server.socket };
    struct cache *none;
    (void)state;
    assert_int_equal(cache_open(&bench.loop, &rc, 0, DURATION_MS(0), &none), 0);
    cache_put(none, SPAN("alice"), REALM, SPAN("x"), cache_generation(none));
    assert_null(cache_get(none, SPAN("alice"), REALM).p);
    cache_close(&none);
}

/* ---- with a checker ---- */

static void change_password(const char *name, const char *password)
{
    struct user now;
    arena_init(&bench_user_arena, NULL, 0, 0);
    assert_int_equal(
        bench_wait(store_get_user(bench.k.store, span_str(name), REALM, bench_on_user, NULL)), 0);
    now = bench_user;
    assert_int_equal(
        user_set_password(&now, bench.k.vault, ALG_ALL, span_str(password), &bench_user_arena), 0);
    assert_int_equal(
        bench_wait(store_put_user(bench.k.store, &bench_user, &now, bench_on_done, NULL)), 0);
    arena_fini(&bench_user_arena);
}

static void warm_up(void)
{
    for (unsigned i = 0; i < 200; i++) {
        assert_verdict(ask_with("REGISTER", "off", "1001", "first secret word"), ACCEPT, OK);
        if (cache_get(bench.k.cache, SPAN("1001"), REALM).p)
            return;
        run_for(&bench.loop, 10);
    }
    fail_msg("the cache stays cold");
}

static void test_a_changed_password_is_the_only_one_at_once(void **state)
{
    (void)state;
    bench_add("1001", "1001", "first secret word", ALG_ALL, true);
    warm_up();
    change_password("1001", "second secret word");
    run_for(&bench.loop, 100);
    assert_verdict(ask_with("REGISTER", "off", "1001", "first secret word"), CHALLENGE,
                   WRONG_RESPONSE);
    assert_verdict(ask_with("REGISTER", "off", "1001", "second secret word"), ACCEPT, OK);
    bench_remove("1001");
}

static void test_only_a_right_response_keeps_a_record(void **state)
{
    (void)state;
    bench_add("1001", "1001", "first secret word", ALG_ALL, true);
    bench_add("1002", "1001", "first secret word", ALG_ALL, true);
    warm_up(); /* from here on it keeps what it is given */
    assert_verdict(ask_with("REGISTER", "off", "1002", "some other word"), CHALLENGE,
                   WRONG_RESPONSE);
    assert_null(cache_get(bench.k.cache, SPAN("1002"), REALM).p);
    assert_verdict(ask_with("REGISTER", "off", "1002", "first secret word"), ACCEPT, OK);
    assert_non_null(cache_get(bench.k.cache, SPAN("1002"), REALM).p);
    bench_remove("1001");
    bench_remove("1002");
}

static void test_a_removed_user_is_unknown_at_once(void **state)
{
    (void)state;
    bench_add("1001", "1001", "first secret word", ALG_ALL, true);
    warm_up();
    bench_remove("1001");
    run_for(&bench.loop, 100);
    assert_verdict(ask_with("REGISTER", "off", "1001", "first secret word"), CHALLENGE,
                   UNKNOWN_USER);
}

static void test_a_warm_cache_costs_no_read(void **state)
{
    (void)state;
    bench_add("1001", "1001", "first secret word", ALG_ALL, true);
    warm_up();
    bool costless = false;
    for (unsigned i = 0; i < 10 && !costless;
         i++) { /* what is asked once a second is counted, too */
        int64_t before = metric_get(M_REDIS_COMMANDS, 0);
        assert_verdict(ask_with("REGISTER", "off", "1001", "first secret word"), ACCEPT, OK);
        costless = metric_get(M_REDIS_COMMANDS, 0) == before;
    }
    assert_true(costless);
    bench_remove("1001");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_cache, close_cache)
    const struct CMUnitTest tests[] = {
        TEST(test_a_changed_user_is_forgotten_and_others_are_not),
        TEST(test_who_has_an_address_is_forgotten_with_either),
        TEST(test_what_was_being_read_at_a_change_is_not_kept),
        TEST(test_it_is_bounded_and_the_one_used_longest_ago_makes_room),
        TEST(test_a_name_longer_than_any_user_is_not_kept),
        TEST(test_an_entry_lives_a_minute),
        TEST(test_a_flush_empties_it),
        TEST(test_nothing_is_kept_while_the_watcher_is_away),
        TEST(test_nothing_is_kept_when_redis_stands_still),
        TEST(test_who_stood_still_uses_nothing_until_it_hears_of_redis),
        TEST(test_what_others_know_to_be_changed_is_forgotten),
        TEST(test_what_was_kept_is_recalled_for_a_while),
        TEST(test_nothing_is_recalled_of_before_redis_was_back),
        TEST(test_a_cache_of_nothing_keeps_nothing),
        cmocka_unit_test(test_a_warm_cache_costs_no_read),
        cmocka_unit_test(test_a_changed_password_is_the_only_one_at_once),
        cmocka_unit_test(test_only_a_right_response_keeps_a_record),
        cmocka_unit_test(test_a_removed_user_is_unknown_at_once),
    };
    return cmocka_run_group_tests(tests, bench_open, bench_close);
}
