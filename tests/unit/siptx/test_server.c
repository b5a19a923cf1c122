#include "unit/siptx/world.h"

#define VIA(branch) "UDP 127.0.0.1:9;rport;branch=" branch

static int udp_peer(struct world *w)
{
    return wire_udp(siptp_listener_local(w->udp));
}

static void test_a_retransmission_is_answered_identically(void **state)
{
    struct world w;
    char first[4096];
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    w.status = 200;
    w.drop = true;
    int fd = udp_peer(&w);
    int64_t open = metric_get(M_SIP_TRANSACTIONS, 1);
    wire_send(fd, message("REGISTER", VIA("z9hG4bK1"), ""));
    assert_int_equal(next_status(&w, fd, 2000), 200);
    memcpy(first, received, sizeof(first));
    assert_int_equal(metric_get(M_SIP_TRANSACTIONS, 1), open); /* only bytes are left of it */
    for (int i = 0; i < 3; i++) {
        loop_skip(&w.loop, DURATION_S(10));
        wire_send(fd, message("REGISTER", VIA("z9hG4bK1"), ""));
        assert_int_equal(next_status(&w, fd, 2000), 200);
        assert_string_equal(received, first);
    }
    assert_int_equal(w.requests, 1);
    loop_skip(&w.loop, DURATION_S(3)); /* timer J has fired */
    wire_send(fd, message("REGISTER", VIA("z9hG4bK1"), ""));
    assert_int_equal(next_status(&w, fd, 2000), 200);
    assert_int_equal(w.requests, 2);
    assert_string_not_equal(received, first); /* another To tag */
    close(fd);
    world_close(&w);
}

static void test_a_retransmission_before_the_answer_is_absorbed(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int fd = udp_peer(&w);
    wire_send(fd, message("REGISTER", VIA("z9hG4bK1"), ""));
    wire_send(fd, message("REGISTER", VIA("z9hG4bK1"), ""));
    until_requests(&w, 1);
    assert_int_equal(next_status(&w, fd, 20), 0);
    tx_reply(w.tx, 180, SPAN_NULL);
    assert_int_equal(next_status(&w, fd, 2000), 180);
    wire_send(fd, message("REGISTER", VIA("z9hG4bK1"), ""));
    assert_int_equal(next_status(&w, fd, 2000), 180);
    assert_false(tx_is_answered(w.tx));
    tx_reply(w.tx, 200, SPAN("Expires: 60\r\n"));
    assert_true(tx_is_answered(w.tx));
    assert_int_equal(next_status(&w, fd, 2000), 200);
    assert_non_null(strstr(received, "\r\nExpires: 60\r\n"));
    tx_reply(w.tx, 500, SPAN_NULL); /* too late */
    assert_int_equal(next_status(&w, fd, 20), 0);
    assert_int_equal(w.requests, 1);
    close(fd);
    world_close(&w);
}

static void test_transactions_differ_by_branch_sent_by_and_method(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    w.status = 200;
    int fd = udp_peer(&w);
    static const char *const different[][2] = {
        { "OPTIONS", "UDP a:9;rport;branch=z9hG4bK1" },
        { "OPTIONS", "UDP a:9;rport;branch=z9hG4bK2" },
        { "OPTIONS", "UDP a:8;rport;branch=z9hG4bK1" },
        { "OPTIONS", "UDP b:9;rport;branch=z9hG4bK1" },
        { "MESSAGE", "UDP a:9;rport;branch=z9hG4bK1" },
        { "FOO", "UDP a:9;rport;branch=z9hG4bK1" },
        { "BAR", "UDP a:9;rport;branch=z9hG4bK1" },
    };
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < CS_LEN(different); i++) {
            wire_send(fd, message(different[i][0], different[i][1], ""));
            assert_int_equal(next_status(&w, fd, 2000), 200);
        }
        assert_int_equal(w.requests, CS_LEN(different));
    }
    wire_send(fd, message("OPTIONS", "UDP A:9;rport;branch=z9hG4bK1", "")); /* a host, any case */
    assert_int_equal(next_status(&w, fd, 2000), 200);
    assert_int_equal(w.requests, CS_LEN(different));
    close(fd);
    world_close(&w);
}

