/* Whom a front hears, and what it tells of those it does not. */
#include "gate/guard.h"

#include "base/metric.h"
#include "lib/run.h"
#include "lib/test.h"

#define AUTH(name)  Countersign__Auth__##name
#define ABUSE(name) COUNTERSIGN__AUTH__ABUSE__ABUSE_##name

static struct loop loop;
static struct guard *guard;

static struct {
    size_t times, n;
    uint32_t count[8];
    AUTH(Abuse) abuse[8];
    bool proven[8];
} told;

static void on_send(void *arg, const AUTH(Observed) * o)
{
    (void)arg;
    told.times++;
    told.n = o->n_sighting;
    for (size_t i = 0; i < CS_MIN(o->n_sighting, CS_LEN(told.count)); i++) {
        told.count[i] = o->sighting[i]->count;
        told.abuse[i] = o->sighting[i]->abuse;
        told.proven[i] = o->sighting[i]->proven;
    }
}

static int setup(void **state)
{
    (void)state;
    assert_int_equal(loop_init(&loop), 0);
    guard = guard_new(&loop);
    assert_non_null(guard);
    guard_on_send(guard, on_send, NULL);
    memset(&told, 0, sizeof(told));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    guard_free(&guard);
    return run_down(&loop) ? 0 : -1;
}

static struct addr at(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(span_str(text), 5060, &a), 0);
    return a;
}

static bool admits(const char *text)
{
    struct addr a = at(text);
    return guard_admits(guard, &a);
}

static bool ban(const char *net, uint16_t port, uint32_t seconds)
{
    AUTH(Ban) m = COUNTERSIGN__AUTH__BAN__INIT;
    struct gate_ban out;
    struct cidr c;
    assert_int_equal(cidr_parse(span_str(net), &c), 0);
    struct span ip = addr_host_bytes(&c.net);
    m.has_source_ip = m.has_prefix_bits = m.has_seconds = true;
    m.source_ip.data = (uint8_t *)ip.p;
    m.source_ip.len = ip.n;
    m.prefix_bits = c.bits;
    m.seconds = seconds;
    m.has_source_port = port != 0;
    m.source_port = port;
    bool taken = guard_take(guard, &m, &out);
    assert_true(!taken || (out.net.bits == c.bits && out.port == port));
    return taken && out.rest.ms == (int64_t)seconds * 1000 && seconds;
}

static void set(const char *exempt, uint32_t rate, uint32_t burst, uint32_t sources)
{
    AUTH(Guard) m = COUNTERSIGN__AUTH__GUARD__INIT;
    AUTH(Network) net = COUNTERSIGN__AUTH__NETWORK__INIT, *nets[] = { &net };
    struct cidr c;
    if (exempt) {
        assert_int_equal(cidr_parse(span_str(exempt), &c), 0);
        struct span ip = addr_host_bytes(&c.net);
        net.has_ip = net.has_bits = true;
        net.ip.data = (uint8_t *)ip.p;
        net.ip.len = ip.n;
        net.bits = c.bits;
        m.exempt = nets;
        m.n_exempt = 1;
    }
    m.has_stranger_rate = m.has_stranger_burst = m.has_sources = true;
    m.stranger_rate = rate;
    m.stranger_burst = burst;
    m.sources = sources;
    guard_set(guard, &m);
}

static void test_a_ban_holds_for_its_network_and_port_until_it_is_lifted(void **state)
{
    (void)state;
    assert_true(admits("192.0.2.1"));
    assert_true(ban("192.0.2.0/24", 0, 100));
    assert_true(ban("198.51.100.1", 6000, 100));
    assert_true(ban("2001:db8::/64", 0, 100));
    assert_int_equal(metric_get(M_GATE_BANS, 0), 3);
    static const struct {
        const char *source;
        bool heard;
    } rows[] = {
        { "192.0.2.1", false },        { "192.0.3.1", true },    { "198.51.100.1:6000", false },
        { "198.51.100.1:6001", true }, { "2001:db8::1", false }, { "2001:db8:0:1::1", true },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++)
        assert_int_equal(admits(rows[i].source), rows[i].heard);
    assert_false(ban("192.0.2.0/24", 0, 0));
    assert_false(ban("203.0.113.0/24", 0, 0)); /* there was none */
    assert_true(admits("192.0.2.1"));
    assert_false(admits("2001:db8::1"));
}

static void test_a_ban_ends_by_itself_and_is_forgotten(void **state)
{
    (void)state;
    assert_true(ban("192.0.2.1", 0, 1));
    assert_true(ban("192.0.2.1", 0, 1)); /* replaced, not doubled */
    assert_int_equal(metric_get(M_GATE_BANS, 0), 1);
    assert_false(admits("192.0.2.1"));
    run_for(&loop, 1050);
    assert_true(admits("192.0.2.1"));
    run_for(&loop, 1100);
    assert_int_equal(metric_get(M_GATE_BANS, 0), 0);
}

