/* Via values. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sip/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    if (size)
        memcpy(copy, data, size);
    struct span value = span_of(copy, size), v;
    struct sip_via via;
    int rc = sip_via_parse(value, &via);
    assert((rc == 0) == (via.text.p != NULL));
    if (rc == 0) {
        assert(via.transport.n && via.host.n && via.params.p);
        assert(!via.rfc3261 || via.branch.n > 7);
        rc = sip_param(via.params, SPAN("branch"), &v);
        assert(rc == (via.branch.p ? 0 : CS_ENOENT) && span_eq(v, via.branch));
    }
    free(copy);
    return 0;
}
