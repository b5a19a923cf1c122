/* Sources that the guard does not want are not read, and what it is told of the others. */
#include "unit/siptp/world.h"

static struct {
    bool admits;
    struct duration wait;
    size_t asked, refused, waits;
    enum sip_refused why;
    enum sip_transport transport;
} g;

static bool admits(void *arg, const struct addr *from)
{
    assert_ptr_equal(arg, &g);
    assert_true(addr_is_loopback(from));
    g.asked++;
    return g.admits;
}

static struct duration wait_(void *arg, const struct addr *from)
{
    assert_ptr_equal(arg, &g);
    assert_true(addr_is_loopback(from));
    g.waits++;
    return g.wait;
}

static void refused(void *arg, const struct addr *from, enum sip_transport transport,
                    enum sip_refused why)
{
    assert_ptr_equal(arg, &g);
    assert_true(addr_is_loopback(from));
    g.refused++;
    g.why = why;
    g.transport = transport;
}

static const struct siptp_guard guard = { admits, refused, wait_ };

static void open_guarded(struct world *w)
{
    const struct siptp_conf conf = { .guard = &guard,
                                     .guard_arg = &g,
                                     .max_connections_per_address = 2 };
    memset(&g, 0, sizeof(g));
    g.admits = true;
    world_open(w, &conf);
}

static void test_a_datagram_of_the_unwanted_is_not_read(void **state)
{
    struct world w;
    (void)state;
    open_guarded(&w);
    int fd = wire_udp(siptp_listener_local(w.udp));
    g.admits = false;
    wire_send(fd, request("UDP 127.0.0.1:9;branch=z9hG4bK1", ""));
    wire_send(fd, SPAN("\r\n\r\n")); /* nor answered */
    wire_send(fd, SPAN("rubbish\r\n\r\n"));
    assert_true(run_until_count(&w.loop, &g.asked, 3, 2000));
    run_for(&w.loop, 20);
    assert_int_equal(w.messages, 0);
    assert_int_equal(g.refused, 0);
    g.admits = true;
    wire_send(fd, request("UDP 127.0.0.1:9;branch=z9hG4bK1", ""));
    until_messages(&w, 1);
    wire_send(fd, SPAN("rubbish\r\n\r\n"));
    assert_true(run_until_count(&w.loop, &g.refused, 1, 2000));
    assert_int_equal(g.transport, SIP_UDP);
    assert_int_equal(g.why, REFUSED_MALFORMED);
    close(fd);
    world_close(&w);
}

static void test_a_connection_of_the_unwanted_is_closed_at_once_or_at_its_next_message(void **state)
{
    struct world w;
    (void)state;
    open_guarded(&w);
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(fd, request("TCP 127.0.0.1:9;branch=z9hG4bK1", ""));
    until_messages(&w, 1);
    g.admits = false;
    wire_send(fd, request("TCP 127.0.0.1:9;branch=z9hG4bK2", ""));
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    assert_int_equal(w.messages, 1);
    assert_false(w.flow->open);
    close(fd);
    size_t asked = g.asked;
    fd = wire_tcp(siptp_listener_local(w.tcp));
    assert_true(run_until_count(&w.loop, &g.asked, asked + 1, 2000));
    wire_send(fd, request("TCP 127.0.0.1:9;branch=z9hG4bK3", ""));
    run_for(&w.loop, 20);
    assert_int_equal(w.messages, 1);
    close(fd);
    world_close(&w);
}

