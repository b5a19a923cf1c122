/* What a place in a call rests on: what is read is written again as it was, but for the case of its
 * digits and zeros that lead. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "gate/resting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span name = SPAN("Countersign-Rests-On: ");
    struct resting r, again;
    char line[256];
    struct buf b = BUF_INIT(line);
    if (resting_parse(span_of(data, size), &r)) {
        assert(!r.n);
        return 0;
    }
    assert(r.n && r.n <= RESTING_TAGS_MAX);
    resting_write(&b, span_of(r.tags, r.n * RESTING_TAG_LEN), r.issued, r.issued_s);
    assert(buf_ok(&b) && b.n > name.n + 2);
    int err = resting_parse(span_of(line + name.n, b.n - name.n - 2), &again);
    assert(err == 0 && again.n == r.n && again.issued == r.issued && again.issued_s == r.issued_s);
    assert(memcmp(again.tags, r.tags, r.n * RESTING_TAG_LEN) == 0);
    return 0;
}
