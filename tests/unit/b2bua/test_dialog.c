#include "b2bua/ua/dialog.h"
#include "lib/test.h"

static struct sip_msg *message(const char *text)
{
    struct sip_msg *m;
    assert_int_equal(sip_msg_parse(span_str(text), true, NULL, &m), 0);
    return m;
}

#define HEAD(start, to)                                                                   \
    start "\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"                            \
          "Record-Route: <sip:one.example.com;lr>, <sip:two.example.com;lr;ftag=as1>\r\n" \
          "From: \"Alice\" <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>" to       \
          "\r\nCall-ID: c1\r\nCSeq: 101 INVITE\r\n"

static const char invite[] = HEAD("INVITE sip:b@example.com SIP/2.0",
                                  "") "Contact: <sip:a@192.0.2.1:5070?Subject=x>\r\n\r\n";
static const char ok[] = HEAD("SIP/2.0 200 OK", ";tag=2") "Contact: <sip:b@192.0.2.9>\r\n\r\n";

static void written(const struct dialog *d, const char *want)
{
    char text[2048];
    struct buf b = BUF_INIT(text);
    dialog_write(&b, d, SPAN("BYE"), 7, SPAN("v"), 70);
    assert_span(buf_span(&b), want);
}

static void test_who_is_called(void **state)
{
    struct sip_msg *m = message(invite), *later;
    struct dialog d;
    (void)state;
    assert_int_equal(dialog_of_invite(&d, m, SPAN("ours")), 0);
    written(&d, "BYE sip:a@192.0.2.1:5070 SIP/2.0\r\nVia: v\r\nMax-Forwards: 70\r\n"
                "Route: <sip:one.example.com;lr>\r\nRoute: <sip:two.example.com;lr;ftag=as1>\r\n"
                "From: <sip:b@example.com>;tag=ours\r\nTo: \"Alice\" <sip:a@example.com>;tag=1\r\n"
                "Call-ID: c1\r\nCSeq: 7 BYE\r\n");
    assert_false(dialog_takes(&d, m)); /* its own number again */
    later = message("BYE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK2\r\n"
                    "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=ours\r\nCall-ID: c1\r\n"
                    "CSeq: 102 BYE\r\n\r\n");
    assert_true(dialog_takes(&d, later));
    sip_msg_unref(&later);
    sip_msg_unref(&m);
    dialog_fini(&d);
}

static void test_who_calls(void **state)
{
    struct sip_msg *m = message(ok);
    struct dialog d, other;
    struct sip_uri hop;
    char want[512];
    (void)state;
    assert_int_equal(dialog_to(&d, SPAN("<sip:a@us>"), SPAN("<sip:b@them>"), SPAN("sip:b@them"), 7),
                     0);
    assert_false(d.established);
    assert_int_equal(siptx_tag_node(d.local_tag), 7);
    assert_int_equal(dialog_next_hop(&d, &hop), 0);
    assert_span(hop.host, "them");
    assert_int_equal(dialog_sibling(&d, m, &other), 0);
    dialog_fini(&other);
    assert_int_equal(dialog_establish(&d, m), 0);
    struct buf b = BUF_INIT(want);
    buf_printf(&b,
               "BYE sip:b@192.0.2.9 SIP/2.0\r\nVia: v\r\nMax-Forwards: 70\r\n"
               "Route: <sip:two.example.com;lr;ftag=as1>\r\nRoute: <sip:one.example.com;lr>\r\n"
               "From: <sip:a@us>;tag=" SPAN_FMT "\r\nTo: <sip:b@example.com>;tag=2\r\n"
               "Call-ID: " SPAN_FMT "\r\nCSeq: 7 BYE\r\n",
               SPAN_ARG(d.local_tag), SPAN_ARG(d.call_id));
    buf_putc(&b, 0);
    written(&d, want);
    assert_int_equal(dialog_next_hop(&d, &hop), 0);
    assert_span(hop.host, "two.example.com");
    sip_msg_unref(&m);
    dialog_fini(&d);
}

/* RFC 3261, 12.2.1.1, the older of the two ways. */
static void test_a_strict_router(void **state)
{
    struct sip_msg *m = message(
        "INVITE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\n"
        "Record-Route: <sip:old.example.com>, <sip:two.example.com;lr>\r\nFrom: <sip:a@x>;tag=1\r\n"
        "To: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.1>\r\n\r\n");
    struct dialog d;
    (void)state;
    assert_int_equal(dialog_of_invite(&d, m, SPAN("t")), 0);
    written(&d, "BYE sip:old.example.com SIP/2.0\r\nVia: v\r\nMax-Forwards: 70\r\n"
                "Route: <sip:two.example.com;lr>\r\nRoute: <sip:a@192.0.2.1>\r\n"
                "From: <sip:b@x>;tag=t\r\nTo: <sip:a@x>;tag=1\r\nCall-ID: c\r\nCSeq: 7 BYE\r\n");
    assert_span(dialog_request_uri(&d), "sip:old.example.com");
    sip_msg_unref(&m);
    dialog_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_called),
        cmocka_unit_test(test_who_calls),
        cmocka_unit_test(test_a_strict_router),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
