/* Values of Replaces: what is taken says a Call-ID and both tags, and nothing when it is refused.
 */
#include <assert.h>
#include <stdint.h>

#include "sip/replaces.h"
#include "siptx/siptx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct replaces r;
    if (replaces_parse(span_of(data, size), &r)) {
        assert(!r.call_id.p && !r.to_tag.p && !r.from_tag.p && !r.early_only);
        return 0;
    }
    assert(r.call_id.n && r.to_tag.n && r.from_tag.n);
    (void)siptx_tag_node(r.to_tag);
    return 0;
}
