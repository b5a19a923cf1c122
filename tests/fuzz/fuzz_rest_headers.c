/* What REST reads from headers: If-Match, Idempotency-Key, Last-Event-ID, the Bearer scheme. */
#include <assert.h>
#include <stdint.h>

#include "authd/rest/once.h"
#include "authd/rest/tape.h"
#include "http/bearer.h"
#include "http/etag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tape *tape;
    struct span text = span_of(data, size), key;
    uint64_t number;
    bool matches;
    if (!tape && tape_new(&tape))
        return 0;
    int err = etag_match(text, SPAN("\"a\""), &matches);
    assert(!err || !matches);
    err = once_key(text, &key);
    assert(err ? !key.p : key.n > 0 && key.n <= ONCE_KEY_MAX);
    err = tape_place(tape, text, &number);
    assert(err == CS_EPROTO || number <= tape_end(tape));
    key = bearer_token(text);
    assert(!key.p || key.n < size);
    return 0;
}
