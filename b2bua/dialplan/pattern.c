#include "b2bua/dialplan/pattern.h"

#include "b2bua/dialplan/number.h"

enum { WRITTEN = 1 << 16, RANGED = 1 << 8, DOT = 1, GROUPS = 8 };

static struct nfa_set set_of(const char *members)
{
    struct nfa_set s = { { 0 } };
    for (; *members; members++)
        nfa_set_add(&s, *members);
    return s;
}

struct compiler {
    struct nfa_builder b;
    struct span text;
    size_t at;
    size_t atom;         /* first instruction of what stood before */
    bool repeatable;     /* something stood before */
    size_t open[GROUPS]; /* where each group that is not closed began */
    size_t depth;
    struct buf *why;
};

static int brackets(struct compiler *c)
{
    const struct nfa_set digits = set_of("0123456789ABCD*#"), dialled = set_of("0123456789ABCD*");
    struct nfa_set set = { { 0 } };
    struct span inside = span_skip(c->text, c->at + 1);
    const ptrdiff_t end = span_find(inside, ']');
    const bool negated = inside.n && inside.p[0] == '^';
    if (end < 0) {
        buf_lit(c->why, "has a [ without its ]; write [2-9]");
        return CS_EPROTO;
    }
    inside = span_head(inside, (size_t)end);
    if (!nfa_set_read(inside, negated ? &dialled : &digits, &set)) {
        buf_printf(c->why, "[" SPAN_FMT "] names no digits; write [2-9], [13,5] or [^0]",
                   SPAN_ARG(inside));
        return CS_EPROTO;
    }
    c->at += (size_t)end + 1;
    nfa_add_set(&c->b, &set, inside.n == 1 ? WRITTEN : RANGED);
    return 0;
}

/* A group that began is one atom from its first instruction on. */
static int parenthesis(struct compiler *c, char paren)
{
    if (paren == '(' && c->depth < GROUPS) {
        c->open[c->depth++] = c->b.n;
        return 0;
    }
    if (paren == '(') {
        buf_printf(c->why, "has more than %d groups inside of each other", GROUPS);
    } else if (!c->depth) {
        buf_lit(c->why, "has a ) without its (");
    } else if (c->open[c->depth - 1] == c->b.n) {
        buf_lit(c->why, "has a group with nothing in it; write (12)?");
    } else {
        c->atom = c->open[--c->depth];
        c->repeatable = true;
        return 0;
    }
    return CS_EPROTO;
}

static int repeat(struct compiler *c, char op)
{
    if (!c->repeatable) {
        buf_printf(c->why,
                   "has nothing before %c that it could repeat; for the sign itself write "
                   "\\%c",
                   op, op);
        return CS_EPROTO;
    }
    nfa_repeat(&c->b, c->atom, op == '%' ? '*' : op);
    c->repeatable = false; /* 1%% says nothing more */
    return 0;
}

static int one(struct compiler *c)
{
    const struct nfa_set dialled = set_of("0123456789ABCD*");
    char ch = c->text.p[c->at];
    struct nfa_set set = { { 0 } };
    if (ch == ',' || (ch == '^' && c->at == 0) || (ch == '$' && c->at + 1 == c->text.n))
        return 0;
    if (ch == '(' || ch == ')')
        return parenthesis(c, ch);
    if (ch == '%' || ch == '?' || (ch == '+' && c->b.n))
        return repeat(c, ch);
    if (ch == '\\' && c->at + 1 < c->text.n)
        ch = c->text.p[++c->at];
    else if (ch == 'T' && (c->at + 1 != c->text.n || c->depth)) {
        buf_lit(c->why, "has a T that is not its end; write 9T");
        return CS_EPROTO;
    } else if (ch == '.' || ch == 'T' || ch == '[') {
        c->atom = c->b.n;
        c->repeatable = true;
        if (ch == '[')
            return brackets(c);
        nfa_add_set(&c->b, &dialled, ch == '.' ? DOT : 0);
        if (ch == 'T')
            nfa_repeat(&c->b, c->atom, '*');
        return 0;
    }
    if (!(ascii_digit(ch) || (ch >= 'A' && ch <= 'D') || (ch && strchr("*#+", ch)))) {
        buf_lit(c->why, "has ");
        if (ch > ' ' && ch < 0x7f)
            buf_putc(c->why, ch);
        else
            buf_lit(c->why, "a character");
        buf_lit(c->why, " that nobody can dial; digits are 0-9, A-D, * and #, a name is written "
                        "as: user alice");
        return CS_EPROTO;
    }
    c->atom = c->b.n;
    c->repeatable = true;
    nfa_set_add(&set, ch);
    nfa_add_set(&c->b, &set, WRITTEN);
    return 0;
}

static int compile_user(struct span name, struct pattern *out, struct buf *why)
{
    out->open = span_ends(name, SPAN("*"));
    if (out->open)
        name.n--;
    out->name = name;
    if (!name.n && !out->open)
        buf_lit(why, "names nobody; write user alice, or user * for everyone");
    else if (span_find(name, '*') >= 0)
        buf_lit(why, "may have a * at its end alone");
    else if (number_is(name) && !out->open)
        buf_lit(why, "names a number; leave \"user\" away");
    else
        return 0;
    return CS_EPROTO;
}

static int compile_number(struct compiler *c, struct arena *a, struct pattern *out)
{
    int err = 0;
    for (; !err && c->at < c->text.n; c->at++)
        err = one(c);
    if (!err && c->depth)
        buf_lit(c->why, "has a ( without its )");
    else if (!err && !c->b.n)
        buf_lit(c->why, "matches nothing; write the digits, as in 9*.T");
    else if (!err)
        err = nfa_build(&c->b, a, &out->nfa);
    if (err == CS_ELIMIT)
        buf_lit(c->why, "is too long");
    return err == CS_ENOMEM ? err : c->why->n ? CS_EPROTO : 0;
}

int pattern_compile(struct span text, struct arena *a, struct pattern *out, struct buf *why)
{
    struct compiler c = { .text = text, .why = why };
    int err = CS_EPROTO;
    *out = (struct pattern){ .text = text };
    why->n = 0;
    if (text.n > PATTERN_MAX)
        buf_printf(why, "is longer than %d characters", PATTERN_MAX);
    else if (span_starts(text, SPAN("user ")))
        err = compile_user(span_trim(span_skip(text, 5)), out, why);
    else
        err = compile_number(&c, a, out);
    if (err)
        *out = (struct pattern){ 0 };
    return err;
}

enum pattern_fit pattern_fit(const struct pattern *p, struct span number, struct precision *out)
{
    out->all = 0;
    if (p->name.p) {
        if (number_is(number) || !number.n ||
            !(p->open ? span_starts(number, p->name) : span_eq(number, p->name)))
            return PATTERN_NONE;
        out->all = (uint32_t)CS_MIN(p->name.n, (size_t)NUMBER_MAX) * WRITTEN;
        return PATTERN_FULL;
    }
    if (number.n > NUMBER_MAX)
        return PATTERN_NONE;
    const struct nfa_state s = nfa_match(&p->nfa, number);
    out->all = s.worth;
    if (s.full)
        return s.more ? PATTERN_FULL_OR_MORE : PATTERN_FULL;
    return s.more ? PATTERN_PARTIAL : PATTERN_NONE;
}
