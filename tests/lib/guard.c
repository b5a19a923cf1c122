#include "lib/guard.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
    struct guard *next;
    char *map;
    size_t size;
};

static struct guard *guards;

struct span guard_span(struct span bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (bytes.n + page - 1) / page * page;
    struct guard *g = malloc(sizeof(*g));
    assert(g);
    g->size = room + page;
    g->map = mmap(NULL, g->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(g->map != MAP_FAILED);
    int rc = mprotect(g->map + room, page, PROT_NONE);
    assert(rc == 0);
    g->next = guards;
    guards = g;
    if (bytes.n)
        memcpy(g->map + room - bytes.n, bytes.p, bytes.n);
    return span_of(g->map + room - bytes.n, bytes.n);
}

void guard_release(void)
{
    while (guards) {
        struct guard *next = guards->next;
        munmap(guards->map, guards->size);
        free(guards);
        guards = next;
    }
}