static void test_who_says_too_much_is_not_heard_for_a_while(void **state)
{
    struct world w;
    (void)state;
    open_guarded(&w);
    int udp = wire_udp(siptp_listener_local(w.udp)), tcp = wire_tcp(siptp_listener_local(w.tcp));
    int64_t held = metric_get(M_SIP_HELD, 0);
    wire_send(tcp, request("TCP 127.0.0.1:9;branch=z9hG4bK1", ""));
    until_messages(&w, 1);
    g.wait = DURATION_S(2);
    wire_send(udp, request("UDP 127.0.0.1:9;branch=z9hG4bK2", ""));
    wire_send(tcp, request("TCP 127.0.0.1:9;branch=z9hG4bK3", ""));
    wire_send(tcp, request("TCP 127.0.0.1:9;branch=z9hG4bK4", "four"));
    assert_true(run_until_count(&w.loop, &g.waits, 3, 2000));
    for (int i = 0; i < 20; i++) { /* the rest stays with the kernel, and nobody looks */
        wire_send(tcp, request("TCP 127.0.0.1:9;branch=z9hG4bK5", "more"));
        run_for(&w.loop, 1);
    }
    assert_int_equal(g.waits, 3);
    assert_int_equal(metric_get(M_SIP_HELD, 0), held + 1);
    loop_skip(&w.loop, DURATION_S(1));
    assert_int_equal(w.messages, 1);
    g.wait.ms = 0;
    loop_skip(&w.loop, DURATION_MS(1001));
    until_messages(&w, 23); /* the datagram is lost, and nothing of the stream */
    assert_int_equal(w.closed, 0);
    close(tcp);
    close(udp);
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    world_close(&w);
}

static void test_who_goes_while_he_is_held_is_gone(void **state)
{
    struct world w;
    (void)state;
    open_guarded(&w);
    g.wait = DURATION_S(2);
    int tcp = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(tcp, request("TCP 127.0.0.1:9;branch=z9hG4bK1", ""));
    assert_true(run_until_count(&w.loop, &g.waits, 1, 2000));
    close(tcp);
    g.wait.ms = 0;
    loop_skip(&w.loop, DURATION_S(3));
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    tcp = wire_tcp(siptp_listener_local(w.tcp));
    g.wait = DURATION_S(2);
    wire_send(tcp, request("TCP 127.0.0.1:9;branch=z9hG4bK1", ""));
    assert_true(run_until_count(&w.loop, &g.waits, 3, 2000));
    world_close(&w); /* while one is held */
    close(tcp);
}

static void test_connections_beyond_an_address_share_and_bad_framing_are_told(void **state)
{
    struct world w;
    int fd[3];
    (void)state;
    open_guarded(&w);
    for (int i = 0; i < 3; i++)
        fd[i] = wire_tcp(siptp_listener_local(w.tcp));
    assert_true(run_until_count(&w.loop, &g.refused, 1, 2000));
    assert_int_equal(g.why, REFUSED_CONNECTIONS);
    wire_send(fd[0], SPAN("GET / HTTP/1.0\r\n\r\n"));
    assert_true(run_until_count(&w.loop, &g.refused, 2, 2000));
    assert_int_equal(g.why, REFUSED_MALFORMED);
    assert_int_equal(g.transport, SIP_TCP);
    loop_skip(&w.loop, DURATION_S(11)); /* the other one never spoke */
    assert_true(run_until_count(&w.loop, &g.refused, 3, 2000));
    assert_int_equal(g.why, REFUSED_TIMEOUT);
    for (int i = 0; i < 3; i++)
        close(fd[i]);
    world_close(&w);
}

static void test_what_is_banned_is_closed_by_network_and_port(void **state)
{
    struct world w;
    struct cidr net;
    (void)state;
    open_guarded(&w);
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(fd, request("TCP 127.0.0.1:9;branch=z9hG4bK1", ""));
    until_messages(&w, 1);
    uint16_t port = addr_port(&w.flow->remote);
    assert_int_equal(cidr_parse(SPAN("10.0.0.0/8"), &net), 0);
    siptp_close_from(w.tp, &net, 0);
    assert_true(w.flow->open);
    assert_int_equal(cidr_parse(SPAN("127.0.0.0/8"), &net), 0);
    siptp_close_from(w.tp, &net, (uint16_t)(port ^ 1));
    assert_true(w.flow->open);
    siptp_close_from(w.tp, &net, port);
    assert_false(w.flow->open);
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    close(fd);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_datagram_of_the_unwanted_is_not_read),
        cmocka_unit_test(
            test_a_connection_of_the_unwanted_is_closed_at_once_or_at_its_next_message),
        cmocka_unit_test(test_who_says_too_much_is_not_heard_for_a_while),
        cmocka_unit_test(test_who_goes_while_he_is_held_is_gone),
        cmocka_unit_test(test_connections_beyond_an_address_share_and_bad_framing_are_told),
        cmocka_unit_test(test_what_is_banned_is_closed_by_network_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
