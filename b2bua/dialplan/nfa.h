/* A machine for the two regular languages of IOS, destination patterns and translation rules. All
 * paths through it are walked at once, a character at a time, so that a text costs at most its
 * length times the machine's: what a stranger dials cannot make it try path after path, as
 * backtracking matchers do (and regexec(), once it is given back-references). */
#ifndef CS_B2BUA_DIALPLAN_NFA_H
#define CS_B2BUA_DIALPLAN_NFA_H

#include "base/arena.h"
#include "base/buf.h"

enum { NFA_MAX = 256, NFA_GROUPS = 10 }; /* instructions; groups, of which 0 is the whole */

/* Of ASCII; what is not belongs to none. */
struct nfa_set {
    uint64_t bits[2];
};

static inline void nfa_set_add(struct nfa_set *s, char c)
{
    s->bits[(c >> 6) & 1] |= UINT64_C(1) << (c & 63);
}
static inline bool nfa_set_has(const struct nfa_set *s, char c)
{
    return !(c & 0x80) && (s->bits[(c >> 6) & 1] >> (c & 63) & 1);
}

/* Adds what stands inside of brackets, "1-3,7" or "^1-3", to out; of digits, the set that ^ takes
 * away from. False when it is empty, a range goes backwards, or a member is no digit. */
CS_CHECK bool nfa_set_read(struct span inside, const struct nfa_set *digits, struct nfa_set *out);

enum nfa_op {
    NFA_SET,   /* one character of a set */
    NFA_SPLIT, /* go on at x, and at y */
    NFA_JUMP,  /* go on at x */
    NFA_SAVE,  /* x: two times the group, and one more at its end */
    NFA_START, /* holds before the first character */
    NFA_END,   /* holds behind the last */
    NFA_MATCH,
};

struct nfa_inst {
    enum nfa_op op;
    uint16_t x, y;
    uint32_t worth; /* SET: what a path that takes this gains */
    struct nfa_set set;
};

struct nfa {
    const struct nfa_inst *inst; /* lent by the arena it was built in */
    size_t n;
};

/* ---- building: instructions in the order of the text ---- */

struct nfa_builder {
    struct nfa_inst inst[NFA_MAX];
    size_t n;
    bool full; /* sticks */
};

void nfa_add_set(struct nfa_builder *b, const struct nfa_set *set, uint32_t worth);
void nfa_add(struct nfa_builder *b, enum nfa_op op, unsigned x);
/* What was added since the instruction at `from` is taken `op` times: '?' none or once, '*' none or
 * more, '+' once or more; as often as can be. */
void nfa_repeat(struct nfa_builder *b, size_t from, char op);
/* CS_ELIMIT if it became too long, CS_ENOMEM. */
CS_CHECK int nfa_build(struct nfa_builder *b, struct arena *a, struct nfa *out);

/* ---- running ---- */

struct nfa_state {
    bool full;      /* the text is what the machine accepts */
    bool more;      /* a longer one could be */
    uint32_t worth; /* the most that a path gained that is full, or if none is, that is not */
};
/* The whole text from its first character. Neither full nor more: it leads nowhere. Text longer
 * than 255 characters does not. */
struct nfa_state nfa_match(const struct nfa *m, struct span text);

/* The first place in the text that is accepted, and the groups in it; absent are those that have no
 * part in it. Where there are several ways, the first repetition takes the most it can, then the
 * next. */
bool nfa_search(const struct nfa *m, struct span text, struct span groups[NFA_GROUPS]);

#endif
