#include "base/buf.h"
#include "hops/hop.h"
#include "lib/test.h"

static const struct mono now = { 1000 };

static void name_hops(struct hop *hops, size_t n)
{
    static const char *const names[] = { "sip:a", "sip:b", "sip:c", "sip:d" };
    memset(hops, 0, n * sizeof(*hops));
    for (size_t i = 0; i < n; i++)
        hops[i].text = span_str(names[i]);
}

static struct hop *first_of(struct hop *hops, size_t n, unsigned call)
{
    struct hop *out[HOPS_MAX];
    char call_id[32];
    struct buf b = BUF_INIT(call_id);
    buf_printf(&b, "call-%u", call);
    hops_order(hops, n, buf_span(&b), now, out);
    return out[0];
}

static void test_calls_are_shared_evenly_and_keep_their_hop(void **state)
{
    struct hop three[3], four[4];
    unsigned share[4] = { 0 }, moved = 0;
    (void)state;
    name_hops(three, 3);
    name_hops(four, 4);
    for (unsigned call = 0; call < 9000; call++) {
        size_t at = (size_t)(first_of(three, 3, call) - three);
        assert_ptr_equal(first_of(three, 3, call), &three[at]);
        share[at]++;
        size_t then = (size_t)(first_of(four, 4, call) - four);
        assert_true(then == at || then == 3); /* only the new one takes any away */
        moved += then == 3;
    }
    for (size_t i = 0; i < 3; i++)
        assert_in_range(share[i], 2750, 3250);
    assert_in_range(moved, 2000, 2500);
}

static void test_what_is_down_comes_last(void **state)
{
    struct hop hops[3], *out[HOPS_MAX];
    (void)state;
    name_hops(hops, 3);
    struct hop *first = first_of(hops, 3, 1);
    first->down.ns = now.ns + 1;
    hops_order(hops, 3, SPAN("call-1"), now, out);
    assert_ptr_equal(out[2], first);
    first->down.ns = now.ns; /* over */
    assert_ptr_equal(first_of(hops, 3, 1), first);
}

static void test_of_too_many_those_that_are_up_are_given(void **state)
{
    struct hop hops[3 * HOPS_MAX] = { 0 }, *out[HOPS_MAX];
    char names[CS_LEN(hops)][8];
    (void)state;
    for (size_t i = 0; i < CS_LEN(hops); i++) {
        struct buf b = BUF_INIT(names[i]);
        buf_printf(&b, "sip:%zu", i);
        hops[i].text = buf_span(&b);
        hops[i].down.ns = i % 3 ? now.ns + 1 : 0;
    }
    hops_order(hops, CS_LEN(hops), SPAN("call-1"), now, out);
    for (size_t i = 0; i < HOPS_MAX; i++) {
        assert_int_equal(out[i]->down.ns, 0);
        for (size_t k = 0; k < i; k++)
            assert_ptr_not_equal(out[k], out[i]);
    }
}

static void test_priority_comes_before_weight_and_what_is_bound_before_both(void **state)
{
    struct hop hops[4], *out[HOPS_MAX];
    unsigned share[4] = { 0 };
    (void)state;
    name_hops(hops, 4);
    hops[0].priority = 10;
    hops[1].weight = 1;
    hops[2].weight = 3;
    hops[3].weight = 6;
    for (unsigned call = 0; call < 10000; call++)
        share[first_of(hops, 4, call) - hops]++;
    assert_int_equal(share[0], 0);
    assert_in_range(share[1], 850, 1150);
    assert_in_range(share[2], 2800, 3200);
    assert_in_range(share[3], 5800, 6200);
    hops[0].bound.known = true;
    assert_ptr_equal(first_of(hops, 4, 1), &hops[0]);
    hops[0].down.ns = now.ns + 1;
    hops_order(hops, 4, SPAN("call-1"), now, out);
    assert_ptr_equal(out[3], &hops[0]);
}

static void test_what_an_operator_writes(void **state)
{
    struct hop h;
    (void)state;
    assert_true(hop_read(SPAN("sips:gateway.example.com:5063"), &h));
    assert_int_equal(h.node, 0);
    assert_int_equal(h.uri.port, 5063);
    assert_true(hop_read(SPAN("b2bua-1"), &h));
    assert_int_not_equal(h.node, 0);
    assert_false(hop_read(SPAN("tel:+49301234"), &h));
    assert_false(hop_read(SPAN("b2bua 1"), &h));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_are_shared_evenly_and_keep_their_hop),
        cmocka_unit_test(test_what_is_down_comes_last),
        cmocka_unit_test(test_of_too_many_those_that_are_up_are_given),
        cmocka_unit_test(test_priority_comes_before_weight_and_what_is_bound_before_both),
        cmocka_unit_test(test_what_an_operator_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
