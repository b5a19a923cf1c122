/* Address sets in memory: what is in force, and when it is time to ask their owners. (G-28, G-42)
 */
#include "authd/store/sets.h"

#include "authd/store/records.h"
#include "base/metric.h"
#include "unit/authd/bench.h"

enum { CURRENT, DUE, OVERDUE, MISSING }; /* as in metrics.def */
enum { DAY_MS = 24 * 3600 * 1000 };

static struct set_names names = { .name = { SPAN_INIT("carrier"), SPAN_INIT("vpn") }, .n = 2 };
static struct records stored;
static struct sets *sets;

static struct {
    size_t due, overdue, missing;
} told;
static bool done;

static void on_line(void *arg, const struct audit_line *line)
{
    (void)arg;
    if (!line->alarm)
        return;
    told.due += span_eq(line->alarm->what, SPAN("address_set_due"));
    told.overdue += span_eq(line->alarm->what, SPAN("address_set_overdue"));
    told.missing += span_eq(line->alarm->what, SPAN("address_set_missing"));
}

static int setup(void **state)
{
    int err = bench_open(state);
    records_init(&stored, bench.redis, SPAN(ADDRESS_SET_PREFIX), SPAN(ADDRESS_SET_INDEX));
    audit_follow(bench.k.audit, on_line, NULL);
    return err;
}

static int teardown(void **state)
{
    audit_follow(bench.k.audit, NULL, NULL);
    sets_free(&sets);
    records_fini(&stored);
    return bench_close(state);
}

static void on_done(void *arg, int err)
{
    (void)arg;
    assert_int_equal(err, 0);
    done = true;
}

static void put(const char *name, const char *network, int days)
{
    char space[1024];
    struct buf b = BUF_INIT(space);
    struct cidr net;
    assert_int_equal(cidr_parse(span_str(network), &net), 0);
    const int64_t today = loop_wall(&bench.loop).ms / DAY_MS;
    const struct address_set s = { .name = span_str(name),
                                   .owner = SPAN("Olga"),
                                   .note = SPAN("of a test"),
                                   .networks = &net,
                                   .n_networks = 1,
                                   .renewal = { (today + days) * DAY_MS } };
    assert_int_equal(address_set_encode(&s, &b), 0);
    for (int i = 0; i < 300 && !redis_is_ready(bench.redis); i++) /* time was skipped */
        run_for(&bench.loop, 10);
    done = false;
    assert_non_null(record_put(&stored, s.name, SPAN_NULL, buf_span(&b), on_done, NULL));
    assert_true(run_until(&bench.loop, &done, 3000));
}

static bool is_in(const char *address, uint64_t mask)
{
    struct addr a;
    assert_int_equal(addr_parse_host(span_str(address), 0, &a), 0);
    for (int i = 0; i < 100; i++) {
        if (sets_of(sets, &a) == mask)
            return true;
        run_for(&bench.loop, 10);
    }
    return false;
}

static void test_a_set_is_in_force_when_redis_has_it_and_no_longer(void **state)
{
    (void)state;
    const struct redis_conf rc = { .unix_path = bench.server.socket };
    const struct sets_env env = { .loop = &bench.loop,
                                  .redis = bench.redis,
                                  .watch = &rc,
                                  .names = &names,
                                  .audit = bench.k.audit };
    struct addr a;
    assert_int_equal(addr_parse_host(SPAN("203.0.113.7"), 0, &a), 0);
    assert_int_equal(sets_of(NULL, &a), 0);
    assert_int_equal(sets_new(&env, &sets), 0);
    assert_false(sets_are_known(sets));
    for (int i = 0; i < 100 && !sets_are_known(sets); i++)
        run_for(&bench.loop, 10);
    assert_true(sets_are_known(sets));
    assert_int_equal(told.missing, 2);
    assert_int_equal(metric_get(M_AUTHD_SETS, MISSING), 2);
    put("vpn", "203.0.113.0/24", 20);
    assert_true(is_in("203.0.113.7", 2));
    assert_true(is_in("203.0.114.7", 0));
    put("carrier", "203.0.113.7", 20);
    assert_true(is_in("203.0.113.7", 3));
    put("of-nobody", "203.0.113.7", 20); /* no group names it */
    bench_do(SPAN("DEL"), SPAN("cs:set:{carrier}"));
    assert_true(is_in("203.0.113.7", 2));
    bench_do(SPAN("SET"), SPAN("cs:set:{vpn}"), SPAN("no record"));
    assert_true(is_in("203.0.113.7", 0)); /* what cannot be read holds nobody */
    bench_do(SPAN("DEL"), SPAN("cs:set:{vpn}"));
    put("carrier", "203.0.113.7", 20);
    put("vpn", "203.0.113.0/24", 30);
    assert_true(is_in("203.0.113.7", 3));
    assert_int_equal(told.due + told.overdue, 0);
}

static void test_each_day_has_its_alarms_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(metric_get(M_AUTHD_SETS, CURRENT), 3);
    loop_skip(&bench.loop, DURATION_MS(INT64_C(5) * DAY_MS)); /* 15 days are left, and 25 */
    assert_int_equal(told.due, 0);
    loop_skip(&bench.loop, DURATION_MS(DAY_MS));
    assert_int_equal(told.due, 2); /* of-nobody, too */
    assert_int_equal(metric_get(M_AUTHD_SETS, DUE), 2);
    put("another", "198.18.0.0/15", 100); /* all are read anew */
    for (int i = 0; i < 300 && metric_get(M_AUTHD_SETS, CURRENT) < 2; i++)
        run_for(&bench.loop, 10);
    assert_int_equal(metric_get(M_AUTHD_SETS, CURRENT), 2);
    assert_int_equal(told.due, 2);
    loop_skip(&bench.loop, DURATION_MS(DAY_MS));
    assert_int_equal(told.due, 4);
    loop_skip(&bench.loop, DURATION_MS(INT64_C(14) * DAY_MS)); /* two passed, vpn has 9 days */
    assert_int_equal(told.overdue, 2);
    assert_int_equal(metric_get(M_AUTHD_SETS, OVERDUE), 2);
    assert_int_equal(metric_get(M_AUTHD_SETS, DUE), 1);
    assert_true(is_in("203.0.113.7", 3)); /* and hold all the same */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_set_is_in_force_when_redis_has_it_and_no_longer),
        cmocka_unit_test(test_each_day_has_its_alarms_and_no_more),
    };
    return cmocka_run_group_tests_name("sets", tests, setup, teardown);
}
