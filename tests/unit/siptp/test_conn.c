#include "unit/siptp/world.h"

#define VIA "TCP 127.0.0.1:9;branch=z9hG4bK1"

static void test_a_message_split_at_any_byte_arrives_whole(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    struct span text = request(VIA, "the body");
    for (size_t cut = 1; cut < text.n; cut++) {
        wire_send(fd, span_head(text, cut));
        run_for(&w.loop, 1);
        assert_int_equal(w.messages, cut - 1);
        wire_send(fd, span_skip(text, cut));
        until_messages(&w, cut);
        assert_true(span_eq(w.msg->body, SPAN("the body")));
        assert_true(span_eq(w.msg->raw, text));
    }
    close(fd);
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    world_close(&w);
}

static void test_messages_of_one_segment_are_told_apart(void **state)
{
    struct world w;
    char text[4096];
    struct buf b = BUF_INIT(text);
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    buf_lit(&b, "\r\n");
    buf_put(&b, request(VIA, "one"));
    buf_put(&b, request(VIA, ""));
    buf_lit(&b, "\r\n");
    buf_put(&b, request(VIA, "three"));
    buf_put(&b, SPAN("OPTIONS sip:"));
    wire_send(fd, buf_span(&b));
    until_messages(&w, 3);
    assert_true(span_eq(w.msg->body, SPAN("three")));
    struct span rest = request(VIA, "four");
    wire_send(fd, span_skip(rest, 12));
    until_messages(&w, 4);
    assert_true(span_eq(w.msg->body, SPAN("four")));
    close(fd);
    world_close(&w);
}

static void test_a_ping_gets_one_crlf_however_it_is_cut(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    for (size_t cut = 0; cut < 4; cut++) {
        if (cut)
            wire_send(fd, span_head(SPAN("\r\n\r\n"), cut));
        run_for(&w.loop, 2);
        wire_send(fd, span_skip(SPAN("\r\n\r\n"), cut));
        assert_true(span_eq(wire_recv(&w.loop, fd, 2000), SPAN("\r\n")));
    }
    wire_send(fd, SPAN("\r\n")); /* one is no ping */
    assert_null(wire_recv(&w.loop, fd, 20).p);
    wire_send(fd, request(VIA, ""));
    until_messages(&w, 1);
    close(fd);
    world_close(&w);
}

/* Sends text, and expects the connection to be closed with or without a message. */
static void refused(struct span text, size_t messages, unsigned bad, enum sip_refused why)
{
    struct world w;
    int64_t before = metric_get(M_SIP_REFUSED, why);
    world_open(&w, &(struct siptp_conf){ .limits = { 2000, 400, 20 } });
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(fd, text);
    struct span got = wire_recv(&w.loop, fd, 2000);
    assert_non_null(got.p);
    assert_int_equal(got.n, 0);
    assert_int_equal(w.messages, messages);
    if (messages)
        assert_int_equal(w.msg->bad, bad);
    assert_int_equal(metric_get(M_SIP_REFUSED, why), before + 1);
    close(fd);
    world_close(&w);
}

