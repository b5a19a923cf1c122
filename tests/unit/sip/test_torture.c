/* All messages of RFC 4475 and RFC 5118, in common/sip/torture, each with the outcome its text asks
 * for. Where the text leaves a choice, the stricter one is taken, and said here. The Content-Length
 * of the three messages with a body in RFC 5118 is corrected: the printed ones count another text.
 * `csctl selftest --suite` sends the same ones to a server that runs. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/guard.h"
#include "lib/test.h"
#include "sip/digest.h"
#include "sip/write.h"

enum outcome { GOOD, BAD, DROP };

struct torture {
    const char *name;
    enum outcome outcome;
    unsigned status; /* of a BAD one */
    const char *why; /* of a BAD one */
    void (*check)(const struct sip_msg *m);
};

static struct span value(const struct sip_msg *m, enum sip_hdr_id id, unsigned nth)
{
    struct sip_values it = sip_values(m, id);
    for (unsigned i = 0; i <= nth; i++) {
        if (!sip_next(&it))
            return SPAN_NULL;
    }
    return it.value;
}

static struct sip_addr address(const struct sip_msg *m, enum sip_hdr_id id, unsigned nth)
{
    struct sip_addr a;
    assert_int_equal(sip_addr_parse(value(m, id, nth), &a), 0);
    return a;
}

static struct span aor(const struct sip_uri *u)
{
    static char text[SIP_AOR_MAX];
    struct buf b = BUF_INIT(text);
    assert_int_equal(sip_aor_write(&b, u), 0);
    return buf_span(&b);
}

/* ---- RFC 4475, 3.1.1: valid messages ---- */

static void check_wsinv(const struct sip_msg *m)
{
    struct sip_via via;
    struct span q;
    struct sip_addr contact = address(m, SIP_HDR_CONTACT, 0);
    assert_span(m->uri.params, ";unknownparam");
    assert_span(m->to.uri.user, "vivekg");
    assert_span(m->to.tag, "1918181833n");
    assert_span(m->from.display, "\"J Rosenberg \\\\\\\"\"");
    assert_span(m->from.tag, "98asjd8");
    assert_int_equal(m->max_forwards, 68);
    assert_int_equal(m->cseq, 9);
    assert_span(m->via.host, "192.0.2.2");
    assert_span(m->via.branch, "390skdjuw");
    assert_false(m->via.rfc3261);
    assert_int_equal(sip_via_parse(value(m, SIP_HDR_VIA, 1), &via), 0);
    assert_span(via.transport, "TCP");
    assert_span(via.host, "spindle.example.com");
    assert_span(via.branch, "z9hG4bK9ikj8");
    assert_int_equal(sip_via_parse(value(m, SIP_HDR_VIA, 2), &via), 0);
    assert_span(via.branch, "z9hG4bK30239");
    assert_null(value(m, SIP_HDR_VIA, 3).p);
    assert_span(sip_hdr_value(m, SIP_HDR_SUBJECT), "");
    assert_true(address(m, SIP_HDR_ROUTE, 0).uri.lr);
    assert_span(contact.display, "\"Quoted string \\\"\\\"\"");
    assert_int_equal(sip_param(contact.params, SPAN("secondparam"), &q), 0);
    assert_span(q, "");
    assert_int_equal(sip_param(contact.params, SPAN("q"), &q), 0);
    assert_span(q, "0.33");
    assert_int_equal(m->body.n, 150);
}

