/* Answers of a backend: whatever it sends is refused, or says one thing and all that belongs to it.
 */
#include <assert.h>

#include "authd/backend/backend_answer.h"
#include "base/ct.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct span id = SPAN_INIT("InSowhS8Jm2JR3Na");
    struct backend_answer out;
    struct arena a;
    arena_init(&a, NULL, 0, 1u << 20);
    int err = backend_answer_read(span_of(data, n), id, ALG_SHA256, &a, &out);
    assert(!err || (out.says == BACKEND_LATER && !out.user.p && !out.aors));
    if (out.says == BACKEND_ACCEPT || out.says == BACKEND_VERIFY)
        assert(out.n_aors > 0 && span_starts(out.aors[0], SPAN("sip:")) && !out.cause);
    if (out.says == BACKEND_REJECT)
        assert(out.cause != CAUSE(CAUSE_NONE) && out.cause != CAUSE(OK) && !out.n_aors);
    arena_fini(&a);
    return 0;
}
