#include <stdio.h>

#include "base/rand.h"
#include "dns/answer.h"
#include "lib/guard.h"
#include "lib/test.h"

/* Responses as a server could write them, byte by byte. */
static char space[16 * 1024];
static struct buf out;

static void u16(unsigned v)
{
    buf_putc(&out, (char)(v >> 8));
    buf_putc(&out, (char)v);
}

static void u32(uint32_t v)
{
    u16(v >> 16);
    u16(v & 0xffff);
}

static void name(const char *text)
{
    struct span rest = span_str(text);
    while (rest.n) {
        struct span label = span_cut(&rest, '.');
        buf_putc(&out, (char)label.n);
        buf_put(&out, label);
    }
    buf_putc(&out, 0);
}

static void string(const char *text)
{
    buf_putc(&out, (char)strlen(text));
    buf_put(&out, span_str(text));
}

/* A response to a question, with so many records in its sections. */
static void begin(const char *asked, enum dns_type type, unsigned answers, unsigned authorities)
{
    out = (struct buf)BUF_INIT(space);
    u16(7);
    u16(0x8180);
    u16(1);
    u16(answers);
    u16(authorities);
    u16(0);
    name(asked);
    u16(type);
    u16(1);
}

static void owner(const char *text, enum dns_type type, uint32_t ttl, unsigned n)
{
    name(text);
    u16(type);
    u16(1);
    u32(ttl);
    u16(n);
}

static void a(const char *text, uint32_t ttl, unsigned last)
{
    owner(text, DNS_A, ttl, 4);
    buf_put(&out, SPAN("\300\000\002"));
    buf_putc(&out, (char)last);
}

static void cname(const char *from, const char *to, uint32_t ttl)
{
    owner(from, DNS_CNAME, ttl, (unsigned)strlen(to) + 2);
    name(to);
}

static void soa(const char *text, uint32_t ttl, uint32_t minimum)
{
    owner(text, DNS_SOA, ttl, 22);
    name("");
    name("");
    for (int i = 0; i < 4; i++)
        u32(1);
    u32(minimum);
}

static struct arena arena;

static int read_span(struct span wire, const char *asked, enum dns_type type,
                     struct dns_answer *answer)
{
    arena_fini(&arena);
    arena_init(&arena, NULL, 0, 0);
    return dns_answer_read(guard_span(wire), span_str(asked), type, &arena, answer);
}

static int read_out(const char *asked, enum dns_type type, struct dns_answer *answer)
{
    assert_true(buf_ok(&out));
    return read_span(buf_span(&out), asked, type, answer);
}

static unsigned last_byte(const struct dns_record *r)
{
    return (unsigned char)addr_host_bytes(&r->addr).p[3];
}

static void test_addresses_and_the_shortest_of_their_times(void **state)
{
    struct dns_answer got;
    (void)state;
    begin("sip.Example.com", DNS_A, 3, 0);
    a("sip.example.COM", 60, 1);
    a("other.example.com", 5, 9); /* nobody asked */
    a("sip.example.com", 30, 2);
    assert_int_equal(read_out("SIP.example.com.", DNS_A, &got), 0);
    assert_int_equal(got.n, 2);
    assert_int_equal(last_byte(&got.records[0]), 1);
    assert_int_equal(last_byte(&got.records[1]), 2);
    assert_int_equal(got.ttl, 30);
    begin("a.test", DNS_A, 1, 0);
    a("a.test", 0x80000001, 1); /* RFC 2181, 8 */
    assert_int_equal(read_out("a.test", DNS_A, &got), 0);
    assert_int_equal(got.ttl, 0);
}

static void test_aaaa_srv_and_naptr(void **state)
{
    struct dns_answer got;
    (void)state;
    begin("a.test", DNS_AAAA, 1, 0);
    owner("a.test", DNS_AAAA, 60, 16);
    buf_put(&out, SPAN("\040\001\015\270\000\000\000\000\000\000\000\000\000\000\000\001"));
    assert_int_equal(read_out("a.test", DNS_AAAA, &got), 0);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.records[0].addr.sa.sa_family, AF_INET6);

    begin("_sip._udp.a.test", DNS_SRV, 2, 0);
    owner("_sip._udp.a.test", DNS_SRV, 60, 6 + 8);
    u16(1);
    u16(2);
    u16(5070);
    name("B.test");
    owner("_sip._udp.a.test", DNS_SRV, 60, 6 + 1);
    u16(0);
    u16(0);
    u16(0);
    name("");
    assert_int_equal(read_out("_sip._udp.a.test", DNS_SRV, &got), 0);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.records[0].srv.priority, 1);
    assert_int_equal(got.records[0].srv.weight, 2);
    assert_int_equal(got.records[0].srv.port, 5070);
    assert_span(got.records[0].srv.target, "b.test");
    assert_span(got.records[1].srv.target, "");

    begin("a.test", DNS_NAPTR, 1, 0);
    owner("a.test", DNS_NAPTR, 60, 4 + 2 + 8 + 1 + 18);
    u16(10);
    u16(20);
    string("s");
    string("SIP+D2U");
    string("");
    name("_sip._udp.a.test");
    assert_int_equal(read_out("a.test", DNS_NAPTR, &got), 0);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.records[0].naptr.order, 10);
    assert_int_equal(got.records[0].naptr.preference, 20);
    assert_span(got.records[0].naptr.flags, "s");
    assert_span(got.records[0].naptr.services, "SIP+D2U");
    assert_span(got.records[0].naptr.regexp, "");
    assert_span(got.records[0].naptr.replacement, "_sip._udp.a.test");
}

