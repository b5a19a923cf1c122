/* Sealing anew in a real Redis: afterwards the new key opens everything, and the old one nothing.
 */
#include "authd/vault/reseal.h"

#include "authd/store/records.h"
#include "authd/store/trunk.h"
#include "unit/authd/bench.h"

#define OLD "7:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define NEW "8:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

enum { USERS = 230 }; /* three pages */

static struct vault *both, *new_key;
static struct reseal *reseal;

static int setup(void **state)
{
    return bench_open(state) || vault_new(SPAN(NEW OLD), &both) || vault_new(SPAN(NEW), &new_key) ||
           reseal_new(&bench.loop, bench.redis, both, both, &reseal);
}

static int teardown(void **state)
{
    reseal_free(&reseal);
    vault_free(&both);
    vault_free(&new_key);
    return bench_close(state);
}

static struct reseal_progress run(void)
{
    reseal_start(reseal);
    reseal_start(reseal); /* while it runs it is not begun again */
    for (unsigned i = 0; i < 500 && reseal_progress(reseal)->state == RESEAL_RUNNING; i++)
        run_for(&bench.loop, 10);
    return *reseal_progress(reseal);
}

static struct {
    bool done;
    int err;
    uint8_t keys[ALG_COUNT];
    bool opens;
    int64_t changed;
} seen;

static void on_user(void *arg, int err, const struct user *u)
{
    unsigned char ha1[ALG_MAX_LEN];
    (void)arg;
    seen.done = true;
    seen.err = err;
    seen.opens = true;
    for (enum algorithm alg = 0; !err && alg < ALG_COUNT; alg++) {
        seen.keys[alg] = u->sealed[alg].p ? (uint8_t)u->sealed[alg].p[0] : 0;
        if (u->sealed[alg].p)
            seen.opens &= user_open_verifier(u, new_key, alg, ha1) == 0;
    }
    seen.changed = err ? 0 : u->changed.ms;
}

static void look(const char *name)
{
    seen.done = false;
    store_get_user(bench.k.store, span_str(name), SPAN("example.com"), on_user, NULL);
    assert_true(run_until(&bench.loop, &seen.done, 3000));
    assert_int_equal(seen.err, 0);
}

static void on_done(void *arg, int err)
{
    (void)arg;
    seen.done = true;
    seen.err = err;
}

static char trunk_bytes[2048];
static size_t trunk_n;

static void on_trunk(void *arg, int err, struct span bytes)
{
    (void)arg;
    seen.done = true;
    seen.err = err;
    trunk_n = CS_MIN(bytes.n, sizeof(trunk_bytes));
    memcpy(trunk_bytes, bytes.p, trunk_n);
}

/* The first has all algorithms, the others one. */
static void fill(void)
{
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    for (int i = 0; i < USERS; i++) {
        char name[32];
        snprintf(name, sizeof(name), "u%03d", i);
        struct user u = { .name = span_str(name),
                          .realm = SPAN("example.com"),
                          .enabled = true,
                          .changed = { 1000 + i } };
        assert_int_equal(user_set_password(&u, bench.k.vault, i ? ALG_BIT(ALG_MD5) : ALG_ALL,
                                           SPAN("a good long password"), &a),
                         0);
        assert_int_equal(bench_wait(store_put_user(bench.k.store, NULL, &u, bench_on_done, NULL)),
                         0);
    }
    arena_fini(&a);
}

static void fill_trunk(struct records *trunks, struct vault *v, const char *name)
{
    char space[2048];
    struct buf b = BUF_INIT(space);
    struct arena a;
    struct trunk_credential c = { .realm = SPAN("r"), .user = SPAN("u") };
    struct trunk t = { .name = span_str(name), .credentials = &c, .n_credentials = 1 };
    arena_init(&a, NULL, 0, 0);
    assert_int_equal(trunk_seal(&t, &c, v, SPAN("planted"), &a), 0);
    assert_int_equal(trunk_encode(&t, &b), 0);
    seen.done = false;
    assert_non_null(record_put(trunks, t.name, SPAN_NULL, buf_span(&b), on_done, NULL));
    assert_true(run_until(&bench.loop, &seen.done, 3000));
    assert_int_equal(seen.err, 0);
    arena_fini(&a);
}

