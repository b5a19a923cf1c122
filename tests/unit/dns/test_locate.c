/* RFC 3263 against a real name server. */
#include <signal.h>

#include "base/metric.h"
#include "base/rand.h"
#include "dns/locate.h"
#include "lib/name_server.h"
#include "lib/run.h"
#include "lib/test.h"
#include "lib/wire.h"

#define ALL (LOCATE_SPEAKS(SIP_UDP) | LOCATE_SPEAKS(SIP_TCP) | LOCATE_SPEAKS(SIP_TLS))

static const char zone[] =
    "example.com. 60 IN NAPTR 50 50 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.example.com.\n"
    "example.com. 60 IN NAPTR 90 50 \"s\" \"SIP+D2T\" \"\" _sip._tcp.example.com.\n"
    "example.com. 60 IN NAPTR 100 50 \"s\" \"SIP+D2U\" \"\" _sip._udp.example.com.\n"
    "example.com. 60 IN NAPTR 10 10 \"u\" \"E2U+sip\" \"!^.*$!sip:x@y!\" .\n"
    "_sips._tcp.example.com. 60 IN SRV 0 1 5061 one.example.com.\n"
    "_sip._tcp.example.com. 60 IN SRV 0 1 5060 one.example.com.\n"
    "_sip._tcp.example.com. 60 IN SRV 1 2 5070 two.example.com.\n"
    "_sip._udp.example.com. 60 IN SRV 0 1 5062 one.example.com.\n"
    "one.example.com. 60 IN A 192.0.2.1\n"
    "one.example.com. 60 IN AAAA 2001:db8::1\n"
    "two.example.com. 60 IN CNAME alias.example.com.\n"
    "alias.example.com. 60 IN A 192.0.2.2\n"
    "example.com. 60 IN A 192.0.2.99\n"
    /* One order, two preferences. */
    "both.test. 60 IN NAPTR 1 20 \"S\" \"sip+d2u\" \"\" _sip._udp.both.test.\n"
    "both.test. 60 IN NAPTR 1 10 \"S\" \"sip+d2t\" \"\" _sip._tcp.both.test.\n"
    "_sip._udp.both.test. 60 IN SRV 0 1 5062 one.example.com.\n"
    "_sip._tcp.both.test. 60 IN SRV 0 1 5063 one.example.com.\n"
    /* SRV alone. */
    "_sip._udp.srv.test. 60 IN SRV 0 1 5064 one.example.com.\n"
    "_sip._tcp.srv.test. 60 IN SRV 0 1 5065 one.example.com.\n"
    "srv.test. 60 IN A 192.0.2.3\n"
    "plain.test. 60 IN A 192.0.2.4\n"
    "_sip._udp.closed.test. 60 IN SRV 0 0 0 .\n"
    "_sip._tcp.closed.test. 60 IN SRV 0 0 0 .\n"
    "_sips._tcp.closed.test. 60 IN SRV 0 0 0 .\n"
    "closed.test. 60 IN A 192.0.2.5\n"
    "many.test. 60 IN A 192.0.2.11\n"
    "many.test. 60 IN A 192.0.2.12\n"
    "many.test. 60 IN A 192.0.2.13\n"
    "short.test. 1 IN A 192.0.2.20\n"
    "loop.test. 60 IN CNAME loop.test.\n";

static struct name_server server;

struct world {
    struct loop loop;
    struct dns *dns;
    struct locator *locator;
    bool done;
    int err;
    struct locate_target targets[LOCATE_TARGETS_MAX];
    size_t n;
};

static void world_open_conf(struct world *w, struct dns_conf conf)
{
    *w = (struct world){ 0 };
    conf.servers = &server.at;
    conf.n_servers = 1;
    assert_int_equal(loop_init(&w->loop), 0);
    assert_int_equal(dns_open(&w->loop, &conf, &w->dns), 0);
    assert_int_equal(locator_new(w->dns, DURATION_S(30), &w->locator), 0);
}

