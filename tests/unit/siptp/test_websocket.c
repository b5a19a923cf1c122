/* WebSockets among the connections: limits, deadlines and ends. The world's own listeners stay. */
#include "unit/siptp/world.h"

#include "net/ws.h"

#define HELLO(more)                                                                      \
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"       \
    "Sec-WebSocket-Protocol: sip\r\n" more "\r\n"

static const struct ws_rules rules = { .protocol = SPAN_INIT("sip"), .any_origin = true };

struct wsworld {
    struct world w;
    struct siptp_listener *ws;
};

static void open_(struct wsworld *x, const struct siptp_conf *conf)
{
    struct addr any_port = loopback(0);
    world_open(&x->w, conf);
    assert_int_equal(siptp_listen(x->w.tp, SIP_WS, &any_port, SPAN("browsers"), SPAN_NULL, &x->ws),
                     0);
    siptp_listener_use_ws(x->ws, &rules);
}

/* The client's side of a connection whose handshake is done. */
static int connected(struct wsworld *x, struct span hello)
{
    int fd = wire_tcp(siptp_listener_local(x->ws));
    wire_send(fd, hello);
    assert_true(span_starts(wire_recv(&x->w.loop, fd, 2000), SPAN("HTTP/1.1 101 ")));
    return fd;
}

/* Masked by zeros. */
static void send_frame(int fd, unsigned char first, struct span payload)
{
    char text[2000];
    struct buf b = BUF_INIT(text);
    assert_true(payload.n <= UINT16_MAX);
    buf_putc(&b, (char)first);
    if (payload.n < 126) {
        buf_putc(&b, (char)(0x80 | payload.n));
    } else {
        buf_putc(&b, (char)0xfe);
        buf_putc(&b, (char)(payload.n >> 8));
        buf_putc(&b, (char)payload.n);
    }
    buf_put(&b, SPAN("\0\0\0\0"));
    buf_put(&b, payload);
    assert_true(buf_ok(&b));
    wire_send(fd, buf_span(&b));
}

static unsigned code_of(struct span frame)
{
    assert_true(frame.n >= 4 && (unsigned char)frame.p[0] == 0x88);
    return (unsigned)((unsigned char)frame.p[2] << 8 | (unsigned char)frame.p[3]);
}

static struct span sip(void)
{
    return request("WS a.invalid;branch=z9hG4bK1", "a body, and more of it than a short frame "
                                                   "can hold, so that its length has two bytes");
}

static void test_a_message_is_handed_up_and_answered_in_a_frame(void **state)
{
    struct wsworld x;
    bool is_ticket;
    (void)state;
    open_(&x, &(struct siptp_conf){ 0 });
    int fd = connected(&x, SPAN(HELLO("Authorization: Bearer t.o.k\r\n")));
    send_frame(fd, 0x82, sip());
    until_messages(&x.w, 1);
    struct flow *f = x.w.flow;
    assert_int_equal(f->transport, SIP_WS);
    assert_true(flow_is_reliable(f) && !flow_is_secure(f));
    assert_true(span_eq(x.w.msg->raw, sip()));
    assert_true(span_eq(flow_credential(f, &is_ticket), SPAN("t.o.k")) && !is_ticket);
    assert_int_equal(flow_send(f, SPAN("back")), 0);
    assert_true(span_eq(wire_recv(&x.w.loop, fd, 2000), SPAN("\x81\x04"
                                                             "back")));
    assert_int_equal(flow_renew_credential(f, SPAN("n.e.w")), 0);
    assert_true(span_eq(flow_credential(f, &is_ticket), SPAN("n.e.w")));
    close(fd);
    assert_true(run_until_count(&x.w.loop, &x.w.closed, 1, 2000));
    world_close(&x.w);
}

static void test_a_ticket_gives_way_to_a_token(void **state)
{
    struct wsworld x;
    bool is_ticket;
    (void)state;
    open_(&x, &(struct siptp_conf){ 0 });
    int fd = connected(&x, SPAN(HELLO("Sec-WebSocket-Protocol: ticket.one\r\n")));
    int plain = connected(&x, SPAN(HELLO("")));
    send_frame(fd, 0x82, sip());
    until_messages(&x.w, 1);
    assert_true(span_eq(flow_credential(x.w.flow, &is_ticket), SPAN("one")) && is_ticket);
    assert_int_equal(flow_renew_credential(x.w.flow, SPAN("two")), 0);
    assert_true(span_eq(flow_credential(x.w.flow, &is_ticket), SPAN("two")) && !is_ticket);
    send_frame(plain, 0x82, sip());
    until_messages(&x.w, 2);
    assert_int_equal(flow_renew_credential(x.w.flow, SPAN("three")), 0);
    assert_null(flow_credential(x.w.flow, &is_ticket).p); /* it showed nothing to be renewed */
    close(fd);
    close(plain);
    world_close(&x.w);
}

