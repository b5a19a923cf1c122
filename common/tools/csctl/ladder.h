/* A ladder in a terminal: a column for each party, an arrow for each message. Text only, no I/O. */
#ifndef CS_TOOLS_LADDER_H
#define CS_TOOLS_LADDER_H

#include "base/buf.h"

enum { LADDER_LANES = 8, LADDER_NAME = 48, LADDER_WIDTH = 32, LADDER_MARGIN = 12 };

struct ladder { /* zero has no parties */
    char name[LADDER_LANES][LADDER_NAME];
    size_t n;
};

struct ladder_step { /* borrowed */
    struct span at;  /* what stands before it */
    size_t from, to; /* lanes, two different ones */
    struct span text, note;
};

/* The lane of a party, which gets one if it has none; *is_new says so. When all are taken the last
 * one is everybody's. */
size_t ladder_lane(struct ladder *l, struct span name, bool *is_new);
/* Each a line with its end. What a terminal would obey becomes '?'. */
void ladder_head(const struct ladder *l, struct buf *b);
void ladder_write(const struct ladder *l, const struct ladder_step *s, struct buf *b);

#endif