static void test_clients_of_rfc_2543_are_matched_by_their_fields(void **state)
{
    struct world w;
    char first[4096];
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int fd = udp_peer(&w);
    wire_send(fd, message("INVITE", "UDP 127.0.0.1:9;rport;branch=1", ""));
    until_requests(&w, 1);
    tx_reply(w.tx, 486, SPAN_NULL);
    assert_int_equal(next_status(&w, fd, 2000), 486);
    memcpy(first, received, sizeof(first));
    wire_send(fd, message("INVITE", "UDP 127.0.0.1:9;rport;branch=1", ""));
    assert_int_equal(next_status(&w, fd, 2000), 486);
    assert_string_equal(received, first);
    wire_send(fd, message("ACK", "UDP 127.0.0.1:9;rport;branch=1", ";tag=another"));
    assert_true(run_until_count(&w.loop, &w.acks, 1, 2000)); /* its To tag is not ours */
    wire_send(fd, message("ACK", "UDP 127.0.0.1:9;rport;branch=1", received_tag()));
    run_for(&w.loop, 20);
    assert_int_equal(w.acks, 1);
    loop_skip(&w.loop, DURATION_S(1)); /* timer G has been stopped */
    assert_int_equal(next_status(&w, fd, 20), 0);
    wire_send(fd, message("INVITE", "UDP 127.0.0.1:9;rport", ""));
    until_requests(&w, 2);
    tx_forward(w.tx, 486, SPAN("SIP/2.0 486 Elsewhere\r\n\r\n")); /* its To tag is another's */
    assert_int_equal(next_status(&w, fd, 2000), 486);
    wire_send(fd, message("ACK", "UDP 127.0.0.1:9;rport", ";tag=elsewhere"));
    run_for(&w.loop, 20);
    assert_int_equal(w.acks, 1);
    loop_skip(&w.loop, DURATION_S(1));
    assert_int_equal(next_status(&w, fd, 20), 0);
    close(fd);
    world_close(&w);
}

static void test_given_up_without_an_answer_it_is_answered_500(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    w.drop = true;
    int fd = udp_peer(&w);
    wire_send(fd, message("OPTIONS", VIA("z9hG4bK1"), ""));
    assert_int_equal(next_status(&w, fd, 2000), 500);
    wire_send(fd, message("INVITE", VIA("z9hG4bK2"), ""));
    assert_int_equal(next_status(&w, fd, 2000), 500);
    close(fd);
    world_close(&w);
}

static void test_a_slow_owner_of_an_invite_gets_100_sent_for_it(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int fd = udp_peer(&w);
    wire_send(fd, message("INVITE", VIA("z9hG4bK1"), ""));
    until_requests(&w, 1);
    assert_int_equal(next_status(&w, fd, 20), 0);
    loop_skip(&w.loop, DURATION_MS(200));
    assert_int_equal(next_status(&w, fd, 2000), 100);
    assert_null(strstr(received, "\r\nTo: <sip:b@example.com>;tag"));
    tx_reply(w.tx, 200, SPAN_NULL);
    assert_int_equal(next_status(&w, fd, 2000), 200);

    wire_send(fd, message("INVITE", VIA("z9hG4bK2"), ""));
    until_requests(&w, 2);
    tx_reply(w.tx, 180, SPAN_NULL);
    assert_int_equal(next_status(&w, fd, 2000), 180);
    wire_send(fd, message("OPTIONS", VIA("z9hG4bK3"), ""));
    until_requests(&w, 3); /* and w.tx, the INVITE, is given up */
    assert_int_equal(next_status(&w, fd, 2000), 500);
    loop_skip(&w.loop, DURATION_MS(300));
    assert_int_equal(next_status(&w, fd, 20), 0);
    close(fd);
    world_close(&w);
}