static void test_who_does_not_finish_in_time_is_closed(void **state)
{
    static const struct {
        struct span hello, then;
        bool told;
    } rows[] = {
        { SPAN_INIT(""), SPAN_INIT(""), false },
        { SPAN_INIT("GET / HTTP/1.1\r\nHost:"), SPAN_INIT(""), false },
        { SPAN_INIT(HELLO("")), SPAN_INIT(""), true },
        { SPAN_INIT(HELLO("")), SPAN_INIT("\x89\x80\0\0\0\0"), true }, /* pings are no message */
        { SPAN_INIT(HELLO("")), SPAN_INIT("\x82\xfe\x01\x00\0\0\0\0OPT"), true },
        { SPAN_INIT(HELLO("")), SPAN_INIT("\x02\x83\0\0\0\0OPT"), true }, /* nor is one piece */
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct wsworld x;
        open_(&x, &(struct siptp_conf){ .first_message = DURATION_S(10) });
        int64_t before = metric_get(M_SIP_REFUSED, REFUSED_TIMEOUT);
        int fd = wire_tcp(siptp_listener_local(x.ws));
        if (rows[i].hello.n)
            wire_send(fd, rows[i].hello);
        if (rows[i].told)
            assert_true(wire_recv(&x.w.loop, fd, 2000).n > 12);
        if (rows[i].then.n)
            wire_send(fd, rows[i].then);
        run_for(&x.w.loop, 20);
        if (rows[i].then.n && (unsigned char)rows[i].then.p[0] == 0x89)
            assert_true(span_eq(wire_recv(&x.w.loop, fd, 2000), SPAN("\x8a\x00")));
        assert_int_equal(x.w.closed, 0);
        loop_skip(&x.w.loop, DURATION_S(11));
        struct span got = wire_recv(&x.w.loop, fd, 2000);
        if (rows[i].told)
            assert_int_equal(code_of(got), WS_POLICY);
        assert_int_equal(metric_get(M_SIP_REFUSED, REFUSED_TIMEOUT), before + 1);
        loop_skip(&x.w.loop, DURATION_S(2)); /* it does not agree */
        assert_true(run_until_count(&x.w.loop, &x.w.closed, 1, 2000));
        close(fd);
        world_close(&x.w);
    }
}

static void test_one_piece_after_the_other_does_not_keep_a_connection(void **state)
{
    struct wsworld x;
    (void)state;
    open_(&x, &(struct siptp_conf){ .message_deadline = DURATION_S(10) });
    int fd = connected(&x, SPAN(HELLO("")));
    send_frame(fd, 0x82, sip());
    until_messages(&x.w, 1);
    for (int i = 0; i < 9; i++) {
        send_frame(fd, i ? 0x00 : 0x02, span_head(span_skip(sip(), (size_t)i * 20), 20));
        run_for(&x.w.loop, 10);
        loop_skip(&x.w.loop, DURATION_S(1));
        assert_int_equal(x.w.closed, 0);
    }
    loop_skip(&x.w.loop, DURATION_S(5));
    assert_int_equal(code_of(wire_recv(&x.w.loop, fd, 2000)), WS_POLICY);
    close(fd);
    assert_true(run_until_count(&x.w.loop, &x.w.closed, 1, 2000));
    world_close(&x.w);
}