static void test_aliases_are_followed_in_any_order_and_only_so_far(void **state)
{
    struct dns_answer got;
    (void)state;
    begin("a.test", DNS_A, 3, 0);
    a("c.test", 60, 1);
    cname("b.test", "c.test", 7);
    cname("a.test", "b.test", 60);
    assert_int_equal(read_out("a.test", DNS_A, &got), 0);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.ttl, 7);

    begin("a.test", DNS_A, 3, 0); /* a loop */
    cname("a.test", "b.test", 60);
    cname("b.test", "a.test", 60);
    a("c.test", 60, 1);
    assert_int_equal(read_out("a.test", DNS_A, &got), 0);
    assert_int_equal(got.n, 0);

    begin("n0.test", DNS_A, 21, 0);
    for (int i = 0; i < 20; i++) {
        char from[32], to[32];
        snprintf(from, sizeof(from), "n%d.test", i);
        snprintf(to, sizeof(to), "n%d.test", i + 1);
        cname(from, to, 60);
    }
    a("n20.test", 60, 1);
    assert_int_equal(read_out("n0.test", DNS_A, &got), 0);
    assert_int_equal(got.n, 0);
}

static void test_nothing_holds_as_long_as_its_soa_says(void **state)
{
    struct dns_answer got;
    (void)state;
    begin("a.test", DNS_A, 0, 1);
    soa("test", 600, 30); /* RFC 2308, 5 */
    assert_int_equal(read_out("a.test", DNS_A, &got), 0);
    assert_int_equal(got.n, 0);
    assert_int_equal(got.ttl, 30);
    begin("a.test", DNS_A, 0, 1);
    soa("test", 20, 30);
    space[3] = (char)0x83; /* NXDOMAIN */
    assert_int_equal(read_out("a.test", DNS_A, &got), 0);
    assert_int_equal(got.ttl, 20);
    begin("a.test", DNS_A, 0, 0);
    assert_int_equal(read_out("a.test", DNS_A, &got), 0);
    assert_int_equal(got.ttl, 0);
}

static void test_what_answers_another_question_is_refused(void **state)
{
    struct dns_answer got;
    static const unsigned char heads[] = { 0x01, 0x83, 0x81 }; /* a query, truncated, and good */
    (void)state;
    begin("a.test", DNS_A, 1, 0);
    a("a.test", 60, 1);
    assert_int_equal(read_out("b.test", DNS_A, &got), CS_EPROTO);
    assert_int_equal(read_out("a.test", DNS_AAAA, &got), CS_EPROTO);
    for (size_t i = 0; i < sizeof(heads); i++) {
        space[2] = (char)heads[i];
        assert_int_equal(read_out("a.test", DNS_A, &got), i == 2 ? 0 : CS_EPROTO);
    }
    space[3] = (char)0x82; /* SERVFAIL */
    assert_int_equal(read_out("a.test", DNS_A, &got), CS_EPROTO);
    space[3] = (char)0x80;
    space[5] = 2; /* two questions */
    assert_int_equal(read_out("a.test", DNS_A, &got), CS_EPROTO);
}

static void test_pointers_end(void **state)
{
    struct dns_answer got;
    (void)state;
    begin("a.test", DNS_A, 1, 0);
    size_t at = out.n;
    u16(0xc00c); /* to the question's name: as everybody does */
    u16(DNS_A);
    u16(1);
    u32(60);
    u16(4);
    u32(0xc0000201);
    assert_int_equal(read_out("a.test", DNS_A, &got), 0);
    assert_int_equal(got.n, 1);
    space[at + 1] = (char)at; /* to itself */
    assert_int_equal(read_out("a.test", DNS_A, &got), CS_EPROTO);
    space[at + 1] = (char)(at + 4); /* forwards */
    assert_int_equal(read_out("a.test", DNS_A, &got), CS_EPROTO);
    space[at] = (char)0x80; /* a kind of label that does not exist */
    assert_int_equal(read_out("a.test", DNS_A, &got), CS_EPROTO);
}

