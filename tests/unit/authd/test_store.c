#include "authd/store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "lib/redis_server.h"
#include "lib/run.h"

static struct loop loop;
static struct redis_server server;
static struct redis *redis;
static struct store *store;
static struct vault *vault;

static struct {
    bool done;
    int err;
    struct arena arena;
    struct user user, users[16];
    size_t n;
    char next[256];
    bool has_next;
    uint64_t count[ALG_COUNT];
    int64_t integer;
} got;

static int wait_for(void *call)
{
    assert_non_null(call);
    got.done = false;
    assert_true(run_until(&loop, &got.done, 3000));
    return got.err;
}

static void on_done(void *arg, int err)
{
    (void)arg;
    got.done = true;
    got.err = err;
}

static void on_user(void *arg, int err, const struct user *u)
{
    on_done(arg, err);
    assert_true((err == 0) == (u != NULL));
    if (u)
        assert_int_equal(user_copy(u, &got.arena, &got.user), 0);
}

static void on_list(void *arg, int err, const struct user *users, size_t n, struct span next)
{
    on_done(arg, err);
    got.n = n;
    got.has_next = next.p != NULL;
    span_copy(got.next, sizeof(got.next), next);
    for (size_t i = 0; i < n && i < 16; i++)
        assert_int_equal(user_copy(&users[i], &got.arena, &got.users[i]), 0);
}

static void on_count(void *arg, int err, const uint64_t *n)
{
    on_done(arg, err);
    memcpy(got.count, n, sizeof(got.count));
}

static void on_reply(void *arg, const struct redis_reply *r)
{
    on_done(arg, r ? 0 : CS_ECLOSED);
    got.integer = r && r->type == REDIS_INTEGER ? r->integer : -1;
}

static int64_t ask_redis(struct span command, const char *key)
{
    assert_int_equal(wait_for(redis_do(redis, on_reply, NULL, command, span_str(key))), 0);
    return got.integer;
}

static struct user user_of(const char *name, const char *realm, const struct span *aors, size_t n,
                           unsigned algorithms)
{
    struct user u = {
        .name = span_str(name), .realm = span_str(realm), .enabled = true, .aors = aors, .n_aors = n
    };
    assert_int_equal(
        user_set_password(&u, vault, algorithms, SPAN("a good long password"), &got.arena), 0);
    return u;
}

static int get(const char *name, const char *realm)
{
    return wait_for(store_get_user(store, span_str(name), span_str(realm), on_user, NULL));
}

static int find(const char *aor)
{
    return wait_for(store_find_aor(store, span_str(aor), on_done, NULL));
}

static uint64_t lacking(const char *realm, enum algorithm alg)
{
    assert_int_equal(wait_for(store_count_lacking(store, span_str(realm), on_count, NULL)), 0);
    return got.count[alg];
}

static const struct span aors[] = { SPAN_INIT("sip:1@a.example"), SPAN_INIT("sip:2@a.example") };

static void test_user_and_its_indexes_are_stored_changed_and_removed(void **state)
{
    (void)state;
    struct user u = user_of("alice", "a.example", aors, 2, ALG_BIT(ALG_MD5));
    assert_int_equal(get("alice", "a.example"), CS_ENOENT);
    assert_int_equal(find("sip:1@a.example"), CS_ENOENT);
    assert_int_equal(wait_for(store_put_user(store, NULL, &u, on_done, NULL)), 0);
    assert_int_equal(get("alice", "a.example"), 0);
    assert_true(got.user.record.n > 0);
    assert_int_equal(got.user.n_aors, 2);
    assert_int_equal(get("alice", "b.example"), CS_ENOENT);
    assert_int_equal(find("sip:1@a.example"), 0);
    assert_int_equal(find("sip:2@a.example"), 0);
    assert_int_equal(lacking("a.example", ALG_MD5), 0);
    assert_int_equal(lacking("a.example", ALG_SHA256), 1);

    assert_int_equal(get("alice", "a.example"), 0);
    struct user old = got.user, now = old;
    now.n_aors = 1; /* the second goes */
    assert_int_equal(user_set_password(&now, vault, ALG_ALL, SPAN("another good one!"), &got.arena),
                     0);
    assert_int_equal(wait_for(store_put_user(store, &old, &now, on_done, NULL)), 0);
    assert_int_equal(find("sip:1@a.example"), 0);
    assert_int_equal(find("sip:2@a.example"), CS_ENOENT);
    assert_int_equal(lacking("a.example", ALG_SHA256), 0);

    assert_int_equal(get("alice", "a.example"), 0);
    old = now = got.user;
    now.enabled = false; /* nobody is behind its AOR now */
    assert_int_equal(wait_for(store_put_user(store, &old, &now, on_done, NULL)), 0);
    assert_int_equal(find("sip:1@a.example"), CS_ENOENT);

    assert_int_equal(get("alice", "a.example"), 0);
    old = got.user;
    assert_int_equal(wait_for(store_remove_user(store, &old, on_done, NULL)), 0);
    assert_int_equal(get("alice", "a.example"), CS_ENOENT);
    assert_int_equal(ask_redis(SPAN("EXISTS"), "cs:users"), 0);
    assert_int_equal(ask_redis(SPAN("EXISTS"), "cs:aor:{sip:1@a.example}"), 0);
    assert_int_equal(ask_redis(SPAN("EXISTS"), "cs:lacks:{a.example}:SHA-256"), 0);
}

