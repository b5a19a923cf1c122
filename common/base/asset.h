/* Files that are built into a program, for browsers (common/web/embed.cmake). They hold no data and
 * no secret. */
#ifndef CS_BASE_ASSET_H
#define CS_BASE_ASSET_H

#include "base/span.h"

struct asset {
    const char *name, *type; /* "" is the page itself, index.html */
    const char *tag;         /* entity tag, in its quotes */
    const unsigned char *data;
    size_t n;
    bool gzip; /* data are compressed */
};

/* The one of that name; list ends with a NULL name. NULL: there is none. */
static inline const struct asset *asset_find(const struct asset *list, struct span name)
{
    for (const struct asset *a = list; a->name; a++) {
        if (span_eq(span_str(a->name), name))
            return a;
    }
    return NULL;
}

#endif
