/* What csctl watch reads: the same events in whatever pieces the stream comes. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "tools/csctl/sse.h"

struct sum {
    uint64_t value;
    unsigned n;
};

static void mix(struct sum *s, struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        s->value = s->value * 31 + (unsigned char)text.p[i] + 1;
    s->value = s->value * 31;
}

static bool on_event(void *arg, struct span event, struct span data)
{
    struct sum *s = arg;
    assert(event.n && data.n <= SSE_LINE_MAX);
    mix(s, event);
    mix(s, data);
    s->n++;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sse *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
    struct sum whole = { 0 }, parts = { 0 };
    size_t step = size ? data[0] % 16 + 1 : 1;
    if (a && b) {
        sse_feed(a, span_of(data, size), on_event, &whole);
        for (struct span rest = span_of(data, size); rest.n; rest = span_skip(rest, step))
            sse_feed(b, span_head(rest, step), on_event, &parts);
        assert(whole.n == parts.n && whole.value == parts.value);
        assert(span_eq(span_str(a->id), span_str(b->id)));
    }
    free(a);
    free(b);
    return 0;
}
