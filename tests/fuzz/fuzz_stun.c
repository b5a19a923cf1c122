/* A datagram that may be STUN: answered once at most, briefly, and an answer asks for none. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "siptp/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const sources[] = { "192.0.2.1:5060", "[2001:db8::1]:65535" };
    char *in = malloc(size + 1); /* its end is watched */
    if (!in)
        return 0;
    memcpy(in, data, size);
    in = realloc(in, size ? size : 1);
    for (size_t i = 0; i < CS_LEN(sources); i++) {
        char text[STUN_ANSWER_MAX], again[STUN_ANSWER_MAX];
        struct buf b = BUF_INIT(text), none = BUF_INIT(again);
        struct addr from;
        int err = addr_parse(span_str(sources[i]), 0, &from);
        assert(!err);
        stun_answer(&b, span_of(in, size), &from);
        assert(buf_ok(&b) && b.n <= size + 32);
        assert(!b.n || (stun_is(buf_span(&b)) && memcmp(text + 4, in + 4, 16) == 0));
        stun_answer(&none, buf_span(&b), &from);
        assert(!none.n);
    }
    free(in);
    return 0;
}
