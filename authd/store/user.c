#include "authd/store/user.h"

#include <stdlib.h>

#include "authd/check/auth_id.h"
#include "base/rand.h"
#include "proto/codec.h"
#include "store.pb-c.h"

enum { SCHEMA = 1, PASSWORD_MIN = 16 };

/* ---- encoding ---- */

/* So that whoever makes a key of them needs no check. */
static bool fits(const struct user *u)
{
    if (u->name.n > USER_MAX_NAME || u->realm.n > USER_MAX_NAME || u->n_aors > USER_MAX_AORS)
        return false;
    for (size_t i = 0; i < u->n_aors; i++) {
        if (u->aors[i].n > USER_MAX_AOR)
            return false;
    }
    return true;
}

static int take_verifiers(const Countersign__Store__User *m, struct user *out)
{
    for (size_t i = 0; i < m->n_verifier; i++) {
        const Countersign__Store__Verifier *v = m->verifier[i];
        if (v->algorithm >= ALG_COUNT)
            continue; /* of a later version */
        if (out->sealed[v->algorithm].p)
            return CS_EPROTO;
        out->sealed[v->algorithm] = span_of(v->sealed.data, v->sealed.len);
    }
    return 0;
}

static int take_others(const Countersign__Store__User *m, struct arena *a, struct user *out)
{
    struct verifier *others = arena_alloc(a, m->n_other * sizeof(*others));
    if (!others)
        return CS_ENOMEM;
    out->others = others;
    for (size_t i = 0; i < m->n_other; i++) {
        const Countersign__Store__Verifier *v = m->other[i];
        if (v->algorithm >= ALG_COUNT)
            continue;
        if (out->n_others == USER_MAX_OTHERS)
            return CS_EPROTO;
        others[out->n_others++] = (struct verifier){
            .alg = (enum algorithm)v->algorithm,
            .name = v->name ? span_str(v->name) : out->name,
            .realm = v->realm ? span_str(v->realm) : out->realm,
            .until = { v->has_until_ms && v->until_ms < INT64_MAX ? (int64_t)v->until_ms : 0 },
            .sealed = span_of(v->sealed.data, v->sealed.len),
        };
    }
    return 0;
}

int user_decode(struct span record, struct arena *a, struct user *out)
{
    *out = (struct user){ 0 };
    struct span kept = arena_dup(a, record);
    const Countersign__Store__User *m =
        kept.p ? proto_unpack(&countersign__store__user__descriptor, kept, a) : NULL;
    if (!m || m->schema != SCHEMA)
        return CS_EPROTO;
    struct span *aors = arena_alloc(a, m->n_aor * sizeof(*aors));
    if (!aors)
        return CS_ENOMEM;
    for (size_t i = 0; i < m->n_aor; i++)
        aors[i] = span_str(m->aor[i]);
    struct user u = {
        .name = span_str(m->name),
        .realm = span_str(m->realm),
        .enabled = m->has_enabled && m->enabled,
        .aors = aors,
        .n_aors = m->n_aor,
        .max_contacts = m->has_max_contacts ? m->max_contacts : 0,
        .max_calls = m->has_max_calls ? m->max_calls : 0,
        .display_name = span_str(m->display_name),
        .created = { (int64_t)m->created_ms },
        .changed = { (int64_t)m->changed_ms },
        .session = m->session,
        .record = kept,
    };
    int err = fits(&u) ? take_verifiers(m, &u) : CS_EPROTO;
    if (!err)
        err = take_others(m, a, &u);
    if (!err)
        *out = u;
    return err;
}

static int fill(Countersign__Store__User *m, const struct user *u, struct arena *a)
{
    m->schema = SCHEMA;
    m->name = arena_str(a, u->name);
    m->realm = arena_str(a, u->realm);
    m->has_enabled = true;
    m->enabled = u->enabled;
    m->n_aor = u->n_aors;
    m->aor = arena_zalloc(a, u->n_aors * sizeof(*m->aor));
    if (!m->name || !m->realm || !m->aor)
        return CS_ENOMEM;
    for (size_t i = 0; i < u->n_aors; i++) {
        m->aor[i] = arena_str(a, u->aors[i]);
        if (!m->aor[i])
            return CS_ENOMEM;
    }
    m->has_max_contacts = u->max_contacts > 0;
    m->max_contacts = u->max_contacts;
    m->has_max_calls = u->max_calls > 0;
    m->max_calls = u->max_calls;
    m->has_created_ms = m->has_changed_ms = true;
    m->created_ms = (uint64_t)u->created.ms;
    m->changed_ms = (uint64_t)u->changed.ms;
    if (u->display_name.n > 0) {
        m->display_name = arena_str(a, u->display_name);
        if (!m->display_name)
            return CS_ENOMEM;
    }
    m->session = (Countersign__Store__Session *)u->session;
    return 0;
}

