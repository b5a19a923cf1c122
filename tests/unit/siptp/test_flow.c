#include "unit/siptp/world.h"

/* Sends a request over UDP with this Via and returns the flow for its response. */
static struct flow *response_flow(struct world *w, int fd, const char *via)
{
    struct flow *out;
    wire_send(fd, request(via, ""));
    until_messages(w, w->messages + 1);
    assert_int_equal(flow_for_response(w->flow, w->msg, &out), 0);
    return out;
}

static void test_a_response_goes_where_rfc_3261_and_3581_say(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int fd = wire_udp(siptp_listener_local(w.udp));
    static const struct {
        const char *via;
        uint16_t port; /* 0: the source's */
        const char *host;
    } cases[] = {
        { "UDP 10.0.0.9:4000;branch=z9hG4bK1;rport", 0, "127.0.0.1" },
        { "UDP 10.0.0.9;branch=z9hG4bK1;rport", 0, "127.0.0.1" },
        { "UDP 10.0.0.9:4000;branch=z9hG4bK1", 4000, "127.0.0.1" },
        { "UDP host.invalid;branch=z9hG4bK1", 5060, "127.0.0.1" },
        { "UDP 10.0.0.9:4000;branch=z9hG4bK1;maddr=127.0.0.1", 4000, "127.0.0.1" },
        { "UDP 10.0.0.9;branch=z9hG4bK1;maddr=127.0.0.1;rport", 5060, "127.0.0.1" },
        /* nobody else is sent what he did not ask for */
        { "UDP 10.0.0.9:4000;branch=z9hG4bK1;maddr=127.0.0.2", 4000, "127.0.0.1" },
        { "UDP 10.0.0.9;branch=z9hG4bK1;maddr=127.0.0.2;rport", 0, "127.0.0.1" },
        { "UDP 10.0.0.9;branch=z9hG4bK1;maddr=host.invalid;rport", 0, "127.0.0.1" },
    };
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        struct flow *out = response_flow(&w, fd, cases[i].via);
        struct addr expected;
        uint16_t port = cases[i].port ? cases[i].port : addr_port(&w.msg->source);
        assert_int_equal(addr_parse_host(span_str(cases[i].host), port, &expected), 0);
        assert_true(addr_eq(&out->remote, &expected));
        assert_ptr_equal(out->listener, w.udp);
        flow_unref(&out);
    }
    close(fd);
    world_close(&w);
}

static void test_a_response_leaves_by_the_connection_while_it_lives(void **state)
{
    struct world w;
    struct flow *out;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(fd, request("TCP 10.0.0.9:4000;branch=z9hG4bK1;maddr=127.0.0.2", ""));
    until_messages(&w, 1);
    assert_int_equal(flow_for_response(w.flow, w.msg, &out), 0);
    assert_ptr_equal(out, w.flow);
    flow_unref(&out);
    close(fd);
    world_close(&w);
}

static void test_a_response_to_a_dead_connection_opens_another(void **state)
{
    struct world w;
    struct addr at;
    struct flow *out;
    char via[80];
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int listening = wire_tcp_listening(&at);
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    snprintf(via, sizeof(via), "TCP host.invalid:%u;branch=z9hG4bK1", addr_port(&at));
    wire_send(fd, request(via, ""));
    until_messages(&w, 1);
    close(fd);
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    assert_int_equal(flow_for_response(w.flow, w.msg, &out), 0);
    assert_ptr_not_equal(out, w.flow);
    assert_int_equal(flow_send(out, SPAN("answer")), 0);
    int back = wire_accept(&w.loop, listening);
    assert_true(span_eq(wire_recv(&w.loop, back, 2000), SPAN("answer")));
    flow_unref(&out);
    close(back);
    close(listening);
    world_close(&w);
}

static void test_flows_outlive_the_transport(void **state)
{
    struct world w;
    struct flow *out, *stream;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int fd = wire_udp(siptp_listener_local(w.udp));
    int tcp = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(tcp, request("TCP 127.0.0.1;branch=z9hG4bK1", ""));
    until_messages(&w, 1);
    stream = flow_ref(w.flow);
    out = response_flow(&w, fd, "UDP 127.0.0.1;branch=z9hG4bK1;rport");
    siptp_free(&w.tp);
    assert_int_equal(flow_send(out, SPAN("x")), CS_ECLOSED);
    assert_int_equal(flow_send(stream, SPAN("x")), CS_ECLOSED);
    flow_close(stream);
    flow_unref(&out);
    world_close(&w);
    assert_int_equal(w.closed, 0);
    assert_true(span_eq(siptp_listener_name(stream->listener), SPAN("lan")));
    flow_unref(&stream);
    close(fd);
    close(tcp);
}

