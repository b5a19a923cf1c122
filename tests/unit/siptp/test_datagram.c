#include "lib/test.h"
#include "unit/siptp/world.h"

static void test_a_request_is_handed_up_with_its_source(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int fd = wire_udp(siptp_listener_local(w.udp));
    wire_send(fd, request("UDP 127.0.0.1:9;branch=z9hG4bK1", "hello"));
    until_messages(&w, 1);
    assert_true(span_eq(w.msg->body, SPAN("hello")));
    assert_true(addr_eq(&w.msg->source, &w.flow->remote));
    assert_ptr_equal(w.flow->listener, w.udp);
    assert_int_equal(w.flow->transport, SIP_UDP);
    assert_false(flow_is_reliable(w.flow));
    assert_int_equal(flow_send(w.flow, SPAN("back")), 0);
    assert_true(span_eq(wire_recv(&w.loop, fd, 2000), SPAN("back")));
    assert_true(addr_eq(wire_from(), siptp_listener_local(w.udp)));
    close(fd);
    world_close(&w);
}

static void test_messages_of_one_place_share_a_flow_while_it_lives(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    const struct addr *to = siptp_listener_local(w.udp);
    int fd = wire_udp(to), other = wire_udp(to);
    wire_send(fd, request("UDP 127.0.0.1:9;branch=z9hG4bK1", ""));
    until_messages(&w, 1);
    struct flow *first = flow_ref(w.flow), *out;
    wire_send(other, request("UDP 127.0.0.1:9;branch=z9hG4bK2", ""));
    until_messages(&w, 2);
    assert_ptr_not_equal(w.flow, first);
    assert_false(addr_eq(&w.flow->remote, &first->remote));
    wire_send(fd, request("UDP 127.0.0.1:9;branch=z9hG4bK3", ""));
    until_messages(&w, 3);
    assert_ptr_equal(w.flow, first);
    assert_int_equal(siptp_flow_to(w.tp, SIP_UDP, &first->remote, w.udp, &out), 0);
    assert_ptr_equal(out, first);
    flow_unref(&out);
    flow_unref(&w.flow);
    const struct addr at = first->remote;
    flow_unref(&first);
    wire_send(fd, request("UDP 127.0.0.1:9;branch=z9hG4bK4", ""));
    until_messages(&w, 4);
    assert_true(addr_eq(&w.flow->remote, &at));
    assert_int_equal(w.flow->refs, 1);
    close(fd);
    close(other);
    world_close(&w);
}

/* There are more of them than are found again. */
static void test_each_place_has_its_own_flow(void **state)
{
    enum { N = 300 };
    struct world w;
    struct flow *f[N], *again;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    for (unsigned i = 0; i < N; i++) {
        const struct addr at = loopback((uint16_t)(10000 + 7 * i));
        assert_int_equal(siptp_flow_to(w.tp, SIP_UDP, &at, w.udp, &f[i]), 0);
        assert_true(addr_eq(&f[i]->remote, &at));
        assert_int_equal(siptp_flow_to(w.tp, SIP_UDP, &at, w.udp, &again), 0);
        assert_ptr_equal(again, f[i]);
        flow_unref(&again);
    }
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(addr_port(&f[i]->remote), 10000 + 7 * i);
        flow_unref(&f[i]);
    }
    world_close(&w);
}

struct tapped {
    size_t sent, received;
    struct span reason;
};

static void on_tap(void *arg, const struct flow *f, bool sent, struct span text)
{
    struct tapped *t = arg;
    t->sent += sent;
    t->received += !sent;
    assert_int_equal(f->transport, SIP_UDP);
    assert_true(span_starts(text, sent ? SPAN("SIP/2.0 200") : SPAN("OPTIONS ")));
    if (siptp_reason(f->tp))
        t->reason = span_str(siptp_reason(f->tp)->decision);
}

static void test_who_listens_is_shown_what_comes_and_what_leaves(void **state)
{
    struct world w;
    struct tapped t = { 0 };
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int fd = wire_udp(siptp_listener_local(w.udp));
    siptp_tap(w.tp, on_tap, &t);
    wire_send(fd, SPAN("\r\n\r\n")); /* a keepalive is no message, nor is its answer */
    wire_send(fd, request("UDP 127.0.0.1:9;branch=z9hG4bK1", ""));
    until_messages(&w, 1);
    siptp_set_reason(w.tp, &(struct siptp_reason){ .decision = "d1" });
    assert_int_equal(flow_send(w.flow, SPAN("SIP/2.0 200 OK\r\n\r\n")), 0);
    siptp_set_reason(w.tp, NULL);
    assert_int_equal(flow_send(w.flow, SPAN("\r\n")), 0);
    assert_int_equal(t.received, 1);
    assert_int_equal(t.sent, 1);
    assert_span(t.reason, "d1");
    siptp_tap(w.tp, NULL, NULL);
    assert_int_equal(flow_send(w.flow, SPAN("SIP/2.0 200 OK\r\n\r\n")), 0);
    assert_int_equal(t.sent, 1);
    close(fd);
    world_close(&w);
}

