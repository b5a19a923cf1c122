/* RTP and RTCP from the network: taken apart, told apart, counted. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "b2bua/media/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtp_quality q = { 0 };
    struct mono now = { 1 };
    char *copy = malloc(size ? size : 1); /* its end is guarded */
    if (!copy)
        abort();
    memcpy(copy, data, size);
    struct span rest = span_of(copy, size);
    if (rtp_is_rtcp(rest) && rtcp_is_valid(rest, false))
        assert(rtcp_is_valid(rest, true));
    /* As a stream: packets of 16 bytes each. */
    while (rest.n) {
        struct rtp p;
        const struct span packet = span_head(rest, 16);
        rest = span_skip(rest, 16);
        if (rtp_parse(packet, &p))
            continue;
        assert(p.head >= RTP_HEADER && p.head <= packet.n && p.payload < 128);
        rtp_quality_add(&q, &p, p.timestamp & 1 ? 48000 : 8000, now);
        now.ns += (int64_t)p.ssrc * 1000;
        assert(rtp_quality_lost(&q) < UINT64_MAX / 2);
        (void)rtp_quality_jitter_us(&q);
    }
    free(copy);
    return 0;
}
