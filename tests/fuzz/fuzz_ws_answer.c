/* What a server answers to our handshake of WebSocket: it does not change with how it is cut, and
 * 101 is for our key alone. */
#include <assert.h>
#include <stdlib.h>

#include "net/ws_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char key[] = "dGhlIHNhbXBsZSBub25jZQ=="; /* RFC 6455, 1.3 */
    unsigned status, part;
    ptrdiff_t used = ws_hello_check(span_of(data, size), SPAN("sip"), key, &status);
    assert(used <= (ptrdiff_t)size && (used > 0) == (status >= 100 && status < 600));
    for (size_t cut = 1; cut <= 16; cut++) {
        size_t at = size * cut / 16;
        char *copy = malloc(at ? at : 1); /* of exact size, so that reading on is seen */
        if (at)
            memcpy(copy, data, at);
        ptrdiff_t n = ws_hello_check(span_of(copy, at), SPAN("sip"), key, &part);
        free(copy);
        assert(n == 0 || (n == used && part == status));
    }
    assert(status != 101 || memmem(data, size, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28));
    return 0;
}
