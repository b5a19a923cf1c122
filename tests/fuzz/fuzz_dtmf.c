/* The body of an INFO: a digit is one that a phone has a tone for, and as long as is said. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "b2bua/leg/dtmf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct span types[] = { SPAN_INIT("application/dtmf-relay"),
                                         SPAN_INIT("application/dtmf;x=y") };
    char *copy = malloc(size ? size : 1); /* its end is guarded */
    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    for (size_t i = 0; i < CS_LEN(types); i++) {
        unsigned ms;
        const char digit = dtmf_read(types[i], span_of(copy, size), &ms);
        assert(!digit || strchr("0123456789*#ABCD", digit));
        assert(ms && ms <= DTMF_LONGEST_MS);
        if (!digit)
            continue;
        char text[DTMF_RELAY_MAX];
        struct buf b = BUF_INIT(text);
        dtmf_write(&b, digit);
        assert(buf_ok(&b) && dtmf_read(DTMF_RELAY, buf_span(&b), &ms) == digit && ms == DTMF_MS);
    }
    free(copy);
    return 0;
}
