/* Named records with their index, in a real Redis. */
#include "authd/store/records.h"

#include "unit/authd/bench.h"

static struct records things;

static struct {
    bool done;
    int err;
    char bytes[64], names[256], next[64];
    size_t n;
} got;

static int setup(void **state)
{
    int err = bench_open(state);
    records_init(&things, bench.redis, SPAN("cs:thing:"), SPAN("cs:things"));
    return err;
}

static int teardown(void **state)
{
    records_fini(&things);
    return bench_close(state);
}

static int clear(void **state)
{
    (void)state;
    bench_do(SPAN("FLUSHALL"));
    return 0;
}

static void on_done(void *arg, int err)
{
    (void)arg;
    got.done = true;
    got.err = err;
}

static void on_record(void *arg, int err, struct span bytes)
{
    on_done(arg, err);
    span_copy(got.bytes, sizeof(got.bytes), bytes);
}

static void on_list(void *arg, int err, const struct record *list, size_t n, struct span next)
{
    struct buf b = buf_of(got.names, sizeof(got.names) - 1);
    on_done(arg, err);
    for (size_t i = 0; i < n; i++) {
        buf_put(&b, list[i].name);
        buf_putc(&b, '=');
        buf_put(&b, list[i].bytes);
        buf_putc(&b, ' ');
    }
    got.names[b.n] = '\0';
    got.n = n;
    span_copy(got.next, sizeof(got.next), next);
}

static int wait_for(struct record_call *c)
{
    assert_non_null(c);
    got.done = false;
    assert_true(run_until(&bench.loop, &got.done, 3000));
    return got.err;
}

static int put(const char *name, const char *old, const char *bytes)
{
    return wait_for(
        record_put(&things, span_str(name), span_str(old), span_str(bytes), on_done, NULL));
}

static int get(const char *name)
{
    return wait_for(record_get(&things, span_str(name), on_record, NULL));
}

static int take(const char *name, const char *old)
{
    return wait_for(record_remove(&things, span_str(name), span_str(old), on_done, NULL));
}

static void test_a_record_is_written_only_if_it_is_what_was_seen(void **state)
{
    (void)state;
    assert_int_equal(get("a"), CS_ENOENT);
    assert_int_equal(put("a", "nothing", "1"), CS_ECONFLICT);
    assert_int_equal(put("a", NULL, "1"), 0);
    assert_int_equal(put("a", NULL, "2"), CS_ECONFLICT);
    assert_int_equal(put("a", "2", "3"), CS_ECONFLICT);
    assert_int_equal(get("a"), 0);
    assert_string_equal(got.bytes, "1");
    assert_int_equal(put("a", "1", "2"), 0);
    assert_int_equal(take("a", "1"), CS_ECONFLICT);
    assert_int_equal(get("a"), 0);
    assert_string_equal(got.bytes, "2");
    assert_int_equal(take("a", "2"), 0);
    assert_int_equal(get("a"), CS_ENOENT);
    assert_int_equal(bench_do(SPAN("ZCARD"), SPAN("cs:things")), 0);
    bench_do(SPAN("SADD"), SPAN("cs:thing:{a}"), SPAN("x"));
    assert_int_equal(get("a"), CS_ECLOSED); /* of another type */
}

static void test_pages_are_in_the_order_of_names(void **state)
{
    (void)state;
    assert_int_equal(wait_for(record_list(&things, SPAN_NULL, 10, on_list, NULL)), 0);
    assert_int_equal(got.n, 0);
    for (const char *name = "dacb"; *name; name++) {
        char one[2] = { *name, '\0' };
        assert_int_equal(put(one, NULL, one), 0);
    }
    bench_do(SPAN("ZADD"), SPAN("cs:things"), SPAN("0"), SPAN("bb")); /* its record is gone */
    assert_int_equal(wait_for(record_list(&things, SPAN_NULL, 3, on_list, NULL)), 0);
    assert_string_equal(got.names, "a=a b=b ");
    assert_string_equal(got.next, "bb");
    assert_int_equal(wait_for(record_list(&things, SPAN("bb"), 3, on_list, NULL)), 0);
    assert_string_equal(got.names, "c=c d=d ");
    assert_string_equal(got.next, "");
}

static void test_a_name_comes_back_when_its_removal_was_overtaken(void **state)
{
    (void)state;
    assert_int_equal(put("a", NULL, "1"), 0);
    got.done = false;
    assert_non_null(record_remove(&things, SPAN("a"), SPAN("1"), on_done, NULL));
    /* Made anew in the moment between the removal of the record and that of its name. */
    redis_do(bench.redis, redis_ignore, NULL, SPAN("SET"), SPAN("cs:thing:{a}"), SPAN("2"));
    assert_true(run_until(&bench.loop, &got.done, 3000));
    assert_int_equal(got.err, 0);
    assert_int_equal(wait_for(record_list(&things, SPAN_NULL, 3, on_list, NULL)), 0);
    assert_string_equal(got.names, "a=2 ");
}

static void test_nobody_is_called_after_a_cancel(void **state)
{
    (void)state;
    got.done = false;
    record_cancel(record_get(&things, SPAN("a"), on_record, NULL));
    record_cancel(record_put(&things, SPAN("a"), SPAN_NULL, SPAN("1"), on_done, NULL));
    record_cancel(record_list(&things, SPAN_NULL, 3, on_list, NULL));
    run_for(&bench.loop, 50);
    assert_false(got.done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_record_is_written_only_if_it_is_what_was_seen, clear),
        cmocka_unit_test_setup(test_pages_are_in_the_order_of_names, clear),
        cmocka_unit_test_setup(test_a_name_comes_back_when_its_removal_was_overtaken, clear),
        cmocka_unit_test_setup(test_nobody_is_called_after_a_cancel, clear),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