static void test_a_refused_invite_is_told_so_until_its_ack(void **state)
{
    struct world w;
    static const int64_t gaps[] = { 500, 1000, 2000, 4000, 4000 };
    char first[4096];
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int fd = udp_peer(&w);
    wire_send(fd, message("INVITE", VIA("z9hG4bK1"), ""));
    until_requests(&w, 1);
    tx_reply(w.tx, 486, SPAN_NULL);
    tx_unref(&w.tx);
    assert_int_equal(next_status(&w, fd, 2000), 486);
    memcpy(first, received, sizeof(first));
    for (size_t i = 0; i < CS_LEN(gaps); i++) { /* timer G */
        loop_skip(&w.loop, DURATION_MS(gaps[i] - 100));
        assert_int_equal(next_status(&w, fd, 2), 0);
        loop_skip(&w.loop, DURATION_MS(100));
        assert_int_equal(next_status(&w, fd, 2000), 486);
        assert_string_equal(received, first);
    }
    wire_send(fd, message("ACK", VIA("z9hG4bK1"), received_tag()));
    run_for(&w.loop, 10);
    loop_skip(&w.loop, DURATION_S(4));
    assert_int_equal(next_status(&w, fd, 20), 0);
    wire_send(fd, message("INVITE", VIA("z9hG4bK1"), "")); /* late: confirmed absorbs it */
    assert_int_equal(next_status(&w, fd, 20), 0);
    assert_int_equal(w.acks, 0);
    assert_int_equal(w.requests, 1);
    loop_skip(&w.loop, DURATION_S(2)); /* timer I: it is gone */
    wire_send(fd, message("INVITE", VIA("z9hG4bK1"), ""));
    until_requests(&w, 2);
    close(fd);
    world_close(&w);
}

static void test_without_an_ack_timer_h_ends_it(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    w.status = 486;
    w.drop = true;
    int fd = udp_peer(&w);
    int64_t open = metric_get(M_SIP_TRANSACTIONS, 1);
    wire_send(fd, message("INVITE", VIA("z9hG4bK1"), ""));
    until_requests(&w, 1);
    assert_int_equal(metric_get(M_SIP_TRANSACTIONS, 1), open + 1);
    loop_skip(&w.loop, T64);
    assert_int_equal(metric_get(M_SIP_TRANSACTIONS, 1), open);
    close(fd);
    world_close(&w);
}

static void test_a_strangers_invite_is_refused_once(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int fd = udp_peer(&w);
    int64_t open = metric_get(M_SIP_TRANSACTIONS, 1);
    char first[64] = "";
    for (size_t i = 1; i <= 2; i++) { /* a retransmission is a new one, under the same To tag */
        wire_send(fd, message("INVITE", VIA("z9hG4bK1"), ""));
        until_requests(&w, i);
        tx_set_once(w.tx, true);
        tx_reply(w.tx, 407, SPAN_NULL);
        assert_true(tx_is_answered(w.tx));
        tx_unref(&w.tx);
        assert_int_equal(metric_get(M_SIP_TRANSACTIONS, 1), open);
        assert_int_equal(next_status(&w, fd, 2000), 407);
        if (i == 2)
            assert_string_equal(received_tag(), first);
        snprintf(first, sizeof(first), "%s", received_tag());
        loop_skip(&w.loop, DURATION_S(1)); /* no timer G */
        assert_int_equal(next_status(&w, fd, 20), 0);
    }
    wire_send(fd, message("ACK", VIA("z9hG4bK1"), first));
    wire_send(fd, message("ACK", VIA("z9hG4bK1"), ";tag=another"));
    assert_true(run_until_count(&w.loop, &w.acks, 1, 2000)); /* only the second goes up */
    run_for(&w.loop, 10);
    assert_int_equal(w.acks, 1);
    close(fd);
    world_close(&w);
}