static int owner(const char *aor)
{
    return wait_for(store_get_owner(store, span_str(aor), on_user, NULL));
}

static void test_who_alone_has_an_address_is_found_whatever_its_name(void **state)
{
    static const struct span his[] = { SPAN_INIT("sip:1@o.example"), SPAN_INIT("sip:one@o.example"),
                                       SPAN_INIT("sip:both@o.example"), SPAN_INIT("tel:+491") };
    static const struct span hers[] = { SPAN_INIT("sip:both@o.example") };
    (void)state;
    struct user one = user_of("one", "o.example", his, 4, 0);
    struct user two = user_of("1", "o.example", hers, 1, 0); /* named like an address of one's */
    assert_int_equal(wait_for(store_put_user(store, NULL, &one, on_done, NULL)), 0);
    assert_int_equal(wait_for(store_put_user(store, NULL, &two, on_done, NULL)), 0);
    static const char *const alone[] = { "sip:one@o.example", "sip:1@o.example", "tel:+491" };
    for (size_t i = 0; i < CS_LEN(alone); i++) {
        assert_int_equal(owner(alone[i]), 0);
        assert_true(span_eq(got.user.name, SPAN("one")));
    }
    assert_int_equal(owner("sip:both@o.example"), CS_ENOENT);
    assert_int_equal(owner("sip:nobody@o.example"), CS_ENOENT);
    static const char *const names[] = { "one", "1" };
    for (size_t i = 0; i < CS_LEN(names); i++) {
        assert_int_equal(get(names[i], "o.example"), 0);
        struct user gone = got.user;
        assert_int_equal(wait_for(store_remove_user(store, &gone, on_done, NULL)), 0);
    }
}

/* Only tokens and the like prove who it is; it never answers a digest challenge. */
static void test_who_has_no_verifier_lacks_none(void **state)
{
    (void)state;
    struct user u = user_of("tim", "t.example", aors, 1, 0);
    assert_int_equal(wait_for(store_put_user(store, NULL, &u, on_done, NULL)), 0);
    assert_int_equal(lacking("t.example", ALG_MD5) + lacking("t.example", ALG_SHA256), 0);

    assert_int_equal(get("tim", "t.example"), 0);
    struct user old = got.user, now = old;
    assert_int_equal(
        user_set_password(&now, vault, ALG_BIT(ALG_MD5), SPAN("another good one!"), &got.arena), 0);
    assert_int_equal(wait_for(store_put_user(store, &old, &now, on_done, NULL)), 0);
    assert_int_equal(lacking("t.example", ALG_MD5), 0);
    assert_int_equal(lacking("t.example", ALG_SHA256), 1);

    assert_int_equal(get("tim", "t.example"), 0);
    old = now = got.user;
    memset(now.sealed, 0, sizeof(now.sealed));
    assert_int_equal(wait_for(store_put_user(store, &old, &now, on_done, NULL)), 0);
    assert_int_equal(lacking("t.example", ALG_SHA256), 0);

    assert_int_equal(get("tim", "t.example"), 0);
    old = got.user;
    assert_int_equal(wait_for(store_remove_user(store, &old, on_done, NULL)), 0);
}

