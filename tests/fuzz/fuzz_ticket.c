/* Tickets of strangers: none is ours, for no fuzzer has our key. */
#include <assert.h>
#include <stdlib.h>

#include "authd/check/ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tickets *t;
    struct arena a;
    struct ticket got;
    if (!t &&
        tickets_new(SPAN("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), &t))
        abort();
    arena_init(&a, NULL, 0, 0);
    assert(ticket_open(t, span_of(data, size), (struct wall){ 1700000000000 }, &a, &got) ==
           CAUSE(TICKET_INVALID));
    arena_fini(&a);
    return 0;
}
