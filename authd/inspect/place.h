/* Where a portion of an inspection begins, and its text: the cursor that a page ends with, and who
 * asks for the next one brings. */
#ifndef CS_AUTHD_INSPECT_PLACE_H
#define CS_AUTHD_INSPECT_PLACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

enum { PLACE_AT_MAX = 48, PLACE_TEXT_MAX = 128 };

struct place {
    uint64_t generation;   /* of Redis's masters: another one's cursor means nothing here */
    size_t step, sub;      /* sub: a master, or an index of many; below 2^32 */
    char at[PLACE_AT_MAX]; /* as Redis wants it: digits and hyphens; "0" at first */
};

/* Any text, where there are so many steps. CS_EPROTO: it is none, and *p as it was. */
CS_CHECK int place_parse(struct span text, size_t n_steps, struct place *p);
void place_write(const struct place *p, char out[PLACE_TEXT_MAX]);

#endif
