#include <sys/socket.h>

#include "unit/siptx/world.h"

struct caller {
    struct world w;
    int fd; /* the server's socket */
    struct flow *flow;
    struct tx *tx;
    struct span branch;
    char branch_text[SIP_BRANCH_LEN], via[160];
};

static void on_response(void *arg, struct tx *t, struct sip_msg *m)
{
    struct caller *c = arg;
    assert_ptr_equal(t, c->tx);
    c->w.responses++;
    c->w.last_status = m->status;
}

static void on_failed(void *arg, struct tx *t, int err)
{
    struct caller *c = arg;
    assert_ptr_equal(t, c->tx);
    c->w.failed++;
    c->w.last_err = err;
}

static void on_over(void *arg, struct tx *t)
{
    struct caller *c = arg;
    assert_ptr_equal(t, c->tx);
    c->w.over++;
}

static const struct tx_client_events client_events = { on_response, on_failed, on_over };

static void call(struct caller *c, enum sip_method method)
{
    struct buf b = BUF_INIT(c->branch_text);
    siptx_branch(&b);
    assert_true(buf_ok(&b));
    assert_int_equal(b.n, SIP_BRANCH_LEN);
    c->branch = buf_span(&b);
    struct span sent_by = siptp_listener_sent_by(c->flow->listener);
    struct span transport = sip_transport_via(c->flow->transport);
    snprintf(c->via, sizeof(c->via), SPAN_FMT " " SPAN_FMT ";branch=" SPAN_FMT, SPAN_ARG(transport),
             SPAN_ARG(sent_by), SPAN_ARG(c->branch));
    struct span text = message(sip_method_name(method).p, c->via, "");
    memmove(c->via + 8, c->via, strlen(c->via) + 1);
    memcpy(c->via, "SIP/2.0/", 8);
    assert_int_equal(tx_send(c->w.x, c->flow, method, c->branch, text, &client_events, c, &c->tx),
                     0);
}

static void caller_open(struct caller *c, enum sip_method method)
{
    struct addr at;
    memset(c, 0, sizeof(*c));
    world_open(&c->w, &(struct siptx_conf){ 0 });
    c->fd = wire_udp_bound(&at);
    assert_int_equal(siptp_flow_to(c->w.tp, SIP_UDP, &at, c->w.udp, &c->flow), 0);
    const struct addr *from = siptp_listener_local(c->w.udp);
    assert_int_equal(connect(c->fd, &from->sa, addr_len(from)), 0);
    call(c, method);
}

static void caller_close(struct caller *c)
{
    int64_t open = metric_get(M_SIP_TRANSACTIONS, 0);
    tx_unref(&c->tx);
    flow_unref(&c->flow);
    close(c->fd);
    world_close(&c->w);
    assert_true(metric_get(M_SIP_TRANSACTIONS, 0) <= open);
}

/* Whether a request of this method comes next. */
static bool comes(struct caller *c, const char *method, unsigned ms)
{
    struct span in = wire_recv(&c->w.loop, c->fd, ms);
    if (!in.p || !in.n)
        return false;
    span_copy(received, sizeof(received), in);
    return span_starts(in, span_str(method));
}

static bool nothing_comes(struct caller *c)
{
    return !wire_recv(&c->w.loop, c->fd, 3).p;
}

static void answer(struct caller *c, unsigned status, const char *method)
{
    wire_send(c->fd, response(status, span_str(c->via), method));
    run_for(&c->w.loop, 5);
}

static void repeated_after(struct caller *c, const char *method, const int64_t *gaps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        loop_skip(&c->w.loop, DURATION_MS(gaps[i] - 100));
        assert_true(nothing_comes(c));
        loop_skip(&c->w.loop, DURATION_MS(100));
        assert_true(comes(c, method, 2000));
    }
}

