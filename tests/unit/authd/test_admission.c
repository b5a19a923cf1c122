/* An Admit from question to answer, over a real Redis: what is counted, given back, kept, lapses.
 */
#include "authd/calls/admission.h"

#include <signal.h>

#include "unit/authd/bench.h"

static const char calls_yaml[] =
    "lease: 3s\n"
    "user: { at_once: 2 }\n"
    "trunks: [ { name: t, at_once: 1 }, { name: u, at_once: 1 }, { name: r, per_second: 2 },\n"
    "  { name: v, at_once: 1 }, { name: w, at_once: 1 }, { name: s, per_second: 2 } ]\n"
    "destinations: [ { name: no, prefixes: [\"666\"] } ]\n";

static struct {
    size_t count;
    Countersign__Auth__VerdictKind kind;
    Countersign__Auth__Cause cause;
    unsigned status, retry_after;
    bool next;
    char lease[32], counted[4][64], limit[64];
    size_t n_counted;
} got;

static uint64_t reads;

static struct calls_conf conf;
static struct arena arena;
static struct admissions *all;
static struct list pending;

static void on_admitted(void *arg, const Countersign__Auth__Admitted *m)
{
    const size_t count = got.count + 1;
    (void)arg;
    memset(&got, 0, sizeof(got));
    got.count = count;
    got.kind = m->kind;
    got.cause = m->cause;
    got.status = m->status;
    got.retry_after = m->retry_after_s;
    got.next = m->next;
    bench_copy(got.limit, sizeof(got.limit), m->limit);
    for (; m->lease && got.n_counted < m->lease->n_counted; got.n_counted++)
        bench_copy(got.counted[got.n_counted], 64, m->lease->counted[got.n_counted]);
    bench_copy(got.lease, sizeof(got.lease), m->lease ? m->lease->id : NULL);
}

static int setup(void **state)
{
    int err = bench_open(state);
    list_init(&pending);
    memset(&got, 0, sizeof(got));
    arena_init(&arena, NULL, 0, 0);
    if (!err)
        err = conf_parse(span_str(calls_yaml), "calls.yaml", &calls_section, &arena, &conf, NULL,
                         NULL);
    const struct admissions_conf ac = { .loop = &bench.loop,
                                        .calls = &conf,
                                        .redis = bench.redis,
                                        .store = bench.k.store,
                                        .cache = bench.k.cache,
                                        .audit = bench.k.audit,
                                        .explain = bench.k.explain };
    return err ? err : admissions_new(&ac, &all);
}

static int teardown(void **state)
{
    admissions_free(&all);
    arena_fini(&arena);
    return bench_close(state);
}

struct question {
    const char *caller, *from, *to, *lease, *number;
    bool emergency, stranger;
};

static void put(const struct question *q)
{
    Countersign__Auth__Admit m = COUNTERSIGN__AUTH__ADMIT__INIT;
    m.id = 7;
    m.call_id = (char *)"c@host";
    m.caller = (char *)q->caller;
    m.from_trunk = (char *)q->from;
    m.to_trunk = (char *)q->to;
    m.lease = (char *)q->lease;
    m.destination = (char *)(q->number ? q->number : "123");
    m.has_emergency = true;
    m.emergency = q->emergency;
    assert_true(admission_ask(all, &m, !q->stranger, "b2bua-1", &pending, on_admitted, NULL));
}

#define ask(...)                                                                 \
    ({                                                                           \
        const size_t before = got.count;                                         \
        put(&(struct question){ __VA_ARGS__ });                                  \
        assert_true(run_until_count(&bench.loop, &got.count, before + 1, 5000)); \
        assert_true(list_empty(&pending));                                       \
        got.cause;                                                               \
    })

static int64_t calls_of(const char *name)
{
    char key[128];
    snprintf(key, sizeof(key), "cs:calls:{%s}", name);
    return bench_do(SPAN("ZCARD"), span_str(key));
}

static void tell(const char *id, const char *name, bool ended)
{
    Countersign__Auth__CallLeases m = COUNTERSIGN__AUTH__CALL_LEASES__INIT;
    Countersign__Auth__CallLease l = COUNTERSIGN__AUTH__CALL_LEASE__INIT, *list = &l;
    char *names[] = { (char *)name };
    l.id = (char *)id;
    l.counted = names;
    l.n_counted = 1;
    *(ended ? &m.ended : &m.kept) = &list;
    *(ended ? &m.n_ended : &m.n_kept) = 1;
    admission_leases(all, &m);
}

#define ALICE "sip:alice@example.com"