static void test_settings_forget_bans_and_exempt_sources_are_always_heard(void **state)
{
    (void)state;
    assert_true(ban("192.0.2.0/24", 0, 100));
    set("192.0.2.7", 0, 0, 16);
    assert_true(admits("192.0.2.1"));
    assert_true(ban("192.0.2.0/24", 0, 100));
    assert_false(admits("192.0.2.1"));
    assert_true(admits("192.0.2.7"));
}

static void test_what_is_no_ban_changes_nothing(void **state)
{
    (void)state;
    AUTH(Ban) m = COUNTERSIGN__AUTH__BAN__INIT;
    struct gate_ban out;
    assert_false(guard_take(guard, &m, &out));
    m.has_source_ip = m.has_seconds = true;
    m.seconds = 10;
    m.source_ip.data = (uint8_t *)"12345";
    m.source_ip.len = 5;
    assert_false(guard_take(guard, &m, &out));
    m.source_ip.len = 4;
    m.has_prefix_bits = true;
    m.prefix_bits = 4000000; /* as many as there are */
    assert_true(guard_take(guard, &m, &out));
    assert_int_equal(out.net.bits, 32);
}

static unsigned heard_of(const char *source, unsigned n)
{
    unsigned heard = 0;
    while (n--)
        heard += admits(source);
    return heard;
}

static void test_strangers_have_a_budget_until_somebody_is_accepted_there(void **state)
{
    (void)state;
    set(NULL, 100, 20, 16);
    assert_int_equal(heard_of("192.0.2.1", 50), 20);
    assert_int_equal(heard_of("192.0.2.2", 5), 5); /* each source its own */
    run_for(&loop, 100);
    assert_in_range(heard_of("192.0.2.1", 50), 9, 20);
    struct addr a = at("192.0.2.1");
    guard_know(guard, guard_source(guard, &a));
    assert_int_equal(heard_of("192.0.2.1", 500), 500);
    struct addr b = at("192.0.2.3");
    guard_saw(guard, ABUSE(MALFORMED), &b, false); /* costs ten */
    assert_int_equal(heard_of("192.0.2.3", 50), 10);
    guard_saw(guard, ABUSE(FLOW), &a, false);
    assert_int_equal(heard_of("192.0.2.1", 50), 50);
    set(NULL, 0, 20, 16);
    assert_int_equal(heard_of("192.0.2.9", 500), 500);
}

static void test_sources_are_bounded_and_the_oldest_goes(void **state)
{
    (void)state;
    char text[32];
    set(NULL, 1, 1, 16);
    struct addr a = at("192.0.2.1");
    guard_know(guard, guard_source(guard, &a));
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "10.0.%u.%u", i / 250, i % 250);
        assert_true(admits(text));
        if (i % 10 == 0) /* who is heard of stays */
            assert_true(admits("192.0.2.1"));
    }
    assert_int_equal(heard_of("192.0.2.1", 3), 3);
    assert_true(admits("10.0.0.0")); /* forgotten, and so it may speak once more */
}

static void test_sightings_are_told_once_a_second_by_source_and_kind(void **state)
{
    (void)state;
    set("127.0.0.0/8", 0, 0, 16);
    struct addr a = at("192.0.2.1:1000"), b = at("192.0.2.1:1001"), ours = at("127.0.0.1");
    for (int i = 0; i < 100; i++)
        guard_saw(guard, ABUSE(MALFORMED), &a, true);
    guard_saw(guard, ABUSE(MALFORMED), &a, false);
    guard_saw(guard, ABUSE(FLOW), &a, true);
    guard_saw(guard, ABUSE(MALFORMED), &b, true);
    guard_saw(guard, ABUSE(MALFORMED), &ours, true);
    assert_int_equal(told.times, 0);
    run_for(&loop, 1050);
    assert_int_equal(told.times, 1);
    assert_int_equal(told.n, 4);
    assert_int_equal(told.count[0], 100);
    assert_true(told.proven[0]);
    assert_false(told.proven[1]);
    assert_int_equal(told.abuse[2], ABUSE(FLOW));
    run_for(&loop, 1100);
    assert_int_equal(told.times, 1); /* nothing new */
    for (unsigned i = 0; i < 2000; i++) {
        addr_set_port(&a, (uint16_t)(2000 + i));
        guard_saw(guard, ABUSE(CONNECTION), &a, true);
    }
    run_for(&loop, 1050);
    assert_int_equal(told.times, 2);
    assert_int_equal(told.n, 512);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_ban_holds_for_its_network_and_port_until_it_is_lifted),
        TEST(test_a_ban_ends_by_itself_and_is_forgotten),
        TEST(test_settings_forget_bans_and_exempt_sources_are_always_heard),
        TEST(test_what_is_no_ban_changes_nothing),
        TEST(test_strangers_have_a_budget_until_somebody_is_accepted_there),
        TEST(test_sources_are_bounded_and_the_oldest_goes),
        TEST(test_sightings_are_told_once_a_second_by_source_and_kind),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
