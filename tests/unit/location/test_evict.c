/* Whatever rests on something goes, out of many records, and nothing else does. */
#include "location/evict.h"

#include <stdio.h>

#include "lib/redis_cluster.h"
#include "lib/run.h"
#include "lib/test.h"

enum { HOUR_MS = 3600 * 1000, RECORDS = 3000 };

#define TAG(s) SPAN(s "\0\xff-") /* eight bytes */

static struct loop loop;
static struct redis_server server;
static struct redis *redis;
static struct locations *locations;
static struct arena arena;
static size_t pending;

struct got {
    bool done;
    int err;
    size_t n;
};

static void on_reply(void *arg, const struct redis_reply *reply)
{
    (void)arg;
    assert_true(reply && reply->type != REDIS_ERROR);
    pending--;
}

static void on_commit(void *arg, int err)
{
    (void)arg;
    assert_int_equal(err, 0);
    pending--;
}

static void on_evicted(void *arg, int err, size_t n)
{
    *(struct got *)arg = (struct got){ true, err, n };
}

static void settle(void)
{
    bool never = false;
    for (unsigned i = 0; i < 1000 && pending; i++)
        run_until(&loop, &never, 5);
    assert_int_equal(pending, 0);
}

/* Two bindings of this AOR, the first of which rests on tags, by a token of this age. */
static void put(unsigned number, struct span tags, uint64_t issued_s)
{
    Countersign__Store__Location record = COUNTERSIGN__STORE__LOCATION__INIT;
    Countersign__Store__Token token = COUNTERSIGN__STORE__TOKEN__INIT;
    Countersign__Store__Binding b[2], *list[] = { &b[0], &b[1] };
    const struct location nothing = { 0 };
    char aor[64];
    for (size_t i = 0; i < 2; i++) {
        countersign__store__binding__init(list[i]);
        b[i].contact = i ? (char *)"sip:other" : (char *)"sip:one";
        b[i].call_id = (char *)"call";
        b[i].expires_ms = (uint64_t)(clock_wall().ms + HOUR_MS);
    }
    b[0].has_rests_on = tags.p != NULL;
    b[0].rests_on.data = (uint8_t *)tags.p;
    b[0].rests_on.len = tags.n;
    token.has_iat_s = issued_s > 0;
    token.iat_s = issued_s;
    b[0].token = &token;
    record.binding = list;
    record.n_binding = 2;
    snprintf(aor, sizeof(aor), "sip:%u@example.test", number);
    pending++;
    assert_non_null(location_commit(locations, span_str(aor), &nothing, &record, clock_wall(),
                                    &arena, on_commit, NULL));
}

static struct got evict(struct fallen what)
{
    struct got g = { 0 };
    assert_non_null(location_evict(locations, redis, &what, 1, on_evicted, &g));
    assert_false(g.done);
    assert_true(run_until(&loop, &g.done, 20000));
    return g;
}

static void open_(const struct redis_conf *conf)
{
    bool never = false;
    assert_int_equal(redis_open(&loop, conf, &redis), 0);
    assert_int_equal(locations_open(&loop, redis, 0, DURATION_MS(0), &locations), 0);
    for (unsigned i = 0; i < 500 && !redis_is_ready(redis); i++)
        run_until(&loop, &never, 10);
    assert_true(redis_is_ready(redis));
}

static int setup(void **state)
{
    struct redis_conf conf = { 0 };
    (void)state;
    redis_server_start(&server, NULL);
    conf.unix_path = server.socket;
    arena_init(&arena, NULL, 0, 0);
    assert_int_equal(loop_init(&loop), 0);
    open_(&conf);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    redis_close(&redis);
    locations_close(&locations);
    assert_true(run_down(&loop));
    arena_fini(&arena);
    redis_server_kill(&server);
    return 0;
}

static int empty(void **state)
{
    (void)state;
    pending++;
    redis_do(redis, on_reply, NULL, SPAN("FLUSHALL"));
    settle();
    return 0;
}

static void test_nothing_is_registered(void **state)
{
    (void)state;
    struct got g = evict((struct fallen){ .tag = TAG("aaaaa") });
    assert_int_equal(g.err, 0);
    assert_int_equal(g.n, 0);
}

static void test_of_many_those_that_rest_on_it_go(void **state)
{
    static const struct span both = SPAN_INIT("aaaaa\0\xff-bbbbb\0\xff-");
    (void)state;
    for (unsigned i = 0; i < RECORDS; i++)
        put(i, i % 3 == 0 ? both : i % 3 == 1 ? TAG("bbbbb") : SPAN_NULL, 0);
    settle();
    struct got g = evict((struct fallen){ .tag = TAG("aaaaa") });
    assert_int_equal(g.err, 0);
    assert_int_equal(g.n, RECORDS / 3);
    g = evict((struct fallen){ .tag = TAG("aaaaa") });
    assert_int_equal(g.n, 0);
    g = evict((struct fallen){ .tag = TAG("bbbbb") });
    assert_int_equal(g.n, RECORDS / 3);
}

