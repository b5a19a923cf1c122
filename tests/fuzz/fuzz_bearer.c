/* The file of operators' tokens. */
#include <assert.h>
#include <stdint.h>

#include "http/bearer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bearers b = { 0 };
    char reason[160];
    struct buf why = BUF_INIT(reason);
    unsigned line;
    int err = bearers_parse(&b, span_of(data, size), &why, &line);
    assert(buf_ok(&why) && (err != 0) == (why.n > 0));
    assert(b.n <= BEARER_MAX);
    for (size_t i = 0; i < b.n; i++)
        assert(b.list[i].name[0] && b.list[i].role < HTTP_PUBLIC);
    bearers_fini(&b);
    return 0;
}
