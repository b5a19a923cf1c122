#include "siptx/answers.h"

#include <stdlib.h>

enum { ALIGN = 16 };

int answers_init(struct answers *a, size_t cap)
{
    *a = (struct answers){ .cap = cap };
    a->mem = malloc(cap); /* pages come as they are used */
    return a->mem ? 0 : CS_ENOMEM;
}

void answers_fini(struct answers *a)
{
    free(a->mem);
    *a = (struct answers){ 0 };
}

static struct answer *oldest(const struct answers *a)
{
    return (struct answer *)(void *)(a->mem + a->tail);
}

static void drop_oldest(struct answers *a, struct map *map)
{
    struct answer *o = oldest(a);
    map_remove(map, &o->entry.node);
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

static struct answer *make_room(struct answers *a, struct map *map, size_t size)
{
    for (;;) {
        if (!a->wrapped && size > a->cap - a->head) {
            a->end = a->head;
            a->head = 0;
            a->wrapped = true;
        }
        if (!a->wrapped || size <= a->tail - a->head)
            return (struct answer *)(void *)(a->mem + a->head);
        drop_oldest(a, map);
    }
}

bool answers_keep(struct answers *a, struct map *map, struct tx_key key, struct span text,
                  struct mono now, struct mono until)
{
    size_t size = (sizeof(struct answer) + text.n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (size > a->cap)
        return false;
    while (a->n && mono_before(oldest(a)->until, now))
        drop_oldest(a, map);
    struct answer *o = make_room(a, map, size);
    *o = (struct answer){ .entry = { .b = key.b, .is_answer = true },
                          .until = until,
                          .size = (uint32_t)size,
                          .len = (uint32_t)text.n };
    memcpy(o->text, text.p, text.n);
    if (map_insert(map, &o->entry.node, key.a))
        return false;
    a->head += size;
    a->n++;
    return true;
}
