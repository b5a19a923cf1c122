#include "b2bua/trunk/registering.h"

#include "base/rand.h"
#include "base/util.h"

enum { SHORT_S = 120 }; /* what is to be refreshed sooner is at half of its time */

uint32_t registering_granted(const struct sip_msg *resp, struct span contact, uint32_t asked)
{
    uint32_t n = asked;
    if (sip_hdr_u32(resp, SIP_HDR_EXPIRES, &n))
        n = asked;
    for (struct sip_values it = sip_values(resp, SIP_HDR_CONTACT); sip_next(&it);) {
        struct sip_addr a;
        struct span text;
        uint64_t own;
        if (sip_addr_parse(it.value, &a) == 0 && span_eq(a.uri.text, contact) &&
            sip_param(a.params, SPAN("expires"), &text) == 0 &&
            span_u64(text, UINT32_MAX, &own) == 0)
            n = (uint32_t)own;
    }
    return n;
}

uint32_t registering_longer(const struct sip_msg *resp, uint32_t asked)
{
    uint32_t least;
    if (resp->status == 423 && sip_hdr_u32(resp, SIP_HDR_MIN_EXPIRES, &least) == 0 && least > asked)
        return least;
    return 0;
}

struct duration registering_refresh(uint32_t granted)
{
    int64_t ms = (int64_t)CS_MAX(granted, 1U) * 1000;
    if (granted < SHORT_S)
        return DURATION_MS(ms / 2);
    return DURATION_MS(ms * 4 / 5 + (int64_t)rand_below((uint64_t)ms / 10));
}

struct duration registering_retry(struct duration first, unsigned failures)
{
    int64_t most = REGISTERING_RETRY_MOST_S * 1000, ms = first.ms;
    for (unsigned i = 1; i < failures && ms < most; i++)
        ms *= 2;
    ms = CS_MIN(ms, most);
    return DURATION_MS(ms / 2 + (int64_t)rand_below((uint64_t)ms / 2 + 1));
}