static void test_a_stream_that_cannot_be_framed_is_closed(void **state)
{
    char many[3000];
    struct buf b = BUF_INIT(many);
    (void)state;
    refused(SPAN("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 0, 0, REFUSED_MALFORMED);

    buf_lit(&b, "OPTIONS sip:example.com SIP/2.0\r\n");
    for (int i = 0; i < 40; i++)
        buf_lit(&b, "X: y\r\n");
    buf_lit(&b, "\r\n");
    refused(buf_span(&b), 0, 0, REFUSED_TOO_MANY_HEADERS);

    b.n = 0;
    buf_lit(&b, "OPTIONS sip:example.com SIP/2.0\r\nX: ");
    for (int i = 0; i < 500; i++)
        buf_putc(&b, 'y');
    buf_lit(&b, "\r\n\r\n");
    refused(buf_span(&b), 0, 0, REFUSED_LINE_TOO_LONG);
}

static void test_a_request_without_length_is_told_so_before_the_end(void **state)
{
    char text[2000];
    struct buf b = BUF_INIT(text);
    struct span whole = request(VIA, "");
    (void)state;
    buf_put(&b, span_head(whole, whole.n - strlen("Content-Length: 0\r\n\r\n")));
    buf_lit(&b, "\r\n");
    refused(buf_span(&b), 1, 400, REFUSED_NO_LENGTH);
}

static void test_a_body_over_the_limit_is_refused_with_513(void **state)
{
    char text[2000];
    struct buf b = BUF_INIT(text);
    struct span whole = request(VIA, "");
    (void)state;
    buf_put(&b, span_head(whole, whole.n - strlen("0\r\n\r\n")));
    buf_lit(&b, "100000\r\n\r\n");
    refused(buf_span(&b), 1, 513, REFUSED_TOO_LARGE);
}

static void test_a_slow_sender_is_closed(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ .message_deadline = DURATION_S(10) });
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    struct span text = request(VIA, "");
    wire_send(fd, text);
    until_messages(&w, 1);
    int64_t before = metric_get(M_SIP_REFUSED, REFUSED_TIMEOUT);
    for (size_t i = 0; i < 9; i++) { /* a byte each second does not help */
        wire_send(fd, span_head(span_skip(text, i), 1));
        run_for(&w.loop, 10);
        loop_skip(&w.loop, DURATION_S(1));
        assert_int_equal(w.closed, 0);
    }
    loop_skip(&w.loop, DURATION_S(5)); /* behind the first byte's deadline, before the last one's */
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    assert_int_equal(metric_get(M_SIP_REFUSED, REFUSED_TIMEOUT), before + 1);
    close(fd);
    world_close(&w);
}

static void test_a_connection_that_never_speaks_sip_is_closed(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ .first_message = DURATION_S(10) });
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(fd, SPAN("\r\n\r\n"));
    assert_true(span_eq(wire_recv(&w.loop, fd, 2000), SPAN("\r\n")));
    loop_skip(&w.loop, DURATION_S(9));
    run_for(&w.loop, 5);
    assert_int_equal(w.closed, 0);
    loop_skip(&w.loop, DURATION_S(2));
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    close(fd);
    world_close(&w);
}

static void test_an_idle_connection_is_closed_and_a_ping_keeps_it(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ .idle = DURATION_S(60) });
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(fd, request(VIA, ""));
    until_messages(&w, 1);
    for (int i = 0; i < 3; i++) {
        loop_skip(&w.loop, DURATION_S(50));
        wire_send(fd, SPAN("\r\n\r\n"));
        assert_true(span_eq(wire_recv(&w.loop, fd, 2000), SPAN("\r\n")));
    }
    assert_int_equal(w.closed, 0);
    loop_skip(&w.loop, DURATION_S(61));
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    close(fd);
    world_close(&w);
}

static void test_who_is_not_accepted_in_time_is_closed(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ .first_accepted = DURATION_S(30) });
    int64_t late = metric_get(M_SIP_REFUSED, REFUSED_TIMEOUT);
    int stranger = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(stranger, request(VIA, ""));
    until_messages(&w, 1);
    int friend = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(friend, request(VIA, ""));
    until_messages(&w, 2);
    flow_accepted(w.flow);
    flow_accepted(w.flow); /* as often as he likes */
    loop_skip(&w.loop, DURATION_S(20));
    wire_send(stranger, request(VIA, "still here")); /* talking does not help */
    until_messages(&w, 3);
    assert_int_equal(w.closed, 0);
    loop_skip(&w.loop, DURATION_S(11));
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    assert_int_equal(wire_recv(&w.loop, stranger, 2000).n, 0);
    assert_int_equal(metric_get(M_SIP_REFUSED, REFUSED_TIMEOUT), late + 1);
    wire_send(friend, request(VIA, ""));
    until_messages(&w, 4);
    close(stranger);
    close(friend);
    world_close(&w);
}

