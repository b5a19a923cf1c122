/* A call of a Cisco gateway to a carrier that challenges it, message by message, in tests/golden:
 * nothing of it is lost or changed by being read. W-08, W-13. */
#include <stdio.h>

#include "base/util.h"
#include "lib/test.h"
#include "sip/digest.h"
#include "sip/msg.h"

static size_t load(const char *name, char *out, size_t cap)
{
    char path[1024];
    struct span dir = span_str(__FILE__);
    for (int up = 0; up < 3; up++) {
        while (dir.n && dir.p[--dir.n] != '/')
            ;
    }
    snprintf(path, sizeof(path), SPAN_FMT "/golden/gateway-call/%s.sip", SPAN_ARG(dir), name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    size_t n = fread(out, 1, cap, f);
    fclose(f);
    return n;
}

static const char *const names[] = { "1-invite", "2-trying",   "3-challenge", "4-ack",
                                     "5-invite", "6-progress", "7-ok",        "8-ack" };

static struct sip_msg *read_one(const char *name)
{
    static char bytes[8192];
    struct sip_msg *m;
    size_t n = load(name, bytes, sizeof(bytes));
    assert_int_equal(sip_frame(span_of(bytes, n), NULL), n);
    assert_int_equal(sip_msg_parse(span_of(bytes, n), false, NULL, &m), 0);
    assert_int_equal(m->bad, 0);
    assert_int_equal(m->raw.n, n);
    return m;
}

/* Out of what the parser says: start line, names, values, body. */
static void test_each_message_is_read_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(names); i++) {
        char text[8192];
        struct buf b = BUF_INIT(text);
        struct sip_msg *m = read_one(names[i]);
        if (m->is_request) {
            buf_put(&b, m->method_name);
            buf_putc(&b, ' ');
            buf_put(&b, m->uri.text);
            buf_lit(&b, " SIP/2.0\r\n");
        } else {
            buf_printf(&b, "SIP/2.0 %u " SPAN_FMT "\r\n", m->status, SPAN_ARG(m->reason));
        }
        for (size_t h = 0; h < m->n_hdr; h++) {
            buf_put(&b, m->hdr[h].name);
            buf_lit(&b, ": ");
            buf_put(&b, m->hdr[h].value);
            buf_lit(&b, "\r\n");
        }
        buf_lit(&b, "\r\n");
        buf_put(&b, m->body);
        assert_true(buf_ok(&b));
        assert_true(span_eq(buf_span(&b), m->raw));
        sip_msg_unref(&m);
    }
}

static void test_its_facts_are_understood(void **state)
{
    struct sip_msg *m = read_one("1-invite");
    (void)state;
    assert_int_equal(m->uri.port, 5060);
    assert_true(m->via.rfc3261);
    assert_null(m->to.tag.p);
    assert_int_equal(m->cseq, 101);
    assert_int_equal(m->max_forwards, 70);
    assert_true(sip_lists(m, SIP_HDR_SUPPORTED, SPAN("sdp-anat")));
    assert_true(sip_lists(m, SIP_HDR_SUPPORTED, SPAN("resource-priority")));
    sip_msg_unref(&m);
    m = read_one("2-trying");
    assert_null(m->to.tag.p);
    sip_msg_unref(&m);
    m = read_one("6-progress");
    assert_span(sip_hdr_named(m, SPAN("X-Twilio-CallSid")), "CA0123456789abcdef0123456789abcdef");
    sip_msg_unref(&m);
}

/* algorithm=md5 though the challenge names none, qop and nc without quotes, no space behind commas;
 * and the ACK says it all again. */
static void test_its_credentials(void **state)
{
    static const char *const with[] = { "5-invite", "8-ack" };
    (void)state;
    for (size_t i = 0; i < CS_LEN(with); i++) {
        struct sip_msg *m = read_one(with[i]);
        struct digest d;
        assert_int_equal(digest_parse(sip_hdr_value(m, SIP_HDR_PROXY_AUTHORIZATION), &d), 0);
        assert_int_equal(d.alg, DIGEST_MD5);
        assert_span(d.algorithm, "md5");
        assert_span(d.qop, "auth");
        assert_span(d.nc, "00000001");
        assert_span(d.uri, "sip:+18001234567@yourname.pstn.twilio.com:5060");
        assert_span(d.response, "dfb3d6ac0b8747bf66ebb8369d7e9431");
        sip_msg_unref(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_message_is_read_byte_by_byte),
        cmocka_unit_test(test_its_facts_are_understood),
        cmocka_unit_test(test_its_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