static void world_open(struct world *w)
{
    world_open_conf(w, (struct dns_conf){ .timeout = DURATION_MS(300), .tries = 1 });
}

static void world_close(struct world *w)
{
    dns_close(&w->dns);
    locator_free(&w->locator);
    assert_true(run_down(&w->loop));
}

static void on_targets(void *arg, int err, const struct locate_target *targets, size_t n)
{
    struct world *w = arg;
    w->done = true;
    w->err = err;
    w->n = n;
    if (n)
        memcpy(w->targets, targets, n * sizeof(*targets));
}

/* Of a URI; what comes is written as "udp 192.0.2.1:5060 tcp ...", or "" when nothing does. */
static const char *locate_as(struct world *w, const char *text, unsigned speaks, bool ipv6,
                             uint64_t seed)
{
    static char out[2048];
    struct buf b = BUF_INIT(out);
    struct sip_uri uri;
    struct locate_ask ask;
    assert_int_equal(sip_uri_parse(span_str(text), &uri), 0);
    assert_int_equal(locate_ask_of(&uri, &ask), 0);
    ask.speaks = speaks;
    ask.ipv4 = true;
    ask.ipv6 = ipv6;
    ask.seed = seed;
    w->done = false;
    assert_non_null(locate(w->locator, &ask, on_targets, w));
    assert_false(w->done); /* not from inside */
    assert_true(run_until(&w->loop, &w->done, 8000));
    assert_int_equal(w->err != 0, w->n == 0);
    for (size_t i = 0; i < w->n; i++) {
        buf_put(&b, i ? SPAN(" ") : SPAN(""));
        buf_put(&b, sip_transport_uri(w->targets[i].transport));
        buf_putc(&b, ' ');
        addr_write(&b, &w->targets[i].addr);
    }
    buf_putc(&b, 0);
    return out;
}

struct row {
    const char *uri;
    unsigned speaks;
    const char *want;
};

/* W-06 */
static void test_every_way_to_a_server(void **state)
{
    static const unsigned no_tls = LOCATE_SPEAKS(SIP_UDP) | LOCATE_SPEAKS(SIP_TCP);
    static const struct row rows[] = {
        /* Numeric: what is not said is the scheme's (4.1, 4.2). */
        { "sip:192.0.2.7", ALL, "udp 192.0.2.7:5060" },
        { "sip:192.0.2.7:5099;transport=tcp", ALL, "tcp 192.0.2.7:5099" },
        { "sip:[2001:db8::9]", ALL, "udp [2001:db8::9]:5060" },
        { "sips:192.0.2.7", ALL, "tls 192.0.2.7:5061" },
        { "sips:192.0.2.7;transport=tcp", ALL, "tls 192.0.2.7:5061" },
        { "sip:192.0.2.7;transport=tls", ALL, "tls 192.0.2.7:5061" },
        { "sip:x@one.example.com;maddr=192.0.2.8", ALL, "udp 192.0.2.8:5060" },
        /* A port: no NAPTR, no SRV. */
        { "sip:example.com:5060", ALL, "udp 192.0.2.99:5060" },
        { "sip:example.com:5070;transport=tcp", ALL, "tcp 192.0.2.99:5070" },
        { "sips:example.com:5071", ALL, "tls 192.0.2.99:5071" },
        /* A transport: SRV of it. */
        { "sip:example.com;transport=udp", ALL, "udp 192.0.2.1:5062" },
        { "sip:example.com;transport=tcp", ALL, "tcp 192.0.2.1:5060 tcp 192.0.2.2:5070" },
        { "sip:plain.test;transport=tcp", ALL, "tcp 192.0.2.4:5060" },
        /* NAPTR: the lowest order that we speak, and sips is never sent in the clear. */
        { "sip:example.com", ALL, "tls 192.0.2.1:5061" },
        { "sips:example.com", ALL, "tls 192.0.2.1:5061" },
        { "sip:example.com", no_tls, "tcp 192.0.2.1:5060 tcp 192.0.2.2:5070" },
        { "sip:example.com", LOCATE_SPEAKS(SIP_UDP), "udp 192.0.2.1:5062" },
        { "sips:both.test", ALL, "" },
        { "sip:both.test", ALL, "tcp 192.0.2.1:5063 udp 192.0.2.1:5062" },
        { "sip:EXAMPLE.com", LOCATE_SPEAKS(SIP_UDP), "udp 192.0.2.1:5062" },
        /* Without NAPTR: SRV of what we speak; without that: the host. */
        { "sip:srv.test", ALL, "udp 192.0.2.1:5064 tcp 192.0.2.1:5065" },
        { "sip:plain.test", ALL, "udp 192.0.2.4:5060" },
        { "sips:plain.test", ALL, "tls 192.0.2.4:5061" },
        { "sip:two.example.com", ALL, "udp 192.0.2.2:5060" },
        /* Nowhere. */
        { "sip:closed.test", ALL, "" },
        { "sip:nobody.test", ALL, "" },
        { "sip:loop.test", ALL, "" },
        { "sips:plain.test", no_tls, "" },
        { "sip:192.0.2.7;transport=tls", no_tls, "" },
        { "sip:example.com;transport=ws", ALL, "" },
    };
    struct world w;
    (void)state;
    world_open(&w);
    for (int round = 0; round < 2; round++) { /* the second time from memory */
        for (size_t i = 0; i < CS_LEN(rows); i++) {
            const char *got = locate_as(&w, rows[i].uri, rows[i].speaks, false, 1);
            if (strcmp(got, rows[i].want))
                print_error("%s:\n", rows[i].uri);
            assert_string_equal(got, rows[i].want);
        }
    }
    world_close(&w);
}

