#include "registrar/srtp.h"

#include "sdp/sdp.h"
#include "sip/chars.h"

/* "1 AES_CM_128_HMAC_SHA1_80 inline:... UNENCRYPTED_SRTP": parameters may take away what SRTP is
 * for (RFC 4568, 6.3). Such a line is no key, but whoever answers might choose it. */
static bool is_clear(struct span crypto)
{
    bool clear = false;
    while (crypto.p && !clear) {
        struct span word = span_cut(&crypto, ' ');
        clear = span_caseeq(word, SPAN("UNENCRYPTED_SRTP")) ||
                span_caseeq(word, SPAN("UNAUTHENTICATED_SRTP")) ||
                span_casestarts(word, SPAN("NULL_"));
    }
    return clear;
}

static bool offers_clear(const struct sdp_attrs *attrs)
{
    for (size_t i = 0; i < attrs->n; i++) {
        const struct sdp_attr *a = &attrs->a[i];
        /* Other transports that would do as well (RFC 5939, 3.4.1). */
        if (span_eq(a->name, SPAN("tcap")) ||
            (span_eq(a->name, SPAN("crypto")) && is_clear(a->value)))
            return true;
    }
    return false;
}

bool srtp_alone(struct span text)
{
    char first[4096];
    struct arena a;
    struct sdp s;
    arena_init(&a, first, sizeof(first), 1024 * 1024);
    bool alone = sdp_parse(text, &a, &s) == 0 && sdp_is_encrypted(&s) && !offers_clear(&s.attrs);
    for (size_t i = 0; alone && i < s.n_media; i++)
        alone = !s.media[i].port || !offers_clear(&s.media[i].attrs);
    arena_fini(&a);
    return alone;
}

bool srtp_is_kept(const struct sip_msg *m)
{
    struct span type = sip_hdr_value(m, SIP_HDR_CONTENT_TYPE),
                encoding = sip_hdr_value(m, SIP_HDR_CONTENT_ENCODING);
    if (!m->body.n)
        return true;
    type = chars_trim(span_cut(&type, ';'));
    if (span_casestarts(type, SPAN("multipart/")))
        return false;
    /* What says nothing of itself might be taken for SDP. */
    if (type.n && !span_caseeq(type, SPAN("application/sdp")))
        return true;
    return (!encoding.n || span_caseeq(encoding, SPAN("identity"))) && srtp_alone(m->body);
}