static void test_once_ends_where_a_100_went_or_the_stranger_is_known(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int fd = udp_peer(&w);
    int64_t open = metric_get(M_SIP_TRANSACTIONS, 1);
    wire_send(fd, message("INVITE", VIA("z9hG4bK1"), ""));
    until_requests(&w, 1);
    tx_set_once(w.tx, true);
    loop_skip(&w.loop, DURATION_MS(200));
    assert_int_equal(next_status(&w, fd, 2000), 100); /* it will not ask again */
    tx_reply(w.tx, 407, SPAN_NULL);
    tx_unref(&w.tx);
    assert_int_equal(next_status(&w, fd, 2000), 407);
    loop_skip(&w.loop, T1);
    assert_int_equal(next_status(&w, fd, 2000), 407);
    wire_send(fd, message("ACK", VIA("z9hG4bK1"), received_tag()));
    run_for(&w.loop, 10);

    wire_send(fd, message("INVITE", VIA("z9hG4bK2"), ""));
    until_requests(&w, 2);
    tx_set_once(w.tx, true);
    tx_set_once(w.tx, false);
    tx_reply(w.tx, 486, SPAN_NULL);
    assert_int_equal(metric_get(M_SIP_TRANSACTIONS, 1), open + 2);
    assert_int_equal(w.acks, 0);
    close(fd);
    world_close(&w);
}

static void test_a_refused_invite_is_held_no_longer_than_its_owner_holds_it(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int fd = udp_peer(&w);
    wire_send(fd, message("INVITE", VIA("z9hG4bK1"), ""));
    until_requests(&w, 1);
    struct sip_msg *m = sip_msg_ref(tx_request(w.tx));
    tx_reply(w.tx, 486, SPAN_NULL);
    assert_ptr_equal(tx_request(w.tx), m);
    struct tx *t = w.tx; /* lives on until its timer H */
    tx_unref(&w.tx);
    assert_null(tx_request(t));
    sip_msg_unref(&m);
    assert_int_equal(next_status(&w, fd, 2000), 486);
    wire_send(fd, message("INVITE", VIA("z9hG4bK1"), ""));
    assert_int_equal(next_status(&w, fd, 2000), 486);
    loop_skip(&w.loop, T1);
    assert_int_equal(next_status(&w, fd, 2000), 486);
    assert_int_equal(w.requests, 1);
    close(fd);
    world_close(&w);
}

static void test_after_a_2xx_acks_go_up_and_invites_are_absorbed(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    w.status = 200;
    int fd = udp_peer(&w);
    wire_send(fd, message("INVITE", VIA("z9hG4bK1"), ""));
    assert_int_equal(next_status(&w, fd, 2000), 200);
    wire_send(fd, message("INVITE", VIA("z9hG4bK1"), ""));
    assert_int_equal(next_status(&w, fd, 20), 0);
    tx_forward(w.tx, 200, SPAN("SIP/2.0 200 Again\r\n\r\n")); /* the owner repeats it */
    assert_int_equal(next_status(&w, fd, 2000), 200);
    assert_string_equal(received, "SIP/2.0 200 Again\r\n\r\n");
    wire_send(fd, message("ACK", VIA("z9hG4bK1"), ";tag=x")); /* wrongly with its branch */
    assert_true(run_until_count(&w.loop, &w.acks, 1, 2000));
    wire_send(fd, message("ACK", VIA("z9hG4bK2"), ";tag=x"));
    assert_true(run_until_count(&w.loop, &w.acks, 2, 2000));
    loop_skip(&w.loop, T64); /* timer L */
    tx_forward(w.tx, 200, SPAN("SIP/2.0 200 Again\r\n\r\n"));
    assert_int_equal(next_status(&w, fd, 20), 0);
    assert_int_equal(w.requests, 1);
    close(fd);
    world_close(&w);
}

static void test_to_tags_are_one_for_each_transaction(void **state)
{
    struct world w;
    char tag[64];
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int fd = udp_peer(&w);
    wire_send(fd, message("INVITE", VIA("z9hG4bK1"), ""));
    until_requests(&w, 1);
    tx_reply(w.tx, 180, SPAN_NULL);
    assert_int_equal(next_status(&w, fd, 2000), 180);
    snprintf(tag, sizeof(tag), "%s", received_tag());
    assert_true(span_eq(span_skip(span_str(tag), 5), tx_to_tag(w.tx)));
    tx_reply(w.tx, 200, SPAN_NULL);
    assert_int_equal(next_status(&w, fd, 2000), 200);
    assert_string_equal(received_tag(), tag);
    w.status = 404;
    wire_send(fd, message("INVITE", VIA("z9hG4bK2"), ""));
    assert_int_equal(next_status(&w, fd, 2000), 404);
    assert_string_not_equal(received_tag(), tag);
    close(fd);
    world_close(&w);
}

