/* Answers of a webhook: whatever it sends allows no call but by exactly saying so. */
#include <assert.h>

#include "authd/calls/webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    bool allow = true;
    int err = webhook_answer_read(span_of(data, n), SPAN("InSowhS8Jm2JR3Na"), &allow);
    assert(!err || !allow);
    assert(err || memmem(data, n, "verdict", 7) || memchr(data, '\\', n));
    return 0;
}
