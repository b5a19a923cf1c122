/* Digits that are dialled one by one, as on a desk phone (W-04). Keeps what was pressed and says
 * when it is a number; the timer is the caller's. */
#ifndef CS_B2BUA_DIALPLAN_DIAL_H
#define CS_B2BUA_DIALPLAN_DIAL_H

#include "b2bua/dialplan/dialplan.h"

/* All zero is a line on which nothing was dialled yet. */
struct dial {
    char digits[NUMBER_MAX];
    size_t n;
};

/* One key: 0-9, A-D, *, # or +. "#" is a digit where an entry goes on with it, as in *72#; else it
 * ends the number and is no part of it: the answer is then COMPLETE or NOWHERE. On PARTIAL and
 * UNLESS the caller starts its timer anew, for the plan's inter_digit; when that ends first it
 * looks up dial_number() as it is. */
enum dialplan_dialled dial_press(struct dial *d, char key, const struct dialplan_context *context,
                                 struct span caller, struct wall now);

static inline struct span dial_number(const struct dial *d)
{
    return span_of(d->digits, d->n);
}

#endif
