/* Two authd on one Redis: what one of them takes from a user both hear of, and what rests on it
 * goes; also what was missed, and what was left half done. */
#include "authd/revocation/revoker.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/test.h"
#include "unit/authd/bench.h"

#define REALM SPAN("example.com")

enum { HOUR_MS = 3600 * 1000 };

static struct node { /* what its fronts would hear */
    struct revoker *revoker;
    size_t changed, revoked, marks, currents, lost, fallen;
    uint64_t front;
    char user[64], aors[200], event[EVENT_ID_MAX];
} here, there;

static struct locations *locations;

static void on_changed(void *arg, struct span name, struct span realm)
{
    struct node *n = arg;
    assert_true(name.n && realm.n);
    n->changed++;
}

static void on_fallen(void *arg, const struct fallen *what)
{
    struct node *n = arg;
    assert_int_equal(what->tag.n, REST_TAG_LEN);
    n->fallen++;
}

static void on_revoked(void *arg, uint64_t front, const Countersign__Auth__Revoked *r)
{
    struct node *n = arg;
    n->front = front;
    if (r->event)
        bench_copy(n->event, sizeof(n->event), r->event);
    if (r->has_lost && r->lost) {
        n->lost++;
        return;
    }
    if (!r->user && !r->n_aor) {
        n->marks++;
        return;
    }
    struct buf b = buf_of(n->aors, sizeof(n->aors) - 1);
    for (size_t i = 0; i < r->n_aor; i++)
        buf_printf(&b, "%s ", r->aor[i]);
    n->aors[b.n] = '\0';
    bench_copy(n->user, sizeof(n->user), r->user);
    n->revoked++;
}

static void on_current(void *arg)
{
    ((struct node *)arg)->currents++;
}

static const struct revoker_listener listener = { on_changed, on_fallen, on_revoked, on_current };

static void open_there_watching(const char *socket)
{
    static struct redis_conf rc;
    rc = (struct redis_conf){ .unix_path = socket, .deadline = DURATION_MS(200) };
    const struct revoker_conf conf = { .loop = &bench.loop,
                                       .redis = bench.redis,
                                       .watch = &rc,
                                       .store = bench.k.store,
                                       .cache = bench.k.cache };
    there = (struct node){ 0 };
    assert_int_equal(revoker_new(&conf, &there.revoker), 0);
    revoker_listen(there.revoker, &listener, &there);
    assert_true(run_until_count(&bench.loop, &there.currents, 1, 5000));
    assert_true(revoker_is_current(there.revoker));
    assert_true(event_is_id(span_str(revoker_place(there.revoker))));
}

static void open_there(void)
{
    open_there_watching(bench.server.socket);
}

static int open_both(void **state)
{
    (void)state;
    open_there();
    here = (struct node){ .revoker = bench.k.revoker };
    revoker_listen(here.revoker, &listener, &here);
    assert_int_equal(locations_open(&bench.loop, bench.redis, 0, DURATION_MS(0), &locations), 0);
    bench_add("alice", "1001", "correct horse battery", ALG_ALL, true);
    return 0;
}

static int close_both(void **state)
{
    (void)state;
    revoker_listen(here.revoker, NULL, NULL);
    revoker_free(&there.revoker);
    locations_close(&locations);
    bench_do(SPAN("FLUSHALL"));
    run_for(&bench.loop, 50);
    bench_settle();
    return 0;
}

/* ---- bindings ---- */

static size_t n_bindings;

static void on_location(void *arg, int err, const struct location *read)
{
    (void)arg;
    assert_int_equal(err, 0);
    n_bindings = read->record ? read->record->n_binding : 0;
    bench_op.done = true;
}

static size_t bindings(void)
{
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    bench_op.done = false;
    assert_non_null(location_get(locations, SPAN("sip:1001@example.com"), &a, on_location, NULL));
    assert_true(run_until(&bench.loop, &bench_op.done, 3000));
    arena_fini(&a);
    return n_bindings;
}

