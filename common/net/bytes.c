#include "net/bytes.h"

#include <stdlib.h>

enum { FIRST = 4096 };

bool bytes_reserve(struct bytes *b, size_t n)
{
    size_t cap = b->cap ? b->cap : FIRST;
    if (n <= b->cap - b->n)
        return true;
    while (cap - b->n < n)
        cap *= 2;
    char *p = realloc(b->p, cap);
    if (!p)
        return false;
    b->p = p;
    b->cap = cap;
    return true;
}

void bytes_free(struct bytes *b)
{
    free(b->p);
    *b = (struct bytes){ 0 };
}