static int fill_others(Countersign__Store__User *m, const struct user *u, struct arena *a)
{
    Countersign__Store__Verifier *list = arena_alloc(a, u->n_others * sizeof(*list));
    m->other = arena_alloc(a, u->n_others * sizeof(*m->other));
    if (!list || !m->other)
        return CS_ENOMEM;
    for (size_t i = 0; i < u->n_others; i++) {
        const struct verifier *v = &u->others[i];
        countersign__store__verifier__init(&list[i]);
        list[i].algorithm = (uint32_t)v->alg;
        list[i].sealed.data = (uint8_t *)v->sealed.p;
        list[i].sealed.len = v->sealed.n;
        list[i].name = span_eq(v->name, u->name) ? NULL : arena_str(a, v->name);
        list[i].realm = span_eq(v->realm, u->realm) ? NULL : arena_str(a, v->realm);
        list[i].has_until_ms = v->until.ms != 0;
        list[i].until_ms = (uint64_t)v->until.ms;
        m->other[m->n_other++] = &list[i];
        if ((!list[i].name && !span_eq(v->name, u->name)) ||
            (!list[i].realm && !span_eq(v->realm, u->realm)))
            return CS_ENOMEM;
    }
    return 0;
}

int user_encode(const struct user *u, struct buf *out)
{
    char first[4096];
    struct arena a;
    arena_init(&a, first, sizeof(first), 0);
    Countersign__Store__User m = COUNTERSIGN__STORE__USER__INIT;
    Countersign__Store__Verifier verifiers[ALG_COUNT], *list[ALG_COUNT];
    int err = fits(u) ? fill(&m, u, &a) : CS_ELIMIT;

    m.verifier = list;
    for (size_t i = 0; i < ALG_COUNT; i++) {
        if (!u->sealed[i].p)
            continue;
        countersign__store__verifier__init(&verifiers[i]);
        verifiers[i].algorithm = (uint32_t)i;
        verifiers[i].sealed.data = (uint8_t *)u->sealed[i].p;
        verifiers[i].sealed.len = u->sealed[i].n;
        list[m.n_verifier++] = &verifiers[i];
    }
    if (!err)
        err = fill_others(&m, u, &a);
    if (!err) {
        const size_t before = out->n;
        proto_pack(out, &m.base);
        if (out->n - before > USER_MAX_RECORD)
            out->full = true;
        err = buf_ok(out) ? 0 : CS_ELIMIT;
    }
    arena_fini(&a);
    return err;
}

/* Absent stays absent; *ok becomes false when memory is exhausted. */
static struct span dup(struct arena *a, struct span s, bool *ok)
{
    struct span copy = arena_dup(a, s);
    *ok = *ok && (copy.p || !s.p);
    return copy;
}

int user_copy(const struct user *u, struct arena *a, struct user *out)
{
    bool ok = true;
    struct span *aors = arena_alloc(a, u->n_aors * sizeof(*aors));
    *out = *u;
    out->name = dup(a, u->name, &ok);
    out->realm = dup(a, u->realm, &ok);
    out->display_name = dup(a, u->display_name, &ok);
    out->record = dup(a, u->record, &ok);
    out->session = NULL;
    for (size_t i = 0; i < ALG_COUNT; i++)
        out->sealed[i] = dup(a, u->sealed[i], &ok);
    for (size_t i = 0; aors && i < u->n_aors; i++)
        aors[i] = dup(a, u->aors[i], &ok);
    out->aors = aors;
    struct verifier *others = arena_alloc(a, u->n_others * sizeof(*others));
    for (size_t i = 0; others && i < u->n_others; i++) {
        const struct verifier *v = &u->others[i];
        others[i] = *v;
        others[i].name = dup(a, v->name, &ok);
        others[i].realm = dup(a, v->realm, &ok);
        others[i].sealed = dup(a, v->sealed, &ok);
    }
    out->others = others;
    if (aors && others && ok)
        return 0;
    *out = (struct user){ 0 };
    return CS_ENOMEM;
}

/* ---- names ---- */

static const char *text_fault(struct span s)
{
    if (s.n == 0)
        return "must not be empty";
    if (s.n > USER_MAX_NAME)
        return "must not be longer than 256 bytes";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7f)
            return "must not contain control characters";
        if (c == '"' || c == '\\')
            return "must not contain quotes or backslashes";
        if (c == ':')
            return "must not contain a colon: digest separates its parts with it";
    }
    if (s.p[0] == ' ' || s.p[s.n - 1] == ' ')
        return "must not begin or end with a space";
    return NULL;
}

