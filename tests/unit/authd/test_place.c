/* Where requests come from: networks, sets of them, countries. (G-22, G-28, G-37) */
#include "authd/defence/place.h"

#include "authd/check/policy.h"
#include "base/util.h"
#include "lib/test.h"

static struct facts from(const char *address, uint64_t sets)
{
    struct facts f = { .method = SPAN("INVITE"), .sets = sets };
    if (address)
        assert_int_equal(addr_parse_host(span_str(address), 5060, &f.source), 0);
    return f;
}

static struct cidr net_of(const char *text)
{
    struct cidr c;
    assert_int_equal(cidr_parse(span_str(text), &c), 0);
    return c;
}

static void test_to_be_in_any_network_or_set_is_enough(void **state)
{
    (void)state;
    struct cidr nets[] = { net_of("192.0.2.0/24"), net_of("2001:db8::/32") };
    struct span names[] = { SPAN("a"), SPAN("b") };
    const struct place_conf none = { 0 };
    const struct place_conf both = {
        .sources = nets, .n_sources = 2, .sets = names, .n_sets = 2, .set_mask = 5
    };
    static const struct {
        const char *address;
        uint64_t sets;
        bool holds;
    } rows[] = {
        { "192.0.2.7", 0, true },    { "2001:db8::7", 0, true },   { "198.51.100.7", 1, true },
        { "198.51.100.7", 4, true }, { "198.51.100.7", 2, false }, { "198.51.100.7", 0, false },
        { NULL, 0, false },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        const struct facts f = from(rows[i].address, rows[i].sets);
        assert_int_equal(place_holds(&both, &f), rows[i].holds);
        assert_false(place_holds(&none, &f));
    }
    assert_true(place_is_empty(&none));
    assert_false(place_is_empty(&both));
}

static void test_names_get_one_bit_each_and_no_more_than_there_are(void **state)
{
    (void)state;
    static struct set_names all;
    struct span first[] = { SPAN("a"), SPAN("b") }, second[] = { SPAN("c"), SPAN("a") };
    struct place_conf p = { .sets = first, .n_sets = 2 }, q = { .sets = second, .n_sets = 2 };
    assert_int_equal(place_number(&p, &all), 0);
    assert_int_equal(place_number(&q, &all), 0);
    assert_int_equal(p.set_mask, 3);
    assert_int_equal(q.set_mask, 5);
    assert_int_equal(all.n, 3);
    static char texts[SET_NAMES_MAX][8];
    for (size_t i = 0; i < SET_NAMES_MAX; i++) {
        struct span name = span_of(texts[i], 2);
        struct place_conf one = { .sets = &name, .n_sets = 1 };
        texts[i][0] = (char)('A' + i / 16);
        texts[i][1] = (char)('A' + i % 16);
        assert_int_equal(place_number(&one, &all), i < SET_NAMES_MAX - 3 ? 0 : CS_ELIMIT);
    }
    assert_int_equal(all.n, SET_NAMES_MAX);
}

static void test_what_is_private_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *net;
        bool is_private;
    } rows[] = {
        { "127.0.0.1", true },      { "10.0.0.0/8", true },
        { "10.1.0.0/16", true },    { "172.16.0.0/12", true },
        { "172.0.0.0/11", false },  { "172.32.0.0/16", false },
        { "192.168.0.0/16", true }, { "192.0.2.0/24", false },
        { "100.64.0.0/10", true },  { "::1", true },
        { "fc00::/7", true },       { "fd12::/48", true },
        { "fe80::/10", true },      { "2001:db8::/32", false },
        { "8.0.0.0/8", false },
    };
    struct span name = SPAN("a");
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct cidr net = net_of(rows[i].net);
        const struct place_conf p = { .sources = &net, .n_sources = 1 };
        const struct place_conf set = {
            .sources = &net, .n_sources = 1, .sets = &name, .n_sets = 1
        };
        if (place_is_private(&p) != rows[i].is_private)
            fail_msg("%s", rows[i].net);
        assert_false(place_is_private(&set)); /* it may become anything */
    }
}

