#include "b2bua/dialplan/rule.h"

struct compiler {
    struct nfa_builder b;
    size_t atom;
    bool repeatable;
    size_t open[NFA_GROUPS]; /* groups that are not closed: */
    size_t begin[NFA_GROUPS];
    size_t depth, groups;
    struct buf *why;
};

/* What a user part may have without being escaped, but for what rules are written with. */
static bool is_plain(char c)
{
    return ascii_digit(c) || ascii_alpha(c) || (c && strchr("#_-=~!", c));
}

static void add_any(struct compiler *c)
{
    const struct nfa_set all = { { UINT64_MAX, UINT64_MAX } };
    nfa_add_set(&c->b, &all, 0);
}

static void add_one(struct compiler *c, char ch)
{
    struct nfa_set set = { { 0 } };
    nfa_set_add(&set, ch);
    nfa_add_set(&c->b, &set, 0);
}

static int add_brackets(struct compiler *c, struct span text, size_t *at)
{
    const struct nfa_set printable = { { 0xffffffff00000000, 0x7fffffffffffffff } };
    struct nfa_set set = { { 0 } };
    struct span inside = span_skip(text, *at + 1);
    const ptrdiff_t end = span_find(inside, ']');
    if (end < 0 || !nfa_set_read(span_head(inside, (size_t)CS_MAX(end, 0)), &printable, &set)) {
        buf_lit(c->why, "has a [ that is not as in [2-9] or [^0]");
        return CS_EPROTO;
    }
    *at += (size_t)end + 1;
    nfa_add_set(&c->b, &set, 0);
    return 0;
}

static int open_group(struct compiler *c)
{
    if (c->groups + 1 == NFA_GROUPS) {
        buf_lit(c->why, "has more than nine \\( \\)");
        return CS_EPROTO;
    }
    c->open[c->depth] = ++c->groups;
    c->begin[c->depth++] = c->b.n;
    nfa_add(&c->b, NFA_SAVE, 2 * (unsigned)c->groups);
    c->repeatable = false;
    return 0;
}

static int close_group(struct compiler *c)
{
    if (!c->depth) {
        buf_lit(c->why, "has a \\) without its \\(");
        return CS_EPROTO;
    }
    c->depth--;
    nfa_add(&c->b, NFA_SAVE, 2 * (unsigned)c->open[c->depth] + 1);
    c->atom = c->begin[c->depth];
    c->repeatable = true;
    return 0;
}

static int compile_one(struct compiler *c, struct span text, size_t *at)
{
    const size_t begin = c->b.n;
    char ch = text.p[*at];
    const bool escaped = ch == '\\' && *at + 1 < text.n;
    if (escaped)
        ch = text.p[++*at];
    if (escaped && ch == '(')
        return open_group(c);
    if (escaped && ch == ')')
        return close_group(c);
    if (!escaped && (ch == '^' || ch == '$')) {
        nfa_add(&c->b, ch == '^' ? NFA_START : NFA_END, 0);
        c->repeatable = false;
        return 0;
    }
    if (!escaped && c->repeatable && ch && strchr("*+?", ch)) {
        nfa_repeat(&c->b, c->atom, ch);
        c->repeatable = false;
        return 0;
    }
    int err = 0;
    if (!escaped && ch == '.')
        add_any(c);
    else if (!escaped && ch == '[')
        err = add_brackets(c, text, at);
    else if (is_plain(ch) || (ch && strchr(escaped ? ".[]^$*+?/\\&'," : "*+&',", ch)))
        add_one(c, ch);
    else
        err = CS_EPROTO;
    if (err && !c->why->n)
        buf_printf(c->why,
                   "has a %c in a place where it means nothing; groups are written "
                   "\\( \\), a sign itself with \\ before it",
                   ch > ' ' && ch < 0x7f ? ch : '?');
    c->atom = begin;
    c->repeatable = true;
    return err;
}

static int compile_match(struct compiler *c, struct span text)
{
    int err = 0;
    for (size_t at = 0; !err && at < text.n; at++)
        err = compile_one(c, text, &at);
    if (!err && c->depth) {
        buf_lit(c->why, "has a \\( without its \\)");
        return CS_EPROTO;
    }
    return err;
}

