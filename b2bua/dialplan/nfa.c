#include "b2bua/dialplan/nfa.h"

#include <assert.h>

enum { TEXT_MAX = 255 };

/* ---- sets ---- */

bool nfa_set_read(struct span inside, const struct nfa_set *digits, struct nfa_set *out)
{
    struct nfa_set set = { { 0 } };
    const bool negated = inside.n && inside.p[0] == '^';
    inside = span_skip(inside, negated);
    for (size_t i = 0; i < inside.n; i++) {
        char low = inside.p[i], high = low;
        if (low == ',') /* IOS sets members apart by it, as in [2-4,7] */
            continue;
        if (i + 2 < inside.n && inside.p[i + 1] == '-') {
            high = inside.p[i + 2];
            i += 2;
        }
        if (low > high)
            return false;
        for (char c = low; c <= high && !(c & 0x80); c++) {
            if (!nfa_set_has(digits, c))
                return false;
            nfa_set_add(&set, c);
        }
    }
    if (!(set.bits[0] | set.bits[1]))
        return false;
    for (size_t i = 0; i < CS_LEN(set.bits); i++)
        out->bits[i] |= negated ? digits->bits[i] & ~set.bits[i] : set.bits[i];
    return true;
}

/* ---- building ---- */

static struct nfa_inst *append(struct nfa_builder *b)
{
    static struct nfa_inst nowhere;
    if (b->n == NFA_MAX) {
        b->full = true;
        return &nowhere;
    }
    b->inst[b->n] = (struct nfa_inst){ 0 };
    return &b->inst[b->n++];
}

void nfa_add_set(struct nfa_builder *b, const struct nfa_set *set, uint32_t worth)
{
    struct nfa_inst *i = append(b);
    i->op = NFA_SET;
    i->worth = worth;
    i->set = *set;
}

void nfa_add(struct nfa_builder *b, enum nfa_op op, unsigned x)
{
    struct nfa_inst *i = append(b);
    i->op = op;
    i->x = (uint16_t)x;
}

/* Makes room for one instruction before what was added since; jumps in there only lead there. */
static void insert_split(struct nfa_builder *b, size_t from)
{
    (void)append(b);
    if (b->full)
        return;
    memmove(&b->inst[from + 1], &b->inst[from], (b->n - 1 - from) * sizeof(*b->inst));
    for (size_t i = from + 1; i < b->n; i++) {
        if (b->inst[i].op == NFA_SPLIT || b->inst[i].op == NFA_JUMP)
            b->inst[i].x++, b->inst[i].y++;
    }
    b->inst[from] = (struct nfa_inst){ .op = NFA_SPLIT, .x = (uint16_t)(from + 1) };
}

void nfa_repeat(struct nfa_builder *b, size_t from, char op)
{
    if (op == '+') {
        struct nfa_inst *i = append(b);
        *i = (struct nfa_inst){ .op = NFA_SPLIT, .x = (uint16_t)from, .y = (uint16_t)b->n };
        return;
    }
    insert_split(b, from);
    if (op == '*')
        nfa_add(b, NFA_JUMP, (unsigned)from);
    if (!b->full)
        b->inst[from].y = (uint16_t)b->n;
}

int nfa_build(struct nfa_builder *b, struct arena *a, struct nfa *out)
{
    *out = (struct nfa){ 0 };
    nfa_add(b, NFA_MATCH, 0);
    if (b->full)
        return CS_ELIMIT;
    struct nfa_inst *inst = arena_alloc(a, b->n * sizeof(*inst));
    if (!inst)
        return CS_ENOMEM;
    memcpy(inst, b->inst, b->n * sizeof(*inst));
    *out = (struct nfa){ inst, b->n };
    return 0;
}

/* ---- how much a whole text is worth ---- */

struct path {
    uint16_t at; /* a SET, or MATCH */
    uint32_t worth;
};
struct paths {
    struct path path[NFA_MAX];
    size_t n;
    bool been[NFA_MAX];
};

/* Follows what takes no character. Whoever comes first with the most has the place. */
static void follow(const struct nfa *m, struct paths *p, size_t at, uint32_t worth)
{
    if (p->been[at])
        return;
    p->been[at] = true;
    const struct nfa_inst *i = &m->inst[at];
    if (i->op == NFA_SPLIT || i->op == NFA_JUMP)
        follow(m, p, i->x, worth);
    if (i->op == NFA_SPLIT)
        follow(m, p, i->y, worth);
    if (i->op == NFA_SET || i->op == NFA_MATCH)
        p->path[p->n++] = (struct path){ (uint16_t)at, worth };
}