static void test_names_that_are_none_are_passed_over(void **state)
{
    struct dns_answer got;
    static const char *const odd[] = { "a b.test", "a\001.test", "a/b", "\303\244.test", "a;b" };
    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        assert_false(dns_name_is_good(span_str(odd[i])));
        begin("x.test", DNS_SRV, 2, 0);
        owner("x.test", DNS_SRV, 60, 6 + (unsigned)strlen(odd[i]) + 2);
        u16(1);
        u16(1);
        u16(1);
        name(odd[i]);
        owner("x.test", DNS_SRV, 60, 6 + 8);
        u16(1);
        u16(1);
        u16(1);
        name("good.x");
        assert_int_equal(read_out("x.test", DNS_SRV, &got), 0);
        assert_int_equal(got.n, 1);
        assert_span(got.records[0].srv.target, "good.x");
    }
    assert_false(dns_name_is_good(SPAN("")));
    assert_false(dns_name_is_good(SPAN(".")));
    assert_false(dns_name_is_good(SPAN("a..b")));
    assert_true(dns_name_is_good(SPAN("_sip._udp.a-1.test.")));
}

static void test_a_name_too_long_is_passed_over(void **state)
{
    char label[64] = { 0 }, longest[512] = "";
    struct dns_answer got;
    (void)state;
    memset(label, 'x', 63);
    for (int i = 0; i < 5; i++) {
        strcat(longest, label);
        strcat(longest, i < 4 ? "." : "");
    }
    assert_false(dns_name_is_good(span_str(longest)));
    begin("x.test", DNS_SRV, 1, 0);
    owner("x.test", DNS_SRV, 60, 6 + 5 * 64 + 1);
    u16(1);
    u16(1);
    u16(1);
    name(longest);
    assert_int_equal(read_out("x.test", DNS_SRV, &got), 0);
    assert_int_equal(got.n, 0);
}

static void test_many_records_are_cut(void **state)
{
    struct dns_answer got;
    (void)state;
    begin("a.test", DNS_A, 600, 0);
    for (unsigned i = 0; i < 600; i++)
        a("a.test", 60, i & 0xff);
    assert_int_equal(read_out("a.test", DNS_A, &got), 0);
    assert_int_equal(got.n, DNS_RECORDS_MAX);
}

static void test_every_cut_and_every_flipped_byte_is_survived(void **state)
{
    struct dns_answer got;
    (void)state;
    begin("a.test", DNS_NAPTR, 3, 1);
    cname("a.test", "b.test", 60);
    owner("b.test", DNS_NAPTR, 60, 4 + 2 + 8 + 1 + 8);
    u32(1);
    string("s");
    string("SIP+D2T");
    string("");
    name("c.test");
    owner("b.test", DNS_NAPTR, 60, 4 + 2 + 8 + 1 + 2);
    u32(1);
    string("s");
    string("SIP+D2T");
    string("");
    u16(0xc00c);
    soa("test", 1, 1);
    assert_int_equal(read_out("a.test", DNS_NAPTR, &got), 0);
    assert_int_equal(got.n, 2);
    size_t n = out.n;
    for (size_t i = 0; i < n - 40; i++) /* the SOA may be missing */
        assert_int_equal(read_span(span_of(space, i), "a.test", DNS_NAPTR, &got), CS_EPROTO);
    for (int i = 0; i < 20000; i++) {
        size_t at = rand_below(n);
        char was = space[at];
        space[at] = (char)rand_u64();
        (void)!read_span(span_of(space, n), "a.test", DNS_NAPTR, &got);
        space[at] = was;
    }
}

static void test_without_memory_it_says_so(void **state)
{
    struct dns_answer got;
    int err = CS_ENOMEM;
    (void)state;
    begin("a.test", DNS_A, 1, 0);
    a("a.test", 60, 1);
    for (long n = 0; err; n++) {
        arena_fail_after(n);
        err = read_out("a.test", DNS_A, &got);
        arena_fail_after(-1);
        assert_true(err == 0 || err == CS_ENOMEM);
        assert_true(n < 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_and_the_shortest_of_their_times),
        cmocka_unit_test(test_aaaa_srv_and_naptr),
        cmocka_unit_test(test_aliases_are_followed_in_any_order_and_only_so_far),
        cmocka_unit_test(test_nothing_holds_as_long_as_its_soa_says),
        cmocka_unit_test(test_what_answers_another_question_is_refused),
        cmocka_unit_test(test_pointers_end),
        cmocka_unit_test(test_names_that_are_none_are_passed_over),
        cmocka_unit_test(test_a_name_too_long_is_passed_over),
        cmocka_unit_test(test_many_records_are_cut),
        cmocka_unit_test(test_every_cut_and_every_flipped_byte_is_survived),
        cmocka_unit_test(test_without_memory_it_says_so),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&arena);
    guard_release();
    return failed;
}