static void test_both_families(void **state)
{
    struct world w;
    (void)state;
    world_open(&w);
    assert_string_equal(locate_as(&w, "sip:one.example.com:5060", ALL, true, 1),
                        "udp [2001:db8::1]:5060 udp 192.0.2.1:5060");
    world_close(&w);
}

static void test_what_failed_is_tried_last_for_a_while(void **state)
{
    struct world w;
    (void)state;
    world_open(&w);
    assert_string_equal(locate_as(&w, "sip:example.com;transport=tcp", ALL, false, 1),
                        "tcp 192.0.2.1:5060 tcp 192.0.2.2:5070");
    struct locate_target first = w.targets[0];
    locator_avoid(w.locator, &first);
    assert_string_equal(locate_as(&w, "sip:example.com;transport=tcp", ALL, false, 1),
                        "tcp 192.0.2.2:5070 tcp 192.0.2.1:5060");
    locator_trust(w.locator, &first);
    assert_string_equal(locate_as(&w, "sip:example.com;transport=tcp", ALL, false, 1),
                        "tcp 192.0.2.1:5060 tcp 192.0.2.2:5070");
    locator_avoid(w.locator, &first);
    loop_skip(&w.loop, DURATION_S(31));
    assert_string_equal(locate_as(&w, "sip:example.com;transport=tcp", ALL, false, 1),
                        "tcp 192.0.2.1:5060 tcp 192.0.2.2:5070");
    world_close(&w);
}

/* I-18 */
static void test_the_same_seed_goes_to_the_same_server(void **state)
{
    struct world w;
    char first[2048];
    unsigned others = 0;
    (void)state;
    world_open(&w);
    for (uint64_t seed = 0; seed < 20; seed++) {
        strcpy(first, locate_as(&w, "sip:many.test", ALL, false, seed));
        assert_string_equal(locate_as(&w, "sip:many.test", ALL, false, seed), first);
        others += strncmp(first, "udp 192.0.2.11", 14) != 0;
    }
    assert_in_range(others, 1, 19);
    world_close(&w);
}

static void count_answer(void *arg, int err, const struct dns_answer *answer)
{
    size_t *n = arg;
    *n += err == 0 && answer->n == 1;
}

static int64_t asked(void)
{
    return metric_get(M_DNS_QUESTIONS, 1);
}

