#include "sip/mask.h"

#include <stdio.h>

#include "base/util.h"
#include "lib/guard.h"
#include "lib/test.h"

struct mask_case {
    const char *in, *out;
};

static void check(const struct mask_case *cases, size_t n, const char *before, const char *behind)
{
    for (size_t i = 0; i < n; i++) {
        char text[1000], want[1000];
        snprintf(text, sizeof(text), "%s%s%s", before, cases[i].in, behind);
        snprintf(want, sizeof(want), "%s%s%s", before, cases[i].out, behind);
        struct span s = guard_span(span_str(text));
        sip_mask((char *)s.p, s.n);
        assert_span(s, want);
        guard_release();
    }
}

static void test_credentials_and_what_they_answer(void **state)
{
    static const struct mask_case cases[] = {
        { "Authorization: Digest username=\"a\", realm=\"r\", nonce=\"n1\", uri=\"sip:r\", "
          "nc=00000001, "
          "cnonce=\"c\", response=\"d\\\"e\", qop=auth",
          "Authorization: Digest username=\"a\", realm=\"r\", nonce=\"**\", uri=\"sip:r\", "
          "nc=00000001, "
          "cnonce=\"*\", response=\"****\", qop=auth" },
        { "authorization : digest response=abc,nonce = \"x\"",
          "authorization : digest response=***,nonce = \"*\"" },
        { "Proxy-Authorization: Bearer abc.def", "Proxy-Authorization: Bearer *******" },
        { "Authorization: Basic YTpi", "Authorization: Basic ****" },
        { "Authorization: Odd secret", "Authorization: *** ******" },
        { "Authorization: secret", "Authorization: ******" },
        { "Authorization: Digest secret", "Authorization: Digest ******" },
        { "Authorization: Digest pin=1234", "Authorization: Digest ***=****" },
        { "Authorization: Digest realm=\"never closed",
          "Authorization: Digest realm=\"***** ******" },
        { "Authorization: Digest\r\n response=\"x\"", "Authorization: Digest\r\n response=\"*\"" },
        { "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", Digest realm=\"s\", stale=true",
          "WWW-Authenticate: Digest realm=\"r\", nonce=\"*\", Digest realm=\"s\", stale=true" },
        { "WWW-Authenticate: Bearer scope=\"sip\"", "WWW-Authenticate: Bearer scope=\"sip\"" },
        { "Authentication-Info: rspauth=\"x\", nextnonce=\"y\", qop=auth",
          "Authentication-Info: rspauth=\"*\", nextnonce=\"*\", qop=auth" },
        { "Cookie: session=x", "Cookie: *********" },
        { "X: y\rAuthorization: Basic z",
          "X: y\rAuthorization: Basic *" }, /* to some reader a line */
    };
    (void)state;
    check(cases, CS_LEN(cases), "REGISTER sip:r SIP/2.0\r\n", "\r\nCall-ID: a@b\r\n\r\n");
}

static void test_passwords_in_uris(void **state)
{
    static const struct mask_case cases[] = {
        { "From: \"A\" <sip:alice:pass@example.com:5060>;tag=1",
          "From: \"A\" <sip:alice:****@example.com:5060>;tag=1" },
        { "To: SIPS:a:b@c", "To: SIPS:a:*@c" },
        { "Contact: <sip:a@[2001:db8::1]:5060>", "Contact: <sip:a@[2001:db8::1]:5060>" },
        { "Route: <sip:h:5060;lr>, <sip:a@b>", "Route: <sip:h:5060;lr>, <sip:a@b>" },
        { "Refer-To: <sip:a@b?Authorization=Digest%20x&Subject=y>",
          "Refer-To: <sip:a@b?Authorization=**********&Subject=y>" },
        { "Contact: <sip:a@b;pn-prid=token;pn-provider=x>",
          "Contact: <sip:a@b;pn-prid=*****;pn-provider=x>" },
    };
    (void)state;
    check(cases, CS_LEN(cases), "INVITE sip:a:****@b SIP/2.0\r\n", "\r\n\r\n");
}

static void test_keys_of_media(void **state)
{
    static const struct mask_case cases[] = {
        { "v=0\r\na=crypto:1 AES inline:KEY|2^20\r\na=rtpmap:0 PCMU/8000\r\n",
          "v=0\r\na=crypto:1 AES inline:********\r\na=rtpmap:0 PCMU/8000\r\n" },
        { "a=crypto:1 AES KEY", "a=crypto:* *** ***" },
        { "k=clear:x\r\na=ice-pwd:y\r\na=ice-ufrag:z\r\na=key-mgmt:mikey w\r\n",
          "k=*******\r\na=ice-pwd:*\r\na=ice-ufrag:z\r\na=key-mgmt:***** *\r\n" },
        { "secret\r\n a=x", "******\r\n ***" },
    };
    (void)state;
    check(cases, CS_LEN(cases), "INVITE sip:b SIP/2.0\r\nc: application/sdp;x=y\r\n\r\n", "");
    check(cases, 1,
          "INVITE sip:b SIP/2.0\r\nContent-Type: multipart/mixed;boundary=q\r\n\r\n--q\r\n"
          "Content-Type: application/sdp\r\n\r\n",
          "--q--\r\n");
}

static void test_what_people_write_and_dial(void **state)
{
    static const struct mask_case closed[] = { { "Signal=5\r\nDuration=1",
                                                 "********\r\n**********" } };
    static const struct mask_case open[] = {
        { "Messages-Waiting: yes\r\nMessage-Account: sip:a:b@c",
          "Messages-Waiting: yes\r\nMessage-Account: sip:a:*@c" }
    };
    static const struct mask_case fragment[] = {
        { "SIP/2.0 401 No\r\nAuthorization: Basic x\r\n\r\nbody",
          "SIP/2.0 401 No\r\nAuthorization: Basic *\r\n\r\n****" }
    };
    (void)state;
    check(closed, 1, "INFO sip:b SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\n", "");
    check(closed, 1, "MESSAGE sip:b SIP/2.0\r\n\r\n", "");
    check(open, 1,
          "NOTIFY sip:b SIP/2.0\r\nContent-Type: application/simple-message-summary\r\n\r\n", "");
    check(fragment, 1, "NOTIFY sip:b SIP/2.0\r\nContent-Type: message/sipfrag;version=2.0\r\n\r\n",
          "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credentials_and_what_they_answer),
        cmocka_unit_test(test_passwords_in_uris),
        cmocka_unit_test(test_keys_of_media),
        cmocka_unit_test(test_what_people_write_and_dial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
