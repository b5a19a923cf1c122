#include <stdio.h>
#include <stdlib.h>

#include "b2bua/sccp/codec.h"
#include "b2bua/sccp/print.h"
#include "lib/guard.h"
#include "lib/test.h"
#include "unit/sccp/fill.h"
#include "unit/sccp/samples.h"

static struct span unhex(const char *hex, char *out)
{
    size_t n = strlen(hex) / 2;
    memset(out, 0, SCCP_FRAME_MAX);
    assert_int_equal(hex_decode(span_str(hex), out, n), 0);
    return span_of(out, (unsigned char)out[0] + 256U * (unsigned char)out[1] + 8);
}

static struct sccp_frame frame_of(struct span in)
{
    struct sccp_frame f;
    assert_int_equal(sccp_frame(in, &f), in.n);
    return f;
}

static struct span body_of(const struct buf *b)
{
    assert_true(buf_ok(b));
    return frame_of(buf_span(b)).body;
}

/* What the server sends is the same to the last byte; what phones do is as long as each likes. */
static void test_samples_are_read_and_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(samples); i++) {
        char bytes[SCCP_FRAME_MAX], words[4096], again[SCCP_FRAME_MAX];
        struct span in = guard_span(unhex(samples[i].hex, bytes));
        struct sccp_frame f = frame_of(in);
        const struct sccp_dialect d = { samples[i].version, true };
        struct buf w = BUF_INIT(words), b = BUF_INIT(again);
        struct sccp_message m;
        assert_int_equal(sccp_decode(&f, d.version, &m), 0);
        assert_int_equal(m.id, f.id);
        sccp_print(&w, &f, d.version);
        if (!span_eq(buf_span(&w), span_str(samples[i].words)))
            print_error("%s\n", samples[i].hex);
        assert_span(buf_span(&w), samples[i].words);
        sccp_encode(&b, &d, m.kind, &m.keep_alive);
        assert_true(buf_ok(&b));
        if (sccp_row_of_id(f.id)->direction == SCCP_FROM_SERVER)
            assert_span_at(buf_span(&b), in, samples[i].words, (int)i);
        else
            assert_true(span_starts(body_of(&b), f.body));
        guard_release();
    }
}

static void test_bodies_have_the_size_of_their_version(void **state)
{
    static const struct {
        enum sccp_kind kind;
        unsigned since, until, size;
    } rows[] = {
        { SCCP_RegisterAck, 3, 22, 20 },
        { SCCP_RegisterReject, 3, 22, 32 },
        { SCCP_ButtonTemplate, 3, 22, 96 },
        { SCCP_SoftKeyTemplateRes, 3, 22, 652 },
        { SCCP_SoftKeySetRes, 3, 22, 780 },
        { SCCP_LineStat, 3, 16, 112 },
        { SCCP_ForwardStat, 3, 18, 92 },
        { SCCP_ForwardStat, 19, 22, 96 },
        { SCCP_SpeedDialStat, 3, 22, 68 },
        { SCCP_ConfigStat, 3, 16, 112 },
        { SCCP_ServerRes, 3, 16, 280 },
        { SCCP_ServerRes, 17, 22, 360 },
        { SCCP_DefineTimeDate, 3, 22, 36 },
        { SCCP_CallState, 3, 22, 24 },
        { SCCP_CallInfo, 3, 16, 384 },
        { SCCP_DialedNumber, 3, 18, 32 },
        { SCCP_DialedNumber, 19, 22, 36 },
        { SCCP_StopTone, 3, 10, 8 },
        { SCCP_StopTone, 11, 22, 12 },
        { SCCP_DisplayPromptStatus, 3, 16, 44 },
        { SCCP_OpenReceiveChannel, 3, 16, 108 },
        { SCCP_OpenReceiveChannel, 17, 20, 128 },
        { SCCP_OpenReceiveChannel, 21, 22, 168 },
        { SCCP_StartMediaTransmission, 3, 16, 116 },
        { SCCP_StartMediaTransmission, 17, 20, 132 },
        { SCCP_StartMediaTransmission, 21, 22, 168 },
        { SCCP_OpenReceiveChannelAck, 3, 16, 20 },
        { SCCP_OpenReceiveChannelAck, 17, 22, 36 },
        { SCCP_StartMediaTransmissionAck, 3, 16, 24 },
        { SCCP_StartMediaTransmissionAck, 17, 22, 40 },
        { SCCP_CloseReceiveChannel, 3, 22, 16 },
        { SCCP_ConnectionStatisticsReq, 3, 18, 32 },
        { SCCP_ConnectionStatisticsReq, 19, 22, 36 },
        { SCCP_Alarm, 3, 22, 92 },
        { SCCP_CapabilitiesRes, 3, 22, 292 },
        { SCCP_Register, 3, 22, 172 },
        { SCCP_EnblocCall, 3, 18, 28 },
        { SCCP_EnblocCall, 19, 22, 32 },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        for (unsigned v = rows[i].since; v <= rows[i].until; v++) {
            char text[SCCP_FRAME_MAX];
            struct buf b = BUF_INIT(text);
            struct sccp_message m = { 0 };
            sccp_encode(&b, &(struct sccp_dialect){ v, true }, rows[i].kind, &m.keep_alive);
            assert_int_equal(body_of(&b).n, rows[i].size);
        }
    }
}