static void test_of_several_things_each_falls(void **state)
{
    char tags[EVICT_MAX][REST_TAG_LEN];
    struct fallen what[EVICT_MAX];
    struct got g = { 0 };
    (void)state;
    for (unsigned i = 0; i < EVICT_MAX; i++) {
        memset(tags[i], (int)i + 1, REST_TAG_LEN);
        what[i] = (struct fallen){ .tag = span_of(tags[i], REST_TAG_LEN),
                                   .bounded = i % 2 == 1,
                                   .before_s = 100 };
        put(i, what[i].tag, 100);
    }
    put(EVICT_MAX, TAG("aaaaa"), 0);
    settle();
    assert_non_null(location_evict(locations, redis, what, EVICT_MAX, on_evicted, &g));
    assert_true(run_until(&loop, &g.done, 20000));
    assert_int_equal(g.n, EVICT_MAX / 2);
}

static void test_a_tag_is_one_only_at_its_place(void **state)
{
    (void)state;
    put(1, SPAN("aaaabbbbccccdddd"), 0);
    settle();
    assert_int_equal(evict((struct fallen){ .tag = SPAN("bbbbcccc") }).n, 0);
    assert_int_equal(evict((struct fallen){ .tag = SPAN("ccccdddd") }).n, 1);
}

static void test_only_what_was_issued_before(void **state)
{
    (void)state;
    put(1, TAG("aaaaa"), 99);
    put(2, TAG("aaaaa"), 100);
    put(3, TAG("aaaaa"), 0); /* it does not say */
    settle();
    const struct fallen what = { .tag = TAG("aaaaa"), .bounded = true, .before_s = 100 };
    assert_int_equal(evict(what).n, 2);
    assert_int_equal(evict((struct fallen){ .tag = TAG("aaaaa") }).n, 1);
}

static void test_keys_of_others_are_left_alone(void **state)
{
    (void)state;
    const struct span odd[][4] = {
        { SPAN("SET"), SPAN("cs:loc:{text}"), TAG("aaaaa") },
        { SPAN("HSET"), SPAN("cs:loc:{no end"), SPAN("1"), TAG("aaaaa") },
        { SPAN("HSET"), SPAN("cs:loc:{unreadable}"), SPAN("1"), TAG("aaaaa") },
        { SPAN("HSET"), SPAN("cs:elsewhere"), SPAN("1"), TAG("aaaaa") },
    };
    for (size_t i = 0; i < CS_LEN(odd); i++) {
        pending++;
        redis_command(redis, on_reply, NULL, odd[i][3].p ? 4 : 3, odd[i]);
    }
    put(1, TAG("aaaaa"), 0);
    settle();
    struct got g = evict((struct fallen){ .tag = TAG("aaaaa") });
    assert_int_equal(g.err, 0);
    assert_int_equal(g.n, 1);
}

static void test_one_that_is_given_up_says_nothing(void **state)
{
    struct got g = { 0 };
    (void)state;
    for (unsigned i = 0; i < RECORDS; i++)
        put(i, TAG("aaaaa"), 0);
    settle();
    const struct fallen what = { .tag = TAG("aaaaa") };
    for (unsigned turns = 0; turns < 40; turns += 4) {
        struct eviction *e = location_evict(locations, redis, &what, 1, on_evicted, &g);
        assert_non_null(e);
        run_for(&loop, turns);
        if (g.done)
            break;
        location_evict_cancel(e);
        run_for(&loop, 5);
        assert_false(g.done);
    }
}

static void test_a_server_that_is_gone_is_said_to_be(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RECORDS; i++)
        put(i, TAG("aaaaa"), 0);
    settle();
    struct got g = { 0 };
    const struct fallen what = { .tag = TAG("aaaaa") };
    assert_non_null(location_evict(locations, redis, &what, 1, on_evicted, &g));
    run_for(&loop, 1);
    redis_server_kill(&server);
    assert_true(run_until(&loop, &g.done, 10000));
    assert_int_equal(g.err, CS_ECLOSED);
    redis_server_start(&server, NULL);
}

static void test_each_master_of_a_cluster_is_looked_at(void **state)
{
    struct redis_server nodes[] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
    struct addr addrs[CS_LEN(nodes)];
    const struct redis_conf conf = { .cluster = addrs, .n_cluster = 1 };
    struct redis *one = redis;
    struct locations *there = locations;
    (void)state;
    redis_cluster_start(nodes, CS_LEN(nodes), addrs);
    open_(&conf);
    for (unsigned i = 0; i < 60; i++)
        put(i, TAG("aaaaa"), 0);
    settle();
    struct got g = evict((struct fallen){ .tag = TAG("aaaaa") });
    assert_int_equal(g.err, 0);
    assert_int_equal(g.n, 60);
    redis_close(&redis);
    locations_close(&locations);
    redis = one;
    locations = there;
    for (size_t i = 0; i < CS_LEN(nodes); i++)
        redis_server_kill(&nodes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_is_registered, empty),
        cmocka_unit_test_setup(test_of_many_those_that_rest_on_it_go, empty),
        cmocka_unit_test_setup(test_of_several_things_each_falls, empty),
        cmocka_unit_test_setup(test_a_tag_is_one_only_at_its_place, empty),
        cmocka_unit_test_setup(test_only_what_was_issued_before, empty),
        cmocka_unit_test_setup(test_keys_of_others_are_left_alone, empty),
        cmocka_unit_test_setup(test_one_that_is_given_up_says_nothing, empty),
        cmocka_unit_test(test_each_master_of_a_cluster_is_looked_at),
        cmocka_unit_test_setup(test_a_server_that_is_gone_is_said_to_be, empty),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