static void test_a_user_is_counted_by_all_his_addresses(void **state)
{
    char first[32];
    (void)state;
    bench_add("al", "alice", "a-long-password-1", ALG_ALL, true);
    assert_int_equal(ask(.caller = ALICE), CAUSE(OK));
    assert_string_equal(got.counted[0], "user:al@example.com");
    assert_int_equal(got.n_counted, 1);
    bench_copy(first, sizeof(first), got.lease);
    assert_int_equal(ask(.caller = ALICE), CAUSE(OK));
    assert_int_equal(ask(.caller = ALICE), CAUSE(CALLS_LIMIT_USER));
    assert_int_equal(got.status, 486);
    assert_string_equal(got.limit, "user al@example.com: 2 at once");
    assert_false(got.next);
    assert_int_equal(ask(.caller = ALICE, .emergency = true), CAUSE(OK));
    assert_int_equal(calls_of("user:al@example.com"), 3);
    tell(first, "user:al@example.com", true);
    assert_int_equal(calls_of("user:al@example.com"), 2);
    tell(first, "made:up", false); /* nothing of ours */
    tell("short", "user:al@example.com", false);
    assert_int_equal(calls_of("user:al@example.com"), 2);
    assert_int_equal(calls_of("made:up"), 0);
    assert_int_equal(ask(.caller = "sip:bob@example.com"), CAUSE(OK)); /* whom nobody knows */
    assert_string_equal(got.counted[0], "user:bob@example.com");
}

static void test_what_a_refused_call_was_counted_on_is_given_back(void **state)
{
    (void)state;
    assert_int_equal(ask(.from = "t"), CAUSE(OK));
    assert_int_equal(ask(.from = "t"), CAUSE(CALLS_LIMIT_TRUNK));
    assert_int_equal(got.status, 503);
    assert_false(got.next);
    assert_int_equal(ask(.caller = "sip:carol@example.com", .to = "t"), CAUSE(CALLS_LIMIT_TRUNK));
    assert_int_equal(got.status, 480);
    assert_true(got.next);
    assert_int_equal(ask(.caller = "sip:carol@example.com", .to = "other", .number = "6-66"),
                     CAUSE(DESTINATION_FORBIDDEN));
    assert_int_equal(got.status, 403);
    assert_int_equal(calls_of("user:carol@example.com"), 0);
    assert_int_equal(ask(.caller = "sip:carol@example.com", .stranger = true),
                     CAUSE(SIGNER_NOT_ALLOWED));
    put(&(struct question){ .caller = "sip:carol@example.com" });
    admission_forget(&pending);
    run_for(&bench.loop, 50);
    assert_int_equal(calls_of("user:carol@example.com"), 0);
}

static void test_another_candidate_counts_its_trunk_alone(void **state)
{
    char lease[32];
    (void)state;
    assert_int_equal(ask(.caller = "sip:dave@example.com"), CAUSE(OK));
    bench_copy(lease, sizeof(lease), got.lease);
    assert_int_equal(ask(.caller = "sip:dave@example.com", .to = "u", .lease = lease), CAUSE(OK));
    assert_string_not_equal(got.lease, lease); /* so that one is given back without the other */
    assert_string_equal(got.counted[0], "trunk:u");
    assert_int_equal(got.n_counted, 1);
    assert_int_equal(calls_of("user:dave@example.com"), 1);
    assert_int_equal(ask(.caller = "sip:dave@example.com", .to = "u", .lease = lease),
                     CAUSE(CALLS_LIMIT_TRUNK));
}

static void on_info(void *arg, const struct redis_reply *reply)
{
    static const struct span label = SPAN_INIT("total_reads_processed:");
    assert_int_equal(reply->type, REDIS_STRING);
    for (struct span rest = reply->str; rest.n;) {
        struct span more = span_cut(&rest, '\n'), line = span_cut(&more, '\r');
        if (span_starts(line, label))
            assert_int_equal(span_u64(span_skip(line, label.n), INT64_MAX, &reads), 0);
    }
    *(bool *)arg = true;
}

/* How often Redis has read what somebody wrote. */
static uint64_t reads_of_redis(void)
{
    bool done = false;
    redis_do(bench.redis, on_info, &done, SPAN("INFO"), SPAN("stats"));
    assert_true(run_until(&bench.loop, &done, 5000));
    return reads;
}

#define URSULA "sip:ursula@example.com"