static void test_a_silent_browser_is_pinged_and_goes_when_it_does_not_answer(void **state)
{
    struct wsworld x;
    (void)state;
    open_(&x, &(struct siptp_conf){ .idle = DURATION_S(60), .ping = DURATION_S(20) });
    int fd = connected(&x, SPAN(HELLO("")));
    send_frame(fd, 0x82, sip());
    until_messages(&x.w, 1);
    for (int i = 0; i < 5; i++) { /* longer than idle in all */
        loop_skip(&x.w.loop, DURATION_S(21));
        assert_true(span_eq(wire_recv(&x.w.loop, fd, 2000), SPAN("\x89\x00")));
        wire_send(fd, SPAN("\x8a\x80\0\0\0\0"));
        run_for(&x.w.loop, 10);
        loop_skip(&x.w.loop, DURATION_S(10));
        assert_null(wire_recv(&x.w.loop, fd, 10).p);
    }
    assert_int_equal(x.w.closed, 0);
    loop_skip(&x.w.loop, DURATION_S(21));
    assert_true(span_eq(wire_recv(&x.w.loop, fd, 2000), SPAN("\x89\x00")));
    loop_skip(&x.w.loop, DURATION_S(21));
    assert_int_equal(code_of(wire_recv(&x.w.loop, fd, 2000)), WS_POLICY);
    close(fd);
    assert_true(run_until_count(&x.w.loop, &x.w.closed, 1, 2000));
    world_close(&x.w);
}

static void refused(void *arg, const struct addr *from, enum sip_transport transport,
                    enum sip_refused why)
{
    (void)from;
    (void)transport;
    *(size_t *)arg += why == REFUSED_UPGRADE;
}

static bool admits(void *arg, const struct addr *from)
{
    (void)arg;
    (void)from;
    return true;
}

static struct {
    size_t waits, free; /* asked; so many of them need not wait */
} budget;

static struct duration wait_(void *arg, const struct addr *from)
{
    (void)arg;
    (void)from;
    return budget.waits++ < budget.free ? DURATION_MS(0) : DURATION_S(2);
}

static void test_each_of_many_messages_in_one_piece_counts(void **state)
{
    static const struct siptp_guard guard = { admits, refused, wait_ };
    size_t n_refused = 0;
    struct wsworld x;
    char text[2000];
    struct buf b = BUF_INIT(text);
    (void)state;
    budget.waits = 0;
    budget.free = 3; /* the handshake is one */
    open_(&x, &(struct siptp_conf){ .guard = &guard, .guard_arg = &n_refused });
    int fd = connected(&x, SPAN(HELLO("")));
    for (int i = 0; i < 4; i++) {
        buf_lit(&b, "\x82\xfe");
        buf_putc(&b, (char)(sip().n >> 8));
        buf_putc(&b, (char)sip().n);
        buf_put(&b, SPAN("\0\0\0\0"));
        buf_put(&b, sip());
    }
    assert_true(buf_ok(&b));
    wire_send(fd, buf_span(&b));
    assert_true(run_until_count(&x.w.loop, &budget.waits, 4, 2000));
    run_for(&x.w.loop, 20);
    assert_int_equal(x.w.messages, 2);
    assert_int_equal(budget.waits, 4);
    budget.free = 100; /* what waited is heard later, and nothing is lost */
    loop_skip(&x.w.loop, DURATION_MS(2001));
    until_messages(&x.w, 4);
    assert_int_equal(x.w.closed, 0);
    send_frame(fd, 0x82, span_head(sip(), 20)); /* no whole SIP message, but it ends a frame */
    assert_true(run_until_count(&x.w.loop, &budget.waits, 7, 2000));
    wire_send(fd, SPAN("\x82\xfe")); /* half a head is nothing yet */
    run_for(&x.w.loop, 20);
    assert_int_equal(budget.waits, 7);
    assert_int_equal(n_refused, 0);
    close(fd);
    world_close(&x.w);
}

/* Or a page could have its visitors banned. */
static void test_what_a_browser_is_made_to_ask_is_no_abuse(void **state)
{
    static const struct siptp_guard guard = { admits, refused };
    static const struct ws_rules strict = { .protocol = SPAN_INIT("sip") };
    static const struct {
        struct span text;
        size_t abuse;
    } rows[] = {
        { SPAN_INIT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0 },
        { SPAN_INIT("GET /x HTTP/1.1\r\nHost: a\r\n\r\n"), 0 },
        { SPAN_INIT(HELLO("Origin: https://evil.example\r\n")), 0 },
        { SPAN_INIT("\x16\x03\x01\x00"), 1 },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct wsworld x;
        size_t abuse = 0;
        int64_t before = metric_get(M_SIP_REFUSED, REFUSED_UPGRADE);
        open_(&x, &(struct siptp_conf){ .guard = &guard, .guard_arg = &abuse });
        siptp_listener_use_ws(x.ws, &strict);
        int fd = wire_tcp(siptp_listener_local(x.ws));
        wire_send(fd, rows[i].text);
        assert_true(span_starts(wire_recv(&x.w.loop, fd, 2000), SPAN("HTTP/1.1 4")));
        assert_true(run_until_count(&x.w.loop, &x.w.closed, 1, 2000));
        assert_int_equal(abuse, rows[i].abuse);
        assert_int_equal(metric_get(M_SIP_REFUSED, REFUSED_UPGRADE), before + 1);
        close(fd);
        world_close(&x.w);
    }
}

