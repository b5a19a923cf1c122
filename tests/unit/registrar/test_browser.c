#include "registrar/browser.h"

#include "lib/test.h"

static void test_a_browser_registers_over_a_websocket(void **state)
{
    static const struct {
        const char *contact;
        bool is;
    } table[] = {
        { "sip:k1@x3.invalid;transport=ws", true },
        { "sip:k1@x3.invalid;ob;transport=WSS", true },
        { "sip:alice@192.0.2.1:5060", false },
        { "sip:alice@192.0.2.1;transport=tcp", false },
        { "sip:transport=ws@192.0.2.1", false },
        { "tel:+4930123", false },
        { "nothing", false },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        Countersign__Store__Binding b = COUNTERSIGN__STORE__BINDING__INIT;
        b.contact = (char *)table[i].contact;
        assert_int_equal(browser_is(&b), table[i].is);
    }
}

#define HEAD  "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define PRINT "a=fingerprint:sha-256 AB:CD\r\n" /* shorter than it should be, but there */

static void test_an_offer_for_browsers_has_a_fingerprint(void **state)
{
    static const struct {
        struct span body;
        enum browser_offer is;
    } table[] = {
        { SPAN_INIT(""), OFFER_FOR_ALL },
        { SPAN_INIT("no description"), OFFER_FOR_ALL },
        { SPAN_INIT(HEAD "m=audio 4000 RTP/AVP 0\r\n"), OFFER_FOR_PHONES },
        { SPAN_INIT(HEAD "m=audio 4000 RTP/AVP 0\r\n" PRINT), OFFER_FOR_PHONES },
        { SPAN_INIT(HEAD "m=audio 4000 RTP/SAVP 0\r\n"), OFFER_FOR_PHONES },
        { SPAN_INIT(HEAD "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n" PRINT), OFFER_FOR_BROWSERS },
        { SPAN_INIT(HEAD PRINT "m=audio 4000 RTP/SAVPF 0\r\n"), OFFER_FOR_BROWSERS },
        { SPAN_INIT(HEAD "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n" PRINT "m=audio 4000 RTP/AVP 0\r\n"),
          OFFER_FOR_PHONES },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        const struct sip_msg m = { .body = table[i].body };
        assert_int_equal(browser_offer(&m), table[i].is);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_browser_registers_over_a_websocket),
        cmocka_unit_test(test_an_offer_for_browsers_has_a_fingerprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
