/* A translation profile: what becomes of the called and of the calling number. Rules come first, of
 * which the first that matches counts, then the E.164 form. */
#ifndef CS_B2BUA_DIALPLAN_TRANSLATION_H
#define CS_B2BUA_DIALPLAN_TRANSLATION_H

#include "b2bua/dialplan/rule.h"
#include "e164/e164.h"

enum translation_number { TRANSLATION_CALLED, TRANSLATION_CALLING };

struct translation {
    struct span name;
    struct span *called, *calling; /* rules as they were written */
    size_t n_called, n_calling;
    struct rule *rules[2]; /* as many; enum translation_number */
    struct e164 *e164;     /* NULL: none */
};

struct translated {
    struct span number; /* what it is now: that which was given, or in the arena */
    bool rejected;
    const struct rule *rule; /* that matched; NULL: none */
    bool e164;               /* the form was changed */
};

/* CS_ENOMEM, else 0. t may be NULL, which changes nothing. */
CS_CHECK int translation_apply(const struct translation *t, enum translation_number which,
                               struct span number, struct arena *a, struct translated *out);

#endif
