/* What is taken for a trust list is read to its end and no further; and it stays one with a record
 * behind it, and is none without its last byte. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "b2bua/provisioning/trust_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char record[] = { 1, 0, 2, 0, 5 };
    char *copy = malloc(size + sizeof(record)), *exact = malloc(size ? size : 1);
    if (copy && exact) {
        memcpy(copy, data, size);
        memcpy(copy + size, record, sizeof(record));
        memcpy(exact, data, size);
        if (trust_list_is(span_of(exact, size))) {
            assert(trust_list_is(span_of(copy, size + sizeof(record))));
            assert(!trust_list_is(span_of(copy, size - 1)));
        }
    }
    free(copy);
    free(exact);
    return 0;
}
