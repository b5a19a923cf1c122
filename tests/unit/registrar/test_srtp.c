#include "registrar/srtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/buf.h"
#include "lib/guard.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define SDES "m=audio 49170 RTP/SAVP 0 8\r\n"
#define CRYPTO \
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20"
#define OCTETS "4A:AD:B9:B1:3F:82:18:3B"
#define PRINT  "a=fingerprint:sha-256 " OCTETS ":" OCTETS ":" OCTETS ":" OCTETS "\r\n"
#define CLEAR  "m=audio 49170 RTP/AVP 0\r\n"

/* C-06, C-07 */
static void test_every_media_in_use_has_to_be_encrypted(void **state)
{
    (void)state;
    static const struct {
        bool kept;
        const char *sdp;
    } rows[] = {
        { true, HEAD SDES CRYPTO "\r\n" },
        { true, HEAD SDES CRYPTO },
        { false, HEAD SDES CRYPTO " KDR=1\r\n" }, /* no key that is known here */
        { true, HEAD SDES CRYPTO "\r\na=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:x KDR=1\r\n" },
        { true, HEAD SDES CRYPTO "\r\na=crypto:2 AEAD_AES_256_GCM inline:x\r\n" },
        { true, HEAD "m=audio 49170/2 RTP/SAVPF 0\r\n" CRYPTO "\r\n" },
        { true, HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" PRINT },
        { true, HEAD PRINT "m=audio 9 UDP/TLS/RTP/SAVP 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n" },
        { true, HEAD PRINT SDES },
        { true, HEAD SDES CRYPTO "\r\nm=video 0 RTP/AVP 31\r\n" }, /* a port of 0: not in use */
        { true, "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=\nt=0 0\nm=audio 0 RTP/AVP 0\n" },
        { true, HEAD },
        { true, HEAD SDES CRYPTO "\r\n\r\n" },
        { false, HEAD CLEAR },
        { false, HEAD "m=audio 49170 RTP/AVPF 0\r\n" PRINT },
        { false, HEAD CLEAR CRYPTO "\r\n" },
        { false, HEAD SDES },
        { false, HEAD SDES CRYPTO "\r\n" CLEAR },
        { false, HEAD CLEAR SDES CRYPTO "\r\n" },
        { false, HEAD CRYPTO "\r\n" SDES }, /* of the session it says nothing (RFC 4568, 5) */
        { false, HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:\r\n" },
        { false,
          HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" PRINT SDES }, /* of the other media alone */
        { false, HEAD SDES CRYPTO " UNENCRYPTED_SRTP\r\n" },
        { false, HEAD SDES CRYPTO " KDR=1 unauthenticated_srtp\r\n" },
        { false, HEAD SDES CRYPTO "\r\na=crypto:2 NULL_HMAC_SHA1_80 inline:x\r\n" },
        { false, HEAD SDES "a=crypto:1 AES_CM_128_HMAC_SHA1_80\r\n" },
        { false, HEAD SDES CRYPTO "\r\na=tcap:1 RTP/AVP\r\n" }, /* RFC 5939: or in clear */
        { false, HEAD "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" PRINT },
        { false, HEAD "m=audio 65536 RTP/SAVP 0\r\n" CRYPTO "\r\n" },
        { false, HEAD "m=audio 49170/0 RTP/SAVP 0\r\n" CRYPTO "\r\n" },
        { false, HEAD "m=audio 49170 RTP/SAVP\r\n" CRYPTO "\r\n" },
        { false, HEAD "m= 49170 RTP/SAVP 0\r\n" CRYPTO "\r\n" },
        { false, HEAD "m=audio 00 rtp/savp 0\r\nM=audio 5 RTP/AVP 0\r\n" },
        { false, HEAD SDES CRYPTO "\r\rm=audio 5 RTP/AVP 0\r\n" }, /* whose end of a line? */
        { false, HEAD SDES CRYPTO "\r\nrubbish\r\n" },
        { false, HEAD "\r\n" CLEAR },
        { false, "m=audio 0 RTP/AVP 0\r\n" },
        { false, "v=1\r\n" },
        { false, "\r\n" },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        if (srtp_alone(guard_span(span_str(rows[i].sdp))) != rows[i].kept)
            fail_msg("%zu: %s", i, rows[i].sdp);
        guard_release();
    }
}

static void test_a_body_that_may_hold_sdp_is_looked_into(void **state)
{
    (void)state;
    static const struct {
        bool kept;
        const char *headers, *body;
    } rows[] = {
        { true, "", "" },
        { true, "Content-Type: application/sdp\r\n", HEAD SDES CRYPTO "\r\n" },
        { true, "Content-Type: application/pidf+xml\r\n", HEAD CLEAR },
        { true, "Content-Encoding: identity\r\nc: Application/SDP;x=y\r\n", HEAD SDES CRYPTO },
        { false, "c: APPLICATION/SDP\r\n", HEAD CLEAR },
        { false, "Content-Type: application/sdp ; x\r\n", HEAD CLEAR },
        { false, "", HEAD CLEAR },
        { false, "Content-Type: multipart/mixed;boundary=x\r\n", HEAD SDES CRYPTO },
        { false, "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", HEAD SDES CRYPTO },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        char text[2048];
        struct sip_msg *m;
        int n =
            snprintf(text, sizeof(text),
                     "INVITE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\n"
                     "Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=1\r\n"
                     "To: <sip:b@example.com>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
                     "Contact: <sip:a@h>\r\n%sContent-Length: %zu\r\n\r\n%s",
                     rows[i].headers, strlen(rows[i].body), rows[i].body);
        assert_int_equal(sip_msg_parse(span_of(text, (size_t)n), false, NULL, &m), 0);
        assert_int_equal(m->bad, 0);
        if (srtp_is_kept(m) != rows[i].kept)
            fail_msg("%zu", i);
        sip_msg_unref(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_media_in_use_has_to_be_encrypted),
        cmocka_unit_test(test_a_body_that_may_hold_sdp_is_looked_into),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
