#include "base/memo.h"

#include <assert.h>
#include <stdlib.h>

#include "base/ct.h"

struct memo_slot {
    struct memo_key key; /* zero: empty */
    unsigned char result[MEMO_RESULT];
};

int memo_init(struct memo *m, size_t n)
{
    *m = (struct memo){ .slots = calloc(n, sizeof(*m->slots)), .n = n };
    return m->slots ? 0 : CS_ENOMEM;
}

void memo_fini(struct memo *m)
{
    if (m->slots)
        ct_wipe(m->slots, m->n * sizeof(*m->slots));
    free(m->slots);
    *m = (struct memo){ 0 };
}

struct memo_key memo_key_of(struct span a, struct span b)
{
    struct memo_key key;
    map_hash_wide(a, b, key.hash);
    return key;
}

static struct memo_slot *slot_of(const struct memo *m, const struct memo_key *key)
{
    return &m->slots[key->hash[0] % m->n];
}

bool memo_get(const struct memo *m, const struct memo_key *key, void *out, size_t size)
{
    const struct memo_slot *slot = slot_of(m, key);
    assert(size <= MEMO_RESULT);
    if (slot->key.hash[0] != key->hash[0] || slot->key.hash[1] != key->hash[1])
        return false;
    memcpy(out, slot->result, size);
    return true;
}

void memo_put(struct memo *m, const struct memo_key *key, const void *result, size_t size)
{
    struct memo_slot *slot = slot_of(m, key);
    assert(size <= MEMO_RESULT);
    slot->key = *key;
    memcpy(slot->result, result, size);
}
