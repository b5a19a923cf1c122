#include "authd/defence/ban.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct ban make(const char *net, uint16_t port, const char *user)
{
    struct ban b = { .port = port,
                     .user = span_str(user),
                     .class_ = SPAN("authentication"),
                     .reason = SPAN("20 failures"),
                     .since = { 1700000000000 },
                     .until = { 1700000600000 } };
    assert_int_equal(cidr_parse(span_str(net), &b.net), 0);
    return b;
}

static void test_what_is_banned_alone_makes_the_id(void **state)
{
    (void)state;
    const struct ban bans[] = {
        make("192.0.2.1", 0, NULL),      make("192.0.2.0/24", 0, NULL),
        make("192.0.2.0/25", 0, NULL),   make("192.0.2.1", 5060, NULL),
        make("192.0.2.1", 0, "alice@r"), make("192.0.2.1", 0, "bob@r"),
        make("2001:db8::/64", 0, NULL),  make("192.0.2.1", 0, ""),
    };
    char id[CS_LEN(bans)][BAN_ID_LEN + 1], again[BAN_ID_LEN + 1];
    for (size_t i = 0; i < CS_LEN(bans); i++) {
        struct ban later = bans[i];
        ban_id(&bans[i], id[i]);
        assert_true(ban_is_id(span_str(id[i])));
        later.until.ms += 5;
        later.reason = SPAN("another");
        ban_id(&later, again);
        assert_string_equal(id[i], again);
        for (size_t k = 0; k < i && i != 7; k++) /* an empty user is none */
            assert_string_not_equal(id[i], id[k]);
    }
    assert_false(ban_is_id(SPAN("short")));
    assert_false(ban_is_id(SPAN("sixteen bytes, !")));
}

static void test_a_record_is_read_as_it_was_written(void **state)
{
    (void)state;
    const struct ban bans[] = { make("192.0.2.1", 6000, NULL), make("2001:db8::/64", 0, "a@b"),
                                make("0.0.0.0/0", 0, NULL) };
    for (size_t i = 0; i < CS_LEN(bans); i++) {
        char space[BAN_RECORD_MAX], one[64], two[64];
        struct buf b = BUF_INIT(space), s1 = BUF_INIT(one), s2 = BUF_INIT(two);
        struct arena a;
        struct ban got;
        arena_init(&a, NULL, 0, 0);
        assert_int_equal(ban_encode(&bans[i], &b), 0);
        assert_int_equal(ban_decode(buf_span(&b), &a, &got), 0);
        ban_write_source(&s1, &bans[i]);
        ban_write_source(&s2, &got);
        assert_true(span_eq(buf_span(&s1), buf_span(&s2)));
        assert_int_equal(got.user.p != NULL, bans[i].user.p != NULL);
        assert_true(span_eq(got.user, bans[i].user) && span_eq(got.reason, bans[i].reason));
        assert_int_equal(got.until.ms, bans[i].until.ms);
        for (size_t n = 0; n < b.n; n++) { /* cut anywhere: refused, or without what is optional */
            int err = ban_decode(span_of(b.p, n), &a, &got);
            assert_true(err == CS_EPROTO || got.until.ms == bans[i].until.ms);
        }
        arena_fini(&a);
    }
}

static void test_records_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    Countersign__Store__Ban good = COUNTERSIGN__STORE__BAN__INIT;
    uint8_t ip[16] = { 192, 0, 2, 1 };
    char longer[BAN_USER_MAX + 2];
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    good.schema = 1;
    good.source_ip.data = ip;
    good.source_ip.len = 4;
    good.bits = 32;
    for (int i = 0; i <= 7; i++) {
        Countersign__Store__Ban m = good;
        uint8_t packed[2048];
        struct arena a;
        struct ban got;
        arena_init(&a, NULL, 0, 0);
        m.schema = i == 1 ? 2 : 1;
        m.bits = i == 2 ? 33 : i == 3 ? 24 : 32; /* too many, or something behind the prefix */
        m.source_ip.len = i == 4 ? 5 : 4;
        m.has_port = i == 5;
        m.port = 65536;
        m.user = i == 6 ? longer : NULL;
        m.until_ms = i == 7 ? UINT64_MAX : 5;
        size_t n = countersign__store__ban__pack(&m, packed);
        assert_int_equal(ban_decode(span_of(packed, n), &a, &got), i ? CS_EPROTO : 0);
        arena_fini(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_banned_alone_makes_the_id),
        cmocka_unit_test(test_a_record_is_read_as_it_was_written),
        cmocka_unit_test(test_records_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests_name("ban", tests, NULL, NULL);
}