static void test_countries_are_let_in_or_kept_out(void **state)
{
    (void)state;
    struct span codes[] = { SPAN("DE"), SPAN("CH") };
    const struct countries_conf all = { 0 };
    const struct countries_conf allow = { .allow = codes, .n_allow = 2 };
    const struct countries_conf deny = { .deny = codes, .n_deny = 2 };
    const struct countries_conf lax = { .deny = codes,
                                        .n_deny = 2,
                                        .unknown = COUNTRY_UNKNOWN_ALLOW };
    static const struct {
        const char *country;
        bool allow, deny, lax;
    } rows[] = {
        { "DE", true, false, false }, { "CH", true, false, false }, { "FR", false, true, true },
        { "", false, false, true },   { "de", false, true, true }, /* ISO writes capitals */
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        assert_true(countries_admit(&all, rows[i].country));
        assert_int_equal(countries_admit(&allow, rows[i].country), rows[i].allow);
        assert_int_equal(countries_admit(&deny, rows[i].country), rows[i].deny);
        assert_int_equal(countries_admit(&lax, rows[i].country), rows[i].lax);
    }
}

/* W-01: all_of [address, digest]: either missing is refused. */
static void test_the_proof_by_address_is_looked_at(void **state)
{
    (void)state;
    struct cidr net = net_of("203.0.113.0/24");
    struct place_conf place = { .sources = &net, .n_sources = 1 };
    enum { BOTH, ALONE, EITHER, EITHER_ALONE };
    const struct group_conf groups[] = {
        [BOTH] = { .address = &place, .require = { .all_of = PROOF_ADDRESS | PROOF_DIGEST } },
        [ALONE] = { .address = &place, .require = { .all_of = PROOF_ADDRESS } },
        [EITHER] = { .address = &place, .require = { .any_of = PROOF_ADDRESS | PROOF_DIGEST } },
        [EITHER_ALONE] = { .address = &place, .require = { .any_of = PROOF_ADDRESS } },
    };
    static const struct {
        int group;
        const char *address, *method;
        bool digest;
        enum demand demand;
        Countersign__Auth__Cause cause;
    } rows[] = {
        { BOTH, "203.0.113.7", "INVITE", false, DEMAND_DIGEST, 0 },
        { BOTH, "203.0.113.7", "INVITE", true, DEMAND_DIGEST, 0 },
        { BOTH, "198.51.100.7", "INVITE", true, DEMAND_REFUSE, CAUSE(ADDRESS_NOT_ALLOWED) },
        { BOTH, "198.51.100.7", "REGISTER", true, DEMAND_REFUSE, CAUSE(ADDRESS_NOT_ALLOWED) },
        { BOTH, NULL, "INVITE", true, DEMAND_REFUSE, CAUSE(ADDRESS_NOT_ALLOWED) },
        { BOTH, "198.51.100.7", "ACK", false, DEMAND_NOTHING, CAUSE(OK) },
        { ALONE, "203.0.113.7", "INVITE", false, DEMAND_NOTHING, CAUSE(ADDRESS_ACCEPTED) },
        { ALONE, "198.51.100.7", "INVITE", false, DEMAND_REFUSE, CAUSE(ADDRESS_NOT_ALLOWED) },
        { EITHER, "203.0.113.7", "INVITE", false, DEMAND_NOTHING, CAUSE(ADDRESS_ACCEPTED) },
        { EITHER, "203.0.113.7", "INVITE", true, DEMAND_DIGEST, 0 },
        { EITHER, "198.51.100.7", "INVITE", false, DEMAND_DIGEST, 0 },
        { EITHER, "198.51.100.7", "REGISTER", false, DEMAND_DIGEST, 0 },
        { EITHER_ALONE, "198.51.100.7", "INVITE", false, DEMAND_REFUSE,
          CAUSE(ADDRESS_NOT_ALLOWED) },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct facts f = from(rows[i].address, 0);
        const struct shown shown = { .digest = rows[i].digest };
        f.method = span_str(rows[i].method);
        f.is_register = span_eq(f.method, SPAN("REGISTER"));
        struct policy p = policy_of(&groups[rows[i].group], &f, shown);
        if (p.demand != rows[i].demand || (p.cause != rows[i].cause && p.demand > DEMAND_TOKEN))
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_be_in_any_network_or_set_is_enough),
        cmocka_unit_test(test_names_get_one_bit_each_and_no_more_than_there_are),
        cmocka_unit_test(test_what_is_private_is_known),
        cmocka_unit_test(test_countries_are_let_in_or_kept_out),
        cmocka_unit_test(test_the_proof_by_address_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