/* One binding of each of these users, registered so long ago. */
static void bindings_of(const char *one, const char *two, int64_t ago_ms)
{
    Countersign__Store__Location record = COUNTERSIGN__STORE__LOCATION__INIT;
    Countersign__Store__Binding b[2], *list[2] = { &b[0], &b[1] };
    const char *const users[] = { one, two };
    const struct location nothing = { 0 };
    struct wall now = clock_wall();
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    for (size_t i = 0; i < 2 && users[i]; i++) {
        countersign__store__binding__init(&b[i]);
        b[i].contact = b[i].call_id = b[i].user = (char *)users[i];
        b[i].expires_ms = (uint64_t)(now.ms + HOUR_MS);
        b[i].has_since_ms = true;
        b[i].since_ms = (uint64_t)(now.ms - ago_ms);
        record.n_binding++;
    }
    record.binding = list;
    bench_op.done = false;
    assert_non_null(location_commit(locations, SPAN("sip:1001@example.com"), &nothing, &record, now,
                                    &a, bench_on_done, NULL));
    assert_true(run_until(&bench.loop, &bench_op.done, 3000));
    assert_int_equal(bench_op.err, 0);
    arena_fini(&a);
}

static bool until(size_t (*count)(void), size_t want)
{
    for (unsigned i = 0; i < 200 && count() != want; i++)
        run_for(&bench.loop, 5);
    return count() == want;
}

static size_t revoking(void)
{
    return (size_t)bench_do(SPAN("HLEN"), SPAN("cs:revoking"));
}

/* ---- changes ---- */

enum change { DISABLED, ENABLED, PASSWORD };

static void change(const char *name, enum change what)
{
    arena_init(&bench_user_arena, NULL, 0, 0);
    assert_int_equal(
        bench_wait(store_get_user(bench.k.store, span_str(name), REALM, bench_on_user, NULL)), 0);
    struct user now = bench_user;
    if (what == PASSWORD)
        assert_int_equal(user_set_password(&now, bench.k.vault, ALG_ALL,
                                           SPAN("another secret word"), &bench_user_arena),
                         0);
    else
        now.enabled = what == ENABLED;
    assert_int_equal(
        bench_wait(store_put_user(bench.k.store, &bench_user, &now, bench_on_done, NULL)), 0);
    arena_fini(&bench_user_arena);
}

static bool both_heard(size_t revoked)
{
    return run_until_count(&bench.loop, &here.revoked, revoked, 1000) &&
           run_until_count(&bench.loop, &there.revoked, revoked, 1000);
}

/* ---- what is taken ---- */

static void test_a_disabled_user_loses_its_bindings_and_every_authd_hears_of_it(void **state)
{
    (void)state;
    bindings_of("alice@example.com", "bob@example.com", 0);
    change("alice", DISABLED);
    assert_true(both_heard(1));
    for (struct node *n = &here; n; n = n == &here ? &there : NULL) {
        assert_string_equal(n->user, "alice@example.com");
        assert_string_equal(n->aors, "sip:1001@example.com ");
        assert_int_equal(n->front, 0);
        assert_true(n->changed >= 1);
        assert_string_equal(n->event, revoker_place(n->revoker));
    }
    assert_true(until(bindings, 1)); /* bob's stays */
    assert_true(until(revoking, 0));
}

static void test_a_removed_user_loses_its_bindings(void **state)
{
    (void)state;
    bindings_of("alice@example.com", NULL, 0);
    bench_remove("alice");
    assert_true(both_heard(1));
    assert_true(until(bindings, 0));
    assert_true(until(revoking, 0));
}

static void test_a_new_password_is_heard_of_and_ends_nothing(void **state)
{
    (void)state;
    bindings_of("alice@example.com", NULL, 0);
    change("alice", PASSWORD);
    assert_true(run_until_count(&bench.loop, &here.changed, 1, 1000));
    assert_true(run_until_count(&bench.loop, &there.marks, 1, 1000));
    assert_true(until(revoking, 0));
    assert_int_equal(here.revoked + there.revoked, 0);
    assert_int_equal(bindings(), 1);
}

static void test_what_takes_nothing_is_no_event(void **state)
{
    (void)state;
    change("alice", DISABLED);
    assert_true(both_heard(1));
    size_t changed = here.changed;
    int64_t n = bench_do(SPAN("XLEN"), SPAN("cs:events"));
    change("alice", ENABLED);
    assert_int_equal(bench_do(SPAN("XLEN"), SPAN("cs:events")), n);
    run_for(&bench.loop, 20);
    assert_int_equal(here.changed, changed);
}

