/* What mailboxes say of their messages. */
#include <assert.h>
#include <stdint.h>

#include "b2bua/desk/message_summary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message_summary s;
    int err = message_summary_parse(span_of(data, size), &s);
    assert(!err || (!s.waiting && !s.fresh && !s.old));
    return 0;
}
