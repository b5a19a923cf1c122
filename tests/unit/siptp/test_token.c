#include "base/ct.h"
#include "unit/siptp/world.h"

#define VIA "TCP 127.0.0.1:9;branch=z9hG4bK1"

static struct span token_of(const struct flow *f, char text[FLOW_TOKEN_MAX])
{
    struct buf b = buf_of(text, FLOW_TOKEN_MAX);
    flow_token(f, &b);
    assert_true(buf_ok(&b));
    return buf_span(&b);
}

static struct flow *udp_flow_to(struct world *w, struct siptp_listener *via, const char *where)
{
    struct addr to;
    struct flow *f;
    assert_int_equal(addr_parse(span_str(where), 5060, &to), 0);
    assert_int_equal(siptp_flow_to(w->tp, SIP_UDP, &to, via, &f), 0);
    return f;
}

static void test_a_token_of_udp_names_listener_and_peer(void **state)
{
    struct world w;
    struct siptp_listener *six;
    char text[FLOW_TOKEN_MAX];
    static const char *const peers[] = { "192.0.2.1:4711", "[2001:db8::1]:5062" };
    struct addr local;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    assert_int_equal(addr_parse(SPAN("::1"), 0, &local), 0);
    if (siptp_listen(w.tp, SIP_UDP, &local, SPAN("six"), SPAN_NULL, &six)) {
        world_close(&w);
        skip(); /* no IPv6 on this machine */
    }
    for (size_t i = 0; i < CS_LEN(peers); i++) {
        struct flow *f = udp_flow_to(&w, NULL, peers[i]), *g;
        assert_ptr_equal(f->listener, i ? six : w.udp);
        assert_int_equal(siptp_flow_by_token(w.tp, token_of(f, text), &g), 0);
        assert_true(addr_eq(&f->remote, &g->remote));
        assert_ptr_equal(f->listener, g->listener);
        flow_unref(&f);
        flow_unref(&g);
    }
    world_close(&w);
}

static void test_a_token_of_a_connection_dies_with_it(void **state)
{
    struct world w;
    char text[FLOW_TOKEN_MAX];
    struct flow *f;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int fd = wire_tcp(siptp_listener_local(w.tcp));
    wire_send(fd, request(VIA, ""));
    until_messages(&w, 1);
    struct span token = token_of(w.flow, text);
    assert_int_equal(siptp_flow_by_token(w.tp, token, &f), 0);
    assert_ptr_equal(f, w.flow);
    flow_unref(&f);
    close(fd);
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    assert_int_equal(siptp_flow_by_token(w.tp, token, &f), CS_ENOENT);
    assert_null(f);
    world_close(&w);
}

static void test_a_token_of_a_connection_we_made_leads_to_a_new_one(void **state)
{
    struct world w;
    char text[FLOW_TOKEN_MAX];
    struct flow *f, *g;
    struct addr peer;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    int listening = wire_tcp_listening(&peer);
    assert_int_equal(siptp_flow_to(w.tp, SIP_TCP, &peer, NULL, &f), 0);
    int fd = wire_accept(&w.loop, listening);
    struct span token = token_of(f, text);
    assert_int_equal(siptp_flow_by_token(w.tp, token, &g), 0);
    assert_ptr_equal(f, g);
    flow_unref(&g);
    close(fd);
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    assert_int_equal(siptp_flow_by_token(w.tp, token, &g), 0);
    assert_ptr_not_equal(f, g);
    assert_true(addr_eq(&g->remote, &peer));
    fd = wire_accept(&w.loop, listening);
    flow_unref(&f);
    flow_unref(&g);
    close(fd);
    close(listening);
    world_close(&w);
}

static void test_a_token_changed_or_cut_anywhere_is_refused(void **state)
{
    struct world w;
    char text[FLOW_TOKEN_MAX], changed[FLOW_TOKEN_MAX + 1];
    struct flow *g;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    struct flow *f = udp_flow_to(&w, w.udp, "192.0.2.1:4711");
    struct span token = token_of(f, text);
    for (size_t i = 0; i < token.n; i++) {
        assert_int_equal(siptp_flow_by_token(w.tp, span_head(token, i), &g), CS_EPROTO);
        assert_int_equal(siptp_flow_by_token(w.tp, span_skip(token, i + 1), &g), CS_EPROTO);
        memcpy(changed, token.p, token.n);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_int_equal(siptp_flow_by_token(w.tp, span_of(changed, token.n), &g), CS_EPROTO);
        changed[i] = '=';
        assert_int_equal(siptp_flow_by_token(w.tp, span_of(changed, token.n), &g), CS_EPROTO);
    }
    memcpy(changed, token.p, token.n);
    changed[token.n] = 'A';
    assert_int_equal(siptp_flow_by_token(w.tp, span_of(changed, token.n + 1), &g), CS_EPROTO);
    assert_int_equal(siptp_flow_by_token(w.tp, SPAN_NULL, &g), CS_EPROTO);
    flow_unref(&f);
    world_close(&w);
}

static void test_tokens_of_another_key_are_refused(void **state)
{
    struct world w, v;
    char text[FLOW_TOKEN_MAX];
    struct flow *g;
    (void)state;
    world_open(&w, &(struct siptp_conf){ 0 });
    world_open(&v, &(struct siptp_conf){ 0 });
    struct flow *f = udp_flow_to(&w, w.udp, "192.0.2.1:4711");
    assert_int_equal(siptp_flow_by_token(v.tp, token_of(f, text), &g), CS_EPROTO);
    flow_unref(&f);
    world_close(&w);
    world_close(&v);
}

static void test_with_a_shared_key_only_connections_of_this_process_are_found(void **state)
{
    struct world w, v;
    struct secret key = { 0 };
    char text[FLOW_TOKEN_MAX];
    struct flow *g;
    (void)state;
    assert_int_equal(secret_set(&key, SPAN("0123456789abcdef0123456789abcdef")), 0);
    world_open(&w, &(struct siptp_conf){ .token_key = &key });
    world_open(&v, &(struct siptp_conf){ .token_key = &key });
    secret_fini(&key);
    int fd = wire_tcp(siptp_listener_local(w.tcp)), fd2 = wire_tcp(siptp_listener_local(v.tcp));
    wire_send(fd, request(VIA, ""));
    wire_send(fd2, request(VIA, ""));
    until_messages(&w, 1);
    until_messages(&v, 1);
    assert_int_equal(w.flow->id, v.flow->id);
    assert_int_equal(siptp_flow_by_token(v.tp, token_of(w.flow, text), &g), CS_ENOENT);

    struct flow *f = udp_flow_to(&w, w.udp, "192.0.2.1:4711");
    assert_int_equal(siptp_flow_by_token(v.tp, token_of(f, text), &g), 0);
    flow_unref(&f);
    flow_unref(&g);
    close(fd);
    close(fd2);
    world_close(&w);
    world_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_token_of_udp_names_listener_and_peer),
        cmocka_unit_test(test_a_token_of_a_connection_dies_with_it),
        cmocka_unit_test(test_a_token_of_a_connection_we_made_leads_to_a_new_one),
        cmocka_unit_test(test_a_token_changed_or_cut_anywhere_is_refused),
        cmocka_unit_test(test_tokens_of_another_key_are_refused),
        cmocka_unit_test(test_with_a_shared_key_only_connections_of_this_process_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