static void test_a_change_that_others_overtook_leaves_nothing_behind(void **state)
{
    struct user now;
    (void)state;
    arena_init(&bench_user_arena, NULL, 0, 0);
    assert_int_equal(
        bench_wait(store_get_user(bench.k.store, SPAN("alice"), REALM, bench_on_user, NULL)), 0);
    struct arena kept = bench_user_arena;
    struct user old = bench_user;
    now = old;
    now.enabled = false;
    change("alice", PASSWORD);
    assert_true(until(revoking, 0));
    int64_t n = bench_do(SPAN("XLEN"), SPAN("cs:events"));
    assert_int_equal(bench_wait(store_put_user(bench.k.store, &old, &now, bench_on_done, NULL)),
                     CS_ECONFLICT);
    assert_true(until(revoking, 0));
    assert_int_equal(bench_do(SPAN("XLEN"), SPAN("cs:events")), n);
    arena_fini(&kept);
}

/* ---- what is judged already ---- */

static void test_a_verdict_that_rests_on_what_stood_before_is_not_given(void **state)
{
    struct ask a = ask_new("REGISTER", "udp");
    (void)state;
    ask_prepare(&a, "SHA-256");
    ask_answer(&a, "alice", "correct horse battery");
    bench.got.answered = false;
    assert_true(check_start(&bench.k, &a.m, &bench_asker, NULL));
    assert_non_null(bench.waiting); /* for Redis: for the record, then for the nonce count */
    for (unsigned i = 0; i < 50000 && bench.waiting && !bench.waiting->right; i++) {
        usleep(100);
        loop_run_once(&bench.loop);
    }
    assert_true(bench.waiting && bench.waiting->right); /* the nonce count is on its way */
    check_changed(bench.waiting, SPAN("bob"), REALM);
    check_changed(bench.waiting, SPAN("alice"), SPAN("other.example"));
    assert_false(bench.got.answered);
    check_changed(bench.waiting, SPAN("alice"), REALM);
    assert_verdict(&bench.got, LATER, REVOKED);
    run_for(&bench.loop, 20);
}

static void test_the_cache_forgets_before_anybody_else_is_told(void **state)
{
    (void)state;
    uint64_t before = cache_generation(bench.k.cache);
    change("alice", PASSWORD);
    assert_true(run_until_count(&bench.loop, &here.changed, 1, 1000));
    assert_true(cache_generation(bench.k.cache) > before);
}

/* ---- what was missed ---- */

static char behind[EVENT_ID_MAX];

static void remember_place(void)
{
    bench_copy(behind, sizeof(behind), revoker_place(there.revoker));
}

static void test_who_was_away_hears_what_came_since_and_nobody_else_does(void **state)
{
    (void)state;
    remember_place();
    bench_add("bob", "1002", "correct horse battery", ALG_ALL, true);
    change("alice", DISABLED);
    change("bob", DISABLED);
    assert_true(both_heard(2));
    assert_int_equal(revoker_replay(there.revoker, 7, span_str(behind)), 0);
    assert_true(run_until_count(&bench.loop, &there.revoked, 4, 1000));
    assert_int_equal(there.front, 7);
    assert_string_equal(there.user, "bob@example.com"); /* in order */
    assert_string_equal(there.event, revoker_place(there.revoker));
    run_for(&bench.loop, 20);
    assert_int_equal(here.revoked, 2);
    assert_int_equal(there.revoked, 4);
    bench_remove("bob");
}

static void test_what_stands_again_is_not_taken_by_an_old_event(void **state)
{
    (void)state;
    remember_place();
    change("alice", DISABLED);
    assert_true(both_heard(1));
    assert_true(until(revoking, 0));
    change("alice", ENABLED);
    bindings_of("alice@example.com", NULL, 0);
    size_t marks = there.marks;
    assert_int_equal(revoker_replay(there.revoker, 7, span_str(behind)), 0);
    assert_true(run_until_count(&bench.loop, &there.marks, marks + 1, 1000));
    run_for(&bench.loop, 20);
    assert_int_equal(there.revoked, 1);
    assert_int_equal(bindings(), 1);
}

static void test_of_a_name_that_is_somebody_elses_now_only_the_old_ones_go(void **state)
{
    (void)state;
    remember_place();
    bench_remove("alice");
    assert_true(both_heard(1));
    assert_true(until(revoking, 0));
    struct span aors[] = { SPAN("sip:1001@example.com") };
    struct user u = { .name = SPAN("alice"),
                      .realm = REALM,
                      .enabled = true,
                      .aors = aors,
                      .n_aors = 1,
                      .created = { clock_wall().ms + 1 } };
    assert_int_equal(bench_wait(store_put_user(bench.k.store, NULL, &u, bench_on_done, NULL)), 0);
    bindings_of("alice@example.com", NULL, HOUR_MS); /* left by the one before */
    assert_int_equal(revoker_replay(there.revoker, 7, span_str(behind)), 0);
    assert_true(until(bindings, 0));
}

