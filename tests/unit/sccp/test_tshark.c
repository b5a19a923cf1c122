/* All that the server says, in the eyes of a dissector that is not ours. */
#include <stdio.h>
#include <stdlib.h>

#include "b2bua/sccp/codec.h"
#include "lib/test.h"
#include "lib/tmp.h"
#include "unit/sccp/fill.h"

enum { SKIPPED = 77, PORT = 2000 };

static void u16(FILE *f, unsigned v)
{
    putc((int)(v >> 8), f);
    putc((int)(v & 0xff), f);
}

static void u32(FILE *f, uint32_t v)
{
    u16(f, v >> 16);
    u16(f, v & 0xffff);
}

/* A file of packets of IPv4, with one TCP segment for each message. */
static FILE *pcap(const char *path)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    u32(f, 0xa1b2c3d4);
    u16(f, 2);
    u16(f, 4);
    u32(f, 0);
    u32(f, 0);
    u32(f, 65535);
    u32(f, 228); /* LINKTYPE_IPV4 */
    return f;
}

static void packet(FILE *f, struct span data, uint32_t *seq)
{
    uint32_t n = (uint32_t)data.n + 40;
    u32(f, 0);
    u32(f, 0);
    u32(f, n);
    u32(f, n);
    u16(f, 0x4500);
    u16(f, n);
    u32(f, 0);
    u16(f, 0x4006); /* TCP */
    u16(f, 0);
    u32(f, 0xc0000201);
    u32(f, 0xc000020a);
    u16(f, PORT);
    u16(f, 50000);
    u32(f, *seq);
    u32(f, 1);
    u16(f, 0x5018); /* PSH, ACK */
    u16(f, 8192);
    u32(f, 0);
    assert_int_equal(fwrite(data.p, 1, data.n, f), data.n);
    *seq += (uint32_t)data.n;
}

/* Lines that tshark prints with this filter and these fields. */
static size_t shark(const char *path, const char *filter, bool show)
{
    char command[1024], line[1024];
    size_t n = 0;
    snprintf(command, sizeof(command),
             "tshark -n -r %s -o tcp.check_checksum:FALSE -d tcp.port==%d,skinny -Y '%s' -T fields "
             "-e frame.number -e skinny.messageId -e _ws.expert.message 2>/dev/null",
             path, PORT, filter);
    FILE *out = popen(command, "r"); /* NOLINT(cert-env33-c): a test's own words */
    assert_non_null(out);
    while (fgets(line, sizeof(line), out)) {
        n++;
        if (show)
            print_error("%s", line);
    }
    assert_int_equal(pclose(out), 0);
    return n;
}

#define WRONG "_ws.malformed || _ws.expert.severity >= \"Warning\" || _ws.unreassembled"

static size_t put_all(FILE *f, unsigned version, uint32_t *seq)
{
    const struct sccp_dialect d = { version, true };
    size_t n = 0;
    for (enum sccp_kind k = SCCP_UNREAD + 1; k < SCCP_KINDS; k++) {
        const struct sccp_row *row = sccp_row_of_kind(k, d.version);
        bool data = k == SCCP_UserToDeviceData || k == SCCP_UserToDeviceDataV1;
        if (!row || row->direction != SCCP_FROM_SERVER)
            continue;
        for (int empty = 0; empty < (data ? 1 : 2); empty++) { /* nothing is no data */
            char text[SCCP_FRAME_MAX];
            struct buf b = BUF_INIT(text);
            struct sccp_message m = { 0 };
            if (!empty)
                fill(row, d.version, NULL, &m);
            sccp_encode(&b, &d, k, &m.keep_alive);
            assert_true(buf_ok(&b));
            packet(f, buf_span(&b), seq);
            n++;
        }
    }
    return n;
}

static void test_all_that_we_send_is_well_formed(void **state)
{
    static const unsigned versions[] = { 3, 7, 11, 17, 20, 22 };
    const char *path = tmp_path("sent.pcap");
    FILE *f = pcap(path);
    uint32_t seq = 1;
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < CS_LEN(versions); i++)
        n += put_all(f, versions[i], &seq);
    assert_int_equal(fclose(f), 0);
    assert_true(n > 6 * 90);
    assert_int_equal(shark(path, "skinny", false), n);
    assert_int_equal(shark(path, WRONG, true), 0);
}

/* What is wrong would show. */
static void test_a_short_message_is_seen(void **state)
{
    static const char text[] = "\x10\0\0\0\x14\0\0\0\x11\1\0\0\1\0\0\0\1\0\0\0\1\x10\0\0";
    const char *path = tmp_path("short.pcap");
    FILE *f = pcap(path);
    uint32_t seq = 1;
    (void)state;
    packet(f, SPAN(text), &seq);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(shark(path, "skinny", false), 1);
    assert_int_equal(shark(path, WRONG, false), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_that_we_send_is_well_formed),
        cmocka_unit_test(test_a_short_message_is_seen),
    };
    if (system("tshark --version >/dev/null 2>&1")) { /* NOLINT(cert-env33-c): likewise */
        printf("tshark is not installed\n");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
