#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net/udp.h"

enum { COUNT = 1000 };

struct world {
    struct loop loop;
    struct udp *server, *client;
    unsigned asked, answered;
};

static void on_question(void *arg, const struct addr *from, struct span data)
{
    struct world *w = arg;
    w->asked++;
    assert_int_equal(udp_send(w->server, from, data), 0);
}

static void on_answer(void *arg, const struct addr *from, struct span data)
{
    struct world *w = arg;
    unsigned n;
    assert_true(addr_eq(from, udp_local(w->server)));
    assert_int_equal(data.n, sizeof(n));
    memcpy(&n, data.p, sizeof(n));
    assert_int_equal(n, w->answered);
    if (++w->answered == COUNT) {
        udp_close(&w->server);
        udp_close(&w->client);
    }
}

static void test_a_thousand_datagrams_of_one_turn_arrive_in_order(void **state)
{
    struct world w = { 0 };
    struct addr local, nowhere;
    (void)state;
    assert_int_equal(loop_init(&w.loop), 0);
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), 0, &local), 0);
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), 9, &nowhere), 0);
    assert_int_equal(udp_open(&w.loop, &local, on_question, &w, &w.server), 0);
    assert_int_equal(udp_open(&w.loop, &local, on_answer, &w, &w.client), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        if (i % 100 == 0) /* an unreachable peer must not stop the others */
            assert_int_equal(udp_send(w.client, &nowhere, SPAN("x")), 0);
        assert_int_equal(udp_send(w.client, udp_local(w.server), span_of(&i, sizeof(i))), 0);
    }
    loop_run(&w.loop);
    assert_int_equal(w.asked, COUNT);
    assert_int_equal(w.answered, COUNT);
    assert_int_equal(loop_fini(&w.loop), 0);
}

static void test_port_in_use_is_an_error(void **state)
{
    struct world w = { 0 };
    struct addr local;
    (void)state;
    assert_int_equal(loop_init(&w.loop), 0);
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), 0, &local), 0);
    assert_int_equal(udp_open(&w.loop, &local, on_question, &w, &w.server), 0);
    assert_int_equal(udp_open(&w.loop, udp_local(w.server), on_answer, &w, &w.client),
                     UV_EADDRINUSE);
    assert_int_equal(udp_send(w.server, &local, span_of("", 65508)), CS_ELIMIT);
    udp_close(&w.server);
    assert_int_equal(loop_fini(&w.loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thousand_datagrams_of_one_turn_arrive_in_order),
        cmocka_unit_test(test_port_in_use_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
