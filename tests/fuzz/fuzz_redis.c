/* Replies of Redis that come in two pieces, cut where the first byte says: they are read whole,
 * waited for, or refused. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "redis/reply.h"
#include "redis/slots.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As an answer to CLUSTER SLOTS, and as a redirection. */
static void read_as_cluster(const struct redis_reply *r)
{
    static struct slot_map map;
    struct addr addr = { 0 };
    unsigned slot;
    if (slots_read(r, &addr, &map) == NULL) {
        assert(map.n);
        for (size_t i = 0; i < SLOTS; i++)
            assert(map.of[i] < map.n);
    }
    if (r->type == REDIS_ERROR && slots_read_redirect(r->str, &addr, &slot, &addr) == 0)
        assert(slot < SLOTS);
    if (r->type == REDIS_STRING)
        assert(slot_of(r->str) < SLOTS);
}

static size_t walk(const struct redis_reply *r)
{
    size_t n = r->str.n;
    assert(!r->str.n || r->str.p[0] == r->str.p[0]);
    for (size_t i = 0; r->type == REDIS_ARRAY && i < r->n; i++)
        n += walk(&r->element[i]);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reply_reader reader;
    const struct redis_reply *reply = NULL;
    if (!size || size > REPLY_CHUNK)
        return 0;
    struct span in = span_of(data + 1, size - 1);
    const struct span pieces[] = { span_head(in, data[0]), span_skip(in, data[0]) };
    if (reply_reader_init(&reader))
        abort();
    int err = 0;
    for (size_t i = 0; !err && i < CS_LEN(pieces); i++) {
        err = reply_reader_feed(&reader, pieces[i]);
        while (!err && (err = reply_reader_next(&reader, &reply)) == 0 && reply) {
            assert(walk(reply) <= size);
            read_as_cluster(reply);
            reply_reader_drop(&reader);
        }
    }
    reply_reader_fini(&reader);
    return 0;
}
