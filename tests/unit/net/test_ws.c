#include "net/ws.h"

#include <stdlib.h>

#include "base/buf.h"
#include "lib/guard.h"
#include "lib/test.h"

enum { MAX = 1000, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10, FIN = 0x80 };

static struct ws_shelf shelf;

/* A server's side, and what it made of what it was fed. */
struct end {
    struct ws ws;
    size_t messages, alive;
    char last[MAX + 1], out[8192];
    struct buf sent;
    bool close_on_message;
};

static const struct ws_events events;

static void on_message(void *arg, struct span data)
{
    struct end *e = arg;
    e->messages++;
    assert_true(data.n <= MAX);
    span_copy(e->last, sizeof(e->last), data);
    if (e->close_on_message)
        ws_close(&e->ws, WS_POLICY, SPAN("enough"), &events, e);
}

static void on_alive(void *arg)
{
    ((struct end *)arg)->alive++;
}

static void on_write(void *arg, struct span bytes)
{
    buf_put(&((struct end *)arg)->sent, bytes);
}

static const struct ws_events events = { on_message, on_alive, on_write };

static struct end *end_new(void)
{
    struct end *e = calloc(1, sizeof(*e));
    assert_non_null(e);
    e->sent = buf_of(e->out, sizeof(e->out));
    return e;
}

static void end_free(struct end *e)
{
    ws_fini(&e->ws);
    free(e);
}

static ptrdiff_t feed(struct end *e, struct span in)
{
    ptrdiff_t n = ws_feed(&e->ws, &shelf, guard_span(in), MAX, &events, e);
    guard_release();
    assert_true(n <= (ptrdiff_t)in.n);
    return n;
}

/* A client's frame, masked. */
static void frame(struct buf *b, unsigned first, struct span payload)
{
    static const unsigned char mask[4] = { 0x12, 0x34, 0x56, 0x78 };
    buf_putc(b, (char)first);
    if (payload.n < 126) {
        buf_putc(b, (char)(0x80 | payload.n));
    } else {
        buf_putc(b, (char)(0x80 | 126));
        buf_putc(b, (char)(payload.n >> 8));
        buf_putc(b, (char)payload.n);
    }
    buf_put(b, span_of(mask, 4));
    for (size_t i = 0; i < payload.n; i++)
        buf_putc(b, (char)(payload.p[i] ^ mask[i % 4]));
}

static unsigned close_code(const struct end *e)
{
    const unsigned char *p = (const unsigned char *)e->sent.p;
    assert_true(e->sent.n >= 2 && p[0] == (FIN | CLOSE));
    return p[1] < 2 ? 0 : (unsigned)(p[2] << 8 | p[3]);
}

static void test_messages_come_whole_however_they_are_cut(void **state)
{
    char text[4096], long_[300];
    struct buf b = BUF_INIT(text);
    (void)state;
    memset(long_, 'x', sizeof(long_));
    frame(&b, FIN | TEXT, SPAN("one"));
    frame(&b, BINARY, SPAN("tw"));
    frame(&b, FIN | PING, SPAN("!"));
    frame(&b, FIN, SPAN("o"));
    frame(&b, FIN | TEXT, span_of(long_, sizeof(long_)));
    frame(&b, FIN | BINARY, SPAN(""));
    for (size_t cut = 1; cut <= b.n; cut++) {
        struct end *e = end_new();
        size_t used = 0;
        for (size_t at = cut;; at += cut) {
            at = CS_MIN(at, b.n);
            ptrdiff_t n = feed(e, span_of(b.p + used, at - used));
            assert_true(n >= 0);
            used += (size_t)n;
            if (at == b.n)
                break;
        }
        assert_int_equal(used, b.n);
        assert_int_equal(e->messages, 4);
        assert_int_equal(e->alive, 1);
        assert_true(span_eq(buf_span(&e->sent), SPAN("\x8a\x01!")));
        assert_false(ws_is_partial(&e->ws));
        assert_null(e->ws.reader); /* who is between two messages holds none */
        end_free(e);
    }
}

static void test_a_message_of_any_length_is_unmasked(void **state)
{
    char text[MAX + WS_FRAME_MAX], payload[MAX];
    (void)state;
    for (size_t i = 0; i < MAX; i++)
        payload[i] = (char)(i * 7);
    for (size_t n = 0; n <= MAX; n++) {
        struct end *e = end_new();
        struct buf b = BUF_INIT(text);
        frame(&b, FIN | BINARY, span_of(payload, n));
        assert_int_equal(feed(e, buf_span(&b)), b.n);
        assert_int_equal(e->messages, 1);
        assert_memory_equal(e->last, payload, n);
        assert_int_equal(feed(e, buf_span(&b)), b.n);
        assert_int_equal(e->messages, 2);
        end_free(e);
    }
}

