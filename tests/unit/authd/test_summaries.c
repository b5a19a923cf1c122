/* What fronts tell of themselves, in a real Redis: what is no name, no number or no JSON is not
 * kept. */
#include "authd/audit/summaries.h"

#include <stdio.h>

#include "lib/redis_server.h"
#include "lib/run.h"
#include "lib/test.h"

#define SUMMARY Countersign__Auth__Summary
#define COUNT   Countersign__Auth__Count

enum { REGISTRAR = COUNTERSIGN__AUTH__ROLE__ROLE_REGISTRAR };

static struct loop loop;
static struct redis_server server;
static struct redis *redis;
static struct summaries *summaries;
static json_t *answer;
static bool answered;

static void tell(int role, const char *node, const char *name, uint64_t n, const char *state)
{
    COUNT one = COUNTERSIGN__AUTH__COUNT__INIT, *list[] = { &one };
    SUMMARY m = COUNTERSIGN__AUTH__SUMMARY__INIT;
    one.name = (char *)name;
    one.n = n;
    m.n_count = 1;
    m.count = list;
    m.state = (char *)state;
    summaries_told(summaries, (Countersign__Auth__Role)role, node, &m);
}

static void on_minute(void *arg, const struct redis_reply *reply)
{
    (void)arg;
    answer = summaries_read_minute(reply);
    answered = true;
}

static void on_nodes(void *arg, const struct redis_reply *reply)
{
    (void)arg;
    answer = summaries_read_nodes(summaries, reply);
    answered = true;
}

static uint64_t this_minute(void)
{
    return (uint64_t)loop_wall(&loop).ms / 60000;
}

static json_t *minute(uint64_t at)
{
    answered = false;
    assert_non_null(summaries_ask_minute(summaries, at, on_minute, NULL));
    assert_true(run_until(&loop, &answered, 2000));
    assert_non_null(answer);
    return answer;
}

static json_t *nodes(void)
{
    answered = false;
    assert_non_null(summaries_ask_nodes(summaries, on_nodes, NULL));
    assert_true(run_until(&loop, &answered, 2000));
    assert_non_null(answer);
    return answer;
}

static int setup(void **state)
{
    (void)state;
    redis_server_start(&server, NULL);
    const struct redis_conf conf = { .unix_path = server.socket, .deadline = DURATION_MS(1000) };
    assert_int_equal(loop_init(&loop), 0);
    assert_int_equal(redis_open(&loop, &conf, &redis), 0);
    assert_int_equal(summaries_new(&loop, redis, &summaries), 0);
    for (int i = 0; i < 300 && !redis_is_ready(redis); i++)
        run_for(&loop, 10);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    summaries_free(&summaries);
    redis_close(&redis);
    assert_true(run_down(&loop));
    redis_server_kill(&server);
    return 0;
}

static void test_counts_of_fronts_add_up(void **state)
{
    const uint64_t before = this_minute();
    (void)state;
    tell(REGISTRAR, "a", "register.accepted", 3, NULL);
    tell(REGISTRAR, "b", "register.accepted", 4, NULL);
    tell(COUNTERSIGN__AUTH__ROLE__ROLE_B2BUA, "b", "early_media", 1, NULL);
    json_int_t registers = 0, early = 0;
    for (uint64_t at = before; at <= this_minute(); at++) { /* it may have ended meanwhile */
        json_t *counts = minute(at);
        registers += json_integer_value(json_object_get(counts, "registrar.register.accepted"));
        early += json_integer_value(json_object_get(counts, "b2bua.early_media"));
        json_decref(counts);
    }
    assert_int_equal(registers, 7);
    assert_int_equal(early, 1);
}

static void test_what_is_no_count_is_not_kept(void **state)
{
    static const char *const names[] = {
        "",    "Register",   "a b",
        "a\n", "refused{x}", "a.name.that.is.longer.than.forty.eight.characters"
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(names); i++)
        tell(REGISTRAR, "a", names[i], 1, NULL);
    tell(REGISTRAR, "a", "none", 0, NULL);
    tell(REGISTRAR, "a", "too_many", (uint64_t)UINT32_MAX + 1, NULL);
    tell(COUNTERSIGN__AUTH__ROLE__ROLE_TOOL, "a", "tool", 1, NULL);
    json_t *counts = minute(this_minute());
    const char *name;
    json_t *n;
    json_object_foreach(counts, name, n)
    {
        assert_true(strcmp(name, "registrar.register.accepted") == 0 ||
                    strcmp(name, "b2bua.early_media") == 0);
    }
    json_decref(counts);
}

static void test_the_last_state_of_each_front_is_shown(void **state)
{
    static const char *const bad[] = { "", "[1]", "{", "{\"a\":1,\"a\":2}", "nothing" };
    char nested[600] = { 0 };
    (void)state;
    memset(nested, '[', sizeof(nested) - 1);
    tell(REGISTRAR, "a", "x", 0, "{\"flows\":1}");
    tell(REGISTRAR, "a", "x", 0, "{\"flows\":2}");
    for (size_t i = 0; i < CS_LEN(bad); i++)
        tell(REGISTRAR, "a", "x", 0, bad[i]);
    tell(REGISTRAR, "a", "x", 0, nested);
    tell(COUNTERSIGN__AUTH__ROLE__ROLE_TOOL, "t", "x", 0, "{}");
    json_t *all = nodes();
    assert_int_equal(json_array_size(all), 1);
    json_t *one = json_array_get(all, 0), *of = json_object_get(one, "state");
    assert_string_equal(json_string_value(json_object_get(one, "node")), "a");
    assert_string_equal(json_string_value(json_object_get(one, "role")), "registrar");
    assert_int_equal(json_integer_value(json_object_get(of, "flows")), 2);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_of_fronts_add_up),
        cmocka_unit_test(test_what_is_no_count_is_not_kept),
        cmocka_unit_test(test_the_last_state_of_each_front_is_shown),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
