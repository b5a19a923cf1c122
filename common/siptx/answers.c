#include "siptx/answers.h"

#include <stdlib.h>

enum { ALIGN = 16, BYTES_PER_SLOT = 128, MIN_SLOTS = 64 };

struct answer {
    struct tx_key key;
    struct mono until; /* timer J */
    uint32_t size, len;
    char text[];
};

/* Open addressing with linear probing; home is the low bits of tag. */
struct answer_slot {
    uint32_t tag; /* low bits of key.a */
    uint32_t at;  /* offset of the answer in units of ALIGN, plus 1; 0: empty */
};

int answers_init(struct answers *a, size_t cap)
{
    size_t n_slots = MIN_SLOTS;
    while (n_slots < cap / BYTES_PER_SLOT)
        n_slots *= 2;
    *a = (struct answers){ .cap = cap, .n_slots = n_slots };
    a->mem = malloc(cap); /* pages come as they are used */
    a->slots = calloc(n_slots, sizeof(*a->slots));
    if (a->mem && a->slots)
        return 0;
    answers_fini(a);
    return CS_ENOMEM;
}

void answers_fini(struct answers *a)
{
    free(a->mem);
    free(a->slots);
    *a = (struct answers){ 0 };
}

static struct answer *answer_at(const struct answers *a, size_t offset)
{
    return (struct answer *)(void *)(a->mem + offset);
}

/* ---- the index ---- */

static size_t next(const struct answers *a, size_t i)
{
    return (i + 1) & (a->n_slots - 1);
}

static size_t home(const struct answers *a, uint32_t tag)
{
    return tag & (a->n_slots - 1);
}

static void index_add(struct answers *a, uint32_t tag, size_t offset)
{
    size_t i = home(a, tag);
    while (a->slots[i].at)
        i = next(a, i);
    a->slots[i] = (struct answer_slot){ tag, (uint32_t)(offset / ALIGN + 1) };
}

/* Closes the gap, so that no search ends too early. */
static void index_remove(struct answers *a, uint32_t tag, size_t offset)
{
    size_t mask = a->n_slots - 1, gap = home(a, tag);
    while (a->slots[gap].at != offset / ALIGN + 1)
        gap = next(a, gap);
    for (size_t i = next(a, gap); a->slots[i].at; i = next(a, i)) {
        size_t from_home = (i - home(a, a->slots[i].tag)) & mask;
        if (from_home < ((i - gap) & mask))
            continue; /* it may not stand before its home */
        a->slots[gap] = a->slots[i];
        gap = i;
    }
    a->slots[gap].at = 0;
}

struct span answers_find(const struct answers *a, struct tx_key key, struct mono now)
{
    uint32_t tag = (uint32_t)key.a;
    for (size_t i = home(a, tag); a->slots[i].at; i = next(a, i)) {
        if (a->slots[i].tag != tag)
            continue;
        const struct answer *o = answer_at(a, (size_t)(a->slots[i].at - 1) * ALIGN);
        if (o->key.a == key.a && o->key.b == key.b && !mono_before(o->until, now))
            return span_of(o->text, o->len);
    }
    return SPAN_NULL;
}

/* ---- the ring ---- */

static void drop_oldest(struct answers *a)
{
    const struct answer *o = answer_at(a, a->tail);
    index_remove(a, (uint32_t)o->key.a, a->tail);
    a->tail += o->size;
    a->n--;
    if (!a->n) {
        a->head = a->tail = 0;
        a->wrapped = false;
    } else if (a->wrapped && a->tail == a->end) {
        a->tail = 0;
        a->wrapped = false;
    }
}

static void make_room(struct answers *a, size_t size)
{
    for (;;) {
        if (!a->wrapped && size > a->cap - a->head) {
            a->end = a->head;
            a->head = 0;
            a->wrapped = true;
        }
        if (!a->wrapped || size <= a->tail - a->head)
            return;
        drop_oldest(a);
    }
}

bool answers_keep(struct answers *a, struct tx_key key, struct span text, struct mono now,
                  struct mono until)
{
    size_t size = (sizeof(struct answer) + text.n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (size > a->cap)
        return false;
    while (a->n && (mono_before(answer_at(a, a->tail)->until, now) || a->n >= a->n_slots / 4 * 3))
        drop_oldest(a);
    make_room(a, size);
    struct answer *o = answer_at(a, a->head);
    *o = (struct answer){
        .key = key, .until = until, .size = (uint32_t)size, .len = (uint32_t)text.n
    };
    memcpy(o->text, text.p, text.n);
    index_add(a, (uint32_t)key.a, a->head);
    a->head += size;
    a->n++;
    return true;
}
