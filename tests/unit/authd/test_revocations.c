/* Two authd on one Redis: what one of them revokes both know, tell and look at; what stood before
 * they began, what ends, what is lifted, what was left half done. */
#include "authd/revocation/revocations.h"

#include "authd/revocation/revoker.h"
#include "lib/test.h"
#include "unit/authd/bench.h"

#define ISSUER SPAN("https://a.example")

static struct node { /* what its fronts would hear */
    struct revoker *revoker;
    size_t fallen, told, marks, currents, lost;
    uint64_t front, before_s;
    unsigned char tag[REST_TAG_LEN];
} here, there;

static void on_changed(void *arg, struct span name, struct span realm)
{
    (void)arg, (void)name, (void)realm;
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
    n->lost += r->has_lost && r->lost;
    n->marks += !r->has_rests_on && !(r->has_lost && r->lost);
    if (!r->has_rests_on)
        return;
    assert_int_equal(r->rests_on.len, REST_TAG_LEN);
    memcpy(n->tag, r->rests_on.data, REST_TAG_LEN);
    n->before_s = r->has_issued_before_s ? r->issued_before_s : 0;
    n->told++;
}

static const struct revocation *must_know; /* whoever is current */
static const struct revocation *found(struct revoker *r, const struct revocation *x);

static void on_current(void *arg)
{
    struct node *n = arg;
    n->currents++;
    if (must_know)
        assert_non_null(found(n->revoker, must_know));
}

static const struct revoker_listener listener = { on_changed, on_fallen, on_revoked, on_current };

static void open_there(void)
{
    static struct redis_conf rc;
    rc = (struct redis_conf){ .unix_path = bench.server.socket, .deadline = DURATION_MS(200) };
    const struct revoker_conf conf = { .loop = &bench.loop,
                                       .redis = bench.redis,
                                       .watch = &rc,
                                       .store = bench.k.store,
                                       .cache = bench.k.cache };
    there = (struct node){ 0 };
    assert_int_equal(revoker_new(&conf, &there.revoker), 0);
    revoker_listen(there.revoker, &listener, &there);
    assert_false(revoker_is_current(there.revoker));
    assert_true(run_until_count(&bench.loop, &there.currents, 1, 5000));
    assert_true(revoker_is_current(there.revoker));
}

static int open_both(void **state)
{
    (void)state;
    open_there();
    here = (struct node){ .revoker = bench.k.revoker };
    revoker_listen(here.revoker, &listener, &here);
    return 0;
}

static int close_both(void **state)
{
    (void)state;
    revoker_listen(here.revoker, NULL, NULL);
    revoker_free(&there.revoker);
    bench_do(SPAN("FLUSHALL"));
    run_for(&bench.loop, 50);
    bench_settle();
    return 0;
}

/* ---- revoking ---- */

static struct revocation jti(const char *value)
{
    return (struct revocation){
        .kind = REVOKED(TOKEN), .issuer = ISSUER, .value = span_str(value), .since = clock_wall()
    };
}

static void declare(struct revoker *r, const struct revocation *x, bool gone)
{
    struct revocations *set = revoker_revocations(r);
    char id[REVOCATION_ID_LEN + 1];
    Countersign__Store__Event e;
    struct arena a;
    revocation_id(x, id);
    arena_init(&a, NULL, 0, 0);
    assert_int_equal(event_of_revocation(span_str(id), clock_wall(), &a, &e), 0);
    struct span packed = event_encode(&e, &a);
    revoker_begin(r, &e, packed);
    if (gone)
        assert_non_null(revocations_lift(set, span_str(id), redis_ignore, NULL));
    else
        assert_non_null(revocations_put(set, x, redis_ignore, NULL));
    assert_non_null(revoker_announce(r, packed, redis_ignore, NULL));
    arena_fini(&a);
}

static const struct revocation *found(struct revoker *r, const struct revocation *x)
{
    unsigned char tag[REST_TAG_LEN];
    revocation_tag(x->kind, x->issuer, x->value, tag);
    const struct rests on = { .tags = span_of(tag, sizeof(tag)), .issued = true, .issued_s = 50 };
    return revocations_find(revoker_revocations(r), &on);
}

static bool both_told(size_t n)
{
    return run_until_count(&bench.loop, &here.told, n, 2000) &&
           run_until_count(&bench.loop, &there.told, n, 2000);
}

static bool is_finished(void)
{
    for (unsigned i = 0; i < 200; i++) {
        if (bench_do(SPAN("HLEN"), SPAN("cs:revoking")) == 0)
            return true;
        run_for(&bench.loop, 5);
    }
    return false;
}