static void test_who_comes_second_gets_a_conflict_and_leaves_no_trace(void **state)
{
    (void)state;
    struct user first = user_of("bob", "a.example", aors, 1, ALG_ALL);
    struct user second = user_of("bob", "a.example", aors + 1, 1, ALG_BIT(ALG_MD5));
    assert_int_equal(wait_for(store_put_user(store, NULL, &first, on_done, NULL)), 0);
    assert_int_equal(wait_for(store_put_user(store, NULL, &second, on_done, NULL)), CS_ECONFLICT);
    assert_int_equal(find("sip:1@a.example"), 0);
    run_for(&loop, 20);
    assert_int_equal(find("sip:2@a.example"), CS_ENOENT);
    assert_int_equal(lacking("a.example", ALG_SHA256), 0);

    assert_int_equal(get("bob", "a.example"), 0);
    struct user read = got.user, mine = read, theirs = read;
    mine.max_contacts = 1;
    theirs.max_contacts = 2;
    assert_int_equal(wait_for(store_put_user(store, &read, &theirs, on_done, NULL)), 0);
    assert_int_equal(wait_for(store_put_user(store, &read, &mine, on_done, NULL)), CS_ECONFLICT);
    assert_int_equal(wait_for(store_remove_user(store, &read, on_done, NULL)), CS_ECONFLICT);
    assert_int_equal(get("bob", "a.example"), 0);
    assert_int_equal(got.user.max_contacts, 2);
    read = got.user;
    assert_int_equal(wait_for(store_remove_user(store, &read, on_done, NULL)), 0);
}

static void test_pages_hold_every_user_once(void **state)
{
    (void)state;
    char name[16];
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "u%02d", i);
        struct user u = user_of(name, i % 2 ? "a.example" : "b.example", NULL, 0, ALG_BIT(ALG_MD5));
        assert_int_equal(wait_for(store_put_user(store, NULL, &u, on_done, NULL)), 0);
    }
    size_t seen = 0;
    char after[256] = "";
    do {
        struct span from = after[0] ? span_str(after) : SPAN_NULL;
        assert_int_equal(wait_for(store_list_users(store, SPAN_NULL, from, 3, on_list, NULL)), 0);
        for (size_t i = 0; i < got.n; i++) {
            snprintf(name, sizeof(name), "u%02zu", seen++);
            assert_true(span_eq(got.users[i].name, span_str(name)));
        }
        strcpy(after, got.next);
    } while (got.has_next);
    assert_int_equal(seen, 10);
    assert_int_equal(
        wait_for(store_list_users(store, SPAN("a.example"), SPAN_NULL, 100, on_list, NULL)), 0);
    assert_int_equal(got.n, 5);
    assert_int_equal(wait_for(store_count_users(store, on_count, NULL)), 0);
    assert_int_equal(got.count[0], 10);
    assert_int_equal(wait_for(store_list_users(store, SPAN_NULL, SPAN("zz"), 3, on_list, NULL)), 0);
    assert_int_equal(got.n, 0);
    assert_false(got.has_next);
}

static int commit(const char *tag, unsigned slot, unsigned nc)
{
    const struct nonce n = { .tag = span_str(tag), .slot = slot };
    return wait_for(store_commit_nc(store, &n, nc, DURATION_MS(60000), on_done, NULL));
}

/* */
static void test_each_count_of_a_nonce_is_taken_once_and_windows_expire(void **state)
{
    (void)state;
    static const struct {
        const char *tag;
        unsigned slot, nc;
        int err;
    } rows[] = {
        { "aaaaaaaa0000", 0, 1, 0 },
        { "aaaaaaaa0000", 0, 1, CS_ECONFLICT },
        { "aaaaaaaa0000", 0, 2, 0 },
        { "aaaaaaaa0000", 0, 2, CS_ECONFLICT },
        { "aaaaaaaa0000", 0, STORE_NC_MAX, 0 },
        { "aaaaaaaa0000", 0, 0, 0 },
        { "aaaaaaaa0000", 0, 0, CS_ECONFLICT },
        { "aaaaaaaa1111", 1, 1, 0 },
        { "aaaaaaaa1111", 1, 2, 0 },
        { "aaaaaaaa2222", 63, 0, 0 },
        { "aaaaaaaa2222", 63, STORE_NC_MAX, 0 },
        { "aaaaaaaa1111", 1, 1, CS_ECONFLICT },
        { "bbbbbbbb0000", 0, 7, 0 },
        { "bbbbbbbb0000", 0, 1, 0 },
        { "bbbbbbbb0000", 0, 7, CS_ECONFLICT },
        { "bbbbbbbb0000", 0, 1, CS_ECONFLICT },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        int err = commit(rows[i].tag, rows[i].slot, rows[i].nc);
        if (err != rows[i].err)
            fail_msg("row %zu: %d", i, err);
    }
    assert_true(ask_redis(SPAN("PTTL"), "cs:nc:{aaaaaaaa}") > 80000);
    assert_true(ask_redis(SPAN("PTTL"), "cs:nc:{bbbbbbbb}") > 80000);
    assert_int_equal(ask_redis(SPAN("STRLEN"), "cs:nc:{aaaaaaaa}"), 2048);
}