static void test_fields_lie_where_they_should(void **state)
{
    static const struct {
        enum sccp_kind kind;
        unsigned since, until;
        const char *field;
        unsigned at;
    } rows[] = {
        { SCCP_Register, 3, 22, "station", 24 },
        { SCCP_Register, 3, 22, "type", 28 },
        { SCCP_Register, 3, 22, "version", 40 },
        { SCCP_Register, 3, 22, "features", 41 },
        { SCCP_Register, 3, 22, "mac", 52 },
        { SCCP_Register, 3, 22, "max_lines", 68 },
        { SCCP_Register, 3, 22, "load", 92 },
        { SCCP_Register, 3, 22, "stamp", 124 },
        { SCCP_UpdateCapabilities, 3, 22, "audio", 312 },
        { SCCP_CallInfo, 3, 16, "called", 104 },
        { SCCP_CallInfo, 3, 16, "line", 128 },
        { SCCP_CallInfo, 3, 16, "redirecting", 244 },
        { SCCP_CallInfo, 3, 16, "calling_mailbox", 276 },
        { SCCP_CallInfo, 3, 16, "instance", 372 },
        { SCCP_CallInfo, 3, 16, "restricted", 380 },
        { SCCP_CallInfo, 17, 22, "restricted", 28 },
        { SCCP_ForwardStat, 3, 18, "busy_active", 36 },
        { SCCP_ForwardStat, 19, 22, "busy_active", 37 },
        { SCCP_DialedNumber, 19, 22, "line", 25 },
        { SCCP_LineStat, 3, 16, "options", 108 },
        { SCCP_ConfigStat, 3, 16, "lines", 104 },
        { SCCP_ConfigStat, 17, 22, "lines", 24 },
        { SCCP_ServerRes, 3, 22, "ports", 240 },
        { SCCP_ServerRes, 3, 16, "addresses", 260 },
        { SCCP_OpenReceiveChannel, 3, 22, "call", 24 },
        { SCCP_OpenReceiveChannel, 3, 22, "crypto", 28 },
        { SCCP_OpenReceiveChannel, 3, 22, "event_payload", 84 },
        { SCCP_OpenReceiveChannel, 3, 16, "source_port", 104 },
        { SCCP_OpenReceiveChannel, 17, 22, "source_port", 120 },
        { SCCP_OpenReceiveChannel, 17, 22, "address_kind", 124 },
        { SCCP_OpenReceiveChannel, 21, 22, "level", 128 },
        { SCCP_StartMediaTransmission, 3, 16, "remote_port", 12 },
        { SCCP_StartMediaTransmission, 17, 22, "remote_port", 28 },
        { SCCP_StartMediaTransmission, 3, 16, "parameters", 36 },
        { SCCP_StartMediaTransmission, 3, 16, "call", 40 },
        { SCCP_StartMediaTransmission, 17, 22, "call", 56 },
        { SCCP_StartMediaTransmission, 17, 22, "crypto", 60 },
        { SCCP_StartMediaTransmission, 17, 22, "event_payload", 116 },
        { SCCP_ConnectionStatisticsRes, 3, 18, "packets_sent", 32 },
        { SCCP_ConnectionStatisticsRes, 19, 21, "packets_sent", 36 },
        { SCCP_ConnectionStatisticsRes, 22, 22, "mode", 32 },
        { SCCP_ConnectionStatisticsRes, 22, 22, "packets_sent", 33 },
        { SCCP_ConnectionStatisticsRes, 3, 18, "quality", 60 },
        { SCCP_ConnectionStatisticsRes, 22, 22, "quality", 61 },
        { SCCP_EnblocCall, 3, 18, "line", 24 },
        { SCCP_EnblocCall, 19, 22, "line", 28 },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        for (unsigned v = rows[i].since; v <= rows[i].until; v++) {
            char text[SCCP_FRAME_MAX];
            struct buf b = BUF_INIT(text);
            struct sccp_message m;
            size_t at = 0;
            fill(sccp_row_of_kind(rows[i].kind, v), v, rows[i].field, &m);
            sccp_encode(&b, &(struct sccp_dialect){ v, true }, rows[i].kind, &m.keep_alive);
            struct span body = body_of(&b);
            while (at < body.n && !body.p[at])
                at++;
            if (at != rows[i].at)
                print_error("%s at version %u\n", rows[i].field, v);
            assert_int_equal(at, rows[i].at);
        }
    }
}