static void test_one_question_for_all_who_wait(void **state)
{
    struct world w;
    size_t n = 0;
    (void)state;
    world_open(&w);
    int64_t before = asked();
    for (int i = 0; i < 500; i++)
        assert_non_null(dns_ask(w.dns, i & 1 ? SPAN("plain.TEST.") : SPAN("plain.test"), DNS_A,
                                count_answer, &n));
    struct dns_call *one = dns_ask(w.dns, SPAN("plain.test"), DNS_A, count_answer, &n);
    dns_cancel(one);
    assert_true(run_until_count(&w.loop, &n, 500, 5000));
    assert_int_equal(asked() - before, 1);
    world_close(&w);
}

static void test_an_answer_is_believed_for_its_time(void **state)
{
    struct world w;
    (void)state;
    world_open(&w);
    int64_t before = asked();
    for (int i = 0; i < 3; i++)
        assert_string_equal(locate_as(&w, "sip:short.test:1", ALL, false, 1), "udp 192.0.2.20:1");
    assert_int_equal(asked() - before, 1);
    loop_skip(&w.loop, DURATION_MS(1001));
    assert_string_equal(locate_as(&w, "sip:short.test:1", ALL, false, 1), "udp 192.0.2.20:1");
    assert_int_equal(asked() - before, 2);
    /* RFC 2308: that there is nothing, too. */
    before = asked();
    assert_string_equal(locate_as(&w, "sip:nothing.test:1", ALL, false, 1), "");
    assert_string_equal(locate_as(&w, "sip:nothing.test:1", ALL, false, 1), "");
    assert_int_equal(asked() - before, 1);
    loop_skip(&w.loop, DURATION_S(61));
    assert_string_equal(locate_as(&w, "sip:nothing.test:1", ALL, false, 1), "");
    assert_int_equal(asked() - before, 2);
    world_close(&w);
}

static void test_memory_is_bounded(void **state)
{
    struct world w;
    size_t n = 0, err = 0;
    (void)state;
    world_open_conf(&w, (struct dns_conf){ .max_names = 8, .max_open = 2 });
    for (int i = 0; i < 50; i++) {
        char name[32];
        struct buf b = BUF_INIT(name);
        buf_printf(&b, "n%d.test", i);
        assert_non_null(dns_ask(w.dns, buf_span(&b), DNS_A, count_answer, &err));
    }
    assert_non_null(dns_ask(w.dns, SPAN("plain.test"), DNS_A, count_answer, &n));
    run_for(&w.loop, 100);
    assert_int_equal(n, 0); /* two were out */
    assert_non_null(dns_ask(w.dns, SPAN("plain.test"), DNS_A, count_answer, &n));
    assert_true(run_until_count(&w.loop, &n, 1, 5000));
    world_close(&w);
}

/* Without a server: an error in time, and what was known goes on. */
static void test_servers_that_are_away(void **state)
{
    struct world w;
    (void)state;
    world_open_conf(&w, (struct dns_conf){ .timeout = DURATION_MS(100),
                                           .tries = 1,
                                           .deadline = DURATION_MS(1000) });
    assert_string_equal(locate_as(&w, "sip:short.test:1", ALL, false, 1), "udp 192.0.2.20:1");
    name_server_stop(&server);
    loop_skip(&w.loop, DURATION_MS(1001));
    assert_string_equal(locate_as(&w, "sip:short.test:1", ALL, false, 1), "udp 192.0.2.20:1");
    assert_string_equal(locate_as(&w, "sip:plain.test", ALL, false, 1), "");
    assert_int_equal(w.err, CS_ETIMEOUT);
    name_server_start(&server, "short.test. 60 IN A 192.0.2.21\nplain.test. 60 IN A 192.0.2.4\n");
    loop_skip(&w.loop, DURATION_S(31));
    assert_string_equal(locate_as(&w, "sip:short.test:1", ALL, false, 1), "udp 192.0.2.21:1");
    assert_string_equal(locate_as(&w, "sip:plain.test", ALL, false, 1), "udp 192.0.2.4:5060");
    world_close(&w);
    name_server_stop(&server);
    name_server_start(&server, zone);
}