static void test_an_invite_is_repeated_with_doubling_gaps_until_timer_b(void **state)
{
    struct caller c;
    static const int64_t gaps[] = { 500, 1000, 2000, 4000, 8000, 16000 };
    (void)state;
    caller_open(&c, SIP_INVITE);
    assert_true(comes(&c, "INVITE ", 2000));
    repeated_after(&c, "INVITE ", gaps, CS_LEN(gaps));
    assert_int_equal(c.w.failed, 0);
    loop_skip(&c.w.loop, DURATION_MS(600));
    assert_int_equal(c.w.failed, 1);
    assert_int_equal(c.w.last_err, CS_ETIMEOUT);
    assert_true(nothing_comes(&c));
    caller_close(&c);
}

static void test_other_requests_are_repeated_at_most_every_t2(void **state)
{
    struct caller c;
    static const int64_t gaps[] = { 500, 1000, 2000, 4000, 4000, 4000, 4000, 4000, 4000, 4000 };
    (void)state;
    caller_open(&c, SIP_OPTIONS);
    assert_true(comes(&c, "OPTIONS ", 2000));
    repeated_after(&c, "OPTIONS ", gaps, CS_LEN(gaps));
    loop_skip(&c.w.loop, DURATION_MS(600)); /* timer F */
    assert_int_equal(c.w.failed, 1);
    assert_int_equal(c.w.last_err, CS_ETIMEOUT);
    caller_close(&c);

    static const int64_t slower[] = { 4000, 4000 };
    caller_open(&c, SIP_OPTIONS);
    assert_true(comes(&c, "OPTIONS ", 2000));
    answer(&c, 100, "OPTIONS");
    repeated_after(&c, "OPTIONS ", slower, CS_LEN(slower));
    answer(&c, 200, "OPTIONS");
    assert_int_equal(c.w.responses, 2);
    answer(&c, 200, "OPTIONS"); /* absorbed until timer K */
    assert_int_equal(c.w.responses, 2);
    assert_int_equal(c.w.strays, 0);
    loop_skip(&c.w.loop, DURATION_MS(5000 + TIMER_ABOUT_MS));
    answer(&c, 200, "OPTIONS");
    assert_int_equal(c.w.strays, 1);
    caller_close(&c);
}

static void test_a_provisional_stops_timer_a(void **state)
{
    struct caller c;
    (void)state;
    caller_open(&c, SIP_INVITE);
    assert_true(comes(&c, "INVITE ", 2000));
    answer(&c, 180, "INVITE");
    assert_int_equal(c.w.last_status, 180);
    loop_skip(&c.w.loop, DURATION_S(100));
    assert_true(nothing_comes(&c));
    assert_int_equal(c.w.failed, 0);
    caller_close(&c);
}

static void test_a_refusal_is_told_once_and_acknowledged_each_time(void **state)
{
    struct caller c;
    (void)state;
    caller_open(&c, SIP_INVITE);
    assert_true(comes(&c, "INVITE ", 2000));
    for (int i = 0; i < 3; i++) {
        answer(&c, 486, "INVITE");
        assert_true(comes(&c, "ACK ", 2000));
        assert_non_null(strstr(received, c.via)); /* the same branch */
        assert_non_null(strstr(received, "To: <sip:b@example.com>;tag=2\r\n"));
        assert_non_null(strstr(received, "CSeq: 7 ACK\r\n"));
    }
    assert_int_equal(c.w.responses, 1);
    assert_int_equal(c.w.last_status, 486);
    loop_skip(&c.w.loop, T64); /* timer D */
    answer(&c, 486, "INVITE");
    assert_true(nothing_comes(&c));
    assert_int_equal(c.w.strays, 1);
    caller_close(&c);
}

static void test_each_2xx_is_told_until_timer_m(void **state)
{
    struct caller c;
    (void)state;
    caller_open(&c, SIP_INVITE);
    assert_true(comes(&c, "INVITE ", 2000));
    answer(&c, 200, "INVITE");
    answer(&c, 200, "INVITE");
    answer(&c, 180, "INVITE"); /* late */
    assert_int_equal(c.w.responses, 2);
    assert_true(nothing_comes(&c)); /* the ACK is the owner's */
    assert_int_equal(c.w.over, 0);
    loop_skip(&c.w.loop, T64);
    answer(&c, 200, "INVITE");
    assert_int_equal(c.w.over, 1);
    assert_int_equal(c.w.responses, 2);
    assert_int_equal(c.w.strays, 1);
    caller_close(&c);
}

