#include "authd/rest/wish.h"

#include <stdarg.h>
#include <stdio.h>

#include "authd/check/aor.h"
#include "authd/check/auth_id.h"

enum { MAX_CONTACTS = 1000, MAX_CALLS = 1000000, PASSWORD_MAX = 1024, DISPLAY_MAX = 256 };

#define OVERLAP_MAX_MS (INT64_C(366) * 86400000)

int fault_set(struct fault *f, unsigned status, const char *type, const char *title,
              const char *detail, ...)
{
    va_list ap;
    f->status = status;
    f->type = type;
    f->title = title;
    va_start(ap, detail);
    vsnprintf(f->detail, sizeof(f->detail), detail, ap);
    va_end(ap);
    return CS_EPROTO;
}

int fault_no_memory(struct fault *f)
{
    return fault_set(f, 503, "overloaded", "Out of memory", "Try again later.");
}

json_t *json_of(struct span s)
{
    json_t *j = json_stringn(s.p ? s.p : "", s.n);
    return j ? j : json_string("\xef\xbf\xbd");
}

json_t *fault_to_json(const struct fault *f)
{
    json_t *j = json_object();
    json_object_set_new(j, "type", json_sprintf("/problems/%s", f->type));
    json_object_set_new(j, "title", json_string(f->title));
    json_object_set_new(j, "status", json_integer(f->status));
    json_object_set_new(j, "detail", json_of(span_str(f->detail)));
    return j;
}

int fault_member(struct fault *f, const char *member, const char *what)
{
    return fault_set(f, 422, "invalid-member", "Invalid member", "%s %s.", member, what);
}

/* ---- the members ---- */

typedef int member_fn(const json_t *j, struct arena *a, struct wish *w, struct fault *f);

static int take_name(const json_t *j, struct arena *a, struct wish *w, struct fault *f)
{
    (void)a;
    w->name = json_text(j);
    const char *why = user_name_fault(w->name);
    return why ? fault_member(f, "user", why) : 0;
}

static int take_realm(const json_t *j, struct arena *a, struct wish *w, struct fault *f)
{
    (void)a;
    w->realm = json_text(j);
    const char *why = user_realm_fault(w->realm);
    return why ? fault_member(f, "realm", why) : 0;
}

static int take_password(const json_t *j, struct arena *a, struct wish *w, struct fault *f)
{
    (void)a;
    w->password = json_text(j);
    return w->password.n > PASSWORD_MAX ? fault_member(f, "password", "is longer than 1024 bytes")
                                        : 0;
}

static int take_verifiers(const json_t *j, struct arena *a, struct wish *w, struct fault *f)
{
    const char *name;
    json_t *value;
    (void)a;
    json_object_foreach((json_t *)j, name, value)
    {
        bool sess;
        unsigned char ha1[ALG_MAX_LEN];
        enum algorithm alg = algorithm_of(span_str(name), &sess);
        if (alg == ALG_UNKNOWN || sess)
            return fault_set(f, 422, "invalid-member", "Invalid member",
                             "verifiers: \"%.40s\" is not MD5, SHA-256 or SHA-512-256.", name);
        if (w->verifier[alg].p)
            return fault_member(f, "verifiers", "names an algorithm twice");
        if (!json_is_string(value) || hex_decode(json_text(value), ha1, algorithm_len(alg)))
            return fault_set(f, 422, "invalid-member", "Invalid member",
                             "verifiers: %s must be %zu hexadecimal digits, the HA1.",
                             algorithm_name(alg).p, 2 * algorithm_len(alg));
        ct_wipe(ha1, sizeof(ha1));
        w->verifier[alg] = json_text(value);
        w->has_verifiers = true;
    }
    return w->has_verifiers ? 0 : fault_member(f, "verifiers", "names no algorithm");
}

static int take_generate(const json_t *j, struct arena *a, struct wish *w, struct fault *f)
{
    (void)a;
    (void)f;
    w->generate = json_is_true(j);
    return 0;
}

static int take_no_password(const json_t *j, struct arena *a, struct wish *w, struct fault *f)
{
    (void)a;
    (void)f;
    w->no_password = json_is_true(j);
    return 0;
}

static int take_allow_weak(const json_t *j, struct arena *a, struct wish *w, struct fault *f)
{
    (void)a;
    (void)f;
    w->allow_weak = json_is_true(j);
    return 0;
}

