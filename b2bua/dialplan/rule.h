/* One rule of a voice translation-rule of IOS:
 *
 *     rule 1 /^9\*\(.*\)/ /+\1/
 *     rule 2 reject /^1900/
 *
 * The first place in a number that is matched is replaced, the rest stays. In what is matched:
 * . [2-9] [^0] ^ $, * + ? behind what they repeat (at the beginning they are themselves), \( \)
 * around what is kept, \x for x itself. In what replaces it: \1 to \9, \0 or & for all of it.
 * ISDN's types and plans of numbers have no meaning here. */
#ifndef CS_B2BUA_DIALPLAN_RULE_H
#define CS_B2BUA_DIALPLAN_RULE_H

#include "b2bua/dialplan/nfa.h"

enum { RULE_MAX = 160, RULE_NUMBER_MAX = 100 }; /* characters; IOS counts rules from 1 to 100 */

struct rule {
    struct span text; /* borrowed, as is the other */
    unsigned number;
    bool reject;
    struct nfa match;
    struct span replacement;
};

/* CS_EPROTO and why, a sentence that says what to write; CS_ENOMEM. text must live as long as out,
 * whose machine lives in the arena. */
CS_CHECK int rule_compile(struct span text, struct arena *a, struct rule *out, struct buf *why);

enum rule_effect {
    RULE_NONE,     /* does not match */
    RULE_REPLACED, /* *out has the number that results */
    RULE_REJECTED, /* by the rule, or what results is longer than out */
};
enum rule_effect rule_apply(const struct rule *r, struct span number, struct buf *out);

#endif