static void test_those_that_are_amid_a_message_do_not_mix(void **state)
{
    char text[200];
    struct end *e[3] = { end_new(), end_new(), end_new() };
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct buf b = BUF_INIT(text);
        frame(&b, TEXT, span_of(&"abc"[i], 1));
        assert_int_equal(feed(e[i], buf_span(&b)), b.n);
        assert_true(ws_is_partial(&e[i]->ws));
    }
    for (int i = 0; i < 3; i++) {
        struct buf b = BUF_INIT(text);
        frame(&b, FIN, SPAN("-"));
        assert_int_equal(feed(e[i], buf_span(&b)), b.n);
        assert_int_equal(e[i]->messages, 1);
        assert_int_equal(e[i]->last[0], 'a' + i);
        assert_int_equal(e[i]->last[1], '-');
        end_free(e[i]);
    }
}

static void test_each_fault_has_its_code(void **state)
{
    static const struct {
        int err;
        unsigned code;
        struct span bytes;
    } rows[] = {
        { CS_EPROTO, WS_PROTOCOL, SPAN_INIT("\x81\x01x") },         /* not masked */
        { CS_EPROTO, WS_PROTOCOL, SPAN_INIT("\xc1\x81\0\0\0\0x") }, /* RSV1: compressed */
        { CS_EPROTO, WS_PROTOCOL, SPAN_INIT("\x91\x81\0\0\0\0x") }, /* RSV3 */
        { CS_EPROTO, WS_PROTOCOL, SPAN_INIT("\x83\x81\0\0\0\0x") }, /* no such opcode */
        { CS_EPROTO, WS_PROTOCOL, SPAN_INIT("\x8b\x80\0\0\0\0") },  /* nor this */
        { CS_EPROTO, WS_PROTOCOL, SPAN_INIT("\x80\x81\0\0\0\0x") }, /* continues nothing */
        { CS_EPROTO, WS_PROTOCOL, SPAN_INIT("\x01\x80\0\0\0\0\x01\x80\0\0\0\0") },
        { CS_EPROTO, WS_PROTOCOL, SPAN_INIT("\x09\x80\0\0\0\0") },        /* a ping in pieces */
        { CS_EPROTO, WS_PROTOCOL, SPAN_INIT("\x89\xfe\0\x7e\0\0\0\0") },  /* a long one */
        { CS_EPROTO, WS_PROTOCOL, SPAN_INIT("\x81\xfe\0\x01\0\0\0\0x") }, /* not the shortest */
        { CS_EPROTO, WS_BAD_TEXT, SPAN_INIT("\x81\x82\0\0\0\0\xc0\x80") },
        { CS_EPROTO, WS_PROTOCOL, SPAN_INIT("\x88\x82\0\0\0\0\x03\xed") },  /* code 1005 */
        { CS_ELIMIT, WS_TOO_BIG, SPAN_INIT("\x82\xfe\x03\xe9") },           /* 1001 bytes */
        { CS_ELIMIT, WS_TOO_BIG, SPAN_INIT("\x82\xff\x80\0\0\0\0\0\0\0") }, /* 2**63 */
        { CS_ELIMIT, WS_TOO_BIG, SPAN_INIT("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff") },
        { CS_ECLOSED, WS_NORMAL, SPAN_INIT("\x88\x82\0\0\0\0\x03\xe8") },
        { CS_ECLOSED, 0, SPAN_INIT("\x88\x80\0\0\0\0") },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct end *e = end_new();
        ptrdiff_t n = feed(e, rows[i].bytes);
        if (n != rows[i].err || close_code(e) != rows[i].code)
            fail_msg("row %zu: %td, %u", i, n, close_code(e));
        assert_int_equal(e->messages, 0);
        const size_t sent = e->sent.n;
        ws_close(&e->ws, WS_INTERNAL, SPAN_NULL, &events, e); /* said already */
        assert_int_equal(e->sent.n, sent);
        end_free(e);
    }
}

static void test_a_message_in_pieces_is_bounded_too(void **state)
{
    char text[8192], block[MAX / 2 + 1] = { 0 };
    struct buf b = BUF_INIT(text);
    struct end *e = end_new();
    (void)state;
    frame(&b, BINARY, span_of(block, sizeof(block)));
    frame(&b, FIN, span_of(block, sizeof(block)));
    assert_int_equal(feed(e, buf_span(&b)), CS_ELIMIT);
    assert_int_equal(close_code(e), WS_TOO_BIG);
    end_free(e);

    e = end_new();
    b.n = 0;
    frame(&b, BINARY, SPAN("x"));
    for (int i = 0; i < WS_PIECES_MAX; i++)
        frame(&b, 0, SPAN(""));
    assert_int_equal(feed(e, buf_span(&b)), CS_ELIMIT);
    assert_int_equal(close_code(e), WS_TOO_BIG);
    end_free(e);
}

