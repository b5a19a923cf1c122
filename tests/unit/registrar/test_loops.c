#include "registrar/loops.h"

#include <stdio.h>

#include "lib/test.h"

struct world {
    struct loop loop;
    struct siptp *tp;
    uint16_t port;
};

static int setup(void **state)
{
    static const struct siptp_events events;
    static struct world w;
    struct siptp_listener *ls;
    struct addr local;
    w = (struct world){ 0 };
    assert_int_equal(loop_init(&w.loop), 0);
    assert_int_equal(siptp_new(&w.loop, &(struct siptp_conf){ 0 }, &events, NULL, &w.tp), 0);
    assert_int_equal(addr_parse_host(SPAN("127.0.0.1"), 0, &local), 0);
    assert_int_equal(siptp_listen(w.tp, SIP_UDP, &local, SPAN("udp"), SPAN_NULL, &ls), 0);
    w.port = addr_port(siptp_listener_local(ls));
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    siptp_free(&w->tp);
    loop_run(&w->loop);
    assert_int_equal(loop_fini(&w->loop), 0);
    return 0;
}

struct said {
    const char *uri, *call_id, *from_tag, *to_tag, *cseq, *route, *via;
};
static const struct said usual = {
    "sip:bob@example.com", "call-1", "a", "", "7 INVITE", "", "",
};

static struct sip_msg *request(struct said s)
{
    char text[2048];
    struct sip_msg *m;
    int n = snprintf(text, sizeof(text),
                     "%s %s SIP/2.0\r\n%sVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n"
                     "From: <sip:a@example.com>;tag=%s\r\nTo: <sip:b@example.com>%s\r\n"
                     "Call-ID: %s\r\nCSeq: %s\r\n%sContent-Length: 0\r\n\r\n",
                     s.cseq + 2, s.uri, s.via, s.from_tag, s.to_tag, s.call_id, s.cseq, s.route);
    assert_int_equal(sip_msg_parse(span_of(text, (size_t)n), true, NULL, &m), 0);
    assert_int_equal(m->bad, 0);
    return m;
}

static uint64_t hash_of(struct said s)
{
    struct sip_msg *m = request(s);
    uint64_t h = loops_hash(m);
    sip_msg_unref(&m);
    return h;
}

static void test_what_decides_the_way_changes_the_hash(void **state)
{
    (void)state;
    uint64_t h = hash_of(usual);
    assert_true(h == hash_of(usual));
    struct said other[7];
    for (size_t i = 0; i < CS_LEN(other); i++)
        other[i] = usual;
    other[0].uri = "sip:carol@example.com";
    other[1].call_id = "call-2";
    other[2].from_tag = "b";
    other[3].to_tag = ";tag=t";
    other[4].cseq = "8 INVITE";
    other[5].cseq = "7 MESSAGE";
    other[6].route = "Route: <sip:next.example.com;lr>\r\n";
    for (size_t i = 0; i < CS_LEN(other); i++)
        assert_false(h == hash_of(other[i]));
    struct said longer = usual; /* what the way back adds */
    longer.via = "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKy\r\nMax-Forwards: 3\r\n";
    assert_true(h == hash_of(longer));
}

static bool comes_back(const struct world *w, const char *host, uint16_t port, uint64_t in_via,
                       uint64_t now)
{
    char branch[LOOPS_BRANCH_LEN + 1] = "", via[256];
    struct buf b = buf_of(branch, LOOPS_BRANCH_LEN);
    struct said s = usual;
    loops_branch(&b, in_via, 0xfedc0102);
    assert_true(buf_ok(&b));
    assert_int_equal(b.n, LOOPS_BRANCH_LEN);
    assert_int_equal(loops_node(buf_span(&b)), 0xfedc0102);
    assert_int_equal(loops_node(span_head(buf_span(&b), b.n - 1)), 0);
    snprintf(
        via, sizeof(via),
        "Via: SIP/2.0/TCP 192.0.2.8;branch=z9hG4bKphone, SIP/2.0/UDP %s:%u;rport;branch=%s\r\n",
        host, port, branch);
    s.via = via;
    struct sip_msg *m = request(s);
    bool back = loops_back(m, now, w->tp);
    sip_msg_unref(&m);
    return back;
}

static void test_our_via_with_the_same_hash_is_a_loop(void **state)
{
    struct world *w = *state;
    static const uint64_t hashes[] = { 0, 1, UINT64_MAX, UINT64_C(0x0123456789abcdef) };
    for (size_t i = 0; i < CS_LEN(hashes); i++) {
        assert_true(comes_back(w, "127.0.0.1", w->port, hashes[i], hashes[i]));
        assert_false(comes_back(w, "127.0.0.1", w->port, hashes[i], hashes[i] ^ 2)); /* a spiral */
        assert_false(comes_back(w, "192.0.2.3", w->port, hashes[i], hashes[i]));     /* not ours */
    }
}

static void test_via_of_others_are_no_loop(void **state)
{
    struct world *w = *state;
    struct sip_msg *m = request(usual);
    assert_false(loops_back(m, loops_hash(m), w->tp));
    sip_msg_unref(&m);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_what_decides_the_way_changes_the_hash),
        T(test_our_via_with_the_same_hash_is_a_loop),
        T(test_via_of_others_are_no_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
