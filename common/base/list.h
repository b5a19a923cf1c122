/* A doubly linked list whose links are inside its members. */
#ifndef CS_BASE_LIST_H
#define CS_BASE_LIST_H

#include <stdbool.h>

#include "base/util.h"

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(l) \
    {                \
        &(l), &(l)   \
    }

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_push_back(struct list *l, struct list *n)
{
    n->prev = l->prev;
    n->next = l;
    l->prev->next = n;
    l->prev = n;
}

static inline void list_push_front(struct list *l, struct list *n)
{
    list_push_back(l->next, n);
}

/* Leaves the member linked to itself, so removing twice is harmless. */
static inline void list_remove(struct list *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_init(n);
}

/* Moves all of from to the end of l; from is empty afterwards. */
static inline void list_splice(struct list *l, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = l->prev;
    l->prev->next = from->next;
    from->prev->next = l;
    l->prev = from->prev;
    list_init(from);
}

/* Takes the first member out, or NULL. */
static inline struct list *list_pop(struct list *l)
{
    if (list_empty(l))
        return NULL;
    struct list *n = l->next;
    list_remove(n);
    return n;
}

/* The body may remove the current member, and no other. */
#define list_for_each(it, l)                                            \
    for (struct list *it = (l)->next, *it##_next = it->next; it != (l); \
         it = it##_next, it##_next = it->next)

#endif