static int take_keep_old_until(const json_t *j, struct arena *a, struct wish *w, struct fault *f)
{
    (void)a;
    return wall_parse(json_text(j), &w->keep_old_until)
               ? fault_member(f, "keep_old_until",
                              "is no date; write 2026-12-24 or 2026-12-24T06:00:00Z")
               : 0;
}

static int take_enabled(const json_t *j, struct arena *a, struct wish *w, struct fault *f)
{
    (void)a;
    (void)f;
    w->has_enabled = true;
    w->enabled = json_is_true(j);
    return 0;
}

static bool has_aor(const struct wish *w, struct span aor)
{
    for (size_t i = 0; i < w->n_aors; i++) {
        if (span_eq(w->aors[i], aor))
            return true;
    }
    return false;
}

static int take_aors(const json_t *j, struct arena *a, struct wish *w, struct fault *f)
{
    size_t n = json_array_size(j);
    if (n > USER_MAX_AORS)
        return fault_member(f, "aors", "may hold up to 64");
    w->has_aors = true;
    w->aors = arena_alloc(a, n * sizeof(*w->aors));
    if (!w->aors)
        return fault_no_memory(f);
    for (size_t i = 0; i < n; i++) {
        struct span text = json_text(json_array_get(j, i)), aor;
        int err = text.p ? aor_of(text, a, &aor) : CS_EPROTO;
        if (err == CS_ENOMEM)
            return fault_no_memory(f);
        if (err)
            return fault_set(f, 422, "invalid-aor", "Invalid address of record",
                             "aors: \"%.80s\" is not an address of record; write sip:user@domain.",
                             text.p ? text.p : "");
        if (!has_aor(w, aor))
            w->aors[w->n_aors++] = aor;
    }
    return 0;
}

static int take_max_contacts(const json_t *j, struct arena *a, struct wish *w, struct fault *f)
{
    json_int_t n = json_integer_value(j); /* 0 for null: the group's */
    (void)a;
    if (n < 0 || n > MAX_CONTACTS)
        return fault_member(f, "max_contacts", "must be 0 (the group's) to 1000");
    w->has_max_contacts = true;
    w->max_contacts = (unsigned)n;
    return 0;
}

static int take_max_calls(const json_t *j, struct arena *a, struct wish *w, struct fault *f)
{
    json_int_t n = json_integer_value(j); /* 0 for null: the configuration's */
    (void)a;
    if (n < 0 || n > MAX_CALLS)
        return fault_member(f, "max_calls", "must be 0 (calls.user.at_once) to 1000000");
    w->has_max_calls = true;
    w->max_calls = (unsigned)n;
    return 0;
}

static int take_display_name(const json_t *j, struct arena *a, struct wish *w, struct fault *f)
{
    (void)a;
    w->has_display_name = true;
    w->display_name = json_is_null(j) ? SPAN_NULL : json_text(j);
    if (w->display_name.n > DISPLAY_MAX)
        return fault_member(f, "display_name", "is longer than 256 bytes");
    for (size_t i = 0; i < w->display_name.n; i++) {
        if ((unsigned char)w->display_name.p[i] < 0x20 || w->display_name.p[i] == 0x7f)
            return fault_member(f, "display_name", "contains control characters");
    }
    return 0;
}

static const struct member {
    const char *name;
    unsigned part;
    json_type type;
    bool null; /* null is allowed, and means none */
    member_fn *fn;
    const char *what;
} members[] = {
    { "user", WISH_NAME, JSON_STRING, false, take_name, "must be a string" },
    { "realm", WISH_NAME, JSON_STRING, false, take_realm, "must be a string" },
    { "password", WISH_SECRET, JSON_STRING, false, take_password, "must be a string" },
    { "verifiers", WISH_SECRET, JSON_OBJECT, false, take_verifiers,
      "must be an object: {\"SHA-256\": \"<HA1 in hex>\"}" },
    { "generate", WISH_SECRET, JSON_TRUE, false, take_generate, "must be true or false" },
    { "no_password", WISH_NO_SECRET, JSON_TRUE, false, take_no_password, "must be true or false" },
    { "allow_weak", WISH_SECRET, JSON_TRUE, false, take_allow_weak, "must be true or false" },
    { "keep_old_until", WISH_OVERLAP, JSON_STRING, false, take_keep_old_until, "must be a string" },
    { "enabled", WISH_FIELDS, JSON_TRUE, false, take_enabled, "must be true or false" },
    { "aors", WISH_FIELDS, JSON_ARRAY, false, take_aors, "must be an array of strings" },
    { "max_contacts", WISH_FIELDS, JSON_INTEGER, true, take_max_contacts,
      "must be a whole number or null" },
    { "max_calls", WISH_FIELDS, JSON_INTEGER, true, take_max_calls,
      "must be a whole number or null" },
    { "display_name", WISH_FIELDS, JSON_STRING, true, take_display_name,
      "must be a string or null" },
};