static void test_a_cancel_waits_for_a_provisional(void **state)
{
    struct caller c;
    (void)state;
    caller_open(&c, SIP_INVITE);
    assert_true(comes(&c, "INVITE ", 2000));
    tx_cancel(c.tx, SPAN("SIP;cause=200"));
    assert_true(nothing_comes(&c));
    answer(&c, 180, "INVITE");
    assert_true(comes(&c, "CANCEL ", 2000));
    assert_non_null(strstr(received, c.via));
    assert_non_null(strstr(received, "CSeq: 7 CANCEL\r\nReason: SIP;cause=200\r\n"));
    loop_skip(&c.w.loop, T1); /* it is a transaction of its own */
    assert_true(comes(&c, "CANCEL ", 2000));
    answer(&c, 200, "CANCEL");
    loop_skip(&c.w.loop, DURATION_S(2));
    assert_true(nothing_comes(&c));
    answer(&c, 487, "INVITE");
    assert_true(comes(&c, "ACK ", 2000));
    assert_int_equal(c.w.last_status, 487);
    assert_int_equal(c.w.failed, 0);
    caller_close(&c);
}

static void test_a_cancel_that_lost_the_race_gives_the_2xx(void **state)
{
    struct caller c;
    (void)state;
    caller_open(&c, SIP_INVITE);
    assert_true(comes(&c, "INVITE ", 2000));
    answer(&c, 180, "INVITE");
    tx_cancel(c.tx, SPAN_NULL);
    tx_cancel(c.tx, SPAN_NULL); /* once is enough */
    assert_true(comes(&c, "CANCEL ", 2000));
    assert_true(nothing_comes(&c));
    answer(&c, 200, "INVITE");
    assert_int_equal(c.w.last_status, 200);
    tx_cancel(c.tx, SPAN_NULL);
    assert_true(nothing_comes(&c));
    caller_close(&c);
}

static void test_a_cancelled_invite_without_an_answer_ends(void **state)
{
    struct caller c;
    (void)state;
    caller_open(&c, SIP_INVITE);
    assert_true(comes(&c, "INVITE ", 2000));
    answer(&c, 180, "INVITE");
    tx_cancel(c.tx, SPAN_NULL);
    loop_skip(&c.w.loop, T64);
    assert_int_equal(c.w.failed, 1);
    assert_int_equal(c.w.last_err, CS_ETIMEOUT);
    caller_close(&c);
}

static void test_timer_c_cancels_and_provisionals_put_it_off(void **state)
{
    struct caller c;
    (void)state;
    caller_open(&c, SIP_INVITE);
    assert_true(comes(&c, "INVITE ", 2000));
    answer(&c, 180, "INVITE");
    loop_skip(&c.w.loop, DURATION_S(170));
    answer(&c, 183, "INVITE");
    loop_skip(&c.w.loop, DURATION_S(170));
    assert_true(nothing_comes(&c));
    loop_skip(&c.w.loop, DURATION_S(11));
    assert_true(comes(&c, "CANCEL ", 2000));
    loop_skip(&c.w.loop, T64);
    assert_int_equal(c.w.failed, 1);
    caller_close(&c);
}

static void test_the_forgotten_are_not_told(void **state)
{
    struct caller c;
    (void)state;
    caller_open(&c, SIP_INVITE);
    assert_true(comes(&c, "INVITE ", 2000));
    tx_forget(c.tx);
    tx_unref(&c.tx);
    answer(&c, 486, "INVITE");
    assert_true(comes(&c, "ACK ", 2000)); /* the transaction goes on */
    assert_int_equal(c.w.responses, 0);
    caller_close(&c);
}

static void test_strays_are_told_only_with_our_via(void **state)
{
    struct caller c;
    (void)state;
    caller_open(&c, SIP_OPTIONS);
    assert_true(comes(&c, "OPTIONS ", 2000));
    answer(&c, 200, "MESSAGE"); /* the branch alone is not enough */
    assert_int_equal(c.w.strays, 1);
    assert_int_equal(c.w.responses, 0);
    wire_send(c.fd, response(200, SPAN("SIP/2.0/UDP 192.0.2.1:9;branch=z9hG4bKx"), "OPTIONS"));
    run_for(&c.w.loop, 10);
    assert_int_equal(c.w.strays, 1);
    caller_close(&c);
}

