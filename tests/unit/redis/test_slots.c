#include "lib/test.h"
#include "redis/slots.h"

static void test_slots_of_keys(void **state)
{
    static const struct {
        const char *key;
        unsigned slot;
    } rows[] = { /* as CLUSTER KEYSLOT says */
                 { "123456789", 12739 },
                 { "foo", 12182 },
                 { "{foo}", 12182 },
                 { "a{foo}b{bar}", 12182 },
                 { "foo{}{bar}", 8363 },
                 { "foo{{bar}}zap", 4015 },
                 { "", 0 }
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++)
        assert_int_equal(slot_of(span_str(rows[i].key)), rows[i].slot);
    assert_int_equal(slot_of(SPAN("cs:loc:{sip:a@b}")), slot_of(SPAN("sip:a@b")));
}

static struct redis_reply integer(int64_t n)
{
    return (struct redis_reply){ .type = REDIS_INTEGER, .integer = n };
}

static struct redis_reply string(const char *s)
{
    return (struct redis_reply){ .type = s ? REDIS_STRING : REDIS_NIL, .str = span_str(s) };
}

static struct redis_reply array(const struct redis_reply *element, size_t n)
{
    return (struct redis_reply){ .type = REDIS_ARRAY, .element = element, .n = n };
}

struct range {
    int64_t first, last, port;
    const char *host;
};

static struct addr from;

static const char *read_ranges(const struct range *ranges, size_t n, struct slot_map *out)
{
    struct redis_reply node[8][2], range[8][3], all[8];
    for (size_t i = 0; i < n; i++) {
        node[i][0] = string(ranges[i].host);
        node[i][1] = integer(ranges[i].port);
        range[i][0] = integer(ranges[i].first);
        range[i][1] = integer(ranges[i].last);
        range[i][2] = array(node[i], 2);
        all[i] = array(range[i], 3);
    }
    const struct redis_reply reply = array(all, n);
    return slots_read(&reply, &from, out);
}

static void test_masters_in_the_order_of_their_slots(void **state)
{
    static const struct range ranges[] = { { 8000, 16383, 3, "127.0.0.1" },
                                           { 100, 7999, 2, "::1" },
                                           { 50, 99, 3, "127.0.0.1" },
                                           { 0, 49, 1, NULL } };
    struct slot_map m;
    (void)state;
    assert_int_equal(addr_parse(SPAN("192.0.2.1:9"), 0, &from), 0);
    assert_null(read_ranges(ranges, 4, &m));
    assert_int_equal(m.n, 3);
    assert_int_equal(addr_port(&m.master[0]), 1);
    assert_true(addr_same_host(&m.master[0], &from)); /* who said so */
    assert_int_equal(addr_port(&m.master[1]), 3);
    assert_int_equal(addr_port(&m.master[2]), 2);
    assert_int_equal(m.first[1], 50);
    assert_int_equal(m.of[49], 0);
    assert_int_equal(m.of[50], 1);
    assert_int_equal(m.of[100], 2);
    assert_int_equal(m.of[16383], 1);
}

static void test_answers_that_make_no_sense(void **state)
{
    static const struct range rows[] = {
        { 0, 16382, 1, "127.0.0.1" },   { 1, 16383, 1, "127.0.0.1" }, { -1, 16383, 1, "127.0.0.1" },
        { 0, 16384, 1, "127.0.0.1" },   { 5, 4, 1, "127.0.0.1" },     { 0, 16383, 0, "127.0.0.1" },
        { 0, 16383, 65536, "1.2.3.4" }, { 0, 16383, 1, "a.name" }
    };
    const struct redis_reply error = { .type = REDIS_ERROR, .str = SPAN("ERR no") }, nil = { 0 };
    const struct redis_reply odd = array(&nil, 1);
    struct slot_map m;
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++)
        assert_non_null(read_ranges(&rows[i], 1, &m));
    assert_non_null(slots_read(&error, &from, &m));
    assert_non_null(slots_read(&nil, &from, &m));
    assert_non_null(slots_read(&odd, &from, &m));
}

static void test_redirections(void **state)
{
    static const char *const bad[] = { "MOVED",
                                       "MOVED 1",
                                       "MOVED x 127.0.0.1:1",
                                       "MOVED 1 name:1",
                                       "MOVED 1 127.0.0.1",
                                       "MOVED 16384 ::1:1",
                                       "MOVED 1 ::1:70000",
                                       "MOVED 1 ",
                                       "" };
    struct addr to;
    unsigned slot;
    (void)state;
    assert_int_equal(slots_read_redirect(SPAN("MOVED 3999 127.0.0.1:6381"), &from, &slot, &to), 0);
    assert_int_equal(slot, 3999);
    assert_int_equal(addr_port(&to), 6381);
    assert_int_equal(slots_read_redirect(SPAN("ASK 1 ::1:7"), &from, &slot, &to), 0);
    assert_int_equal(to.sa.sa_family, AF_INET6);
    assert_int_equal(slots_read_redirect(SPAN("MOVED 1 :7"), &from, &slot, &to), 0);
    assert_true(addr_same_host(&to, &from));
    for (size_t i = 0; i < CS_LEN(bad); i++)
        assert_int_equal(slots_read_redirect(span_str(bad[i]), &from, &slot, &to), CS_EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots_of_keys),
        cmocka_unit_test(test_masters_in_the_order_of_their_slots),
        cmocka_unit_test(test_answers_that_make_no_sense),
        cmocka_unit_test(test_redirections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