#define TEMPORARY SPAN("~")

bool user_is_temporary(struct span name)
{
    return span_starts(name, TEMPORARY);
}

const char *user_name_fault(struct span name)
{
    if (user_is_temporary(name))
        return "must not begin with ~: such names are temporary";
    return text_fault(name);
}

const char *user_realm_fault(struct span realm)
{
    if (span_find(realm, '@') >= 0)
        return "must not contain @: users are named name@realm";
    return text_fault(realm);
}

/* ---- verifiers ---- */

static struct verifier own(const struct user *u, enum algorithm alg)
{
    return (struct verifier){
        .alg = alg, .name = u->name, .realm = u->realm, .sealed = u->sealed[alg]
    };
}

int user_set_password(struct user *u, struct vault *v, unsigned algorithms, struct span password,
                      struct arena *a)
{
    int err = 0;
    for (enum algorithm alg = 0; !err && alg < ALG_COUNT; alg++) {
        u->sealed[alg] = SPAN_NULL;
        struct verifier made = own(u, alg);
        if (algorithms & ALG_BIT(alg))
            err = verifier_make(&made, v, password, a);
        u->sealed[alg] = made.sealed;
    }
    return err;
}

/* Room for n more of the others, which are copied. */
static struct verifier *others_of(struct user *u, size_t n, struct arena *a)
{
    struct verifier *list = arena_alloc(a, (u->n_others + n) * sizeof(*list));
    if (list && u->n_others)
        memcpy(list, u->others, u->n_others * sizeof(*list));
    if (list)
        u->others = list;
    return list;
}

static int add(struct user *u, struct vault *vault, unsigned algorithms, struct verifier what,
               struct span password, struct arena *a)
{
    struct verifier *list = others_of(u, ALG_COUNT, a);
    int err = list ? 0 : CS_ENOMEM;
    for (what.alg = 0; !err && what.alg < ALG_COUNT; what.alg++) {
        if (!(algorithms & ALG_BIT(what.alg)))
            continue;
        list[u->n_others] = what;
        err = verifier_make(&list[u->n_others], vault, password, a);
        u->n_others += err == 0;
    }
    return err;
}

int user_add_password(struct user *u, struct vault *v, unsigned algorithms,
                      const struct user_also *also, struct span password, struct arena *a)
{
    struct span names[1 + AUTH_ID_MAX];
    size_t n;
    int err = auth_id_names(u->name, u->aors, u->n_aors, also->forms, a, &names[1], &n);
    names[0] = u->name;
    for (size_t i = 0; !err && i <= n; i++) {
        struct verifier here = { .name = names[i], .realm = u->realm };
        struct verifier before = { .name = names[i], .realm = also->former, .until = also->until };
        if (i > 0)
            err = add(u, v, algorithms, here, password, a);
        if (!err && also->former.p)
            err = add(u, v, algorithms, before, password, a);
    }
    return err;
}

/* Those made last stand behind. */
static bool is_newest(const struct user *u, size_t i)
{
    const struct verifier *v = &u->others[i];
    for (size_t k = i + 1; k < u->n_others; k++) {
        const struct verifier *w = &u->others[k];
        if (w->alg == v->alg && span_eq(w->name, v->name) && span_eq(w->realm, v->realm))
            return false;
    }
    return true;
}

int user_retire(struct user *u, struct wall until, struct arena *a)
{
    struct verifier *list = arena_alloc(a, (u->n_others + ALG_COUNT) * sizeof(*list));
    size_t n = 0;
    if (!list)
        return CS_ENOMEM;
    for (enum algorithm alg = 0; until.ms && alg < ALG_COUNT; alg++) {
        if (u->sealed[alg].p)
            list[n++] = own(u, alg);
    }
    for (size_t i = 0; until.ms && i < u->n_others; i++) {
        const struct verifier *v = &u->others[i];
        if (v->until.ms ? !span_eq(v->realm, u->realm) && is_newest(u, i) : true)
            list[n++] = *v;
    }
    for (size_t i = 0; i < n; i++) { /* a realm's former name may end earlier */
        if (!list[i].until.ms || until.ms < list[i].until.ms)
            list[i].until = until;
    }
    u->others = list;
    u->n_others = n;
    return 0;
}

int user_set_verifier(struct user *u, struct vault *v, enum algorithm alg, struct span hex,
                      struct arena *a)
{
    unsigned char ha1[ALG_MAX_LEN];
    if (alg >= ALG_COUNT)
        return CS_ENOTSUP;
    int err = hex_decode(hex, ha1, algorithm_len(alg));
    if (err)
        return CS_EPROTO;
    struct verifier made = own(u, alg);
    err = verifier_seal(&made, v, ha1, a);
    if (!err)
        u->sealed[alg] = made.sealed;
    ct_wipe(ha1, sizeof(ha1));
    return err;
}