static void test_what_is_not_known_any_more_is_said_to_be_lost(void **state)
{
    static const char *const nowhere[] = { "1-1", "", "x", "99999999999999-0" };
    (void)state;
    for (size_t i = 0; i < CS_LEN(nowhere); i++) {
        assert_int_equal(revoker_replay(there.revoker, 9, span_str(nowhere[i])), 0);
        assert_true(run_until_count(&bench.loop, &there.lost, i + 1, 1000));
        assert_int_equal(there.front, 9);
    }
    assert_int_equal(here.lost, 0);
    size_t currents = there.currents;
    bench_do(SPAN("DEL"), SPAN("cs:events"));
    assert_true(run_until_count(&bench.loop, &here.lost, 1, 3000));
    assert_true(run_until_count(&bench.loop, &there.currents, currents + 1, 3000));
    assert_int_equal(there.front, 0);
    assert_true(revoker_is_current(there.revoker));
    change("alice", DISABLED); /* what comes is heard */
    assert_true(both_heard(1));
}

static void test_a_front_that_left_is_told_nothing_more(void **state)
{
    (void)state;
    remember_place();
    change("alice", DISABLED);
    assert_true(both_heard(1));
    assert_int_equal(revoker_replay(there.revoker, 7, span_str(behind)), 0);
    revoker_stop(there.revoker, 7);
    run_for(&bench.loop, 50);
    assert_int_equal(there.revoked, 1);
}

static void test_a_restart_of_redis_loses_nothing(void **state)
{
    (void)state;
    bindings_of("alice@example.com", NULL, 0);
    size_t currents = there.currents;
    remember_place();
    redis_server_kill(&bench.server);
    for (unsigned i = 0; i < 200 && revoker_is_current(there.revoker); i++)
        run_for(&bench.loop, 10);
    assert_false(revoker_is_current(there.revoker));
    redis_server_start(&bench.server, NULL);
    bench_settle();
    assert_true(run_until_count(&bench.loop, &there.currents, currents + 1, 5000));
    assert_string_equal(revoker_place(there.revoker), behind);
    assert_int_equal(there.lost, 0);
    change("alice", DISABLED);
    assert_true(both_heard(1));
    assert_true(until(bindings, 0));
}

static void test_who_watches_another_server_hears_within_a_second_or_so(void **state)
{
    struct redis_server other = { .socket = tmp_path("other.sock"), .port = free_port() };
    const char *const args[] = { "--dir", tmp_path("other"), NULL };
    (void)state;
    assert_int_equal(mkdir(args[1], 0700), 0);
    redis_server_start(&other, args);
    revoker_free(&there.revoker);
    open_there_watching(other.socket);
    change("alice", DISABLED);
    assert_true(run_until_count(&bench.loop, &there.revoked, 1, 3000));
    revoker_free(&there.revoker);
    redis_server_kill(&other);
    open_there();
}

/* ---- what was left half done ---- */

static void leave_half_done(int64_t ago_ms)
{
    Countersign__Store__Event e;
    struct span aors[] = { SPAN("sip:1001@example.com") };
    struct user was = { .name = SPAN("carol"),
                        .realm = REALM,
                        .enabled = true,
                        .aors = aors,
                        .n_aors = 1 },
                none = { 0 };
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    struct wall then = { clock_wall().ms - ago_ms };
    assert_int_equal(event_of_change(&was, &none, then, &a, &e), 0);
    struct span packed = event_encode(&e, &a);
    bench_do(SPAN("HSET"), SPAN("cs:revoking"), span_str(e.token), packed);
    arena_fini(&a);
}

static void test_who_starts_ends_what_another_began(void **state)
{
    (void)state;
    bindings_of("carol@example.com", NULL, 0);
    leave_half_done(10000);
    revoker_free(&there.revoker);
    open_there();
    assert_true(run_until_count(&bench.loop, &there.revoked, 1, 1000));
    assert_string_equal(there.user, "carol@example.com");
    assert_true(until(bindings, 0));
    assert_true(until(revoking, 0));
}