static void test_what_one_revokes_both_know(void **state)
{
    const struct revocation x = jti("one"), other = jti("two");
    unsigned char tag[REST_TAG_LEN];
    (void)state;
    assert_null(found(here.revoker, &x));
    declare(there.revoker, &x, false);
    assert_true(both_told(1));
    revocation_tag(x.kind, x.issuer, x.value, tag);
    for (struct node *n = &here; n; n = n == &here ? &there : NULL) {
        assert_memory_equal(n->tag, tag, sizeof(tag));
        assert_int_equal(n->front, 0);
        assert_int_equal(n->fallen, 1);
        assert_non_null(found(n->revoker, &x));
        assert_null(found(n->revoker, &other));
        assert_int_equal(revocations_count(revoker_revocations(n->revoker)), 1);
    }
    assert_true(is_finished());
}

static void test_a_bound_is_told_and_looked_at(void **state)
{
    struct revocation x = jti("one");
    (void)state;
    x.bounded = true;
    x.before_s = 50; /* what found() asks about was issued then */
    declare(here.revoker, &x, false);
    assert_true(both_told(1));
    assert_int_equal(there.before_s, 50);
    assert_null(found(there.revoker, &x));
    x.before_s = 51; /* replaces it */
    declare(there.revoker, &x, false);
    assert_true(both_told(2));
    assert_non_null(found(here.revoker, &x));
    assert_int_equal(revocations_count(revoker_revocations(here.revoker)), 1);
}

static void test_what_is_lifted_is_forgotten_and_nobody_is_told_it_fell(void **state)
{
    const struct revocation x = jti("one");
    (void)state;
    declare(here.revoker, &x, false);
    assert_true(both_told(1));
    const size_t marks = there.marks;
    declare(there.revoker, &x, true);
    assert_true(run_until_count(&bench.loop, &there.marks, marks + 1, 2000));
    assert_true(is_finished());
    assert_null(found(here.revoker, &x));
    assert_null(found(there.revoker, &x));
    assert_int_equal(here.told + there.told, 2);
}

static void test_what_stood_before_is_known_at_the_start(void **state)
{
    enum { N = 1500 }; /* more than one page of HSCAN */
    char name[32];
    (void)state;
    for (unsigned i = 0; i < N; i++) {
        snprintf(name, sizeof(name), "t%u", i);
        const struct revocation x = jti(name);
        assert_non_null(revocations_put(revoker_revocations(here.revoker), &x, redis_ignore, NULL));
    }
    bench_do(SPAN("HSET"), SPAN("cs:revoked"), SPAN("0011223344556677"), SPAN("\xff"));
    revoker_free(&there.revoker);
    open_there();
    assert_int_equal(revocations_count(revoker_revocations(there.revoker)), N);
    for (unsigned i = 0; i < N; i++) {
        snprintf(name, sizeof(name), "t%u", i);
        const struct revocation x = jti(name);
        assert_non_null(found(there.revoker, &x));
    }
    assert_int_equal(there.told, 0); /* no front has anything from before */
}

static void test_pages_hold_all_in_order(void **state)
{
    const struct revocation *page[4];
    struct revocations *set = revoker_revocations(here.revoker);
    char last[REVOCATION_ID_LEN + 1] = "", id[REVOCATION_ID_LEN + 1], name[8];
    size_t n, seen = 0;
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "t%u", i);
        const struct revocation x = jti(name);
        declare(here.revoker, &x, false);
    }
    assert_true(both_told(10));
    while ((n = revocations_page(set, last[0] ? span_str(last) : SPAN_NULL, page, 4)) > 0) {
        for (size_t i = 0; i < n; i++) {
            revocation_id(page[i], id);
            assert_true(strcmp(last, id) < 0);
            memcpy(last, id, sizeof(last));
            assert_ptr_equal(revocations_by_id(set, span_str(id)), page[i]);
            seen++;
        }
    }
    assert_int_equal(seen, 10);
    assert_null(revocations_by_id(set, SPAN("nonsense")));
}

static void test_one_that_has_ended_holds_nobody_back(void **state)
{
    struct revocation x = jti("one");
    const struct revocation *page[2];
    (void)state;
    x.until = wall_add(clock_wall(), DURATION_MS(300));
    declare(here.revoker, &x, false);
    assert_true(both_told(1));
    assert_non_null(found(here.revoker, &x));
    run_for(&bench.loop, 320);
    assert_null(found(here.revoker, &x));
    assert_int_equal(revocations_page(revoker_revocations(here.revoker), SPAN_NULL, page, 2), 0);
}

static void test_an_event_for_nothing_and_one_that_cannot_be_read(void **state)
{
    const struct revocation x = jti("one"), y = jti("two");
    char id[REVOCATION_ID_LEN + 1];
    Countersign__Store__Event e;
    struct arena a;
    (void)state;
    arena_init(&a, NULL, 0, 0);
    revocation_id(&x, id);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(event_of_revocation(span_str(id), clock_wall(), &a, &e), 0);
        assert_non_null(events_append(bench.redis, event_encode(&e, &a), redis_ignore, NULL));
        bench_do(SPAN("HSET"), SPAN("cs:revoked"), span_str(id), SPAN("\xff"));
    }
    arena_fini(&a);
    declare(here.revoker, &y, false);
    assert_true(both_told(1));
    assert_non_null(found(there.revoker, &y));
    assert_null(found(there.revoker, &x));
    assert_true(revoker_is_current(there.revoker));
}