static void check_intmeth(const struct sip_msg *m)
{
    assert_int_equal(m->method, SIP_OTHER);
    assert_span(m->method_name, "!interesting-Method0123456789_*+`.%indeed'~");
    assert_span(m->uri.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
    assert_span(m->uri.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
    assert_true(span_eq(m->to.display,
                        SPAN("\"BEL:\\\x07 NUL:\\\0 DEL:\\\x7f\""))); /* a quoted NUL is legal */
    assert_span(m->from.display, "token1~` token2'+_ token3*%!.-");
    assert_span(m->from.tag, "_token~1'+`*%!-.");
    assert_span(m->call_id, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
    assert_int_equal(m->max_forwards, 255);
}

static void check_esc01(const struct sip_msg *m)
{
    struct sip_addr contact = address(m, SIP_HDR_CONTACT, 0);
    assert_span(m->uri.user, "sips%3Auser%40example.com");
    assert_span(aor(&m->uri), "sip:sips%3Auser%40example.com@example.net");
    assert_span(aor(&m->to.uri), "sip:user@example.com");
    assert_span(aor(&m->from.uri), "sip:I%20have%20spaces@example.net");
    assert_true(contact.uri.lr);
    assert_span(sip_uri_param(&contact.uri, SPAN("name")), "v%61lue%25%34%31");
}

static void check_escnull(const struct sip_msg *m)
{
    struct sip_addr one = address(m, SIP_HDR_CONTACT, 0), two = address(m, SIP_HDR_CONTACT, 1);
    assert_span(aor(&m->to.uri), "sip:null-%00-null@example.com");
    assert_false(sip_uri_eq(&one.uri, &two.uri)); /* two distinct contacts */
}

static void check_esc02(const struct sip_msg *m)
{
    assert_int_equal(m->method, SIP_OTHER);
    assert_span(m->method_name, "RE%47IST%45R");
    assert_span(m->to.display, "\"%Z%45\"");
    assert_span(m->via.branch, "z9hG4bK209%fzsnel234");
    assert_span(value(m, SIP_HDR_CONTACT, 1), "<sip:alias3@host3.example.com>");
    assert_null(value(m, SIP_HDR_CONTACT, 2).p);
}

static void check_lwsdisp(const struct sip_msg *m)
{
    assert_span(m->from.display, "caller");
    assert_span(m->from.tag, "323");
}

static void check_longreq(const struct sip_msg *m)
{
    struct sip_via last;
    assert_int_equal(m->to.uri.port, 6000);
    assert_int_equal(m->from.uri.user.n, 115);
    assert_int_equal(sip_via_parse(value(m, SIP_HDR_VIA, 33), &last), 0);
    assert_span(last.received, "192.0.2.5");
    assert_null(value(m, SIP_HDR_VIA, 34).p);
    assert_int_equal(m->body.n, 150);
}

static void check_dblreq(const struct sip_msg *m)
{
    char text[2048];
    struct buf b = BUF_INIT(text);
    struct sip_edit none = { .max_forwards = -1 };
    assert_int_equal(m->method, SIP_REGISTER);
    assert_int_equal(m->body.n, 0);
    sip_write_request(&b, m, &none);
    assert_true(span_eq(buf_span(&b), m->raw)); /* the noise is not forwarded */
}

static void check_semiuri(const struct sip_msg *m)
{
    assert_span(m->uri.user, "user;par=u%40example.net");
    assert_span(m->uri.host, "example.com");
    assert_span(m->uri.params, "");
    assert_true(sip_lists(m, SIP_HDR_ACCEPT, SPAN("message/sipfrag")));
}

static void check_transports(const struct sip_msg *m)
{
    static const char *const names[] = { "UDP", "SCTP", "TLS", "UNKNOWN", "TCP" };
    struct sip_via via;
    for (unsigned i = 0; i < CS_LEN(names); i++) {
        assert_int_equal(sip_via_parse(value(m, SIP_HDR_VIA, i), &via), 0);
        assert_span(via.transport, names[i]);
    }
}

static void check_mpart01(const struct sip_msg *m)
{
    assert_int_equal(m->method, SIP_MESSAGE);
    assert_int_equal(m->body.n, 553);
    assert_non_null(memchr(m->body.p, '\0', m->body.n));
    assert_span(m->via.rport, "");
}

static void check_unreason(const struct sip_msg *m)
{
    assert_false(m->is_request);
    assert_int_equal(m->status, 200);
    assert_true(span_starts(m->reason, SPAN("= 2**3 * 5**2 \xd0\xbd\xd0\xbe ")));
    assert_int_equal(m->method, SIP_INVITE);
}

static void check_noreason(const struct sip_msg *m)
{
    assert_int_equal(m->status, 100);
    assert_span(m->reason, "");
}

/* ---- 3.1.2 to 3.4: what is left to the layers above ---- */

static void check_baddate(const struct sip_msg *m)
{
    assert_span(sip_hdr_value(m, SIP_HDR_DATE), "Fri, 01 Jan 2010 16:00:00 EST");
}

static void check_regbadct(const struct sip_msg *m)
{
    struct sip_addr a;
    assert_int_equal(sip_addr_parse(value(m, SIP_HDR_CONTACT, 0), &a), CS_EPROTO); /* 400 */
}

static void check_badbranch(const struct sip_msg *m)
{
    assert_span(m->via.branch, "z9hG4bK");
    assert_false(m->via.rfc3261); /* to be matched as RFC 2543 did */
}

static void check_unkscm(const struct sip_msg *m)
{
    assert_int_equal(m->uri.scheme, SIP_SCHEME_OTHER); /* 416 */
    assert_span(m->uri.scheme_name, "nobodyKnowsThisScheme");
}

static void check_novelsc(const struct sip_msg *m)
{
    assert_int_equal(m->uri.scheme, SIP_SCHEME_OTHER); /* 416 */
    assert_span(m->uri.scheme_name, "soap.beep");
}

static void check_unksm2(const struct sip_msg *m)
{
    assert_int_equal(m->to.uri.scheme, SIP_SCHEME_OTHER);
    assert_int_equal(m->from.uri.scheme, SIP_SCHEME_OTHER);
    assert_span(m->from.tag, "3234233");
    assert_span(address(m, SIP_HDR_CONTACT, 0).uri.text, "name:John_Smith");
}

static void check_bext01(const struct sip_msg *m)
{
    assert_span(value(m, SIP_HDR_REQUIRE, 1), "nothingSupportsThisEither"); /* 420 */
    assert_true(sip_lists(m, SIP_HDR_PROXY_REQUIRE, SPAN("noProxiesSupportThis")));
}

static void check_invut(const struct sip_msg *m)
{
    assert_span(sip_hdr_value(m, SIP_HDR_CONTENT_TYPE), "application/unknownformat"); /* 415 */
}

static void check_regaut01(const struct sip_msg *m)
{
    struct digest d;
    assert_int_equal(digest_parse(sip_hdr_value(m, SIP_HDR_AUTHORIZATION), &d), CS_ENOTSUP);
}

static void check_bcast(const struct sip_msg *m)
{
    struct sip_via second;
    assert_int_equal(sip_via_parse(value(m, SIP_HDR_VIA, 1), &second), 0);
    assert_span(second.host, "255.255.255.255"); /* nobody must send there */
}

static void check_zeromf(const struct sip_msg *m)
{
    assert_int_equal(m->max_forwards, 0); /* 483 */
}

static void check_cparam01(const struct sip_msg *m)
{
    struct sip_addr contact = address(m, SIP_HDR_CONTACT, 0);
    assert_span(contact.uri.params, "");
    assert_span(contact.params, ";unknownparam");
}

static void check_cparam02(const struct sip_msg *m)
{
    struct sip_addr contact = address(m, SIP_HDR_CONTACT, 0);
    assert_span(contact.uri.params, ";unknownparam");
    assert_span(contact.params, "");
}

static void check_regescrt(const struct sip_msg *m)
{
    assert_span(address(m, SIP_HDR_CONTACT, 0).uri.headers, "Route=%3Csip:sip.example.com%3E");
}

static void check_sdp01(const struct sip_msg *m)
{
    assert_span(sip_hdr_value(m, SIP_HDR_ACCEPT), "text/nobodyKnowsThis"); /* 406 */
}

static void check_inv2543(const struct sip_msg *m)
{
    assert_int_equal(m->max_forwards, -1);
    assert_null(m->from.tag.p);
    assert_null(m->via.branch.p);
    assert_span(m->from.uri.user_param, "phone");
    assert_span(m->to.params, ";user=phone");
    assert_int_equal(m->body.n, 105); /* no Content-Length: the rest of the datagram */
}

/* ---- RFC 5118 ---- */

static void check_ipv6_good(const struct sip_msg *m)
{
    assert_span(m->uri.host, "[2001:db8::10]");
    assert_int_equal(m->uri.port, 0);
    assert_span(m->via.host, "[2001:db8::9:1]");
}

static void check_port_ambiguous(const struct sip_msg *m)
{
    assert_span(m->uri.host, "[2001:db8::10:5070]");
    assert_int_equal(m->uri.port, 0);
}

static void check_port_unambiguous(const struct sip_msg *m)
{
    assert_span(m->uri.host, "[2001:db8::10]");
    assert_int_equal(m->uri.port, 5070);
}

static void check_with_delim(const struct sip_msg *m)
{
    assert_span(m->via.received, "[2001:db8::9:255]");
}

static void check_no_delim(const struct sip_msg *m)
{
    assert_span(m->via.received, "2001:db8::9:255");
}

static void check_mult_ip(const struct sip_msg *m)
{
    struct sip_via third;
    assert_int_equal(m->via.port, 6050);
    assert_int_equal(sip_via_parse(value(m, SIP_HDR_VIA, 2), &third), 0);
    assert_span(third.received, "192.0.2.200");
}

static void check_mapped(const struct sip_msg *m)
{
    assert_span(m->via.host, "[::ffff:192.0.2.10]");
    assert_int_equal(m->via.port, 19823);
    assert_span(address(m, SIP_HDR_CONTACT, 0).uri.host, "[::ffff:192.0.2.2]");
}

static void check_colons(const struct sip_msg *m)
{
    assert_span(aor(&m->uri), "sip:user@[2001:db8::c000:201]");
}

static const struct torture table[] = {
    { "wsinv", GOOD, .check = check_wsinv },
    { "intmeth", GOOD, .check = check_intmeth },
    { "esc01", GOOD, .check = check_esc01 },
    { "escnull", GOOD, .check = check_escnull },
    { "esc02", GOOD, .check = check_esc02 },
    { "lwsdisp", GOOD, .check = check_lwsdisp },
    { "longreq", GOOD, .check = check_longreq },
    { "dblreq", GOOD, .check = check_dblreq },
    { "semiuri", GOOD, .check = check_semiuri },
    { "transports", GOOD, .check = check_transports },
    { "mpart01", GOOD, .check = check_mpart01 },
    { "unreason", GOOD, .check = check_unreason },
    { "noreason", GOOD, .check = check_noreason },

    { "badinv01", BAD, 400, "Malformed Via" },
    { "clerr", BAD, 400, "Body shorter than Content-Length" },
    { "ncl", BAD, 400, "Malformed Content-Length" },
    { "scalar02", BAD, 400, "Malformed CSeq" },
    { "scalarlg", DROP },
    { "quotbal", BAD, 400, "Malformed To" },
    { "ltgtruri", BAD, 400, "Malformed Request-URI" },
    { "lwsruri", BAD, 400, "Malformed request line" },
    { "lwsstart", BAD, 400, "Malformed request line" },
    { "trws", BAD, 400, "Malformed request line" },
    { "escruri", BAD, 400, "Headers in Request-URI" },
    { "baddate", GOOD, .check = check_baddate },
    { "regbadct", GOOD, .check = check_regbadct },
    { "badaspec", BAD, 400, "Malformed To" },
    { "baddn", BAD, 400, "Malformed From" },
    { "badvers", BAD, 505, "Version Not Supported" },
    { "mismatch01", BAD, 400, "CSeq names another method" },
    { "mismatch02", BAD, 400, "CSeq names another method" },
    { "bigcode", DROP },

    { "badbranch", GOOD, .check = check_badbranch },

    { "insuf", BAD, 400, "Missing Call-ID" },
    { "unkscm", GOOD, .check = check_unkscm },
    { "novelsc", GOOD, .check = check_novelsc },
    { "unksm2", GOOD, .check = check_unksm2 },
    { "bext01", GOOD, .check = check_bext01 },
    { "invut", GOOD, .check = check_invut },
    { "regaut01", GOOD, .check = check_regaut01 },
    { "multi01", BAD, 400, "Header given twice" },
    { "mcl01", BAD, 400, "Malformed Content-Length" },
    { "bcast", GOOD, .check = check_bcast },
    { "zeromf", GOOD, .check = check_zeromf },
    { "cparam01", GOOD, .check = check_cparam01 },
    { "cparam02", GOOD, .check = check_cparam02 },
    { "regescrt", GOOD, .check = check_regescrt },
    { "sdp01", GOOD, .check = check_sdp01 },
    { "inv2543", GOOD, .check = check_inv2543 },

    { "ipv6-good", GOOD, .check = check_ipv6_good },
    { "ipv6-bad", BAD, 400, "Malformed Request-URI" },
    { "port-ambiguous", GOOD, .check = check_port_ambiguous },
    { "port-unambiguous", GOOD, .check = check_port_unambiguous },
    { "via-received-param-with-delim", GOOD, .check = check_with_delim },
    { "via-received-param-no-delim", GOOD, .check = check_no_delim },
    { "ipv6-in-sdp", GOOD },
    { "mult-ip-in-header", GOOD, .check = check_mult_ip },
    { "mult-ip-in-sdp", GOOD },
    { "ipv4-mapped-ipv6", GOOD, .check = check_mapped },
    { "ipv6-bug-abnf-3-colons", GOOD, .check = check_colons },
    { "ipv6-correct-abnf-2-colons", GOOD, .check = check_colons },
};

static struct span load(const char *name)
{
    char path[1024], *bytes = malloc(65536);
    struct span dir = span_str(__FILE__);
    while (dir.n && dir.p[dir.n - 1] != '/')
        dir.n--;
    snprintf(path, sizeof(path), SPAN_FMT "../../../common/sip/torture/%s.dat", SPAN_ARG(dir),
             name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    size_t n = fread(bytes, 1, 65536, f);
    fclose(f);
    struct span out = guard_span(span_of(bytes, n));
    free(bytes);
    return out;
}

static void test_each_message_has_the_outcome_its_text_asks_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        const struct torture *t = &table[i];
        struct sip_msg *m;
        int rc = sip_msg_parse(load(t->name), true, NULL, &m);
        if (rc != (t->outcome == DROP ? CS_EPROTO : 0))
            fail_msg("%s: %d", t->name, rc);
        if (t->outcome == DROP) {
            assert_null(m);
            continue;
        }
        if (m->bad != t->status || (m->bad && strcmp(m->bad_why, t->why) != 0))
            fail_msg("%s: %u %s", t->name, m->bad, m->bad ? m->bad_why : "");
        if (t->check)
            t->check(m);
        sip_msg_unref(&m);
    }
    guard_release();
}

/* Whatever is wrong with a request that is given out, an answer to it can be written and read. */
static void test_each_request_can_be_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        char text[16384];
        struct buf b = BUF_INIT(text);
        struct sip_msg *m, *answer;
        if (sip_msg_parse(load(table[i].name), true, NULL, &m))
            continue;
        assert_int_equal(addr_parse(SPAN("192.0.2.77:5099"), 0, &m->source), 0);
        if (m->is_request) {
            sip_write_reply(&b, m, m->bad ? m->bad : 200, SPAN_NULL, SPAN("answered"));
            sip_write_end(&b, SPAN_NULL, SPAN(""));
            assert_true(buf_ok(&b));
        }
        if (m->is_request && !m->bad) {
            if (sip_msg_parse(buf_span(&b), false, NULL, &answer))
                fail_msg("%s: " SPAN_FMT, table[i].name, SPAN_ARG(buf_span(&b)));
            assert_int_equal(answer->status, 200);
            assert_true(answer->to.tag.p);
            assert_true(span_eq(answer->call_id, m->call_id));
            assert_int_equal(answer->cseq, m->cseq);
            sip_msg_unref(&answer);
        }
        sip_msg_unref(&m);
    }
    guard_release();
}

