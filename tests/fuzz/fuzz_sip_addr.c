/* name-addr, addr-spec and their parameters. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sip/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct span part, struct span all)
{
    assert(!part.p || (part.p >= all.p && part.p + part.n <= all.p + all.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    if (size)
        memcpy(copy, data, size);
    struct span value = span_of(copy, size), v;
    struct sip_addr a;
    int rc = sip_addr_parse(value, &a);
    assert((rc == 0) == (a.text.p != NULL));
    if (rc == 0) {
        check_inside(a.display, value);
        check_inside(a.uri.text, value);
        check_inside(a.params, value);
        check_inside(a.tag, a.params);
        rc = sip_param(a.params, SPAN("tag"), &v);
        assert(rc == (a.tag.p ? 0 : CS_ENOENT) && span_eq(v, a.tag));
    }
    rc = sip_param(value, SPAN("q"), &v);
    assert((rc == 0) == (v.p != NULL));
    free(copy);
    return 0;
}
