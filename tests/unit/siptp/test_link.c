#include <stdio.h>
#include <unistd.h>

#include "unit/siptp/world.h"

static char path[64];
static const struct siptp_link_target at = { .path = path };

static void open_node(struct world *w, struct span name)
{
    world_open(w, &(struct siptp_conf){ .node = name });
    snprintf(path, sizeof(path), "/tmp/cs-link-%d.sock", (int)getpid());
}

static void close_node(struct world *w)
{
    world_close(w);
    unlink(path);
}

static void test_what_comes_over_the_link_names_its_node(void **state)
{
    struct world w;
    struct flow *to, *again;
    char text[FLOW_TOKEN_MAX];
    struct buf b = BUF_INIT(text);
    struct flow_token token;
    (void)state;
    open_node(&w, SPAN("here"));
    assert_int_equal(siptp_link_admit(w.tp, geteuid()), 0);
    assert_int_equal(siptp_listen_link(w.tp, path), 0);
    assert_int_equal(siptp_link_to(w.tp, siptp_node_id(SPAN("there")), &at, &to), 0);
    assert_int_equal(siptp_link_to(w.tp, siptp_node_id(SPAN("there")), &at, &again), 0);
    assert_ptr_equal(to, again);
    assert_int_equal(flow_send(to, request("TCP there;branch=z9hG4bK1", "")), 0);
    until_messages(&w, 1);
    assert_int_equal(w.flow->transport, SIP_LINK);
    assert_int_equal(w.flow->peer, siptp_node_id(SPAN("there")));
    assert_int_equal(w.flow->remote.sa.sa_family, AF_UNSPEC);

    flow_token(w.flow, &b);
    assert_int_equal(flow_token_read(w.tp, buf_span(&b), &token), 0);
    assert_int_equal(token.transport, SIP_LINK);
    assert_int_equal(token.node, siptp_node_id(SPAN("here")));
    assert_int_equal(token.peer, siptp_node_id(SPAN("there")));
    struct flow *by_token;
    assert_int_equal(siptp_flow_by_token(w.tp, buf_span(&b), &by_token), 0); /* to its node */
    assert_int_equal(by_token->peer, siptp_node_id(SPAN("there")));
    flow_unref(&by_token);
    assert_int_equal(siptp_link_find(w.tp, siptp_node_id(SPAN("nowhere")), &by_token), CS_ENOENT);
    flow_unref(&to);
    flow_unref(&again);
    close_node(&w);
}

static void test_who_is_not_of_our_uid_is_cut_off(void **state)
{
    struct world w;
    struct flow *to;
    (void)state;
    open_node(&w, SPAN("here"));
    assert_int_equal(siptp_link_admit(w.tp, geteuid() + 1), 0);
    assert_int_equal(siptp_listen_link(w.tp, path), 0);
    assert_int_equal(siptp_link_to(w.tp, 7, &at, &to), 0);
    assert_int_equal(flow_send(to, request("TCP there;branch=z9hG4bK1", "")), 0);
    while (to->open)
        uv_run(&w.loop.uv, UV_RUN_ONCE);
    assert_int_equal(w.messages, 0);
    flow_unref(&to);
    close_node(&w);
}

static void test_links_to_a_node_that_is_gone_are_closed_and_no_others(void **state)
{
    struct world w;
    struct flow *gone, *stays;
    (void)state;
    open_node(&w, SPAN("here"));
    assert_int_equal(siptp_link_admit(w.tp, geteuid()), 0);
    assert_int_equal(siptp_listen_link(w.tp, path), 0);
    assert_int_equal(siptp_link_to(w.tp, siptp_node_id(SPAN("there")), &at, &gone), 0);
    assert_int_equal(siptp_link_to(w.tp, siptp_node_id(SPAN("third")), &at, &stays), 0);
    assert_int_equal(flow_send(gone, request("TCP there;branch=z9hG4bK1", "")), 0);
    until_messages(&w, 1);
    struct flow *accepted = flow_ref(w.flow);
    siptp_link_close(w.tp, siptp_node_id(SPAN("there")));
    assert_false(gone->open);
    assert_false(accepted->open);
    assert_true(stays->open);
    assert_int_equal(flow_send(gone, request("TCP there;branch=z9hG4bK2", "")), CS_ECLOSED);
    assert_true(run_until_count(&w.loop, &w.closed, 2, 2000));
    flow_unref(&gone);
    flow_unref(&accepted);
    flow_unref(&stays);
    close_node(&w);
}

static void test_without_a_link_there_is_no_way(void **state)
{
    struct world w;
    struct flow *to;
    (void)state;
    open_node(&w, SPAN("here"));
    assert_int_equal(siptp_link_to(w.tp, 7, &at, &to), CS_ECLOSED);
    assert_null(to);
    close_node(&w);
}

static void test_names_have_ids(void **state)
{
    (void)state;
    assert_int_not_equal(siptp_node_id(SPAN("a")), siptp_node_id(SPAN("b")));
    assert_int_not_equal(siptp_node_id(SPAN("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_comes_over_the_link_names_its_node),
        cmocka_unit_test(test_who_is_not_of_our_uid_is_cut_off),
        cmocka_unit_test(test_links_to_a_node_that_is_gone_are_closed_and_no_others),
        cmocka_unit_test(test_without_a_link_there_is_no_way),
        cmocka_unit_test(test_names_have_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