static void tcp_open(struct caller *c, int *listening, enum sip_method method)
{
    struct addr at;
    memset(c, 0, sizeof(*c));
    world_open(&c->w, &(struct siptx_conf){ 0 });
    *listening = wire_tcp_listening(&at);
    assert_int_equal(siptp_flow_to(c->w.tp, SIP_TCP, &at, c->w.tcp, &c->flow), 0);
    call(c, method);
    c->fd = wire_accept(&c->w.loop, *listening);
}

static void test_over_tcp_nothing_is_repeated(void **state)
{
    struct caller c;
    int listening;
    (void)state;
    int64_t open = metric_get(M_SIP_TRANSACTIONS, 0);
    tcp_open(&c, &listening, SIP_INVITE);
    assert_true(comes(&c, "INVITE ", 2000));
    loop_skip(&c.w.loop, DURATION_S(10));
    assert_true(nothing_comes(&c));
    answer(&c, 486, "INVITE");
    assert_true(comes(&c, "ACK ", 2000));
    assert_int_equal(metric_get(M_SIP_TRANSACTIONS, 0), open); /* timer D is zero */
    close(listening);
    caller_close(&c);
}

static void test_a_lost_connection_is_a_failure(void **state)
{
    struct caller c;
    int listening;
    (void)state;
    tcp_open(&c, &listening, SIP_OPTIONS);
    assert_true(comes(&c, "OPTIONS ", 2000));
    close(c.fd);
    assert_true(run_until_count(&c.w.loop, &c.w.failed, 1, 2000));
    assert_int_equal(c.w.last_err, CS_ECLOSED);
    struct tx *t;
    assert_int_equal(
        tx_send(c.w.x, c.flow, SIP_OPTIONS, SPAN("z9hG4bKx"), SPAN("x"), &client_events, &c, &t),
        CS_ECLOSED);
    assert_null(t);
    c.fd = listening;
    caller_close(&c);
}

static void test_a_connection_that_cannot_be_made_is_a_failure(void **state)
{
    struct caller c = { 0 };
    struct addr at;
    (void)state;
    world_open(&c.w, &(struct siptx_conf){ 0 });
    c.fd = wire_tcp_listening(&at);
    close(c.fd); /* a port where nobody listens */
    assert_int_equal(siptp_flow_to(c.w.tp, SIP_TCP, &at, c.w.tcp, &c.flow), 0);
    call(&c, SIP_OPTIONS);
    assert_true(run_until_count(&c.w.loop, &c.w.failed, 1, 2000));
    assert_int_equal(c.w.last_err, CS_ECLOSED);
    c.fd = wire_udp_bound(&at);
    caller_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_invite_is_repeated_with_doubling_gaps_until_timer_b),
        cmocka_unit_test(test_other_requests_are_repeated_at_most_every_t2),
        cmocka_unit_test(test_a_provisional_stops_timer_a),
        cmocka_unit_test(test_a_refusal_is_told_once_and_acknowledged_each_time),
        cmocka_unit_test(test_each_2xx_is_told_until_timer_m),
        cmocka_unit_test(test_a_cancel_waits_for_a_provisional),
        cmocka_unit_test(test_a_cancel_that_lost_the_race_gives_the_2xx),
        cmocka_unit_test(test_a_cancelled_invite_without_an_answer_ends),
        cmocka_unit_test(test_timer_c_cancels_and_provisionals_put_it_off),
        cmocka_unit_test(test_the_forgotten_are_not_told),
        cmocka_unit_test(test_strays_are_told_only_with_our_via),
        cmocka_unit_test(test_over_tcp_nothing_is_repeated),
        cmocka_unit_test(test_a_lost_connection_is_a_failure),
        cmocka_unit_test(test_a_connection_that_cannot_be_made_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