static void test_a_double_crlf_is_answered_and_a_single_one_is_not(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int fd = wire_udp(siptp_listener_local(w.udp));
    wire_send(fd, SPAN("\r\n"));
    wire_send(fd, SPAN("\r\n\r\n"));
    assert_true(span_eq(wire_recv(&w.loop, fd, 2000), SPAN("\r\n")));
    assert_null(wire_recv(&w.loop, fd, 50).p);
    assert_int_equal(w.messages, 0);
    close(fd);
    world_close(&w);
}

static void test_what_is_no_message_is_ignored(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int fd = wire_udp(siptp_listener_local(w.udp));
    int64_t refused = metric_get(M_SIP_REFUSED, REFUSED_MALFORMED);
    wire_send(fd, SPAN(""));
    wire_send(fd, SPAN("\0"));
    wire_send(fd, SPAN("\0\1\0\0\x21\x12\xa4\x43"
                       "0123456789ab"));
    wire_send(fd, SPAN("\1\1\0\0\x21\x12\xa4\x42"
                       "0123456789ab"));
    assert_null(wire_recv(&w.loop, fd, 50).p);
    assert_int_equal(w.messages, 0);
    assert_int_equal(metric_get(M_SIP_REFUSED, REFUSED_MALFORMED), refused);
    close(fd);
    world_close(&w);
}

static void test_a_stun_request_learns_its_address(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int fd = wire_udp(siptp_listener_local(w.udp));
    int64_t before = metric_get(M_SIP_KEEPALIVES, 1);
    wire_send(fd, SPAN("\0\1\0\0\x21\x12\xa4\x42"
                       "0123456789ab"));
    struct span got = wire_recv(&w.loop, fd, 2000);
    assert_int_equal(got.n, 32);
    assert_memory_equal(got.p,
                        "\1\1\0\x0c\x21\x12\xa4\x42"
                        "0123456789ab\0\x20\0\x08\0\1",
                        26);
    struct sockaddr_in me;
    socklen_t n = sizeof(me);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&me, &n), 0);
    unsigned char port[2] = { (unsigned char)got.p[26] ^ 0x21, (unsigned char)got.p[27] ^ 0x12 };
    assert_memory_equal(port, &me.sin_port, 2);
    assert_memory_equal(got.p + 28, "\x5e\x12\xa4\x43", 4); /* 127.0.0.1 */
    assert_int_equal(metric_get(M_SIP_KEEPALIVES, 1), before + 1);
    assert_int_equal(w.messages, 0);
    close(fd);
    world_close(&w);
}

/* G-24 */
static void test_what_cannot_be_answered_is_counted_and_dropped(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ .limits.headers = 20, .limits.line = 500 });
    int fd = wire_udp(siptp_listener_local(w.udp));
    int64_t malformed = metric_get(M_SIP_REFUSED, REFUSED_MALFORMED);
    int64_t long_line = metric_get(M_SIP_REFUSED, REFUSED_LINE_TOO_LONG);
    wire_send(fd, SPAN("GET / HTTP/1.1\r\n\r\n"));
    char via[700];
    memset(via, 'x', sizeof(via));
    memcpy(via, "UDP h;branch=", 13);
    via[600] = 0;
    wire_send(fd, request(via, ""));
    wire_send(fd, request("UDP 127.0.0.1;branch=z9hG4bK1", "")); /* this one is good */
    until_messages(&w, 1);
    assert_int_equal(metric_get(M_SIP_REFUSED, REFUSED_MALFORMED), malformed + 1);
    assert_int_equal(metric_get(M_SIP_REFUSED, REFUSED_LINE_TOO_LONG), long_line + 1);
    close(fd);
    world_close(&w);
}

static void test_an_answerable_malformed_request_is_handed_up(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int fd = wire_udp(siptp_listener_local(w.udp));
    wire_send(fd, SPAN("OPTIONS sip:example.com SIP/7.0\r\n"
                       "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n"
                       "From: <sip:a@example.com>;tag=1\r\n"
                       "To: <sip:b@example.com>\r\n"
                       "Call-ID: c1\r\n"
                       "CSeq: 7 OPTIONS\r\n\r\n"));
    until_messages(&w, 1);
    assert_int_equal(w.msg->bad, 505);
    close(fd);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_is_handed_up_with_its_source),
        cmocka_unit_test(test_messages_of_one_place_share_a_flow_while_it_lives),
        cmocka_unit_test(test_each_place_has_its_own_flow),
        cmocka_unit_test(test_who_listens_is_shown_what_comes_and_what_leaves),
        cmocka_unit_test(test_a_double_crlf_is_answered_and_a_single_one_is_not),
        cmocka_unit_test(test_what_is_no_message_is_ignored),
        cmocka_unit_test(test_a_stun_request_learns_its_address),
        cmocka_unit_test(test_what_cannot_be_answered_is_counted_and_dropped),
        cmocka_unit_test(test_an_answerable_malformed_request_is_handed_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
