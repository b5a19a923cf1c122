/* Calls that got media before anybody took them, and that nobody took: how often, by who called.
 * Who talks so pays nothing, and often is a fraud. Bounded: the source seen longest ago makes room.
 */
#ifndef CS_B2BUA_CALL_EARLY_MEDIA_H
#define CS_B2BUA_CALL_EARLY_MEDIA_H

#include "base/clock.h"
#include "base/span.h"

enum { EARLY_MEDIA_SOURCES = 500, EARLY_MEDIA_NAME_MAX = 256 };

struct early_media_source {
    char name[EARLY_MEDIA_NAME_MAX + 1]; /* address of record of a line, or a trunk; cut */
    uint64_t unanswered;
    struct wall last;
};

struct early_media {
    struct early_media_source sources[EARLY_MEDIA_SOURCES];
    size_t n;
};

/* Once more. */
void early_media_add(struct early_media *e, struct span source, struct wall now);

#endif