/* The richest first: insertion, for they are few. */
static void put_sorted(struct path *list, size_t *n, struct path one)
{
    size_t i = (*n)++;
    for (; i > 0 && list[i - 1].worth < one.worth; i--)
        list[i] = list[i - 1];
    list[i] = one;
}

struct nfa_state nfa_match(const struct nfa *m, struct span text)
{
    struct nfa_state state = { 0 };
    struct path next[NFA_MAX];
    struct paths now;
    now.n = 0;
    memset(now.been, 0, m->n);
    if (text.n > TEXT_MAX)
        return state;
    follow(m, &now, 0, 0);
    for (size_t k = 0; k < text.n && now.n; k++) {
        size_t n = 0;
        for (size_t i = 0; i < now.n; i++) {
            const struct nfa_inst *inst = &m->inst[now.path[i].at];
            if (inst->op == NFA_SET && nfa_set_has(&inst->set, text.p[k]))
                put_sorted(next, &n,
                           (struct path){ (uint16_t)(now.path[i].at + 1),
                                          now.path[i].worth + inst->worth });
        }
        now.n = 0;
        memset(now.been, 0, m->n);
        for (size_t i = 0; i < n; i++)
            follow(m, &now, next[i].at, next[i].worth);
    }
    uint32_t part = 0;
    for (size_t i = 0; i < now.n; i++) {
        const bool match = m->inst[now.path[i].at].op == NFA_MATCH;
        state.full = state.full || match;
        state.more = state.more || !match;
        uint32_t *worth = match ? &state.worth : &part;
        *worth = CS_MAX(*worth, now.path[i].worth);
    }
    if (!state.full)
        state.worth = part;
    return state;
}

/* ---- where in a text ---- */

struct thread {
    uint16_t at;
    uint8_t saved[2 * NFA_GROUPS]; /* position + 1; 0: not there */
};
struct threads {
    struct thread thread[NFA_MAX];
    size_t n;
    bool been[NFA_MAX];
};

/* t is a copy: what is saved on one way does not show on another. */
static void spread(const struct nfa *m, struct threads *list, struct thread t, size_t pos, bool end)
{
    if (list->been[t.at])
        return;
    list->been[t.at] = true;
    const struct nfa_inst *i = &m->inst[t.at];
    switch (i->op) {
    case NFA_SET:
    case NFA_MATCH:
        list->thread[list->n++] = t;
        return;
    case NFA_SPLIT:
        t.at = i->x;
        spread(m, list, t, pos, end);
        t.at = i->y;
        break;
    case NFA_JUMP:
        t.at = i->x;
        break;
    case NFA_SAVE:
        t.saved[i->x] = (uint8_t)(pos + 1);
        t.at++;
        break;
    case NFA_START:
    case NFA_END:
        if (i->op == NFA_START ? pos > 0 : !end)
            return;
        t.at++;
        break;
    }
    spread(m, list, t, pos, end);
}

bool nfa_search(const struct nfa *m, struct span text, struct span groups[NFA_GROUPS])
{
    struct threads lists[2], *now = &lists[0], *next = &lists[1];
    struct thread found = { 0 };
    bool any = false;
    if (text.n >= TEXT_MAX)
        return false;
    now->n = 0;
    memset(now->been, 0, m->n);
    for (size_t pos = 0; pos <= text.n; pos++) {
        const bool end = pos == text.n;
        if (!any) /* a place further left has precedence over one that begins here */
            spread(m, now, (struct thread){ .saved = { (uint8_t)(pos + 1) } }, pos, end);
        next->n = 0;
        memset(next->been, 0, m->n);
        for (size_t i = 0; i < now->n; i++) {
            struct thread t = now->thread[i];
            const struct nfa_inst *inst = &m->inst[t.at];
            if (inst->op == NFA_MATCH) {
                found = t;
                found.saved[1] = (uint8_t)(pos + 1);
                any = true;
                break; /* those behind it are not wanted as much */
            }
            if (end || !nfa_set_has(&inst->set, text.p[pos]))
                continue;
            t.at++;
            spread(m, next, t, pos + 1, pos + 1 == text.n);
        }
        struct threads *swap = now;
        now = next;
        next = swap;
    }
    for (size_t g = 0; g < NFA_GROUPS && any; g++) {
        const uint8_t from = found.saved[2 * g], to = found.saved[2 * g + 1];
        groups[g] = from && to ? span_of(text.p + (from - 1), (size_t)(to - from)) : SPAN_NULL;
    }
    return any;
}