static void test_the_new_key_opens_everything_and_nobody_was_told(void **state)
{
    struct records trunks;
    struct arena a;
    struct trunk t;
    char password[TRUNK_MAX_PASSWORD];
    size_t n;
    (void)state;
    records_init(&trunks, bench.redis, SPAN(TRUNK_PREFIX), SPAN(TRUNK_INDEX));
    assert_int_equal(reseal_progress(reseal)->state, RESEAL_IDLE);
    fill();
    fill_trunk(&trunks, bench.k.vault, "carrier");
    look("u000");
    assert_int_equal(seen.keys[ALG_SHA256], 7);
    assert_false(seen.opens);
    const int64_t told = bench_do(SPAN("XLEN"), SPAN("cs:events"));

    struct reseal_progress p = run();
    assert_int_equal(p.state, RESEAL_DONE);
    assert_int_equal(p.seen, USERS + 1);
    assert_int_equal(p.resealed, USERS + 1);
    assert_int_equal(p.unreadable, 0);
    assert_true(p.began.ms > 0 && p.ended.ms >= p.began.ms);
    for (int i = 0; i < USERS; i += 76) {
        char name[32];
        snprintf(name, sizeof(name), "u%03d", i);
        look(name);
        assert_true(seen.opens);
        assert_int_equal(seen.keys[ALG_MD5], 8);
        assert_int_equal(seen.keys[ALG_SHA512_256], i ? 0 : 8);
        assert_int_equal(seen.changed, 1000 + i);
    }
    assert_int_equal(bench_do(SPAN("XLEN"), SPAN("cs:events")), told); /* no phone is thrown out */
    arena_init(&a, NULL, 0, 0);
    seen.done = false;
    record_get(&trunks, SPAN("carrier"), on_trunk, NULL);
    assert_true(run_until(&bench.loop, &seen.done, 3000));
    assert_int_equal(trunk_decode(span_of(trunk_bytes, trunk_n), &a, &t), 0);
    assert_int_equal(trunk_open(&t, t.credentials, new_key, password, &n), 0);
    assert_memory_equal(password, "planted", 7);
    arena_fini(&a);
    records_fini(&trunks);

    p = run(); /* what is done is not done again */
    assert_int_equal(p.state, RESEAL_DONE);
    assert_int_equal(p.seen, USERS + 1);
    assert_int_equal(p.resealed, 0);
}

static void test_what_cannot_be_read_is_counted_and_left(void **state)
{
    struct records trunks;
    struct vault *lost;
    (void)state;
    assert_int_equal(
        vault_new(SPAN("3:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
                  &lost),
        0);
    records_init(&trunks, bench.redis, SPAN(TRUNK_PREFIX), SPAN(TRUNK_INDEX));
    fill_trunk(&trunks, lost, "lost");
    vault_free(&lost);
    records_fini(&trunks);
    bench_do(SPAN("SET"), SPAN("cs:user:{u001@example.com}"), SPAN("rubbish"));
    struct reseal_progress p = run();
    assert_int_equal(p.state, RESEAL_DONE);
    assert_int_equal(p.seen, USERS + 2);
    assert_int_equal(p.unreadable, 2);
    assert_int_equal(p.resealed, 0);
}

/* Both read the same records in the same turn, so one of them finds that it was too late. */
static void test_two_at_once_do_each_once(void **state)
{
    struct reseal *other;
    struct arena a;
    (void)state;
    arena_init(&a, NULL, 0, 0);
    for (int i = 2; i < 6; i++) { /* sealed by the old key, as by an authd that has it first */
        char name[32];
        snprintf(name, sizeof(name), "w%03d", i);
        struct user u = { .name = span_str(name), .realm = SPAN("example.com") };
        assert_int_equal(user_set_password(&u, bench.k.vault, ALG_ALL, SPAN("some long words"), &a),
                         0);
        assert_int_equal(bench_wait(store_put_user(bench.k.store, NULL, &u, bench_on_done, NULL)),
                         0);
    }
    arena_fini(&a);
    assert_int_equal(reseal_new(&bench.loop, bench.redis, both, both, &other), 0);
    reseal_start(other);
    struct reseal_progress p = run();
    for (unsigned i = 0; i < 500 && reseal_progress(other)->state == RESEAL_RUNNING; i++)
        run_for(&bench.loop, 10);
    assert_int_equal(p.state, RESEAL_DONE);
    assert_int_equal(reseal_progress(other)->state, RESEAL_DONE);
    assert_int_equal(p.resealed + reseal_progress(other)->resealed, 4);
    assert_int_equal(p.seen, reseal_progress(other)->seen);
    reseal_free(&other);
    look("w002");
    assert_true(seen.opens);
    look("w005");
    assert_true(seen.opens);
}

static void test_it_goes_on_where_redis_went_away(void **state)
{
    (void)state;
    reseal_start(reseal);
    redis_server_kill(&bench.server);
    for (unsigned i = 0; i < 500 && reseal_progress(reseal)->state == RESEAL_RUNNING; i++)
        run_for(&bench.loop, 10);
    assert_int_equal(reseal_progress(reseal)->state, RESEAL_BROKEN);
    const struct wall began = reseal_progress(reseal)->began;
    reseal_start(reseal);
    assert_int_equal(reseal_progress(reseal)->state, RESEAL_RUNNING);
    assert_int_equal(reseal_progress(reseal)->began.ms, began.ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_new_key_opens_everything_and_nobody_was_told),
        cmocka_unit_test(test_what_cannot_be_read_is_counted_and_left),
        cmocka_unit_test(test_two_at_once_do_each_once),
        cmocka_unit_test(test_it_goes_on_where_redis_went_away),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
