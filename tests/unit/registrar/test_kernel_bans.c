/* Which bans are ordered to be in the packet filter; the test is the bouncer. */
#include "registrar/kernel_bans.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/metric.h"
#include "lib/run.h"
#include "lib/test.h"
#include "registrar/bouncer.h"

static struct loop loop;
static struct kernel_bans *bans;
static int fd; /* the bouncer's */

static int setup(void **state)
{
    int pair[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(loop_init(&loop), 0);
    fd = pair[1];
    metric_set(M_REG_KERNEL_BANS, 0, 0);
    return kernel_bans_open(&loop, pair[0], &bans);
}

static int teardown(void **state)
{
    (void)state;
    kernel_bans_close(&bans);
    loop_stop(&loop);
    loop_run(&loop);
    close(fd);
    return loop_fini(&loop);
}

/* The orders since the last time, as "+10.0.0.0/8" and so on, and answers each with err. */
static const char *orders(int err)
{
    static const char signs[] = { '!', '+', '-', '?' };
    static char text[1024];
    struct buf b = BUF_INIT(text);
    struct bouncer_answer a;
    struct cidr net;
    run_for(&loop, 5);
    while (recv(fd, &a.order, sizeof(a.order), MSG_DONTWAIT) == sizeof(a.order)) {
        if (b.n)
            buf_putc(&b, ' ');
        buf_putc(&b, signs[a.order.what]);
        if (bouncer_net(&a.order, &net) == 0)
            cidr_write(&b, &net);
        a.err = err;
        assert_int_equal(send(fd, &a, sizeof(a), 0), sizeof(a));
        run_for(&loop, 5);
    }
    buf_putc(&b, 0);
    return text;
}

static void take(const char *net, unsigned seconds)
{
    struct gate_ban ban = { .rest = DURATION_S(seconds) };
    assert_int_equal(cidr_parse(span_str(net), &ban.net), 0);
    kernel_bans_take(bans, &ban);
}

static void skip_s(unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        loop_skip(&loop, DURATION_S(1));
        run_for(&loop, 2);
    }
}

#define ORDERS(want) assert_string_equal(orders(0), want)

static void test_bans_are_put_in_and_taken_out(void **state)
{
    (void)state;
    ORDERS("!");
    take("192.0.2.1", 60);
    take("2001:db8::/64", 60);
    ORDERS("+192.0.2.1 +2001:db8::/64");
    assert_int_equal(metric_get(M_REG_KERNEL_BANS, 0), 2);
    take("192.0.2.1", 120); /* for longer */
    ORDERS("+192.0.2.1");
    take("192.0.2.1", 0);
    take("192.0.2.9", 0);
    ORDERS("-192.0.2.1");
    assert_int_equal(metric_get(M_REG_KERNEL_BANS, 0), 1);
}

static void test_of_networks_in_one_another_the_widest_is_there(void **state)
{
    (void)state;
    ORDERS("!");
    take("10.1.2.3", 600);
    take("10.1.0.0/16", 300);
    ORDERS("+10.1.2.3 -10.1.2.3 +10.1.0.0/16");
    take("10.1.9.9", 600);
    take("10.0.0.0/8", 5);
    ORDERS("-10.1.0.0/16 +10.0.0.0/8");
    take("10.1.9.9", 0);
    ORDERS("");
    skip_s(6);
    ORDERS("-10.0.0.0/8 +10.1.0.0/16");
    take("10.1.0.0/16", 0);
    ORDERS("-10.1.0.0/16 +10.1.2.3");
    assert_int_equal(metric_get(M_REG_KERNEL_BANS, 0), 1);
}

static void test_what_is_exempt_or_one_port_is_ours_alone(void **state)
{
    struct gate_ban port = { .port = 5060, .rest = DURATION_S(60) };
    struct gate_ban partly = { .partly = true, .rest = DURATION_S(60) };
    (void)state;
    ORDERS("!");
    assert_int_equal(cidr_parse(SPAN("192.0.2.1"), &port.net), 0);
    assert_int_equal(cidr_parse(SPAN("192.0.2.0/24"), &partly.net), 0);
    kernel_bans_take(bans, &port);
    kernel_bans_take(bans, &partly);
    ORDERS("");
}