/* One that hears and says nothing. */
static void test_a_silent_server_and_an_end_while_it_is_asked(void **state)
{
    struct world w;
    struct addr at, real = server.at;
    int fd = wire_udp_bound(&at);
    size_t n = 0;
    (void)state;
    server.at = at;
    world_open_conf(&w,
                    (struct dns_conf){ .timeout = DURATION_S(5), .deadline = DURATION_MS(200) });
    assert_string_equal(locate_as(&w, "sip:plain.test", ALL, false, 1), "");
    assert_int_equal(w.err, CS_ETIMEOUT);
    assert_non_null(dns_ask(w.dns, SPAN("plain.test"), DNS_A, count_answer, &n));
    struct locate_ask ask = { .host = SPAN("plain.test"), .speaks = ALL, .ipv4 = true };
    struct locate_call *call = locate(w.locator, &ask, on_targets, &w);
    assert_non_null(call);
    run_for(&w.loop, 20);
    locate_cancel(call);
    world_close(&w);
    server.at = real;
    close(fd);
}

/* From the right address, and yet not to be believed. */
static void test_forged_and_broken_responses(void **state)
{
    struct world w;
    struct addr at, real = server.at;
    int fd = wire_udp_bound(&at);
    (void)state;
    server.at = at;
    world_open_conf(
        &w,
        (struct dns_conf){ .timeout = DURATION_MS(200), .tries = 1, .deadline = DURATION_MS(600) });
    struct locate_ask ask = {
        .host = SPAN("plain.test"), .port = 5060, .speaks = ALL, .ipv4 = true
    };
    for (int i = 0; i < 6; i++) {
        char reply[700] = { 0 };
        w.done = false;
        assert_non_null(locate(w.locator, &ask, on_targets, &w));
        struct span q = wire_recv(&w.loop, fd, 1000);
        assert_in_range(q.n, 12, 512);
        size_t asked_n = 12 + 12 + 4; /* the head, plain.test, type and class */
        memcpy(reply, q.p, asked_n);
        reply[2] = (char)0x81;
        reply[3] = (char)0x80;
        reply[7] = 1;
        reply[11] = 0;
        static const char rr[] = "\xc0\x0c\0\1\0\1\0\0\0\74\0\4\xc0\0\2\1";
        memcpy(reply + asked_n, rr, 16);
        size_t n = asked_n + 16;
        switch (i) {
        case 0:
            reply[0] ^= 1;
            break; /* another id */
        case 1:
            reply[13] = 'X';
            break; /* another name */
        case 2:
            n -= 3;
            break; /* cut */
        case 3:
            reply[asked_n + 1] = (char)asked_n;
            break; /* a pointer to itself */
        case 4:
            rand_bytes(reply + 12, 600);
            n = 612;
            break;
        default:
            break;
        }
        struct addr to = *wire_from();
        assert_int_equal(sendto(fd, reply, n, 0, &to.sa, addr_len(&to)), n);
        assert_true(run_until(&w.loop, &w.done, 3000));
        assert_int_equal(w.n, i == 5);
        loop_skip(&w.loop, DURATION_S(3));
    }
    world_close(&w);
    server.at = real;
    close(fd);
}

static int start(void **state)
{
    (void)state;
    name_server_start(&server, zone);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    name_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_way_to_a_server),
        cmocka_unit_test(test_both_families),
        cmocka_unit_test(test_what_failed_is_tried_last_for_a_while),
        cmocka_unit_test(test_the_same_seed_goes_to_the_same_server),
        cmocka_unit_test(test_one_question_for_all_who_wait),
        cmocka_unit_test(test_an_answer_is_believed_for_its_time),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_servers_that_are_away),
        cmocka_unit_test(test_a_silent_server_and_an_end_while_it_is_asked),
        cmocka_unit_test(test_forged_and_broken_responses),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
