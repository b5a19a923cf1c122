/* What Redis may hold where bindings belong: fields and values, each behind a byte of its length
 * (two for values). It is refused, or a record that can be walked. */
#include <assert.h>
#include <stdint.h>

#include "location/location.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ELEMENTS = 16 };

static size_t cut(struct span *in, size_t bytes, struct redis_reply *out)
{
    size_t n = 0;
    if (in->n < bytes)
        return 0;
    for (size_t i = 0; i < bytes; i++)
        n = n << 8 | (unsigned char)in->p[i];
    *in = span_skip(*in, bytes);
    *out = (struct redis_reply){ .type = REDIS_STRING, .str = span_head(*in, n) };
    *in = span_skip(*in, n);
    return 1;
}

static size_t texts(const Countersign__Store__Binding *b)
{
    const char *const all[] = { b->contact, b->call_id,    b->flow, b->owner, b->instance,
                                b->params,  b->user_agent, b->user, b->source };
    size_t n = 0;
    assert(b->contact && b->call_id); /* they are required */
    for (size_t i = 0; i < CS_LEN(all); i++)
        n += span_str(all[i]).n;
    for (size_t i = 0; i < b->n_path; i++)
        n += span_str(b->path[i]).n;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct redis_reply elements[ELEMENTS],
        reply = { .type = REDIS_ARRAY, .element = elements, .n = 0 };
    struct span in = span_of(data, size);
    struct location read;
    struct arena a;
    size_t n = 0;
    while (reply.n < ELEMENTS && cut(&in, 1 + reply.n % 2, &elements[reply.n]))
        reply.n++;
    arena_init(&a, NULL, 0, 4u << 20);
    int err = location_decode(&reply, &a, &read);
    assert((read.version != 0) == (read.record != NULL));
    assert(err == 0 || read.version == 0);
    for (size_t i = 0; read.record && i < read.record->n_binding; i++)
        n += texts(read.record->binding[i]);
    assert(n <= size);
    arena_fini(&a);
    return 0;
}