static const struct member *find_member(const char *name, unsigned allowed)
{
    for (size_t i = 0; i < CS_LEN(members); i++) {
        if ((members[i].part & allowed) && strcmp(members[i].name, name) == 0)
            return &members[i];
    }
    return NULL;
}

static bool type_fits(const struct member *m, const json_t *j)
{
    if (json_is_null(j))
        return m->null;
    return m->type == JSON_TRUE ? json_is_boolean(j) : json_typeof(j) == m->type;
}

int wish_parse(const json_t *j, unsigned allowed, struct arena *a, struct wish *out,
               struct fault *f)
{
    const char *name;
    json_t *value;
    *out = (struct wish){ 0 };
    *f = (struct fault){ 0 };
    json_object_foreach((json_t *)j, name, value)
    {
        const struct member *m = find_member(name, allowed);
        if (!m)
            return fault_set(f, 422, "unknown-member", "Unknown member",
                             "\"%.60s\" is not known here.", name);
        if (!type_fits(m, value))
            return fault_member(f, m->name, m->what);
        int err = m->fn(value, a, out, f);
        if (err)
            return err;
    }
    if ((allowed & WISH_NAME) && !out->name.p)
        return fault_member(f, "user", "is missing");
    return 0;
}

/* ---- the secret ---- */

int wish_check_secret(struct wish *w, char generated[USER_PASSWORD_LEN + 1], bool *weak,
                      struct fault *f)
{
    *weak = false;
    if ((w->password.p != NULL) + w->has_verifiers + w->generate + w->no_password != 1)
        return fault_set(f, 422, "one-secret", "One secret wanted",
                         "Say exactly one of password, verifiers and generate: true; for a new "
                         "user no_password: true will do, too.");
    if (w->generate) {
        user_password_generate(generated);
        w->password = span_of(generated, USER_PASSWORD_LEN);
        return 0;
    }
    const char *why = w->password.p ? user_password_fault(w->name, w->password) : NULL;
    if (!why)
        return 0;
    *weak = w->password.n > 0 && w->allow_weak;
    if (*weak)
        return 0;
    if (w->password.n == 0)
        return fault_member(f, "password", "must not be empty");
    return fault_set(f, 422, "weak-password", "Weak password",
                     "The password %s. Use generate: true, or allow_weak: true, which is audited.",
                     why);
}

int wish_check_overlap(const struct wish *w, struct wall now, struct fault *f)
{
    const int64_t ms = w->keep_old_until.ms - now.ms;
    return w->keep_old_until.ms && (ms <= 0 || ms > OVERLAP_MAX_MS)
               ? fault_member(f, "keep_old_until", "must be in the future, and within a year")
               : 0;
}

int wish_apply_secret(const struct wish *w, struct vault *v, const struct wish_realm *realm,
                      struct arena *a, struct user *u, struct fault *f)
{
    int err = user_retire(u, w->keep_old_until, a);
    if (!err && w->password.p) {
        err = user_set_password(u, v, realm->algorithms, w->password, a);
        if (!err)
            err = user_add_password(u, v, realm->algorithms, &realm->also, w->password, a);
    }
    for (enum algorithm alg = 0; !err && !w->password.p && alg < ALG_COUNT; alg++) {
        u->sealed[alg] = SPAN_NULL;
        if (w->verifier[alg].p)
            err = user_set_verifier(u, v, alg, w->verifier[alg], a);
    }
    return err ? fault_no_memory(f) : 0;
}

static bool verifier_is(const struct user *u, struct vault *v, enum algorithm alg,
                        const unsigned char *want)
{
    unsigned char have[ALG_MAX_LEN];
    size_t n = algorithm_len(alg);
    bool same =
        user_open_verifier(u, v, alg, have) == 0 && ct_eq(span_of(have, n), span_of(want, n));
    ct_wipe(have, sizeof(have));
    return same;
}