static void test_what_is_under_way_is_left_to_who_does_it(void **state)
{
    (void)state;
    leave_half_done(0);
    bench_do(SPAN("HSET"), SPAN("cs:revoking"), SPAN("token"), SPAN("\xff"));
    revoker_free(&there.revoker);
    open_there();
    run_for(&bench.loop, 100);
    assert_int_equal(there.revoked, 0);
    assert_int_equal(revoking(), 2);
}

/* ---- many ---- */

static void test_entries_that_are_no_events_are_passed_over(void **state)
{
    (void)state;
    bench_do(SPAN("XADD"), SPAN("cs:events"), SPAN("*"), SPAN("e"), SPAN("\xff"));
    bench_do(SPAN("XADD"), SPAN("cs:events"), SPAN("*"), SPAN("e"), SPAN(""), SPAN("x"), SPAN("y"));
    change("alice", DISABLED);
    assert_true(both_heard(1));
}

/* By a later version, perhaps, whose authd knows what to do. */
static void test_of_a_user_that_cannot_be_read_nothing_is_taken(void **state)
{
    (void)state;
    bindings_of("alice@example.com", NULL, 0);
    remember_place();
    change("alice", PASSWORD);
    assert_true(until(revoking, 0));
    bench_do(SPAN("SET"), SPAN("cs:user:{alice@example.com}"), SPAN("\xff"));
    bench_add("bob", "1002", "correct horse battery", ALG_ALL, true);
    bench_remove("bob");
    assert_true(both_heard(1));
    assert_int_equal(revoker_replay(there.revoker, 7, span_str(behind)), 0);
    assert_true(run_until_count(&bench.loop, &there.revoked, 2, 1000));
    assert_string_equal(there.user, "bob@example.com");
    assert_int_equal(bindings(), 1);
}

static void test_a_thousand_at_a_time_are_all_heard_in_order(void **state)
{
    enum { N = 1000 };
    char name[32];
    (void)state;
    for (unsigned i = 0; i < N; i++) {
        Countersign__Store__Event e;
        struct span aors[] = { SPAN("sip:1001@example.com") };
        struct user was = { .realm = REALM, .enabled = true, .aors = aors, .n_aors = 1 },
                    none = { 0 };
        struct arena a;
        arena_init(&a, NULL, 0, 0);
        snprintf(name, sizeof(name), "u%u", i);
        was.name = span_str(name);
        assert_int_equal(event_of_change(&was, &none, clock_wall(), &a, &e), 0);
        assert_non_null(events_append(bench.redis, event_encode(&e, &a), bench_on_reply, NULL));
        arena_fini(&a);
    }
    assert_true(run_until_count(&bench.loop, &here.revoked, N, 10000));
    assert_true(run_until_count(&bench.loop, &there.revoked, N, 10000));
    assert_string_equal(here.user, "u999@example.com");
    assert_string_equal(here.event, revoker_place(here.revoker));
    assert_int_equal(here.changed, N);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)
    const struct CMUnitTest tests[] = {
        TEST(test_a_disabled_user_loses_its_bindings_and_every_authd_hears_of_it),
        TEST(test_a_removed_user_loses_its_bindings),
        TEST(test_a_new_password_is_heard_of_and_ends_nothing),
        TEST(test_what_takes_nothing_is_no_event),
        TEST(test_a_change_that_others_overtook_leaves_nothing_behind),
        TEST(test_a_verdict_that_rests_on_what_stood_before_is_not_given),
        TEST(test_the_cache_forgets_before_anybody_else_is_told),
        TEST(test_who_was_away_hears_what_came_since_and_nobody_else_does),
        TEST(test_what_stands_again_is_not_taken_by_an_old_event),
        TEST(test_of_a_name_that_is_somebody_elses_now_only_the_old_ones_go),
        TEST(test_what_is_not_known_any_more_is_said_to_be_lost),
        TEST(test_a_front_that_left_is_told_nothing_more),
        TEST(test_a_restart_of_redis_loses_nothing),
        TEST(test_who_watches_another_server_hears_within_a_second_or_so),
        TEST(test_who_starts_ends_what_another_began),
        TEST(test_what_is_under_way_is_left_to_who_does_it),
        TEST(test_entries_that_are_no_events_are_passed_over),
        TEST(test_of_a_user_that_cannot_be_read_nothing_is_taken),
        TEST(test_a_thousand_at_a_time_are_all_heard_in_order),
    };
    return cmocka_run_group_tests_name("revoker", tests, bench_open, bench_close);
}
