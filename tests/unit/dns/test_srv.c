/* RFC 2782 by numbers. */
#include "base/rand.h"
#include "base/util.h"
#include "dns/srv.h"
#include "lib/test.h"

enum { ROUNDS = 40000 };

static struct dns_record srv(uint16_t priority, uint16_t weight, const char *target)
{
    return (struct dns_record){
        .srv = { .priority = priority, .weight = weight, .port = 1, .target = span_str(target) }
    };
}

static void test_priorities_come_first(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct dns_record r[] = { srv(30, 9, "d"), srv(10, 0, "a"), srv(20, 100, "c"),
                                  srv(20, 1, "b") };
        srv_order(r, CS_LEN(r), rand_u64());
        assert_int_equal(r[0].srv.priority, 10);
        assert_int_equal(r[1].srv.priority, 20);
        assert_int_equal(r[2].srv.priority, 20);
        assert_int_equal(r[3].srv.priority, 30);
    }
}

/* How often each of a, b, ... comes at this place, in percent. */
static void count(const struct dns_record *from, size_t n, size_t place, double *share)
{
    memset(share, 0, n * sizeof(*share));
    for (int i = 0; i < ROUNDS; i++) {
        struct dns_record r[8];
        memcpy(r, from, n * sizeof(*r));
        srv_order(r, n, rand_u64());
        share[r[place].srv.target.p[0] - 'a'] += 100.0 / ROUNDS;
    }
}

static void assert_near(double got, double want)
{
    if (got > want - 1.5 && got < want + 1.5) /* six standard deviations */
        return;
    print_error("%.2f %% instead of %.2f %%\n", got, want);
    fail();
}

/* W-06 */
static void test_weights_are_shares(void **state)
{
    const struct dns_record r[] = { srv(1, 10, "a"), srv(1, 30, "b"), srv(1, 60, "c") };
    double first[3], second[3];
    (void)state;
    count(r, 3, 0, first);
    /* A number of 0 to 100, inclusive, falls on the first by 11 of 101. */
    assert_near(first[0], 100 * 11 / 101.0);
    assert_near(first[1], 100 * 30 / 101.0);
    assert_near(first[2], 100 * 60 / 101.0);
    count(r, 3, 1, second);
    assert_near(second[2], 100 * (11 / 101.0 * 60 / 91.0 + 30 / 101.0 * 60 / 71.0));
}

static void test_equal_and_absent_weights(void **state)
{
    const struct dns_record equal[] = { srv(1, 5, "a"), srv(1, 5, "b") };
    const struct dns_record some[] = { srv(1, 0, "a"), srv(1, 99, "b") };
    double share[2];
    (void)state;
    count(equal, 2, 0, share);
    assert_near(share[0], 100 * 6 / 11.0);
    count(some, 2, 0, share);
    assert_near(share[0], 1); /* a small chance, as the RFC wants */
}

static void test_one_seed_makes_one_choice_whatever_the_order(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct dns_record x[] = { srv(1, 1, "a"), srv(1, 1, "b"), srv(1, 1, "c"), srv(1, 0, "d") };
        struct dns_record y[] = { x[3], x[1], x[0], x[2] };
        uint64_t seed = rand_u64();
        srv_order(x, 4, seed);
        srv_order(y, 4, seed);
        for (size_t j = 0; j < 4; j++)
            assert_true(span_eq(x[j].srv.target, y[j].srv.target));
    }
}

static void test_addresses_share_evenly(void **state)
{
    struct dns_record from[3] = { 0 };
    double share[3] = { 0 };
    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(addr_from_bytes(span_of((char[]){ 10, 0, 0, (char)i }, 4), &from[i].addr),
                         0);
    for (int i = 0; i < ROUNDS; i++) {
        struct dns_record r[3] = { from[i % 3], from[(i + 1) % 3], from[(i + 2) % 3] };
        srv_shuffle_addrs(r, 3, rand_u64());
        share[(unsigned char)addr_host_bytes(&r[0].addr).p[3]] += 100.0 / ROUNDS;
    }
    for (size_t i = 0; i < 3; i++)
        assert_near(share[i], 100 / 3.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_priorities_come_first),
        cmocka_unit_test(test_weights_are_shares),
        cmocka_unit_test(test_equal_and_absent_weights),
        cmocka_unit_test(test_one_seed_makes_one_choice_whatever_the_order),
        cmocka_unit_test(test_addresses_share_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