/* A form that its group takes only now, or a name the realm had, wants more verifiers. */
static bool has_others(const struct wish *w, const struct wish_realm *realm, const struct user *u)
{
    struct span names[AUTH_ID_MAX];
    struct arena a;
    size_t n = 0, have = 0, per_name = 0;
    arena_init(&a, NULL, 0, 0);
    int err = auth_id_names(u->name, u->aors, u->n_aors, realm->also.forms, &a, names, &n);
    arena_fini(&a);
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++)
        per_name += (realm->algorithms & ALG_BIT(alg)) != 0;
    for (size_t i = 0; i < u->n_others; i++)
        have += !u->others[i].until.ms || !span_eq(u->others[i].realm, u->realm);
    const size_t want = per_name * (n + (realm->also.former.p ? n + 1 : 0));
    return !w->password.p || (!err && have == want);
}

bool wish_has_secret(const struct wish *w, struct vault *v, const struct wish_realm *realm,
                     const struct user *u)
{
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++) {
        unsigned char want[ALG_MAX_LEN];
        bool wanted =
            w->password.p ? (realm->algorithms & ALG_BIT(alg)) != 0 : w->verifier[alg].p != NULL;
        if (wanted != (u->sealed[alg].p != NULL))
            return false;
        if (!wanted)
            continue;
        int err = w->password.p ? verifier_ha1(alg, u->name, u->realm, w->password, want)
                                : hex_decode(w->verifier[alg], want, algorithm_len(alg));
        bool same = err == 0 && verifier_is(u, v, alg, want);
        ct_wipe(want, sizeof(want));
        if (!same)
            return false;
    }
    return has_others(w, realm, u);
}

/* ---- the rest of it ---- */

int wish_apply(const struct wish *w, bool is_new, struct arena *a, struct user *u, struct fault *f)
{
    if (w->has_enabled)
        u->enabled = w->enabled;
    else if (is_new)
        u->enabled = true;
    if (w->has_max_contacts)
        u->max_contacts = w->max_contacts;
    if (w->has_max_calls)
        u->max_calls = w->max_calls;
    if (w->has_display_name)
        u->display_name = w->display_name.n ? w->display_name : SPAN_NULL;
    if (w->has_aors) {
        u->aors = w->aors;
        u->n_aors = w->n_aors;
        return 0;
    }
    if (!is_new)
        return 0;
    struct span *aor = arena_alloc(a, sizeof(*aor));
    int err = aor ? aor_of_user(u->name, u->realm, a, aor) : CS_ENOMEM;
    if (err == CS_ENOMEM)
        return fault_no_memory(f);
    if (err)
        return fault_set(f, 422, "invalid-aor", "Invalid address of record",
                         "sip:user@realm is no address of record here; say which aors it has.");
    u->aors = aor;
    u->n_aors = 1;
    return 0;
}

json_t *algorithms_to_json(unsigned mask)
{
    json_t *list = json_array();
    for (unsigned i = ALG_COUNT; i-- > 0;) {
        if (mask & ALG_BIT(i))
            json_array_append_new(list, json_of(algorithm_name(i)));
    }
    return list;
}

json_t *user_to_json(const struct user *u)
{
    char created[WALL_STRLEN], changed[WALL_STRLEN];
    json_t *j = json_object(), *aors = json_array();
    wall_format(u->created, created);
    wall_format(u->changed, changed);
    for (size_t i = 0; i < u->n_aors; i++)
        json_array_append_new(aors, json_of(u->aors[i]));
    json_object_set_new(j, "user", json_of(u->name));
    json_object_set_new(j, "realm", json_of(u->realm));
    json_object_set_new(j, "enabled", json_boolean(u->enabled));
    json_object_set_new(j, "aors", aors);
    json_object_set_new(j, "algorithms", algorithms_to_json(user_algorithms(u)));
    if (u->max_contacts)
        json_object_set_new(j, "max_contacts", json_integer(u->max_contacts));
    if (u->max_calls)
        json_object_set_new(j, "max_calls", json_integer(u->max_calls));
    if (u->display_name.n)
        json_object_set_new(j, "display_name", json_of(u->display_name));
    struct span name = u->name;
    json_t *names = json_array();
    for (size_t i = 0; i < u->n_others; i++) {
        const struct verifier *o = &u->others[i];
        if (!o->until.ms && !span_eq(o->name, name))
            json_array_append_new(names, json_of(o->name));
        name = o->name; /* those of one name stand together */
    }
    if (json_array_size(names))
        json_object_set(j, "auth_ids", names);
    json_decref(names);
    const struct wall until = user_overlap(u);
    if (until.ms) {
        char old_until[WALL_STRLEN];
        wall_format(until, old_until);
        json_object_set_new(j, "old_until", json_string(old_until));
    }
    json_object_set_new(j, "created", json_string(created));
    json_object_set_new(j, "changed", json_string(changed));
    return j;
}
