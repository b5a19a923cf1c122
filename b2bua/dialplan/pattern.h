/* A destination pattern, as IOS dial peers have it, or the name of a user.
 *
 *     0-9 A-D * #   themselves              [2-9] [^1,3-5]   one of them, or one of the others
 *     .             one digit, * among them ( )              a group, for what follows
 *     T             at the end: any more digits, until nobody dials one for a while, or #
 *     %  +  ?       what stands before: none or more, once or more, none or once
 *     +             at the beginning: itself, as in E.164
 *     \x            x itself                ^ $ ,            nothing: the whole number is compared,
 *                                                            and pauses are for who sends digits
 *     user alice, user sales-*    a user part that is no number, all of it or its beginning
 *
 * IOS takes a pattern for the beginning of a number that came in one piece; here only T leaves
 * something open. */
#ifndef CS_B2BUA_DIALPLAN_PATTERN_H
#define CS_B2BUA_DIALPLAN_PATTERN_H

#include "b2bua/dialplan/nfa.h"

enum { PATTERN_MAX = 80 }; /* characters */

struct pattern {
    struct span text; /* borrowed, as are the others */
    struct nfa nfa;   /* of a number */
    struct span name; /* of a user; absent else */
    bool open;        /* name is a beginning */
};

/* CS_EPROTO and why, a sentence that says what to write; CS_ENOMEM. text must live as long as out,
 * whose machine lives in the arena. */
CS_CHECK int pattern_compile(struct span text, struct arena *a, struct pattern *out,
                             struct buf *why);

enum pattern_fit {
    PATTERN_NONE,         /* never, whatever follows */
    PATTERN_PARTIAL,      /* not yet */
    PATTERN_FULL,         /* and no digit more */
    PATTERN_FULL_OR_MORE, /* and so would be a longer number */
};

/* How exactly a number was named: digits that are written in the pattern count before those of a
 * range, and those before dots; what T takes counts nothing. Greater is more exact. */
struct precision {
    uint32_t all;
};
static inline unsigned precision_written(struct precision p)
{
    return p.all >> 16;
}
static inline unsigned precision_ranged(struct precision p)
{
    return p.all >> 8 & 0xff;
}
static inline unsigned precision_dots(struct precision p)
{
    return p.all & 0xff;
}

/* number is what number_plain() left. */
enum pattern_fit pattern_fit(const struct pattern *p, struct span number, struct precision *out);
static inline bool pattern_matches(const struct pattern *p, struct span number)
{
    struct precision precision;
    return pattern_fit(p, number, &precision) >= PATTERN_FULL;
}

#endif