static void test_what_is_not_told_again_goes(void **state)
{
    (void)state;
    ORDERS("!");
    take("192.0.2.1", 60);
    take("192.0.2.2", 60);
    ORDERS("+192.0.2.1 +192.0.2.2");
    kernel_bans_take(bans, NULL);
    take("192.0.2.2", 50);
    ORDERS("+192.0.2.2");
    skip_s(3);
    ORDERS("-192.0.2.1");
}

static void test_sets_that_were_emptied_are_filled_again(void **state)
{
    (void)state;
    ORDERS("!");
    take("192.0.2.1", 60);
    ORDERS("+192.0.2.1");
    skip_s(11);
    ORDERS("?192.0.2.1");
    skip_s(10);
    assert_string_equal(orders(CS_ENOENT), "?192.0.2.1 !"); /* and the set is gone, too */
    assert_int_equal(metric_get(M_REG_KERNEL_BANS, 0), 0);
    take("192.0.2.2", 60);
    ORDERS("");
    skip_s(10);
    assert_non_null(strstr(orders(0), "! +192.0.2."));
    assert_int_equal(metric_get(M_REG_KERNEL_BANS, 0), 2);
}

static void test_a_refused_ban_is_not_there(void **state)
{
    int64_t failed = metric_get(M_REG_KERNEL_BAN_CHANGES, 2);
    (void)state;
    ORDERS("!");
    take("192.0.2.1", 60);
    assert_string_equal(orders(UV_ENFILE), "+192.0.2.1");
    assert_int_equal(metric_get(M_REG_KERNEL_BANS, 0), 0);
    assert_int_equal(metric_get(M_REG_KERNEL_BAN_CHANGES, 2), failed + 1);
    take("192.0.2.1", 0);
    ORDERS("");
}

static void test_many_at_once_wait_and_are_not_lost(void **state)
{
    (void)state;
    ORDERS("!");
    for (unsigned i = 0; i < 5000; i++) {
        char net[32];
        snprintf(net, sizeof(net), "10.%u.%u.1", i / 250, i % 250);
        take(net, 600);
    }
    struct bouncer_order o;
    unsigned n = 0;
    for (unsigned i = 0; i < 20000 && n < 5000; i++) {
        run_for(&loop, 0);
        while (recv(fd, &o, sizeof(o), MSG_DONTWAIT) == sizeof(o))
            n += o.what == BOUNCER_ADD;
    }
    assert_int_equal(n, 5000);
}

static void test_life_goes_on_without_the_bouncer(void **state)
{
    (void)state;
    ORDERS("!");
    close(fd);
    run_for(&loop, 10);
    take("192.0.2.1", 60);
    skip_s(12);
    take("192.0.2.1", 0);
    fd = dup(2);
}

/* The bouncer believes nobody, not even us. */
static void test_an_order_that_names_no_network_is_refused(void **state)
{
    static const struct bouncer_order bad[] = {
        { .what = BOUNCER_ADD },
        { .what = BOUNCER_ADD, .n_host = 5, .bits = 8, .host = { 10 } },
        { .what = BOUNCER_ADD, .n_host = 4, .bits = 33, .host = { 10 } },
        { .what = BOUNCER_ADD, .n_host = 16, .bits = 129, .host = { 0x20, 1 } },
        { .what = BOUNCER_ADD, .n_host = 255, .bits = 1 },
        { .what = BOUNCER_ADD, .n_host = 16, .bits = 128, .host = { [10] = 255, [11] = 255, 10 } },
    };
    struct bouncer_order o;
    struct cidr net, again;
    (void)state;
    ORDERS("!");
    for (size_t i = 0; i < CS_LEN(bad); i++)
        assert_int_equal(bouncer_net(&bad[i], &net), CS_EPROTO);
    assert_int_equal(cidr_parse(SPAN("2001:db8::/61"), &net), 0);
    bouncer_write(&o, BOUNCER_ADD, &net, DURATION_MS(1));
    assert_int_equal(o.seconds, 1);
    assert_int_equal(bouncer_net(&o, &again), 0);
    assert_true(addr_same_host(&net.net, &again.net) && net.bits == again.bits);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_bans_are_put_in_and_taken_out),
        T(test_of_networks_in_one_another_the_widest_is_there),
        T(test_what_is_exempt_or_one_port_is_ours_alone),
        T(test_what_is_not_told_again_goes),
        T(test_sets_that_were_emptied_are_filled_again),
        T(test_a_refused_ban_is_not_there),
        T(test_many_at_once_wait_and_are_not_lost),
        T(test_life_goes_on_without_the_bouncer),
        T(test_an_order_that_names_no_network_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
