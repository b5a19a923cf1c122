#include "authd/user.h"

#include <stdlib.h>

#include "authd/hash.h"
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
        .display_name = span_str(m->display_name),
        .created = { (int64_t)m->created_ms },
        .changed = { (int64_t)m->changed_ms },
        .session = m->session,
        .record = kept,
    };
    int err = fits(&u) ? take_verifiers(m, &u) : CS_EPROTO;
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
    if (aors && ok)
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

/* What a verifier is sealed to, so that it cannot be moved to another user, realm or algorithm:
 * name NUL realm NUL algorithm. */
static void bound_to(struct span name, struct span realm, enum algorithm alg, struct buf *out)
{
    buf_put(out, name);
    buf_putc(out, '\0');
    buf_put(out, realm);
    buf_putc(out, '\0');
    buf_putc(out, (char)('0' + alg));
}

enum { BOUND_MAX = 2 * USER_MAX_NAME + 3 };

static int seal(struct user *u, struct vault *v, enum algorithm alg, const unsigned char *ha1,
                struct arena *a)
{
    char space[BOUND_MAX];
    struct buf bound = BUF_INIT(space);
    bound_to(u->name, u->realm, alg, &bound);
    size_t n = algorithm_len(alg) + VAULT_OVERHEAD;
    char *p = arena_alloc(a, n);
    if (!p)
        return CS_ENOMEM;
    if (!buf_ok(&bound))
        return CS_ELIMIT;
    struct buf sealed = buf_of(p, n);
    int err = vault_seal(v, buf_span(&bound), span_of(ha1, algorithm_len(alg)), &sealed);
    if (!err)
        u->sealed[alg] = buf_span(&sealed);
    return err;
}

static int ha1_of(struct hash *h, enum algorithm alg, struct span name, struct span realm,
                  struct span password, unsigned char out[ALG_MAX_LEN])
{
    return hash_of(h, alg, out, name, realm, password);
}

int user_ha1(enum algorithm alg, struct span name, struct span realm, struct span password,
             unsigned char out[ALG_MAX_LEN])
{
    struct hash *h;
    int err = hash_new(&h);
    if (!err)
        err = ha1_of(h, alg, name, realm, password, out);
    hash_free(&h);
    return err;
}

int user_set_password(struct user *u, struct vault *v, unsigned algorithms, struct span password,
                      struct arena *a)
{
    unsigned char ha1[ALG_MAX_LEN];
    struct hash *h;
    int err = hash_new(&h);
    for (enum algorithm alg = 0; !err && alg < ALG_COUNT; alg++) {
        u->sealed[alg] = SPAN_NULL;
        if (!(algorithms & ALG_BIT(alg)))
            continue;
        err = ha1_of(h, alg, u->name, u->realm, password, ha1);
        if (!err)
            err = seal(u, v, alg, ha1, a);
    }
    hash_free(&h);
    ct_wipe(ha1, sizeof(ha1));
    return err;
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
    err = seal(u, v, alg, ha1, a);
    ct_wipe(ha1, sizeof(ha1));
    return err;
}

int user_open_verifier(const struct user *u, struct vault *v, enum algorithm alg,
                       unsigned char ha1[ALG_MAX_LEN])
{
    char space[BOUND_MAX];
    struct buf bound = BUF_INIT(space);
    if (alg >= ALG_COUNT || !u->sealed[alg].p)
        return CS_ENOENT;
    bound_to(u->name, u->realm, alg, &bound);
    if (!buf_ok(&bound))
        return CS_EDENIED;
    return vault_open(v, buf_span(&bound), u->sealed[alg], ha1, algorithm_len(alg));
}

int user_reseal(struct user *u, struct vault *v, struct arena *a, bool *changed)
{
    unsigned char ha1[ALG_MAX_LEN];
    int err = 0;
    *changed = false;
    for (enum algorithm alg = 0; !err && alg < ALG_COUNT; alg++) {
        if (!u->sealed[alg].p || vault_is_current(v, u->sealed[alg]))
            continue;
        err = user_open_verifier(u, v, alg, ha1);
        if (!err)
            err = seal(u, v, alg, ha1, a);
        *changed = true;
    }
    ct_wipe(ha1, sizeof(ha1));
    return err;
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