static void test_what_is_written_is_read_at_each_version(void **state)
{
    unsigned n = 0;
    (void)state;
    for (unsigned v = SCCP_OLDEST; v <= SCCP_NEWEST; v++) {
        for (enum sccp_kind k = SCCP_UNREAD + 1; k < SCCP_KINDS; k++) {
            const struct sccp_row *row = sccp_row_of_kind(k, v);
            char first[SCCP_FRAME_MAX], second[SCCP_FRAME_MAX];
            struct buf a = BUF_INIT(first), b = BUF_INIT(second);
            const struct sccp_dialect d = { v, true };
            struct sccp_message m, read;
            if (!row)
                continue;
            fill(row, v, NULL, &m);
            sccp_encode(&a, &d, k, &m.keep_alive);
            struct sccp_frame f = frame_of(guard_span(buf_span(&a)));
            assert_int_equal(f.body.n % 4, 0);
            assert_int_equal(f.version, v < 10 || row->basic ? 0 : v);
            assert_int_equal(sccp_decode(&f, v, &read), 0);
            assert_int_equal(read.kind, k);
            sccp_encode(&b, &d, k, &read.keep_alive);
            assert_true(span_eq(buf_span(&a), buf_span(&b)));
            guard_release();
            n++;
        }
    }
    assert_int_equal(n, 20 * (SCCP_KINDS - 1) - 12); /* versions below 15 lack PortReq */
}

/* At any length a body is read, or refused, within its end. */
static void test_short_bodies_are_read_as_far_as_they_go(void **state)
{
    (void)state;
    for (enum sccp_kind k = SCCP_UNREAD + 1; k < SCCP_KINDS; k++) {
        for (unsigned v = 16; v <= 22; v += 3) {
            const struct sccp_row *row = sccp_row_of_kind(k, v);
            char text[SCCP_FRAME_MAX];
            struct buf b = BUF_INIT(text);
            struct sccp_message m;
            if (!row)
                continue;
            fill(row, v, NULL, &m);
            sccp_encode(&b, &(struct sccp_dialect){ v, true }, k, &m.keep_alive);
            struct sccp_frame f = { .id = row->id };
            struct span body = body_of(&b);
            for (size_t n = 0; n < body.n; n++) {
                f.body = guard_span(span_of(body.p, n));
                int err = sccp_decode(&f, v, &m);
                assert_true(err == 0 || err == CS_EPROTO);
                assert_int_equal(m.kind, err ? SCCP_UNREAD : k);
                guard_release();
            }
        }
    }
}

