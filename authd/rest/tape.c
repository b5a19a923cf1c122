#include "authd/rest/tape.h"

#include <stdlib.h>

#include "base/rand.h"

struct tape {
    uint64_t id;
    uint64_t first, next; /* numbers of the lines that are there: first <= n < next */
    size_t bytes;
    struct tape_line line[TAPE_LINES]; /* its texts are one block, at text.p; NULL: missed */
};

int tape_new(struct tape **out)
{
    struct tape *t = *out = calloc(1, sizeof(*t));
    if (!t)
        return CS_ENOMEM;
    t->id = rand_u64();
    t->first = t->next = 1;
    return 0;
}

static struct tape_line *line_of(const struct tape *t, uint64_t number)
{
    return (struct tape_line *)&t->line[number % TAPE_LINES];
}

static void drop_first(struct tape *t)
{
    struct tape_line *l = line_of(t, t->first++);
    t->bytes -= l->text.n + l->user.n + l->realm.n;
    free((char *)l->text.p);
    *l = (struct tape_line){ 0 };
}

void tape_clear(struct tape *t)
{
    while (t->first < t->next)
        drop_first(t);
    t->first = ++t->next; /* as if one line had come and gone */
}

void tape_free(struct tape **tp)
{
    struct tape *t = *tp;
    *tp = NULL;
    if (!t)
        return;
    tape_clear(t);
    free(t);
}

static struct span append(char **to, struct span s)
{
    char *p = *to;
    if (s.n)
        memcpy(p, s.p, s.n);
    *to += s.n;
    return span_of(s.p ? p : NULL, s.n);
}

/* Whom it concerns. */
static void concern(const struct audit_line *a, struct span *user, struct span *realm)
{
    if (a->ban) { /* name@realm; a name may have an @, too */
        size_t n = a->ban->user.n;
        while (n && a->ban->user.p[n - 1] != '@')
            n--;
        *user = span_head(a->ban->user, n ? n - 1 : 0);
        *realm = span_skip(a->ban->user, n);
    } else {
        *user = a->decision ? a->decision->user : a->deed ? a->deed->user : a->alarm->user;
        *realm = a->decision ? a->decision->realm : a->deed ? a->deed->realm : a->alarm->realm;
    }
}

void tape_add(struct tape *t, const struct audit_line *a)
{
    struct span user, realm;
    concern(a, &user, &realm);
    const size_t n = a->text.n + user.n + realm.n;
    while (t->first < t->next && (t->next - t->first == TAPE_LINES || t->bytes + n > TAPE_BYTES))
        drop_first(t);
    struct tape_line *l = line_of(t, t->next);
    char *to = malloc(n + 1);
    l->number = t->next++;
    if (!to)
        return;
    l->kind = a->ban ? TAPE_BAN : a->alarm ? TAPE_ALARM : a->deed ? TAPE_CHANGE : TAPE_DECISION;
    l->text = append(&to, a->text);
    l->user = append(&to, user);
    l->realm = append(&to, realm);
    if (a->decision) {
        l->cause = a->decision->cause;
        l->source = a->decision->facts->source;
    } else if (a->ban) {
        l->net = a->ban->net;
    } else if (a->alarm && a->alarm->source) {
        l->source = *a->alarm->source;
    }
    t->bytes += n;
}

uint64_t tape_end(const struct tape *t)
{
    return t->next;
}

static bool is_user(const struct tape_line *l, struct span wanted)
{
    if (span_eq(wanted, l->user))
        return true;
    return l->user.n && wanted.n == l->user.n + 1 + l->realm.n && span_starts(wanted, l->user) &&
           wanted.p[l->user.n] == '@' && span_ends(wanted, l->realm);
}

static bool is_from(const struct tape_line *l, const struct addr *a)
{
    return l->kind == TAPE_BAN ? cidr_contains(&l->net, a) : addr_same_host(&l->source, a);
}

static bool passes(const struct tape_line *l, const struct tape_filter *f)
{
    if (!l->text.p || (f->kinds && !(f->kinds & 1U << l->kind)))
        return false;
    if (f->user.p && !is_user(l, f->user))
        return false;
    if (f->source.sa.sa_family != AF_UNSPEC && !is_from(l, &f->source))
        return false;
    return !f->cause.p || (l->kind == TAPE_DECISION && span_eq(f->cause, cause_name(l->cause)));
}

int tape_next(const struct tape *t, const struct tape_filter *f, uint64_t *number,
              const struct tape_line **out)
{
    *out = NULL;
    if (*number < t->first)
        return CS_ENOENT;
    while (*number < t->next) {
        const struct tape_line *l = line_of(t, (*number)++);
        if (passes(l, f)) {
            *out = l;
            return 0;
        }
    }
    return 0;
}

void tape_write_id(const struct tape *t, uint64_t number, struct buf *b)
{
    buf_printf(b, "%016llx-", (unsigned long long)t->id);
    buf_u64(b, number);
}

int tape_place(const struct tape *t, struct span id, uint64_t *number)
{
    uint64_t tape, last;
    struct span rest = id, head = span_cut(&rest, '-');
    if (head.n != 16 || span_hex(head, &tape) || !rest.p || span_u64(rest, UINT64_MAX - 1, &last))
        return CS_EPROTO;
    *number = t->first;
    if (tape != t->id || last + 1 < t->first || last >= t->next)
        return CS_ENOENT;
    *number = last + 1;
    return 0;
}