static void test_of_too_many_strangers_the_oldest_goes(void **state)
{
    struct world w;
    int fd[4];
    (void)state;
    world_open(&w, &(struct siptp_conf){ .max_strangers = 2 });
    int64_t refused = metric_get(M_SIP_REFUSED, REFUSED_CONNECTIONS);
    for (size_t i = 0; i < CS_LEN(fd); i++) {
        fd[i] = wire_tcp(siptp_listener_local(w.tcp));
        wire_send(fd[i], request(VIA, ""));
        until_messages(&w, i + 1);
        if (i == 0)
            flow_accepted(w.flow);
    }
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    assert_int_equal(wire_recv(&w.loop, fd[1], 2000).n, 0);
    assert_int_equal(metric_get(M_SIP_REFUSED, REFUSED_CONNECTIONS), refused + 1);
    wire_send(fd[0], request(VIA, ""));
    wire_send(fd[2], request(VIA, ""));
    wire_send(fd[3], request(VIA, ""));
    until_messages(&w, 7);
    for (size_t i = 0; i < CS_LEN(fd); i++)
        close(fd[i]);
    world_close(&w);
}

static void test_keepalives_that_end_end_a_flow(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptp_conf){ .idle = DURATION_S(900) });
    int never = wire_tcp(siptp_listener_local(w.tcp)), once = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(never, request(VIA, ""));
    until_messages(&w, 1);
    flow_expect(w.flow, DURATION_S(100));
    wire_send(once, request(VIA, ""));
    until_messages(&w, 2);
    flow_expect(w.flow, DURATION_S(100));
    for (int i = 0; i < 3; i++) {
        wire_send(once, SPAN("\r\n\r\n"));
        assert_true(span_eq(wire_recv(&w.loop, once, 2000), SPAN("\r\n")));
        loop_skip(&w.loop, DURATION_S(90));
        assert_int_equal(w.closed, 0);
    }
    loop_skip(&w.loop, DURATION_S(11));
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    assert_int_equal(wire_recv(&w.loop, once, 2000).n, 0);
    flow_expect(w.flow, DURATION_S(100)); /* too late to matter */
    wire_send(never, request(VIA, ""));
    until_messages(&w, 3);
    close(never);
    close(once);
    world_close(&w);
}

static void test_connections_are_limited_by_address_and_in_all(void **state)
{
    struct world w;
    int fd[4];
    (void)state;
    world_open(&w, &(struct siptp_conf){ .max_connections = 3, .max_connections_per_address = 2 });
    int64_t before = metric_get(M_SIP_REFUSED, REFUSED_CONNECTIONS);
    int64_t flows = metric_get(M_SIP_FLOWS, SIP_TCP);
    for (int i = 0; i < 2; i++) {
        fd[i] = wire_tcp(siptp_listener_local(w.tcp));
        wire_send(fd[i], request(VIA, ""));
        until_messages(&w, (size_t)i + 1);
    }
    fd[2] = wire_tcp(siptp_listener_local(w.tcp)); /* the third of this address */
    struct span got = wire_recv(&w.loop, fd[2], 2000);
    assert_true(got.p && got.n == 0);
    assert_int_equal(metric_get(M_SIP_REFUSED, REFUSED_CONNECTIONS), before + 1);

    struct addr at, other;
    struct flow *f, *g;
    int listening = wire_tcp_listening(&at), listening2 = wire_tcp_listening(&other);
    assert_int_equal(siptp_flow_to(w.tp, SIP_TCP, &at, NULL, &f), 0);
    assert_int_equal(siptp_flow_to(w.tp, SIP_TCP, &other, NULL, &g), CS_ELIMIT);
    flow_unref(&f);

    close(fd[0]);
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    fd[3] = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(fd[3], request(VIA, ""));
    until_messages(&w, 3); /* there is room again */
    assert_int_equal(metric_get(M_SIP_FLOWS, SIP_TCP), flows + 3);
    for (int i = 1; i < 4; i++)
        close(fd[i]);
    close(listening);
    close(listening2);
    world_close(&w);
    assert_int_equal(metric_get(M_SIP_FLOWS, SIP_TCP), flows);
}