static int decode(const char *hex, uint32_t id, unsigned version, struct sccp_message *m)
{
    static char body[512];
    struct sccp_frame f = { .id = id, .body = span_of(body, strlen(hex) / 2) };
    assert_int_equal(hex_decode(span_str(hex), body, f.body.n), 0);
    return sccp_decode(&f, version, m);
}

static void test_old_phones_say_less(void **state)
{
    struct sccp_message m;
    (void)state;
    assert_int_equal(decode("", 0x0006, 6, &m), 0); /* OffHook */
    assert_int_equal(m.off_hook.call, 0);
    assert_int_equal(decode("05000000", 0x0003, 6, &m), 0); /* KeypadButton */
    assert_int_equal(m.keypad_button.key, 5);
    assert_int_equal(decode("", 0x0003, 6, &m), CS_EPROTO);
    /* OpenReceiveChannelAck, without the call */
    assert_int_equal(decode("00000000c000020a0040000001200000", 0x0022, 6, &m), 0);
    assert_int_equal(m.open_receive_channel_ack.party, 0x2001);
    assert_int_equal(m.open_receive_channel_ack.call, 0);
    /* Register of 52 bytes, with garbage behind its first 44 */
    assert_int_equal(decode("53455030303131323233333434353500000000000100000000000000"
                            "3775000001000000000000000700008112345678",
                            0x0001, 0, &m),
                     0);
    assert_span(m.register_device.name, "SEP001122334455");
    assert_int_equal(m.register_device.version, 7);
    assert_int_equal(m.register_device.max_conferences, 0);
    assert_int_equal(m.register_device.load.n, 0);
}

/* 24 bytes, then a line at 24; or 25 and a line at 25 or at 28. */
static void test_the_line_of_a_whole_number_is_found(void **state)
{
#define NUMBER "353535313233340000000000000000000000000000000000"
    static const struct {
        const char *hex;
        uint32_t line;
    } rows[] = { { NUMBER, 0 },
                 { NUMBER "02000000", 2 },
                 { NUMBER "0003000000000000", 3 },
                 { NUMBER "0000000004000000", 4 } };
    struct sccp_message m;
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        assert_int_equal(decode(rows[i].hex, 0x0004, 22, &m), 0);
        assert_span(m.enbloc_call.number, "5551234");
        assert_int_equal(m.enbloc_call.line, rows[i].line);
    }
}

static void test_counts_are_held_to_what_there_is(void **state)
{
    struct sccp_message m;
    (void)state;
    assert_int_equal(decode("ffffffff0400000028000000", 0x0010, 22, &m), 0);
    assert_int_equal(m.capabilities_res.n, 18);
    assert_int_equal(decode("00000000000000000000000000000000"
                            "ffffffff41",
                            0x002e, 22, &m),
                     CS_EPROTO); /* DeviceToUserData */
}

static void test_frames(void **state)
{
    static const char two[] = "\4\0\0\0\0\0\0\0\0\0\0\0\xc\0\0\0\x16\0\0\0\6\0\0\0\1\0\0\0\2\0\0\0";
    struct sccp_frame f;
    (void)state;
    for (size_t n = 0; n < 12; n++)
        assert_int_equal(sccp_frame(guard_span(span_of(two, n)), &f), 0);
    assert_int_equal(sccp_frame(SPAN(two), &f), 12);
    assert_int_equal(f.body.n, 0);
    assert_int_equal(sccp_frame(span_skip(SPAN(two), 12), &f), 20);
    assert_int_equal(f.version, 22);
    assert_int_equal(f.id, 6);
    assert_int_equal(f.body.n, 8);
    assert_int_equal(sccp_frame(SPAN("\3\0\0\0"), &f), CS_EPROTO);
    assert_int_equal(sccp_frame(SPAN("\1\x10\0\0"), &f), CS_EPROTO);
    assert_int_equal(sccp_frame(SPAN("\0\x10\0\0"), &f), 0);
    assert_int_equal(sccp_frame(SPAN("GET "), &f), CS_EPROTO);
    guard_release();
}