static void test_behind_our_close_only_the_peers_is_waited_for(void **state)
{
    char text[500];
    struct buf b = BUF_INIT(text);
    struct end *e = end_new();
    (void)state;
    e->close_on_message = true;
    frame(&b, FIN | TEXT, SPAN("one"));
    frame(&b, FIN | TEXT, SPAN("two"));
    assert_int_equal(feed(e, buf_span(&b)), b.n);
    assert_int_equal(e->messages, 1);
    assert_int_equal(close_code(e), WS_POLICY);
    assert_true(span_ends(buf_span(&e->sent), SPAN("enough")));
    const size_t sent = e->sent.n;
    b.n = 0;
    frame(&b, FIN | PING, SPAN("three"));
    frame(&b, FIN | TEXT, SPAN("four"));
    assert_int_equal(feed(e, span_head(buf_span(&b), b.n - 1)), 11);
    assert_int_equal(feed(e, buf_span(&b)), b.n);
    b.n = 0;
    frame(&b, FIN | CLOSE, SPAN("\x03\xf0"));
    assert_int_equal(feed(e, buf_span(&b)), CS_ECLOSED);
    assert_int_equal(e->messages, 1);
    assert_int_equal(e->sent.n, sent);
    end_free(e);
}

static void test_the_head_of_a_frame_fits_its_message(void **state)
{
    static const struct {
        size_t n, head;
        const char *bytes;
    } rows[] = {
        { 0, 2, "\x81\x00" },
        { 125, 2, "\x81\x7d" },
        { 126, 4, "\x81\x7e\x00\x7e" },
        { 65535, 4, "\x81\x7e\xff\xff" },
        { 65536, 10, "\x81\x7f\0\0\0\0\0\x01\0\0" },
    };
    const struct ws w = { 0 };
    char *big = calloc(1, 70000), *frame = calloc(1, 70000 + WS_FRAME_MAX);
    (void)state;
    assert_non_null(big);
    assert_non_null(frame);
    memset(big, 'x', 70000);
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        assert_int_equal(ws_frame(&w, frame, span_of(big, rows[i].n)), rows[i].head + rows[i].n);
        assert_memory_equal(frame, rows[i].bytes, rows[i].head);
        assert_memory_equal(frame + rows[i].head, big, rows[i].n);
    }
    ws_frame(&w, frame, SPAN("gr\xc3\xbc\xc3\x9f"));
    assert_int_equal((unsigned char)frame[0], FIN | TEXT);
    for (size_t at = 0; at < 20; at++) { /* wherever in a word it stands */
        big[at] = (char)0xfc;
        ws_frame(&w, frame, span_of(big, 20));
        assert_int_equal((unsigned char)frame[0], FIN | BINARY);
        big[at] = 'x';
    }
    free(frame);
    free(big);
}

/* What a client sends a server takes, and the other way round; nobody takes what is his own. */
static void test_a_client_masks_and_a_server_does_not(void **state)
{
    char frame[WS_FRAME_MAX + 300], again[WS_FRAME_MAX + 300];
    char text[300];
    (void)state;
    memset(text, 'm', sizeof(text));
    for (unsigned from = 0; from < 2; from++) {
        for (unsigned to = 0; to < 2; to++) {
            struct end *e = end_new();
            const struct ws w = { .client = from };
            size_t n = ws_frame(&w, frame, span_of(text, sizeof(text)));
            e->ws.client = to;
            assert_int_equal(feed(e, span_of(frame, n)), from != to ? (int)n : CS_EPROTO);
            assert_int_equal(e->messages, from != to);
            if (from != to)
                assert_memory_equal(e->last, text, sizeof(text));
            assert_true(ws_frame(&w, again, span_of(text, sizeof(text))) == n);
            assert_int_equal(memcmp(frame, again, n) != 0, from); /* another mask each time */
            end_free(e);
        }
    }
}

/* A client's pong, ping and close are masked, too: a server takes them. */
static void test_a_client_answers_in_masked_frames(void **state)
{
    struct end *e = end_new(), *server = end_new();
    (void)state;
    e->ws.client = true;
    assert_int_equal(feed(e, SPAN("\x89\x02hi")), 4);
    assert_int_equal(e->alive, 1);
    ws_ping(&e->ws, &events, e);
    assert_int_equal(feed(server, buf_span(&e->sent)), e->sent.n);
    assert_int_equal(server->alive, 2);
    e->sent.n = 0;
    ws_close(&e->ws, WS_NORMAL, SPAN("bye"), &events, e);
    assert_int_equal(feed(server, buf_span(&e->sent)), CS_ECLOSED);
    assert_memory_equal(server->out + server->sent.n - 7,
                        "\x88\x05\x03\xe8"
                        "bye",
                        7);
    end_free(server);
    end_free(e);
}

static int drop_shelf(void **state)
{
    (void)state;
    ws_shelf_fini(&shelf);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_come_whole_however_they_are_cut),
        cmocka_unit_test(test_a_message_of_any_length_is_unmasked),
        cmocka_unit_test(test_those_that_are_amid_a_message_do_not_mix),
        cmocka_unit_test(test_each_fault_has_its_code),
        cmocka_unit_test(test_a_message_in_pieces_is_bounded_too),
        cmocka_unit_test(test_behind_our_close_only_the_peers_is_waited_for),
        cmocka_unit_test(test_the_head_of_a_frame_fits_its_message),
        cmocka_unit_test(test_a_client_masks_and_a_server_does_not),
        cmocka_unit_test(test_a_client_answers_in_masked_frames),
    };
    return cmocka_run_group_tests(tests, NULL, drop_shelf);
}