static void test_a_flow_closed_by_its_reader_delivers_nothing_more(void **state)
{
    struct world w;
    char text[4096];
    struct buf b = BUF_INIT(text);
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    w.close_on_message = true;
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    buf_put(&b, request(VIA, "one"));
    buf_put(&b, request(VIA, "two"));
    wire_send(fd, buf_span(&b));
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    assert_int_equal(w.messages, 1);
    assert_int_equal(flow_send(w.flow, SPAN("x")), CS_ECLOSED);
    close(fd);
    world_close(&w);
}

static void test_a_failed_connect_shows_as_closed(void **state)
{
    struct world w;
    struct flow *f;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    struct addr nobody = loopback((uint16_t)free_port());
    assert_int_equal(siptp_flow_to(w.tp, SIP_TCP, &nobody, w.tcp, &f), 0);
    assert_int_equal(flow_send(f, SPAN("hello")), 0);
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    assert_false(f->open);
    flow_unref(&f);
    world_close(&w);
}

static void test_a_connection_is_found_again_by_its_address(void **state)
{
    struct world w;
    struct addr at;
    struct flow *f, *g;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int listening = wire_tcp_listening(&at);
    assert_int_equal(siptp_flow_to(w.tp, SIP_TCP, &at, NULL, &f), 0);
    assert_int_equal(siptp_flow_to(w.tp, SIP_TCP, &at, NULL, &g), 0);
    assert_ptr_equal(f, g);
    assert_int_equal(flow_send(f, SPAN("early")), 0); /* waits for the connection */
    int fd = wire_accept(&w.loop, listening);
    assert_true(span_eq(wire_recv(&w.loop, fd, 2000), SPAN("early")));
    wire_send(fd, request(VIA, "")); /* a flow works both ways */
    until_messages(&w, 1);
    assert_ptr_equal(w.flow, f);
    loop_skip(&w.loop, DURATION_S(30)); /* nobody demands a first message of a server */
    run_for(&w.loop, 5);
    assert_true(f->open);
    flow_unref(&f);
    flow_unref(&g);
    close(fd);
    close(listening);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message_split_at_any_byte_arrives_whole),
        cmocka_unit_test(test_messages_of_one_segment_are_told_apart),
        cmocka_unit_test(test_a_ping_gets_one_crlf_however_it_is_cut),
        cmocka_unit_test(test_a_stream_that_cannot_be_framed_is_closed),
        cmocka_unit_test(test_a_request_without_length_is_told_so_before_the_end),
        cmocka_unit_test(test_a_body_over_the_limit_is_refused_with_513),
        cmocka_unit_test(test_a_slow_sender_is_closed),
        cmocka_unit_test(test_a_connection_that_never_speaks_sip_is_closed),
        cmocka_unit_test(test_an_idle_connection_is_closed_and_a_ping_keeps_it),
        cmocka_unit_test(test_who_is_not_accepted_in_time_is_closed),
        cmocka_unit_test(test_of_too_many_strangers_the_oldest_goes),
        cmocka_unit_test(test_keepalives_that_end_end_a_flow),
        cmocka_unit_test(test_connections_are_limited_by_address_and_in_all),
        cmocka_unit_test(test_a_flow_closed_by_its_reader_delivers_nothing_more),
        cmocka_unit_test(test_a_failed_connect_shows_as_closed),
        cmocka_unit_test(test_a_connection_is_found_again_by_its_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