static void test_what_it_is_counted_on_is_asked_at_once(void **state)
{
    uint64_t least = UINT64_MAX;
    (void)state;
    bench_add("ursula", "ursula", "a-long-password-1", ALG_ALL, true);
    assert_int_equal(ask(.caller = URSULA), CAUSE(OK)); /* from now on he is known */
    for (int i = 0; i < 100 && least > 2; i++) {        /* others ask now and then, too */
        run_for(&bench.loop, 10);
        const uint64_t reads_before = reads_of_redis();
        assert_int_equal(ask(.caller = URSULA, .from = "v", .to = "w"), CAUSE(OK));
        const uint64_t took = reads_of_redis() - reads_before;
        least = CS_MIN(least, took);
        assert_int_equal(got.n_counted, 3);
        for (size_t k = 0; k < got.n_counted; k++)
            tell(got.lease, got.counted[k], true);
    }
    run_for(&bench.loop, 10);
    assert_int_equal(least, 2); /* one is the question for this number */
}

static void test_the_first_that_refuses_is_named_and_nothing_is_taken(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(ask(.caller = "sip:victor@example.com"), CAUSE(OK));
    assert_int_equal(ask(.from = "v"), CAUSE(OK));
    assert_int_equal(ask(.to = "w"), CAUSE(OK));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ask(.caller = "sip:victor@example.com", .from = "v", .to = "w"),
                         CAUSE(CALLS_LIMIT_USER));
        assert_int_equal(ask(.from = "v", .to = "w"), CAUSE(CALLS_LIMIT_TRUNK));
        assert_string_equal(got.limit, "trunk v: 1 at once");
        assert_int_equal(ask(.from = "s", .to = "w", .number = "666"),
                         CAUSE(DESTINATION_FORBIDDEN));
        assert_int_equal(ask(.from = "s", .to = "w"), CAUSE(CALLS_LIMIT_TRUNK));
        assert_string_equal(got.limit, "trunk w: 1 at once");
    }
    assert_int_equal(calls_of("trunk:s"), 0);
    for (int i = 0; i < 2; i++) /* of the calls that were none nothing is used up */
        assert_int_equal(ask(.from = "s"), CAUSE(OK));
    assert_int_equal(ask(.from = "s"), CAUSE(CALLS_RATE_TRUNK));
}

static void test_a_rate_fills_again(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(ask(.to = "r"), CAUSE(OK));
    assert_int_equal(ask(.to = "r"), CAUSE(CALLS_RATE_TRUNK));
    assert_int_equal(got.retry_after, 1);
    assert_string_equal(got.limit, "trunk r: 2 a second");
    run_for(&bench.loop, 550);
    assert_int_equal(ask(.to = "r"), CAUSE(OK));
    assert_int_equal(ask(.to = "r"), CAUSE(CALLS_RATE_TRUNK));
}

static void test_a_lease_that_nobody_keeps_lapses(void **state)
{
    char kept[32];
    (void)state;
    assert_int_equal(ask(.caller = "sip:erin@example.com"), CAUSE(OK));
    bench_copy(kept, sizeof(kept), got.lease);
    assert_int_equal(ask(.caller = "sip:erin@example.com"), CAUSE(OK));
    run_for(&bench.loop, 2000);
    tell(kept, "user:erin@example.com", false);
    run_for(&bench.loop, 1200);
    assert_int_equal(ask(.caller = "sip:erin@example.com"), CAUSE(OK));
    assert_int_equal(ask(.caller = "sip:erin@example.com"), CAUSE(CALLS_LIMIT_USER));
}

static void test_without_redis_only_calls_for_help_are_made(void **state)
{
    (void)state;
    kill(bench.server.pid, SIGSTOP);
    assert_int_equal(ask(.caller = ALICE), CAUSE(STORE_UNAVAILABLE));
    assert_int_equal(got.kind, COUNTERSIGN__AUTH__VERDICT_KIND__LATER);
    assert_int_equal(ask(.caller = ALICE, .to = "t", .emergency = true), CAUSE(OK));
    assert_int_equal(got.n_counted, 0);
    kill(bench.server.pid, SIGCONT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_user_is_counted_by_all_his_addresses),
        TEST(test_what_a_refused_call_was_counted_on_is_given_back),
        TEST(test_another_candidate_counts_its_trunk_alone),
        TEST(test_what_it_is_counted_on_is_asked_at_once),
        TEST(test_the_first_that_refuses_is_named_and_nothing_is_taken),
        TEST(test_a_rate_fills_again),
        TEST(test_a_lease_that_nobody_keeps_lapses),
        TEST(test_without_redis_only_calls_for_help_are_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
