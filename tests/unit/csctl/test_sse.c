#include "common/tools/csctl/sse.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/util.h"
#include "lib/test.h"

struct heard {
    char text[512];
    struct buf b;
    unsigned n, stop_at;
};

static bool on_event(void *arg, struct span event, struct span data)
{
    struct heard *h = arg;
    buf_printf(&h->b, "[" SPAN_FMT "|" SPAN_FMT "]", SPAN_ARG(event), SPAN_ARG(data));
    return ++h->n != h->stop_at;
}

static void test_events(void **state)
{
    static const struct {
        const char *text, *heard, *id;
    } cases[] = {
        { "data: a\n\n", "[message|a]", "" },
        { "event: x\ndata:a\n\n", "[x|a]", "" },
        { "data: a\r\ndata: b\r\n\r\n", "[message|a\nb]", "" },
        { "data: a\r\rdata: b\r\r", "[message|a][message|b]", "" },
        { ": note\n\n\n", "", "" },
        { "id: 7\ndata: a\n\ndata: b\n\n", "[message|a][message|b]", "7" },
        { "id: 7\n\nid:\n\n", "", "" },
        { "event: x\n\ndata: a\n\n", "[message|a]", "" },
        { "data\n\n", "[message|]", "" },
        { "data: cut off", "", "" },
        { "retry: 5\nunknown: 6\ndata: a\n\n", "[message|a]", "" },
    };
    struct sse *s = malloc(sizeof(*s));
    (void)state;
    for (size_t step = 1; step < 20; step += 6) { /* in pieces, too */
        for (size_t i = 0; i < CS_LEN(cases); i++) {
            struct heard h = { .b = BUF_INIT(h.text) };
            memset(s, 0, sizeof(*s));
            for (struct span rest = span_str(cases[i].text); rest.n; rest = span_skip(rest, step))
                assert_true(sse_feed(s, span_head(rest, step), on_event, &h));
            assert_span(span_of(h.text, h.b.n), cases[i].heard);
            assert_string_equal(s->id, cases[i].id);
        }
    }
    free(s);
}

static void test_what_is_too_long_is_left_out_and_what_follows_is_heard(void **state)
{
    struct sse *s = calloc(1, sizeof(*s));
    struct heard h = { .b = BUF_INIT(h.text) };
    (void)state;
    assert_true(sse_feed(s, SPAN("data: "), on_event, &h));
    for (unsigned i = 0; i <= SSE_LINE_MAX; i++)
        assert_true(sse_feed(s, SPAN("x"), on_event, &h));
    assert_true(sse_feed(s, SPAN("\n\ndata: y\n\n"), on_event, &h));
    assert_span(span_of(h.text, h.b.n), "[message|y]");
    free(s);
}

static void test_it_stops_and_begins_anew(void **state)
{
    struct sse *s = calloc(1, sizeof(*s));
    struct heard h = { .b = BUF_INIT(h.text), .stop_at = 1 };
    (void)state;
    assert_false(sse_feed(s, SPAN("id: 1\ndata: a\n\ndata: b\n\n"), on_event, &h));
    assert_int_equal(h.n, 1);
    assert_true(sse_feed(s, SPAN("data: half"), on_event, &h));
    sse_restart(s);
    assert_true(sse_feed(s, SPAN("data: c\n\n"), on_event, &h));
    assert_span(span_of(h.text, h.b.n), "[message|a][message|c]");
    assert_string_equal(s->id, "1");
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_what_is_too_long_is_left_out_and_what_follows_is_heard),
        cmocka_unit_test(test_it_stops_and_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