static int check_replacement(struct compiler *c, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        const bool escaped = text.p[i] == '\\' && i + 1 < text.n;
        const char ch = text.p[i += escaped];
        if (escaped && ascii_digit(ch)) {
            if ((size_t)(ch - '0') <= c->groups)
                continue;
            buf_printf(c->why, "puts in \\%c, but only %zu \\( \\) are matched", ch, c->groups);
            return CS_EPROTO;
        }
        if (!is_plain(ch) && !(ch && strchr("*+.&',", ch)) && !(escaped && strchr("/\\", ch))) {
            buf_lit(c->why, "puts in what no number or name has");
            return CS_EPROTO;
        }
    }
    return 0;
}

/* Takes "/.../" from the beginning of *rest; absent when there is none. */
static struct span take_delimited(struct span *rest)
{
    struct span s = span_trim(*rest);
    if (!s.n || s.p[0] != '/')
        return SPAN_NULL;
    s = span_skip(s, 1);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '/') {
            *rest = span_skip(s, i + 1);
            return span_head(s, i);
        }
        i += s.p[i] == '\\';
    }
    return SPAN_NULL;
}

static int compile(struct compiler *c, struct span text, struct arena *a, struct rule *out)
{
    struct span rest = text;
    uint64_t number;
    if (!span_eq(span_cut(&rest, ' '), SPAN("rule")) ||
        span_u64(span_cut(&rest, ' '), RULE_NUMBER_MAX, &number) || number == 0) {
        buf_lit(c->why, "does not begin with \"rule\" and a number from 1 to 100; write: rule 1 "
                        "/^9/ //");
        return CS_EPROTO;
    }
    out->number = (unsigned)number;
    rest = span_trim(rest);
    out->reject = span_starts(rest, SPAN("reject "));
    if (out->reject)
        rest = span_skip(rest, 7);
    const struct span match = take_delimited(&rest);
    out->replacement = out->reject || !match.p ? SPAN_NULL : take_delimited(&rest);
    if (!match.p || (!out->reject && !out->replacement.p)) {
        buf_lit(c->why, "needs what is matched and what replaces it, each between slashes; write: "
                        "rule 1 /^9\\(.*\\)/ /\\1/, or: rule 1 reject /^1900/");
        return CS_EPROTO;
    }
    if (span_trim(rest).n) {
        buf_lit(c->why, "has more behind it; types and plans are ISDN's, leave them away");
        return CS_EPROTO;
    }
    int err = compile_match(c, match);
    if (!err && !out->reject)
        err = check_replacement(c, out->replacement);
    if (!err)
        err = nfa_build(&c->b, a, &out->match);
    if (err == CS_ELIMIT)
        buf_lit(c->why, "is too long");
    return err == CS_ENOMEM ? err : err ? CS_EPROTO : 0;
}

int rule_compile(struct span text, struct arena *a, struct rule *out, struct buf *why)
{
    struct compiler c = { .why = why };
    int err = CS_EPROTO;
    *out = (struct rule){ .text = text };
    why->n = 0;
    if (text.n > RULE_MAX)
        buf_printf(why, "is longer than %d characters", RULE_MAX);
    else
        err = compile(&c, text, a, out);
    if (err)
        *out = (struct rule){ 0 };
    return err;
}

enum rule_effect rule_apply(const struct rule *r, struct span number, struct buf *out)
{
    struct span groups[NFA_GROUPS];
    if (!number.p)
        number = SPAN(""); /* who is anonymous has no number */
    if (!nfa_search(&r->match, number, groups))
        return RULE_NONE;
    if (r->reject)
        return RULE_REJECTED;
    const struct span s = r->replacement;
    const size_t before = (size_t)(groups[0].p - number.p);
    buf_put(out, span_head(number, before));
    for (size_t i = 0; i < s.n; i++) {
        const bool escaped = s.p[i] == '\\' && i + 1 < s.n;
        const char ch = s.p[i += escaped];
        if (escaped ? ascii_digit(ch) : ch == '&')
            buf_put(out, groups[escaped ? ch - '0' : 0]);
        else
            buf_putc(out, ch);
    }
    buf_put(out, span_skip(number, before + groups[0].n));
    return buf_ok(out) ? RULE_REPLACED : RULE_REJECTED;
}