/* ---- who was away ---- */

static void test_a_front_that_was_away_hears_what_stands(void **state)
{
    const struct revocation x = jti("one"), y = jti("two");
    char behind[EVENT_ID_MAX];
    (void)state;
    bench_copy(behind, sizeof(behind), revoker_place(there.revoker));
    declare(here.revoker, &x, false);
    declare(here.revoker, &y, false);
    declare(here.revoker, &y, true);
    assert_true(is_finished());
    run_for(&bench.loop, 50);
    const size_t told = there.told;
    assert_int_equal(revoker_replay(there.revoker, 7, span_str(behind)), 0);
    assert_true(run_until_count(&bench.loop, &there.told, told + 1, 2000));
    run_for(&bench.loop, 50);
    assert_int_equal(there.told, told + 1); /* the other was lifted */
    assert_int_equal(there.front, 7);
    assert_int_equal(there.fallen, told); /* here it was known */
}

static void test_who_lost_its_place_hears_all_that_stands(void **state)
{
    const struct revocation x = jti("one"), y = jti("two");
    (void)state;
    declare(here.revoker, &x, false);
    assert_true(both_told(1));
    assert_true(is_finished());
    assert_int_equal(revoker_replay(there.revoker, 7, SPAN("1-1")), 0);
    assert_true(run_until_count(&bench.loop, &there.told, 2, 2000));
    assert_int_equal(there.lost, 1);
    assert_int_equal(there.front, 7);
    /* Of our own place, and with one that nobody told of. */
    assert_non_null(revocations_put(revoker_revocations(here.revoker), &y, redis_ignore, NULL));
    const size_t currents = there.currents;
    bench_do(SPAN("DEL"), SPAN("cs:events"));
    assert_true(run_until_count(&bench.loop, &there.currents, currents + 1, 3000));
    assert_non_null(found(there.revoker, &y));
    assert_int_equal(there.told, 4);
}

static void test_a_look_that_fails_holds_everything_back(void **state)
{
    const struct revocation x = jti("one");
    (void)state;
    /* The event is read, and then Redis is away before it can be looked up. */
    char before[EVENT_ID_MAX];
    bench_copy(before, sizeof(before), revoker_place(there.revoker));
    declare(here.revoker, &x, false);
    while (strcmp(revoker_place(there.revoker), before) == 0)
        loop_run_once(&bench.loop);
    assert_int_equal(there.told, 0);
    redis_server_kill(&bench.server);
    run_for(&bench.loop, 300);
    assert_false(revoker_is_current(there.revoker));
    must_know = &x;
    const size_t currents = there.currents;
    redis_server_start(&bench.server, NULL);
    assert_true(run_until_count(&bench.loop, &there.currents, currents + 1, 5000));
    assert_true(revoker_is_current(there.revoker));
    assert_true(both_told(1));
    must_know = NULL;
    bench_settle();
}

static void test_what_was_left_half_done_is_ended_by_another(void **state)
{
    const struct revocation x = jti("one");
    char id[REVOCATION_ID_LEN + 1];
    Countersign__Store__Event e;
    struct arena a;
    (void)state;
    arena_init(&a, NULL, 0, 0);
    revocation_id(&x, id);
    struct wall then = { clock_wall().ms - 10000 };
    assert_int_equal(event_of_revocation(span_str(id), then, &a, &e), 0);
    struct span packed = event_encode(&e, &a);
    bench_do(SPAN("HSET"), SPAN("cs:revoking"), span_str(e.token), packed);
    arena_fini(&a);
    assert_non_null(revocations_put(revoker_revocations(here.revoker), &x, redis_ignore, NULL));
    revoker_free(&there.revoker);
    open_there(); /* who starts looks there */
    assert_true(run_until_count(&bench.loop, &here.told, 1, 2000));
    assert_true(is_finished());
    assert_non_null(found(here.revoker, &x));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)
    const struct CMUnitTest tests[] = {
        TEST(test_what_one_revokes_both_know),
        TEST(test_a_bound_is_told_and_looked_at),
        TEST(test_what_is_lifted_is_forgotten_and_nobody_is_told_it_fell),
        TEST(test_what_stood_before_is_known_at_the_start),
        TEST(test_pages_hold_all_in_order),
        TEST(test_one_that_has_ended_holds_nobody_back),
        TEST(test_an_event_for_nothing_and_one_that_cannot_be_read),
        TEST(test_a_front_that_was_away_hears_what_stands),
        TEST(test_who_lost_its_place_hears_all_that_stands),
        TEST(test_a_look_that_fails_holds_everything_back),
        TEST(test_what_was_left_half_done_is_ended_by_another),
    };
    return cmocka_run_group_tests(tests, bench_open, bench_close);
}