static void test_a_close_waits_a_moment_for_the_peer(void **state)
{
    struct wsworld x;
    (void)state;
    open_(&x, &(struct siptp_conf){ .max_connections_per_address = 1 });
    int64_t flows = metric_get(M_SIP_FLOWS, SIP_WS);
    for (int agrees = 0; agrees < 2; agrees++) {
        int fd = connected(&x, SPAN(HELLO("")));
        send_frame(fd, 0x82, sip());
        until_messages(&x.w, (size_t)agrees + 1);
        assert_int_equal(metric_get(M_SIP_FLOWS, SIP_WS), flows + 1);
        flow_close(x.w.flow);
        assert_false(x.w.flow->open);
        assert_int_equal(flow_send(x.w.flow, SPAN("late")), CS_ECLOSED);
        assert_int_equal(metric_get(M_SIP_FLOWS, SIP_WS), flows); /* it counts no more (I-38) */
        send_frame(fd, 0x82, sip());                              /* nor is it heard */
        assert_int_equal(code_of(wire_recv(&x.w.loop, fd, 2000)), WS_UNAUTHORIZED);
        run_for(&x.w.loop, 20);
        assert_int_equal(x.w.closed, agrees);
        if (agrees)
            wire_send(fd, SPAN("\x88\x80\0\0\0\0"));
        else
            loop_skip(&x.w.loop, DURATION_S(2));
        assert_true(run_until_count(&x.w.loop, &x.w.closed, (size_t)agrees + 1, 2000));
        assert_int_equal(x.w.messages, agrees + 1);
        close(fd);
    }
    world_close(&x.w);
}

static void test_the_end_takes_those_that_leave_with_it(void **state)
{
    struct wsworld x;
    (void)state;
    open_(&x, &(struct siptp_conf){ 0 });
    int one = connected(&x, SPAN(HELLO(""))), two = connected(&x, SPAN(HELLO("")));
    assert_int_equal(siptp_close_some(x.w.tp, 1), 2);
    assert_int_equal(code_of(wire_recv(&x.w.loop, one, 2000)), WS_GOING_AWAY);
    siptp_free(&x.w.tp);
    assert_int_equal(code_of(wire_recv(&x.w.loop, two, 2000)), WS_GOING_AWAY);
    world_close(&x.w);
    close(one);
    close(two);
}

static void test_only_a_phone_connects_to_a_websocket(void **state)
{
    struct wsworld x;
    struct addr to = loopback(9);
    struct flow *f;
    (void)state;
    open_(&x, &(struct siptp_conf){ 0 });
    assert_int_equal(siptp_flow_to(x.w.tp, SIP_WS, &to, NULL, &f), CS_ENOTSUP);
    int fd = connected(&x, SPAN(HELLO("")));
    send_frame(fd, 0x81, sip());
    until_messages(&x.w, 1);
    close(fd);
    assert_true(run_until_count(&x.w.loop, &x.w.closed, 1, 2000));
    assert_int_equal(flow_for_response(x.w.flow, x.w.msg, &f), CS_ENOTSUP);
    world_close(&x.w);
}

/* ---- as a phone does ---- */

static struct flow *flow_from(struct wsworld *x, const char *path)
{
    struct flow *f;
    siptp_use_ws(x->w.tp, span_str(path));
    assert_int_equal(siptp_flow_to_domain(x->w.tp, SIP_WS, siptp_listener_local(x->ws),
                                          SPAN("sip.example.com"), NULL, &f),
                     0);
    return f;
}