static void test_a_malformed_request_costs_no_transaction(void **state)
{
    struct world w;
    char first[4096];
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int fd = udp_peer(&w);
    char text[4096];
    static const char *const methods[] = { "INVITE", "ACK" };
    for (size_t i = 0; i < CS_LEN(methods); i++) {
        struct buf b = BUF_INIT(text);
        buf_put(&b, message(methods[i], VIA("z9hG4bK1"), ""));
        char *at = memmem(b.p, b.n, "SIP/2.0\r\n", 9); /* of the Request-Line */
        at[4] = '7';
        wire_send(fd, buf_span(&b));
        if (i == 1) {
            assert_int_equal(next_status(&w, fd, 20), 0); /* an ACK is never answered */
            continue;
        }
        assert_int_equal(next_status(&w, fd, 2000), 505);
        memcpy(first, received, sizeof(first));
        wire_send(fd, buf_span(&b));
        assert_int_equal(next_status(&w, fd, 2000), 505);
        assert_string_equal(received, first); /* 8.2.7: the same To tag each time */
    }
    wire_send(fd, message("ACK", VIA("z9hG4bK1"), received_tag()));
    wire_send(fd, message("ACK", VIA("z9hG4bK2"), received_tag()));
    assert_true(run_until_count(&w.loop, &w.acks, 1, 2000));
    assert_int_equal(w.acks, 1); /* the first was for our answer without a transaction */
    assert_int_equal(w.requests, 0);
    close(fd);
    world_close(&w);
}

static void test_beyond_the_limit_there_is_503_with_retry_after(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptx_conf){ .max_transactions = 1 });
    int fd = udp_peer(&w);
    wire_send(fd, message("OPTIONS", VIA("z9hG4bK1"), ""));
    until_requests(&w, 1);
    for (int i = 0; i < 20; i++) {
        wire_send(fd, message("OPTIONS", VIA("z9hG4bK2"), ""));
        assert_int_equal(next_status(&w, fd, 2000), 503);
        const char *line = strstr(received, "\r\nRetry-After: ");
        assert_non_null(line);
        assert_in_range(strtoul(line + 15, NULL, 10), 1, 10);
    }
    struct tx *t;
    assert_int_equal(
        tx_send(w.x, tx_flow(w.tx), SIP_OPTIONS, SPAN("z9hG4bKx"), SPAN("x"), NULL, NULL, &t),
        CS_ELIMIT);
    tx_reply(w.tx, 200, SPAN_NULL);
    assert_int_equal(next_status(&w, fd, 2000), 200);
    wire_send(fd, message("OPTIONS", VIA("z9hG4bK3"), ""));
    until_requests(&w, 2);
    close(fd);
    world_close(&w);
}

static void test_over_tcp_an_answer_is_given_once(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int64_t open = metric_get(M_SIP_TRANSACTIONS, 1);
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(fd, message("INVITE", "TCP 127.0.0.1:9;branch=z9hG4bK1", ""));
    until_requests(&w, 1);
    tx_reply(w.tx, 486, SPAN_NULL);
    assert_int_equal(next_status(&w, fd, 2000), 486);
    loop_skip(&w.loop, DURATION_S(1)); /* no timer G */
    assert_int_equal(next_status(&w, fd, 20), 0);
    wire_send(fd, message("ACK", "TCP 127.0.0.1:9;branch=z9hG4bK1", received_tag()));
    wire_send(fd, message("OPTIONS", "TCP 127.0.0.1:9;branch=z9hG4bK2", ""));
    until_requests(&w, 2);
    assert_int_equal(w.acks, 0);
    tx_reply(w.tx, 200, SPAN_NULL);
    assert_int_equal(next_status(&w, fd, 2000), 200);
    assert_int_equal(metric_get(M_SIP_TRANSACTIONS, 1), open); /* timers I and J are zero */
    close(fd);
    world_close(&w);
}

