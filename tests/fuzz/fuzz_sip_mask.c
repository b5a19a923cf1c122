/* Secrets of messages: whatever is masked is as long as it was, and reads as it did but for them;
 * no proof is left in what our own parser finds. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sip/digest.h"
#include "sip/mask.h"
#include "sip/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void is_masked(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        assert(s.p[i] == '*' || s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\r' ||
               s.p[i] == '\n');
}

static void look(const struct sip_msg *m)
{
    static const enum sip_hdr_id ids[] = { SIP_HDR_AUTHORIZATION, SIP_HDR_PROXY_AUTHORIZATION };
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        for (struct sip_values it = sip_values(m, ids[i]); sip_next(&it);) {
            struct digest d;
            if (digest_parse(it.value, &d))
                continue;
            is_masked(d.nonce);
            is_masked(d.response);
            is_masked(d.cnonce);
        }
    }
    if (m->is_request)
        is_masked(m->uri.password);
    is_masked(m->from.uri.password);
    is_masked(m->to.uri.password);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1);
    struct sip_msg *before, *after;
    if (!text)
        abort();
    if (size)
        memcpy(text, data, size);
    sip_mask(text, size);
    for (size_t i = 0; i < size; i++)
        assert(text[i] == (char)data[i] || text[i] == '*');
    if (sip_msg_parse(span_of(data, size), true, NULL, &before) == 0) {
        if (sip_msg_parse(span_of(text, size), true, NULL, &after) == 0) {
            assert(before->bad || (after->n_hdr == before->n_hdr && after->cseq == before->cseq));
            look(after);
            sip_msg_unref(&after);
        } else {
            assert(before->bad);
        }
        sip_msg_unref(&before);
    }
    free(text);
    return 0;
}