static void test_a_window_is_given_its_end_again_only_when_that_is_needed(void **state)
{
    (void)state;
    assert_int_equal(commit("dddddddd0000", 0, 2), 0);
    assert_true(ask_redis(SPAN("PTTL"), "cs:nc:{dddddddd}") > 80000);
    assert_int_equal(ask_redis(SPAN("DEL"), "cs:nc:{dddddddd}"), 1);
    store_forget(store); /* as after a break */
    assert_int_equal(commit("dddddddd0000", 0, 3), 0);
    assert_true(ask_redis(SPAN("PTTL"), "cs:nc:{dddddddd}") > 80000);

    assert_int_equal(ask_redis(SPAN("PERSIST"), "cs:nc:{dddddddd}"), 1);
    assert_int_equal(commit("dddddddd0000", 0, 4), 0);
    assert_int_equal(ask_redis(SPAN("PTTL"), "cs:nc:{dddddddd}"), -1);
    loop_skip(&loop, DURATION_S(80));
    assert_int_equal(commit("dddddddd0000", 0, 5), 0);
    assert_true(ask_redis(SPAN("PTTL"), "cs:nc:{dddddddd}") > 80000);
}

static void test_what_is_not_ours_in_redis_is_an_error_and_no_answer(void **state)
{
    (void)state;
    redis_do(redis, on_reply, NULL, SPAN("SET"), SPAN("cs:user:{odd@a.example}"), SPAN("garbage"));
    redis_do(redis, on_reply, NULL, SPAN("SADD"), SPAN("cs:user:{set@a.example}"), SPAN("x"));
    assert_int_equal(get("odd", "a.example"), CS_EPROTO);
    assert_int_equal(get("set", "a.example"), CS_ECLOSED);
}

static void test_cancelled_operation_is_not_answered(void **state)
{
    (void)state;
    struct store_call *c = store_get_user(store, SPAN("u00"), SPAN("b.example"), on_user, NULL);
    got.done = false;
    store_cancel(c);
    c = store_list_users(store, SPAN_NULL, SPAN_NULL, 10, on_list, NULL);
    run_for(&loop, 1);
    if (!got.done)
        store_cancel(c);
    got.done = false;
    run_for(&loop, 30);
    assert_false(got.done);
}

static void test_redis_away_is_an_error_and_comes_back(void **state)
{
    (void)state;
    redis_server_kill(&server);
    run_for(&loop, 30);
    assert_false(store_is_ready(store));
    assert_int_equal(get("u00", "b.example"), CS_ECLOSED);
    assert_int_equal(find("sip:1@a.example"), CS_ECLOSED);
    redis_server_start(&server, NULL);
    for (int i = 0; i < 300 && !store_is_ready(store); i++)
        run_for(&loop, 10);
    assert_int_equal(get("u00", "b.example"), 0); /* what was acknowledged is there */
}

static int open_all(void **state)
{
    (void)state;
    struct redis_conf rc = { 0 };
    redis_server_start(&server, NULL);
    rc.unix_path = server.socket;
    arena_init(&got.arena, NULL, 0, 0);
    assert_int_equal(loop_init(&loop), 0);
    assert_int_equal(redis_open(&loop, &rc, &redis), 0);
    assert_int_equal(store_new(&loop, redis, &store), 0);
    assert_int_equal(
        vault_new(SPAN("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), &vault),
        0);
    for (int i = 0; i < 300 && !store_is_ready(store); i++)
        run_for(&loop, 10);
    return store_is_ready(store) ? 0 : -1;
}

static int close_all(void **state)
{
    (void)state;
    store_free(&store);
    redis_close(&redis);
    vault_free(&vault);
    arena_fini(&got.arena);
    bool clean = run_down(&loop);
    redis_server_kill(&server);
    return clean ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_user_and_its_indexes_are_stored_changed_and_removed),
        cmocka_unit_test(test_who_alone_has_an_address_is_found_whatever_its_name),
        cmocka_unit_test(test_who_has_no_verifier_lacks_none),
        cmocka_unit_test(test_who_comes_second_gets_a_conflict_and_leaves_no_trace),
        cmocka_unit_test(test_pages_hold_every_user_once),
        cmocka_unit_test(test_each_count_of_a_nonce_is_taken_once_and_windows_expire),
        cmocka_unit_test(test_a_window_is_given_its_end_again_only_when_that_is_needed),
        cmocka_unit_test(test_what_is_not_ours_in_redis_is_an_error_and_no_answer),
        cmocka_unit_test(test_cancelled_operation_is_not_answered),
        cmocka_unit_test(test_redis_away_is_an_error_and_comes_back),
    };
    return cmocka_run_group_tests_name("store", tests, open_all, close_all);
}