static void test_an_answer_to_a_dead_connection_takes_another(void **state)
{
    struct world w;
    struct addr at;
    char via[80];
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int listening = wire_tcp_listening(&at);
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    snprintf(via, sizeof(via), "TCP host.invalid:%u;branch=z9hG4bK1", addr_port(&at));
    wire_send(fd, message("OPTIONS", via, ""));
    until_requests(&w, 1);
    close(fd);
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    tx_reply(w.tx, 200, SPAN_NULL);
    fd = wire_accept(&w.loop, listening);
    assert_int_equal(next_status(&w, fd, 2000), 200);
    close(fd);
    close(listening);
    world_close(&w);
}

static void test_an_answer_too_long_for_a_datagram_becomes_500(void **state)
{
    struct world w;
    static char body[66000];
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int fd = udp_peer(&w);
    wire_send(fd, message("OPTIONS", VIA("z9hG4bK1"), ""));
    until_requests(&w, 1);
    memset(body, 'x', sizeof(body));
    tx_reply_full(w.tx, 200, SPAN("Fine"), SPAN_NULL, SPAN("text/plain"),
                  span_of(body, sizeof(body)));
    assert_int_equal(next_status(&w, fd, 2000), 500);
    wire_send(fd, message("OPTIONS", VIA("z9hG4bK2"), ""));
    until_requests(&w, 2);
    tx_reply_full(w.tx, 200, SPAN("Fine"), SPAN("X: y\r\n"), SPAN("text/plain"), SPAN("hello"));
    assert_int_equal(next_status(&w, fd, 2000), 200);
    assert_non_null(strstr(received, "SIP/2.0 200 Fine\r\n"));
    assert_non_null(strstr(received, "Content-Type: text/plain\r\n"));
    assert_true(span_ends(span_str(received), SPAN("Content-Length: 5\r\n\r\nhello")));
    close(fd);
    world_close(&w);
}

static void test_a_transaction_may_outlive_its_siptx(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int fd = udp_peer(&w);
    wire_send(fd, message("INVITE", VIA("z9hG4bK1"), ""));
    until_requests(&w, 1);
    tx_set_data(w.tx, &w);
    siptx_free(&w.x);
    tx_reply(w.tx, 200, SPAN_NULL); /* nobody is there to send it */
    assert_ptr_equal(tx_data(w.tx), &w);
    assert_int_equal(tx_request(w.tx)->method, SIP_INVITE);
    tx_unref(&w.tx);
    siptp_free(&w.tp);
    assert_int_equal(next_status(&w, fd, 20), 0);
    close(fd);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_retransmission_is_answered_identically),
        cmocka_unit_test(test_a_retransmission_before_the_answer_is_absorbed),
        cmocka_unit_test(test_transactions_differ_by_branch_sent_by_and_method),
        cmocka_unit_test(test_clients_of_rfc_2543_are_matched_by_their_fields),
        cmocka_unit_test(test_given_up_without_an_answer_it_is_answered_500),
        cmocka_unit_test(test_a_slow_owner_of_an_invite_gets_100_sent_for_it),
        cmocka_unit_test(test_a_refused_invite_is_told_so_until_its_ack),
        cmocka_unit_test(test_without_an_ack_timer_h_ends_it),
        cmocka_unit_test(test_a_strangers_invite_is_refused_once),
        cmocka_unit_test(test_once_ends_where_a_100_went_or_the_stranger_is_known),
        cmocka_unit_test(test_a_refused_invite_is_held_no_longer_than_its_owner_holds_it),
        cmocka_unit_test(test_after_a_2xx_acks_go_up_and_invites_are_absorbed),
        cmocka_unit_test(test_to_tags_are_one_for_each_transaction),
        cmocka_unit_test(test_a_malformed_request_costs_no_transaction),
        cmocka_unit_test(test_beyond_the_limit_there_is_503_with_retry_after),
        cmocka_unit_test(test_over_tcp_an_answer_is_given_once),
        cmocka_unit_test(test_an_answer_to_a_dead_connection_takes_another),
        cmocka_unit_test(test_an_answer_too_long_for_a_datagram_becomes_500),
        cmocka_unit_test(test_a_transaction_may_outlive_its_siptx),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
