/* Framing: the answer does not change with what follows, grows only from "more" to an end or an
 * error, and what is framed holds together when parsed. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sip/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    struct sip_msg *m;
    ptrdiff_t n = sip_frame(in, NULL);
    assert(n <= (ptrdiff_t)size && (n >= 0 || n == CS_EPROTO || n == CS_ELIMIT));
    for (size_t cut = 1; cut <= 64 && cut <= size; cut++) {
        size_t at = size * cut / 64;
        char *copy = malloc(at ? at : 1); /* of exact size, so that reading on is seen */
        if (at)
            memcpy(copy, data, at);
        ptrdiff_t part = sip_frame(span_of(copy, at), NULL);
        free(copy);
        assert(part == 0 || part == n || (part < 0 && n < 0));
        assert(n <= 0 || (size_t)n > at || part == n);
    }
    if (n <= 0)
        return 0;
    if (sip_msg_parse(span_head(in, (size_t)n), false, NULL, &m) == 0) {
        assert(m->bad || m->raw.n == (size_t)n); /* both see the same end */
        sip_msg_unref(&m);
    }
    return 0;
}