/* Good messages with a Content-Length are framed over streams whole, and byte by byte not before.
 */
static void test_good_messages_are_framed(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        struct sip_msg *m;
        struct span raw = load(table[i].name);
        if (table[i].outcome != GOOD || sip_msg_parse(raw, true, NULL, &m))
            continue;
        if (sip_has(m, SIP_HDR_CONTENT_LENGTH)) {
            for (size_t n = 0; n < m->raw.n; n++)
                assert_int_equal(sip_frame(span_head(raw, n), NULL), 0);
            assert_int_equal(sip_frame(raw, NULL), m->raw.n);
        } else {
            assert_int_equal(sip_frame(raw, NULL), CS_EPROTO);
        }
        sip_msg_unref(&m);
    }
    guard_release();
}

static void test_parsing_survives_allocation_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        struct span raw = load(table[i].name);
        for (long blocks = 0; blocks < 3; blocks++) {
            struct sip_msg *m;
            arena_fail_after(blocks);
            int rc = sip_msg_parse(raw, true, NULL, &m);
            arena_fail_after(-1);
            assert_int_equal(rc == CS_ENOMEM, blocks == 0); /* a message is one allocation */
            assert_int_equal(m == NULL, rc != 0);
            sip_msg_unref(&m);
        }
    }
    guard_release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_message_has_the_outcome_its_text_asks_for),
        cmocka_unit_test(test_each_request_can_be_answered),
        cmocka_unit_test(test_good_messages_are_framed),
        cmocka_unit_test(test_parsing_survives_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
