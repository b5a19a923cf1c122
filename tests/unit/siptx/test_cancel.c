#include <sys/socket.h>

#include "unit/siptx/world.h"

#define VIA "UDP 127.0.0.1:9;rport;branch=z9hG4bK1"

static int invited(struct world *w)
{
    world_open(w, &(struct siptx_conf){ 0 });
    int fd = wire_udp(siptp_listener_local(w->udp));
    wire_send(fd, message("INVITE", VIA, ""));
    until_requests(w, 1);
    return fd;
}

static void test_a_cancel_is_answered_and_told_once(void **state)
{
    struct world w;
    char first[4096], tag[64];
    (void)state;
    int fd = invited(&w);
    wire_send(fd, message("CANCEL", VIA, ""));
    assert_int_equal(next_status(&w, fd, 2000), 200);
    assert_non_null(strstr(received, "CSeq: 7 CANCEL\r\n"));
    memcpy(first, received, sizeof(first));
    snprintf(tag, sizeof(tag), "%s", received_tag());
    assert_int_equal(w.cancelled, 1);
    wire_send(fd, message("CANCEL", VIA, ""));
    assert_int_equal(next_status(&w, fd, 2000), 200);
    assert_string_equal(received, first);
    assert_int_equal(w.cancelled, 1);
    tx_reply(w.tx, 487, SPAN_NULL);
    assert_int_equal(next_status(&w, fd, 2000), 487);
    assert_string_equal(received_tag(), tag); /* 9.2: the same in both */
    wire_send(fd, message("ACK", VIA, received_tag()));
    run_for(&w.loop, 10);
    assert_int_equal(w.acks, 0);
    close(fd);
    world_close(&w);
}

static void test_an_owner_may_answer_inside_the_call(void **state)
{
    struct world w;
    (void)state;
    int fd = invited(&w);
    w.at_cancel = 487;
    wire_send(fd, message("CANCEL", VIA, ""));
    assert_int_equal(next_status(&w, fd, 2000), 200);
    assert_int_equal(next_status(&w, fd, 2000), 487);
    assert_true(tx_is_answered(w.tx));
    close(fd);
    world_close(&w);
}

static void test_a_cancel_after_the_answer_changes_nothing(void **state)
{
    struct world w;
    (void)state;
    int fd = invited(&w);
    tx_reply(w.tx, 200, SPAN_NULL);
    assert_int_equal(next_status(&w, fd, 2000), 200);
    wire_send(fd, message("CANCEL", VIA, ""));
    assert_int_equal(next_status(&w, fd, 2000), 200);
    assert_non_null(strstr(received, "CSeq: 7 CANCEL\r\n"));
    assert_int_equal(w.cancelled, 0);
    close(fd);
    world_close(&w);
}

static void test_a_cancel_that_overtook_its_invite_finds_nothing(void **state)
{
    struct world w;
    char first[4096];
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int fd = wire_udp(siptp_listener_local(w.udp));
    wire_send(fd, message("CANCEL", VIA, ""));
    assert_int_equal(next_status(&w, fd, 2000), 481);
    memcpy(first, received, sizeof(first));
    wire_send(fd, message("CANCEL", VIA, ""));
    assert_int_equal(next_status(&w, fd, 2000), 481);
    assert_string_equal(received, first);
    wire_send(fd, message("INVITE", VIA, ""));
    until_requests(&w, 1);
    wire_send(fd, message("CANCEL", VIA, "")); /* and the refusal was not kept */
    assert_int_equal(next_status(&w, fd, 2000), 200);
    assert_int_equal(w.cancelled, 1);
    close(fd);
    world_close(&w);
}

static void test_only_the_same_hop_may_cancel(void **state)
{
    struct world w;
    struct sockaddr_in elsewhere = { .sin_family = AF_INET };
    (void)state;
    int fd = invited(&w);
    int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    elsewhere.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    assert_int_equal(bind(other, (struct sockaddr *)&elsewhere, sizeof(elsewhere)), 0);
    const struct addr *to = siptp_listener_local(w.udp);
    assert_int_equal(connect(other, &to->sa, addr_len(to)), 0);
    wire_send(other, message("CANCEL", VIA, ""));
    assert_int_equal(next_status(&w, other, 2000), 481);
    int tcp = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(tcp, message("CANCEL", VIA, ""));
    assert_int_equal(next_status(&w, tcp, 2000), 481);
    assert_int_equal(w.cancelled, 0);
    assert_false(tx_is_answered(w.tx));
    close(fd);
    close(other);
    close(tcp);
    world_close(&w);
}

static void test_a_cancel_for_another_method_finds_nothing(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, &(struct siptx_conf){ 0 });
    int fd = wire_udp(siptp_listener_local(w.udp));
    wire_send(fd, message("OPTIONS", VIA, ""));
    until_requests(&w, 1);
    wire_send(fd, message("CANCEL", VIA, ""));
    assert_int_equal(next_status(&w, fd, 2000), 481);
    assert_int_equal(w.cancelled, 0);
    close(fd);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_cancel_is_answered_and_told_once),
        cmocka_unit_test(test_an_owner_may_answer_inside_the_call),
        cmocka_unit_test(test_a_cancel_after_the_answer_changes_nothing),
        cmocka_unit_test(test_a_cancel_that_overtook_its_invite_finds_nothing),
        cmocka_unit_test(test_only_the_same_hop_may_cancel),
        cmocka_unit_test(test_a_cancel_for_another_method_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
