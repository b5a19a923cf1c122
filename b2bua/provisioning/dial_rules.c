#include "b2bua/provisioning/dial_rules.h"

enum {
    RULES_MAX = 256,
    TEXTS = 16 * 1024,
    LINE_MAX_LEN = 2 * PATTERN_MAX + 48,
    END_LEN = 80,
    GROUPS = 8
};

struct rules { /* spans into texts */
    struct span rule[RULES_MAX];
    size_t n;
    char texts[TEXTS];
    struct buf b;
};

/* ---- a pattern as a rule: digits, "." any one, "*" at the end any more, "\*" the star ---- */

struct reader {
    struct span text;
    size_t at;
    size_t atom;         /* where in out what stood before began */
    size_t open[GROUPS]; /* the same of each group */
    size_t depth;
};

static bool is_repeat(const struct reader *r, const struct buf *out, size_t start)
{
    const char ch = r->at < r->text.n ? r->text.p[r->at] : 0;
    return ch == '%' || ch == '?' || (ch == '+' && out->n > start);
}

/* False: no key of a phone is that. */
static bool read_one(struct reader *r, struct buf *out)
{
    char ch = r->text.p[r->at++];
    if (ch == ',' || ch == '^' || ch == '$')
        return true;
    if (ch == '(' || ch == ')') {
        if (ch == '(' && r->depth < GROUPS)
            r->open[r->depth++] = out->n;
        else if (ch == ')' && r->depth)
            r->atom = r->open[--r->depth];
        return true;
    }
    r->atom = out->n;
    if (ch == '[') {
        while (r->at < r->text.n && r->text.p[r->at++] != ']')
            ;
        ch = '.';
    } else if (ch == '\\' && r->at < r->text.n) {
        ch = r->text.p[r->at++];
    }
    if (ch == '*')
        buf_putc(out, '\\');
    buf_putc(out, ch == 'T' ? '*' : ch);
    return ascii_digit(ch) || ch == '.' || ch == '*' || ch == '#' || ch == '+' || ch == 'T';
}

/* What may be there more than once, or not, and all behind it is any run: b2bua knows better. */
static bool read_pattern(struct span text, struct buf *out)
{
    struct reader r = { .text = text };
    const size_t start = out->n;
    while (r.at < text.n) {
        if (!read_one(&r, out))
            return false;
        if (is_repeat(&r, out, start)) {
            out->n = r.atom;
            buf_putc(out, '*');
            break;
        }
    }
    return out->n > start;
}

static bool is_open(struct span rule)
{
    return rule.n && rule.p[rule.n - 1] == '*' && (rule.n == 1 || rule.p[rule.n - 2] != '\\');
}

static void add(struct rules *r, struct span pattern)
{
    const size_t start = r->b.n;
    if (r->n == RULES_MAX)
        return;
    bool ok = read_pattern(pattern, &r->b) && buf_ok(&r->b);
    const struct span rule = span_skip(buf_span(&r->b), start);
    for (size_t i = 0; ok && i < r->n; i++)
        ok = !span_eq(r->rule[i], rule);
    if (ok)
        r->rule[r->n++] = rule;
    else
        r->b = (struct buf){ r->b.p, start, r->b.cap, false };
}

/* A rule has no ranges: one is made of each key of the first, or [2-9]... would have 112 wait. */
static void add_each(struct rules *r, struct span pattern)
{
    static const char keys[] = "0123456789*";
    const ptrdiff_t at = span_find(pattern, '[');
    const struct span from = span_skip(pattern, at < 0 ? pattern.n : (size_t)at + 1);
    const ptrdiff_t end = span_find(from, ']');
    struct nfa_set all = { { 0 } }, set = { { 0 } };
    for (const char *k = keys; *k; k++)
        nfa_set_add(&all, *k);
    if (end < 0 || !nfa_set_read(span_head(from, (size_t)end), &all, &set)) {
        add(r, pattern);
        return;
    }
    for (const char *k = keys; *k; k++) {
        char text[PATTERN_MAX];
        struct buf b = BUF_INIT(text);
        buf_put(&b, span_head(pattern, (size_t)at));
        buf_putc(&b, *k);
        buf_put(&b, span_skip(from, (size_t)end + 1));
        if (nfa_set_has(&set, *k) && buf_ok(&b))
            add(r, buf_span(&b));
    }
}

/* ---- all of them ---- */

/* Whether what fits a may be the beginning of what fits b. */
static bool goes_on(struct span a, struct span b)
{
    size_t i = 0, k = 0;
    while (i < a.n && k < b.n) {
        const bool star = a.p[i] == '\\', other_star = b.p[k] == '\\';
        if (b.p[k] == '*')
            return true;
        if (a.p[i] != '.' && b.p[k] != '.' && (star != other_star || (!star && a.p[i] != b.p[k])))
            return false;
        i += 1 + star;
        k += 1 + other_star;
    }
    return i == a.n && k < b.n;
}

static unsigned wait_of(const struct rules *r, struct span rule, unsigned wait)
{
    if (is_open(rule))
        return wait;
    for (size_t i = 0; i < r->n; i++) {
        if (goes_on(rule, r->rule[i]))
            return wait;
    }
    return 0;
}

void dial_rules_write(struct buf *b, const struct dialplan *plan,
                      const struct dialplan_context *context)
{
    const unsigned wait = (unsigned)((plan->inter_digit.ms + 999) / 1000);
    static struct rules r; /* one loop, one file at a time */
    r.n = 0;
    r.b = (struct buf)BUF_INIT(r.texts);
    for (size_t i = 0; i < context->n_search; i++) {
        const struct dialplan_context *c = context->search[i];
        for (size_t k = 0; k < c->n_entries; k++) {
            if (!c->entries[k].pattern.name.n)
                add_each(&r, c->entries[k].text);
        }
    }
    buf_lit(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DIALTEMPLATE>\n");
    for (size_t i = 0; i < r.n && b->cap - b->n > LINE_MAX_LEN + END_LEN; i++)
        buf_printf(b, "<TEMPLATE MATCH=\"" SPAN_FMT "\" Timeout=\"%u\"/>\n", SPAN_ARG(r.rule[i]),
                   wait_of(&r, r.rule[i], wait));
    buf_printf(b, "<TEMPLATE MATCH=\"*\" Timeout=\"%u\"/>\n</DIALTEMPLATE>\n", wait);
}