static void test_listeners_know_their_names(void **state)
{
    struct world w;
    struct siptp_listener *all, *none;
    struct addr any, six;
    struct flow *f;
    char text[64];
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    uint16_t udp = addr_port(siptp_listener_local(w.udp));
    uint16_t tcp = addr_port(siptp_listener_local(w.tcp));
    snprintf(text, sizeof(text), "127.0.0.1:%u", udp);
    assert_true(span_eq(siptp_listener_sent_by(w.udp), span_str(text)));
    assert_true(span_eq(siptp_listener_sent_by(w.tcp), SPAN("sip.example.com:5070")));
    assert_true(siptp_is_us(w.tp, SPAN("127.0.0.1"), udp));
    assert_true(siptp_is_us(w.tp, SPAN("127.0.0.1"), tcp));
    assert_true(siptp_is_us(w.tp, SPAN("SIP.example.com"), 5070));
    assert_false(siptp_is_us(w.tp, SPAN("sip.example.com"), 0));
    assert_false(siptp_is_us(w.tp, SPAN("127.0.0.1"), 0));
    assert_false(siptp_is_us(w.tp, SPAN("127.0.0.2"), udp));
    assert_false(siptp_is_us(w.tp, SPAN("example.com"), 5070));
    struct addr a = *siptp_listener_local(w.udp);
    assert_true(siptp_hears(w.tp, SIP_UDP, &a));
    assert_false(siptp_hears(w.tp, SIP_TLS, &a));
    addr_set_port(&a, 5070); /* that is what it is called elsewhere */
    assert_false(siptp_hears(w.tp, SIP_TCP, &a));

    assert_int_equal(addr_parse(SPAN("0.0.0.0"), 0, &any), 0);
    assert_int_equal(siptp_listen(w.tp, SIP_UDP, &any, SPAN("all"), SPAN_NULL, &all), 0);
    uint16_t port = addr_port(siptp_listener_local(all));
    assert_true(siptp_is_us(w.tp, SPAN("127.0.0.1"), port));
    assert_false(siptp_is_us(w.tp, SPAN("192.0.2.77"), port));
    a = loopback(port);
    assert_true(siptp_hears(w.tp, SIP_UDP, &a));
    assert_int_equal(addr_parse(SPAN("192.0.2.77"), port, &a), 0);
    assert_false(siptp_hears(w.tp, SIP_UDP, &a));
    assert_int_equal(
        siptp_listen(w.tp, SIP_TCP, &any, SPAN("behind a NAT"), SPAN("192.0.2.77:5071"), &all), 0);
    addr_set_port(&a, 5071);
    assert_true(siptp_hears(w.tp, SIP_TCP, &a));
    assert_false(siptp_hears(w.tp, SIP_UDP, &a));
    assert_false(span_starts(siptp_listener_sent_by(all), SPAN("0.0.0.0")));

    assert_int_equal(siptp_listen(w.tp, SIP_LINK, &any, SPAN("link"), SPAN_NULL, &none),
                     CS_ENOTSUP);
    assert_int_equal(
        siptp_listen(w.tp, SIP_UDP, siptp_listener_local(w.udp), SPAN("again"), SPAN_NULL, &none),
        UV_EADDRINUSE);
    assert_int_equal(addr_parse(SPAN("2001:db8::1"), 5060, &six), 0);
    assert_int_equal(siptp_flow_to(w.tp, SIP_UDP, &six, NULL, &f), UV_EAFNOSUPPORT);
    assert_int_equal(siptp_flow_to(w.tp, SIP_TCP, &six, w.udp, &f), UV_EAFNOSUPPORT);
    world_close(&w);
}

static void test_transports_have_names(void **state)
{
    enum sip_transport t;
    (void)state;
    for (int i = 0; i < SIP_LINK; i++) {
        assert_int_equal(sip_transport_of(sip_transport_via((enum sip_transport)i), &t), 0);
        assert_int_equal(t, i);
        assert_int_equal(sip_transport_of(sip_transport_name((enum sip_transport)i), &t), 0);
        assert_int_equal(t, i);
        assert_int_equal(sip_transport_of(sip_transport_uri((enum sip_transport)i), &t), 0);
        assert_int_equal(t, i == SIP_WSS ? SIP_WS : i); /* RFC 7118, 5.3 */
    }
    assert_int_equal(sip_transport_of(SPAN("sctp"), &t), CS_ENOTSUP);
    assert_int_equal(sip_transport_of(SPAN_NULL, &t), CS_ENOTSUP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_response_goes_where_rfc_3261_and_3581_say),
        cmocka_unit_test(test_a_response_leaves_by_the_connection_while_it_lives),
        cmocka_unit_test(test_a_response_to_a_dead_connection_opens_another),
        cmocka_unit_test(test_flows_outlive_the_transport),
        cmocka_unit_test(test_listeners_know_their_names),
        cmocka_unit_test(test_transports_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
