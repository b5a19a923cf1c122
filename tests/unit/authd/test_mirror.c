/* Two nodes on one real Redis: what one writes the other has in memory, also of what it missed. */
#include "authd/store/mirror.h"

#include <stdio.h>

#include "authd/store/records.h"
#include "lib/redis_server.h"
#include "lib/run.h"
#include "lib/test.h"

enum { MAX = 1200, NAMES = 1300 };

static struct loop loop;
static struct redis_server server;
static struct redis_conf conf;
static struct redis *redis;
static struct records records;
static struct mirror *mirror;

/* What the mirror told, by the number in a name. */
static struct {
    bool there;
    char value[16];
} told[NAMES];
static size_t n_told;

static void on_record(void *arg, struct span name, struct span bytes)
{
    uint64_t i;
    (void)arg;
    assert_int_equal(span_u64(span_skip(name, 1), NAMES - 1, &i), 0);
    n_told += bytes.p ? !told[i].there : -(size_t)told[i].there;
    told[i].there = bytes.p != NULL;
    span_copy(told[i].value, sizeof(told[i].value), bytes);
}

static void forget_told(void)
{
    memset(told, 0, sizeof(told));
    n_told = 0;
}

static void open_mirror(size_t max)
{
    const struct mirror_conf mc = { .loop = &loop,
                                    .redis = redis,
                                    .watch = &conf,
                                    .prefix = "cs:thing:",
                                    .index = "cs:things",
                                    .max = max,
                                    .limit = "limits.things",
                                    .fn = on_record };
    forget_told();
    assert_int_equal(mirror_new(&mc, &mirror), 0);
    assert_false(mirror_is_known(mirror));
}

static void until_known(bool known)
{
    for (int i = 0; i < 500 && mirror_is_known(mirror) != known; i++)
        run_for(&loop, 10);
    assert_int_equal(mirror_is_known(mirror), known);
}

static bool done;

static void on_done(void *arg, int err)
{
    *(int *)arg = err;
    done = true;
}

static struct span name_of(unsigned i)
{
    static char text[16];
    snprintf(text, sizeof(text), "t%u", i);
    return span_str(text);
}

static void put(unsigned i, const char *old, const char *value)
{
    int err = 0;
    done = false;
    assert_non_null(
        record_put(&records, name_of(i), span_str(old), span_str(value), on_done, &err));
    assert_true(run_until(&loop, &done, 3000));
    assert_int_equal(err, 0);
}

static void drop(unsigned i, const char *old)
{
    int err = 0;
    done = false;
    assert_non_null(record_remove(&records, name_of(i), span_str(old), on_done, &err));
    assert_true(run_until(&loop, &done, 3000));
    assert_int_equal(err, 0);
}

static void until_told(unsigned i, const char *value)
{
    for (int n = 0; n < 300 && (told[i].there != (value != NULL) ||
                                (value && strcmp(told[i].value, value) != 0));
         n++)
        run_for(&loop, 10);
    assert_int_equal(told[i].there, value != NULL);
    if (value)
        assert_string_equal(told[i].value, value);
}

static int setup(void **state)
{
    (void)state;
    redis_server_start(&server, NULL);
    conf = (struct redis_conf){ .unix_path = server.socket, .deadline = DURATION_MS(1000) };
    assert_int_equal(loop_init(&loop), 0);
    assert_int_equal(redis_open(&loop, &conf, &redis), 0);
    records_init(&records, redis, SPAN("cs:thing:"), SPAN("cs:things"));
    for (int i = 0; i < 300 && !redis_is_ready(redis); i++)
        run_for(&loop, 10);
    open_mirror(MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mirror_free(&mirror);
    records_fini(&records);
    redis_close(&redis);
    bool clean = run_down(&loop);
    redis_server_kill(&server);
    return clean ? 0 : -1;
}

static void test_what_is_written_is_told(void **state)
{
    (void)state;
    until_known(true);
    assert_int_equal(n_told, 0);
    put(1, NULL, "one");
    until_told(1, "one");
    put(1, "one", "two");
    until_told(1, "two");
    drop(1, "two");
    until_told(1, NULL);
    assert_true(mirror_is_known(mirror));
}

static void test_pages_are_read_to_the_last(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1100; i++)
        put(i, NULL, "x");
    mirror_free(&mirror);
    open_mirror(MAX);
    until_known(true);
    assert_int_equal(n_told, 1100);
}

static void test_what_was_missed_is_read_when_redis_is_back(void **state)
{
    (void)state;
    until_known(true);
    redis_server_kill(&server);
    until_known(false);
    redis_server_start(&server, NULL); /* with the data it had */
    until_known(true);
    assert_int_equal(n_told, 1100);
    drop(5, "x");
    until_told(5, NULL);
}

static void test_what_was_flushed_is_gone(void **state)
{
    (void)state;
    redis_do(redis, redis_ignore, NULL, SPAN("FLUSHALL"));
    for (int i = 0; i < 300 && n_told; i++)
        run_for(&loop, 10);
    assert_int_equal(n_told, 0);
    until_known(true);
    put(7, NULL, "seven");
    until_told(7, "seven");
}

static void test_where_there_are_more_than_may_be_nothing_is_known(void **state)
{
    (void)state;
    mirror_free(&mirror);
    open_mirror(2);
    until_known(true);
    put(8, NULL, "eight");
    until_told(8, "eight");
    assert_true(mirror_is_full(mirror) && mirror_is_known(mirror));
    put(9, NULL, "nine");
    until_known(false);
    run_for(&loop, 1200); /* it looks again */
    assert_false(mirror_is_known(mirror));
    drop(7, "seven");
    until_known(true);
    until_told(9, "nine");
    until_told(7, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_told),
        cmocka_unit_test(test_pages_are_read_to_the_last),
        cmocka_unit_test(test_what_was_missed_is_read_when_redis_is_back),
        cmocka_unit_test(test_what_was_flushed_is_gone),
        cmocka_unit_test(test_where_there_are_more_than_may_be_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
