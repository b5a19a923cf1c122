#include "base/metric.h"
#include "lib/test.h"

#include <stdio.h>

static char text[65536];

static const char *written(unsigned parts)
{
    struct buf b = buf_of(text, sizeof(text) - 1);
    metric_write(&b, parts);
    assert_true(buf_ok(&b));
    text[b.n] = '\0';
    return text;
}

static void test_counters_and_gauges_are_shown_as_openmetrics(void **state)
{
    (void)state;
    metric_inc(M_REDIS_COMMANDS, 1);
    metric_add(M_REDIS_COMMANDS, 1, 4);
    metric_set(M_REDIS_CONNECTED, 0, 1);
    assert_int_equal(metric_get(M_REDIS_COMMANDS, 1), 5);
    const char *t = written(METRIC_REDIS);
    assert_non_null(strstr(t, "# TYPE countersign_redis_commands counter\n"
                              "# HELP countersign_redis_commands "));
    assert_non_null(strstr(t, "\ncountersign_redis_commands_total{outcome=\"ok\"} 0\n"
                              "countersign_redis_commands_total{outcome=\"error\"} 5\n"
                              "countersign_redis_commands_total{outcome=\"lost\"} 0\n"));
    assert_non_null(strstr(t, "\ncountersign_redis_connected 1\n"));
    assert_null(strstr(t, "countersign_sip_"));
    assert_string_equal(t + strlen(t) - 6, "# EOF\n");
}

static void test_histograms_add_up(void **state)
{
    (void)state;
    struct mono t0 = { 1000000000 };
    metric_observe(M_REDIS_SECONDS, t0, (struct mono){ t0.ns + 40000 });      /* 40 us */
    metric_observe(M_REDIS_SECONDS, t0, (struct mono){ t0.ns + 50000 });      /* on the bound */
    metric_observe(M_REDIS_SECONDS, t0, (struct mono){ t0.ns + 2000000 });    /* 2 ms */
    metric_observe(M_REDIS_SECONDS, t0, (struct mono){ t0.ns + 9000000000 }); /* 9 s */
    const char *t = written(METRIC_REDIS);
    assert_non_null(strstr(t, "countersign_redis_seconds_bucket{le=\"5e-05\"} 2\n"));
    assert_non_null(strstr(t, "countersign_redis_seconds_bucket{le=\"0.0015\"} 2\n"));
    assert_non_null(strstr(t, "countersign_redis_seconds_bucket{le=\"0.003\"} 3\n"));
    assert_non_null(strstr(t, "countersign_redis_seconds_bucket{le=\"5\"} 3\n"));
    assert_non_null(strstr(t, "countersign_redis_seconds_bucket{le=\"+Inf\"} 4\n"
                              "countersign_redis_seconds_sum 9.002090000\n"
                              "countersign_redis_seconds_count 4\n"));
}

static void test_every_metric_is_written_once_with_its_help(void **state)
{
    (void)state;
    const char *t = written(~0u);
    size_t types = 0, helps = 0;
    for (const char *p = t; (p = strstr(p, "# TYPE ")); p++)
        types++;
    for (const char *p = t; (p = strstr(p, "# HELP ")); p++)
        helps++;
    assert_int_equal(types, METRIC_COUNT);
    assert_int_equal(helps, METRIC_COUNT);
    metric_inc(M_REDIS_COMMANDS, 1000); /* an index beyond the list is nobody's */
    assert_int_equal(metric_get(M_REDIS_COMMANDS, 1000), 0);
}

static void test_a_table_is_counted_by_its_labels(void **state)
{
    (void)state;
    const struct span groups[] = { SPAN("phones"), SPAN("a \"b\"\\\n") };
    const struct span words[] = { SPAN("one"), SPAN_NULL, SPAN("three") };
    const struct metric_label labels[] = { { "group", groups, 2 }, { "word", words, 3 } };
    const size_t first[] = { 0, 2 }, second[] = { 1, 0 }, hole[] = { 0, 1 }, beyond[] = { 2, 0 };
    metric_table_inc(M_AUTHD_DECISIONS, first); /* before it is there */
    assert_int_equal(metric_table(M_AUTHD_DECISIONS, labels, 2), 0);
    metric_table_inc(M_AUTHD_DECISIONS, first);
    metric_table_inc(M_AUTHD_DECISIONS, first);
    metric_table_inc(M_AUTHD_DECISIONS, second);
    metric_table_inc(M_AUTHD_DECISIONS, hole);
    metric_table_inc(M_AUTHD_DECISIONS, beyond);
    const char *t = written(METRIC_AUTHD);
    assert_non_null(
        strstr(t, "\ncountersign_authd_decisions_total{group=\"phones\",word=\"three\"} 2\n"
                  "countersign_authd_decisions_total{group=\"a \\\"b\\\"\\\\\\n\","
                  "word=\"one\"} 1\n# TYPE"));
    metric_table_drop(M_AUTHD_DECISIONS);
    assert_null(strstr(written(METRIC_AUTHD), "countersign_authd_decisions_total{"));
    metric_table_inc(M_AUTHD_DECISIONS, first);
}

static void test_a_histogram_may_have_a_label(void **state)
{
    (void)state;
    const struct span groups[] = { SPAN("phones"), SPAN("trunks") };
    const struct metric_label label = { "group", groups, 2 };
    const struct mono t0 = { 1000000000 }, t1 = { t0.ns + 2000000 };
    metric_table_observe(M_AUTHD_GROUP_SECONDS, 0, t0, t1); /* before it is there */
    assert_int_equal(metric_table(M_AUTHD_GROUP_SECONDS, &label, 1), 0);
    metric_table_observe(M_AUTHD_GROUP_SECONDS, 1, t0, t1);
    metric_table_observe(M_AUTHD_GROUP_SECONDS, 2, t0, t1);
    const char *t = written(METRIC_AUTHD);
    assert_non_null(
        strstr(t, "countersign_authd_group_seconds_bucket{group=\"phones\",le=\"+Inf\"} 0\n"));
    assert_non_null(
        strstr(t, "countersign_authd_group_seconds_bucket{group=\"trunks\",le=\"0.0015\"} 0\n"
                  "countersign_authd_group_seconds_bucket{group=\"trunks\",le=\"0.003\"} 1\n"));
    assert_non_null(strstr(t, "countersign_authd_group_seconds_sum{group=\"trunks\"} 0.002000000\n"
                              "countersign_authd_group_seconds_count{group=\"trunks\"} 1\n"));
    metric_table_drop(M_AUTHD_GROUP_SECONDS);
}

static void test_a_page_that_does_not_fit_is_not_ok(void **state)
{
    (void)state;
    char small[100];
    struct buf b = BUF_INIT(small);
    metric_write(&b, ~0u);
    assert_false(buf_ok(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counters_and_gauges_are_shown_as_openmetrics),
        cmocka_unit_test(test_histograms_add_up),
        cmocka_unit_test(test_every_metric_is_written_once_with_its_help),
        cmocka_unit_test(test_a_table_is_counted_by_its_labels),
        cmocka_unit_test(test_a_histogram_may_have_a_label),
        cmocka_unit_test(test_a_page_that_does_not_fit_is_not_ok),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