static void test_a_phone_is_heard_and_hears(void **state)
{
    struct wsworld x;
    struct flow *same;
    (void)state;
    open_(&x, &(struct siptp_conf){ 0 });
    struct flow *f = flow_from(&x, "/");
    assert_int_equal(flow_send(f, sip()), 0); /* they wait for the handshake, in their order */
    assert_int_equal(flow_send(f, sip()), 0);
    until_messages(&x.w, 2);
    assert_ptr_not_equal(x.w.flow, f);
    assert_int_equal(x.w.flow->transport, SIP_WS);
    assert_true(span_eq(x.w.msg->raw, sip()));
    assert_int_equal(siptp_flow_to_domain(x.w.tp, SIP_WS, siptp_listener_local(x.ws),
                                          SPAN("sip.example.com"), NULL, &same),
                     0);
    assert_ptr_equal(same, f);
    flow_unref(&same);
    struct flow *back = flow_ref(x.w.flow);
    assert_int_equal(flow_send(back, sip()), 0);
    until_messages(&x.w, 3);
    assert_ptr_equal(x.w.flow, f);
    flow_unref(&back);
    flow_unref(&f);
    world_close(&x.w);
}

static void test_a_phone_answers_pings_and_is_silent_without_fault(void **state)
{
    struct wsworld x;
    (void)state;
    open_(&x, &(struct siptp_conf){ .ping = DURATION_S(30) });
    struct flow *f = flow_from(&x, "/");
    assert_int_equal(flow_send(f, sip()), 0);
    until_messages(&x.w, 1);
    for (unsigned i = 0; i < 4; i++) {
        loop_skip(&x.w.loop, DURATION_S(31));
        run_for(&x.w.loop, 50);
    }
    assert_true(f->open && x.w.flow->open);
    flow_unref(&f);
    world_close(&x.w);
}

static void test_a_phone_that_is_not_taken_is_told(void **state)
{
    struct wsworld x;
    (void)state;
    open_(&x, &(struct siptp_conf){ 0 });
    struct flow *f = flow_from(&x, "/elsewhere"); /* 404 */
    assert_int_equal(flow_send(f, sip()), 0);
    assert_true(run_until_count(&x.w.loop, &x.w.closed, 2, 2000)); /* at either end */
    assert_int_equal(x.w.messages, 0);
    flow_unref(&f);
    world_close(&x.w);
}

/* Who takes a connection and says nothing, as any server of another protocol may. */
static void test_a_phone_does_not_wait_for_ever(void **state)
{
    struct wsworld x;
    struct addr silent;
    struct flow *f;
    (void)state;
    open_(&x, &(struct siptp_conf){ .connect = DURATION_S(2) });
    siptp_use_ws(x.w.tp, SPAN("/"));
    int fd = wire_tcp_listening(&silent);
    assert_int_equal(siptp_flow_to(x.w.tp, SIP_WS, &silent, NULL, &f), 0);
    assert_int_equal(flow_send(f, sip()), 0);
    run_for(&x.w.loop, 50);
    assert_true(f->open);
    loop_skip(&x.w.loop, DURATION_S(3));
    assert_true(run_until_count(&x.w.loop, &x.w.closed, 1, 2000));
    flow_unref(&f);
    close(fd);
    world_close(&x.w);
}

static void test_a_listener_without_rules_accepts_nobody(void **state)
{
    struct world w;
    struct siptp_listener *ws;
    struct addr any_port = loopback(0);
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    assert_int_equal(siptp_listen(w.tp, SIP_WS, &any_port, SPAN("ws"), SPAN_NULL, &ws), 0);
    int fd = wire_tcp(siptp_listener_local(ws));
    struct span got = wire_recv(&w.loop, fd, 2000);
    assert_true(got.p && got.n == 0);
    close(fd);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message_is_handed_up_and_answered_in_a_frame),
        cmocka_unit_test(test_a_ticket_gives_way_to_a_token),
        cmocka_unit_test(test_who_does_not_finish_in_time_is_closed),
        cmocka_unit_test(test_one_piece_after_the_other_does_not_keep_a_connection),
        cmocka_unit_test(test_a_silent_browser_is_pinged_and_goes_when_it_does_not_answer),
        cmocka_unit_test(test_what_a_browser_is_made_to_ask_is_no_abuse),
        cmocka_unit_test(test_each_of_many_messages_in_one_piece_counts),
        cmocka_unit_test(test_a_close_waits_a_moment_for_the_peer),
        cmocka_unit_test(test_the_end_takes_those_that_leave_with_it),
        cmocka_unit_test(test_only_a_phone_connects_to_a_websocket),
        cmocka_unit_test(test_a_phone_is_heard_and_hears),
        cmocka_unit_test(test_a_phone_answers_pings_and_is_silent_without_fault),
        cmocka_unit_test(test_a_phone_that_is_not_taken_is_told),
        cmocka_unit_test(test_a_phone_does_not_wait_for_ever),
        cmocka_unit_test(test_a_listener_without_rules_accepts_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