int user_open_verifier(const struct user *u, struct vault *v, enum algorithm alg,
                       unsigned char ha1[ALG_MAX_LEN])
{
    if (alg >= ALG_COUNT)
        return CS_ENOENT;
    const struct verifier mine = own(u, alg);
    return verifier_open(&mine, v, ha1);
}

size_t user_verifiers(const struct user *u, enum algorithm alg, struct span name, struct span realm,
                      struct wall now, struct verifier out[USER_TRIES])
{
    size_t n = 0;
    if (u->sealed[alg].p && span_eq(name, u->name) && span_eq(realm, u->realm))
        out[n++] = own(u, alg);
    for (int old = 0; old <= 1; old++) {
        for (size_t i = 0; i < u->n_others && n < USER_TRIES; i++) {
            const struct verifier *v = &u->others[i];
            if (v->alg == alg && (v->until.ms != 0) == old && (!old || now.ms < v->until.ms) &&
                span_eq(v->name, name) && span_eq(v->realm, realm))
                out[n++] = *v;
        }
    }
    return n;
}

bool user_has_credentials(const struct user *u)
{
    return u->n_others > 0 || user_algorithms(u);
}

bool user_has_sealed(const struct user *u, struct span sealed)
{
    bool found = false;
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++)
        found = found || (u->sealed[alg].p && span_eq(u->sealed[alg], sealed));
    for (size_t i = 0; i < u->n_others; i++)
        found = found || span_eq(u->others[i].sealed, sealed);
    return found;
}

struct wall user_overlap(const struct user *u)
{
    struct wall until = { 0 };
    for (size_t i = 0; i < u->n_others; i++) {
        const struct verifier *v = &u->others[i];
        if (v->until.ms > until.ms && span_eq(v->realm, u->realm))
            until = v->until;
    }
    return until;
}

static int reseal(struct verifier *v, struct vault *vault, struct arena *a, bool *changed)
{
    unsigned char ha1[ALG_MAX_LEN];
    if (!v->sealed.p || vault_is_current(vault, v->sealed))
        return 0;
    *changed = true;
    int err = verifier_open(v, vault, ha1);
    if (!err)
        err = verifier_seal(v, vault, ha1, a);
    ct_wipe(ha1, sizeof(ha1));
    return err;
}

int user_reseal(struct user *u, struct vault *v, struct arena *a, bool *changed)
{
    struct verifier *others = others_of(u, 0, a);
    int err = others ? 0 : CS_ENOMEM;
    *changed = false;
    for (enum algorithm alg = 0; !err && alg < ALG_COUNT; alg++) {
        struct verifier mine = own(u, alg);
        err = reseal(&mine, v, a, changed);
        u->sealed[alg] = mine.sealed;
    }
    for (size_t i = 0; !err && i < u->n_others; i++)
        err = reseal(&others[i], v, a, changed);
    return err;
}

bool user_has_aor(const struct user *u, struct span aor)
{
    for (size_t i = 0; u->enabled && i < u->n_aors; i++) {
        if (span_eq(u->aors[i], aor))
            return true;
    }
    return false;
}

bool user_lacks(const struct user *u, enum algorithm alg)
{
    return u->name.p && u->enabled && !u->sealed[alg].p && user_has_credentials(u);
}

unsigned user_algorithms(const struct user *u)
{
    unsigned mask = 0;
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++)
        mask |= u->sealed[alg].p ? ALG_BIT(alg) : 0;
    return mask;
}

/* ---- passwords ---- */

const char *user_password_fault(struct span name, struct span password)
{
    if (span_caseeq(password, name))
        return "equals the user's name";
    if (password.n < PASSWORD_MIN)
        return "is shorter than 16 characters";
    size_t different = 0;
    bool seen[256] = { false };
    for (size_t i = 0; i < password.n; i++) {
        unsigned char c = (unsigned char)password.p[i];
        if (c < 0x20 || c == 0x7f)
            return "contains control characters, which no phone can be given";
        different += !seen[c];
        seen[c] = true;
    }
    if (different < 6)
        return "repeats fewer than 6 different characters";
    return NULL;
}

void user_password_generate(char out[USER_PASSWORD_LEN + 1])
{
    /* Without the pairs people confuse (0 O, 1 l I) and without what phones' web pages mangle:
     * 24 characters of 57 are 140 bits. */
    static const char alphabet[] = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    for (size_t i = 0; i < USER_PASSWORD_LEN; i++)
        out[i] = alphabet[rand_below(sizeof(alphabet) - 1)];
    out[USER_PASSWORD_LEN] = '\0';
}