static void test_unknown_messages_are_told_apart(void **state)
{
    struct sccp_message m;
    (void)state;
    assert_int_equal(decode("01", 0x0fff, 22, &m), CS_ENOTSUP);
    assert_int_equal(m.kind, SCCP_UNREAD);
    assert_int_equal(decode("01", 0xffffffff, 22, &m), CS_ENOTSUP);
    assert_int_equal(decode("01", 0x0157, 22, &m), CS_ENOTSUP); /* LocationInfo */
    assert_string_equal(sccp_row_of_id(0x0157)->name, "LocationInfo");
}

static void test_what_cannot_be_said_is_not_sent(void **state)
{
    static const struct sccp_dialect old = { 11, false }, new = { 17, true };
    char text[256];
    struct buf b = BUF_INIT(text), small = buf_of(text, 30);
    struct sccp_start_media_transmission m = { .remote_port = 1 };
    (void)state;
    assert_int_equal(addr_parse_host(SPAN("2001:db8::1"), 0, &m.remote), 0);
    sccp_put_start_media_transmission(&b, &new, &m);
    assert_true(buf_ok(&b));
    assert_int_equal(frame_of(buf_span(&b)).body.p[8], 1); /* the family */
    size_t n = b.n;
    sccp_put_start_media_transmission(&b, &old, &m);
    assert_false(buf_ok(&b));
    assert_int_equal(b.n, n);
    b = (struct buf)BUF_INIT(text);
    sccp_put_port_req(&b, &old, &(struct sccp_port_req){ 0 });
    assert_false(buf_ok(&b));
    sccp_put_keep_alive_ack(&small, &old, &(struct sccp_keep_alive_ack){});
    sccp_put_keep_alive_ack(&small, &old, &(struct sccp_keep_alive_ack){});
    assert_true(buf_ok(&small));
    sccp_put_keep_alive_ack(&small, &old, &(struct sccp_keep_alive_ack){});
    assert_false(buf_ok(&small));
    assert_int_equal(small.n, 24);
}

static void test_keys_are_never_shown(void **state)
{
    char bytes[SCCP_FRAME_MAX], words[2048];
    struct buf b = BUF_INIT(bytes), w = BUF_INIT(words);
    struct sccp_message m;
    (void)state;
    fill(sccp_row_of_kind(SCCP_OpenReceiveChannel, 20), 20, "crypto", &m);
    sccp_put_open_receive_channel(&b, &(struct sccp_dialect){ 20, true }, &m.open_receive_channel);
    struct sccp_frame f = frame_of(buf_span(&b));
    assert_non_null(memmem(f.body.p, f.body.n, "ZZZZZZZZ", 8));
    sccp_print(&w, &f, 20);
    words[w.n] = 0;
    assert_non_null(strstr(words, "key=<16 bytes> salt=<16 bytes>"));
    assert_null(strstr(words, "5a"));
    assert_null(strstr(words, "ZZ"));
}

/* The documentation says what the codec does. */
static void test_the_description_ends_where_bodies_do(void **state)
{
    char *text = NULL;
    size_t n = 0;
    (void)state;
    FILE *out = open_memstream(&text, &n);
    assert_non_null(out);
    sccp_describe(out, 22);
    fclose(out);
    assert_non_null(strstr(text, "\n0105  OpenReceiveChannel, from the server\n"));
    assert_non_null(strstr(text, "\n     124     4  address_kind: number\n"));
    assert_non_null(strstr(text, "\n       -    24  alternate: text up to its NUL\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples_are_read_and_written),
        cmocka_unit_test(test_bodies_have_the_size_of_their_version),
        cmocka_unit_test(test_fields_lie_where_they_should),
        cmocka_unit_test(test_what_is_written_is_read_at_each_version),
        cmocka_unit_test(test_short_bodies_are_read_as_far_as_they_go),
        cmocka_unit_test(test_old_phones_say_less),
        cmocka_unit_test(test_the_line_of_a_whole_number_is_found),
        cmocka_unit_test(test_counts_are_held_to_what_there_is),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_unknown_messages_are_told_apart),
        cmocka_unit_test(test_what_cannot_be_said_is_not_sent),
        cmocka_unit_test(test_keys_are_never_shown),
        cmocka_unit_test(test_the_description_ends_where_bodies_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
