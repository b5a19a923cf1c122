/* A phone's connection, and what is decided about it meanwhile: the first byte of each step says
 * what happens, and how much is said. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "b2bua/sccp/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop loop;
static struct question {
    sccp_answer_fn *fn; /* NULL: nothing is asked */
    void *arg;
} asked[2]; /* the second one while a phone registers once more */
static bool closed;
static size_t written;

static void io_write(void *arg, struct span bytes)
{
    struct sccp_frame f;
    (void)arg;
    assert(!closed);
    for (ptrdiff_t n; bytes.n; bytes = span_skip(bytes, (size_t)n)) {
        n = sccp_frame(bytes, &f);
        assert(n > 0);
        written += (size_t)n;
    }
}

static void io_close(void *arg)
{
    (void)arg;
    closed = true;
}

static X509 *io_certificate(void *arg, X509 **issuer)
{
    (void)arg;
    *issuer = NULL;
    return NULL;
}

static void *ask(void *arg, const struct sccp_question *q, sccp_answer_fn *fn, void *fn_arg)
{
    struct question *free_one = asked[0].fn ? &asked[1] : &asked[0];
    (void)arg;
    assert(!free_one->fn && q->name.n && q->name.n <= SCCP_NAME_MAX);
    *free_one = (struct question){ fn, fn_arg };
    return free_one;
}

static void cancel(void *arg, void *what)
{
    struct question *q = what;
    (void)arg;
    assert((q == &asked[0] || q == &asked[1]) && q->fn);
    q->fn = NULL;
}

static void answer(unsigned how)
{
    static struct sccp_line lines[] = { { .number = SPAN_INIT("2001") } };
    static struct sccp_key keys[] = {
        { .type = SCCP_BUTTON_LINE },
        { .type = SCCP_BUTTON_LINE, .line = 7 }, /* which there is not */
        { .type = SCCP_BUTTON_SPEED_DIAL, .number = SPAN_INIT("0") },
    };
    static const struct sccp_device device = {
        .lines = lines, .n_lines = 1, .keys = keys, .n_keys = 3
    };
    const struct question *q = &asked[how / 3 % 2];
    const struct sccp_answer a = { .verdict = how % 3, .reason = SPAN("no"), .device = &device };
    if (q->fn)
        q->fn(q->arg, &a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sccp_io io = { io_write, io_close, io_certificate };
    static const struct sccp_directory directory = { ask, cancel, NULL };
    static const struct sccp_events events;
    static const struct sccp_conf conf = { .keepalive = { 30000 },
                                           .register_within = { 15000 },
                                           .unregistered = 1,
                                           .unregistered_of_source = 1 };
    static bool ready;
    struct sccp_session *s;
    struct sccp x;
    struct addr at = { 0 };
    if (!ready && loop_init(&loop))
        return 0;
    ready = true;
    log_setup(LOG_ERROR, LOG_TEXT);
    sccp_init(&x, &loop, &conf, &directory, &events, NULL);
    closed = false;
    written = 0;
    int err = sccp_session_new(&x, &io, NULL, &at, &at, SPAN("lan"), false, &s);
    assert(!err);
    for (size_t i = 0; i < size && !closed;) {
        unsigned what = data[i] >> 6, n = data[i] & 0x3f;
        i++;
        if (what == 0) {
            answer(n);
            continue;
        }
        if (what == 1) {
            loop_skip(&loop, DURATION_S(n));
            continue;
        }
        size_t most = CS_MIN(size - i, what == 2 ? n : n * 128U);
        for (size_t at_byte = 0; at_byte < most && !closed;) { /* what is not used waits for more */
            ptrdiff_t used = sccp_session_data(s, span_of(data + i + at_byte, most - at_byte));
            assert(used >= 0 && (size_t)used <= most - at_byte);
            if (!used)
                break;
            at_byte += (size_t)used;
        }
        i += most;
    }
    assert(!s->attached || sccp_find(&x, span_str(s->name)) == s);
    if (size % 2)
        sccp_stop(&x);
    sccp_session_free(&s);
    if (!(size % 2))
        sccp_stop(&x);
    assert(!asked[0].fn && !asked[1].fn && !x.n && !x.n_waiting);
    return 0;
}
