#include "authd/backend/backend_answer.h"

#include "authd/check/aor.h"
#include "authd/store/user.h"
#include "authd/token/json.h"
#include "base/ct.h"

enum { CONTACTS_MAX = 1000 };

static const struct {
    struct span name;
    enum backend_says says;
} verdicts[] = {
    { SPAN_INIT("accept"), BACKEND_ACCEPT },
    { SPAN_INIT("verify"), BACKEND_VERIFY },
    { SPAN_INIT("reject"), BACKEND_REJECT },
    { SPAN_INIT("later"), BACKEND_LATER },
};

/* Why it may say no. Each is the same to the phone. */
static const Countersign__Auth__Cause causes[] = { CAUSE(WRONG_RESPONSE), CAUSE(UNKNOWN_USER),
                                                   CAUSE(USER_DISABLED),
                                                   CAUSE(NO_CREDENTIALS_CONFIGURED) };

static int read_verdict(const json_t *j, struct backend_answer *out)
{
    const struct span name = json_member(j, "verdict");
    for (size_t i = 0; name.p && i < CS_LEN(verdicts); i++) {
        if (span_eq(verdicts[i].name, name)) {
            out->says = verdicts[i].says;
            return 0;
        }
    }
    return CS_EPROTO;
}

static int read_cause(const json_t *j, struct backend_answer *out)
{
    const struct span name = json_member(j, "cause");
    for (size_t i = 0; name.p && i < CS_LEN(causes); i++) {
        if (span_eq(cause_name(causes[i]), name)) {
            out->cause = causes[i];
            return 0;
        }
    }
    return CS_EPROTO;
}

static int read_aors(const json_t *j, struct arena *a, struct backend_answer *out)
{
    const json_t *list = json_object_get(j, "aors");
    const size_t n = json_array_size(list);
    if (n == 0 || n > USER_MAX_AORS)
        return CS_EPROTO;
    out->aors = arena_alloc(a, n * sizeof(*out->aors));
    if (!out->aors)
        return CS_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct span text = json_text(json_array_get(list, i));
        int err = text.p ? aor_of(text, a, &out->aors[out->n_aors++]) : CS_EPROTO;
        if (err)
            return err == CS_ENOMEM ? err : CS_EPROTO;
    }
    return 0;
}

static int read_user(const json_t *j, struct arena *a, struct backend_answer *out)
{
    const json_t *user = json_object_get(j, "user"), *max = json_object_get(j, "max_contacts");
    if (user && (!json_is_string(user) || user_name_fault(json_text(user))))
        return CS_EPROTO;
    if (max && (!json_is_integer(max) || json_integer_value(max) < 1 ||
                json_integer_value(max) > CONTACTS_MAX))
        return CS_EPROTO;
    out->max_contacts = (unsigned)json_integer_value(max);
    out->user = arena_dup(a, json_text(user));
    if (user && !out->user.p)
        return CS_ENOMEM;
    return read_aors(j, a, out);
}

static int read_ha1(const json_t *j, enum algorithm alg, struct backend_answer *out)
{
    const struct span hex = json_member(j, "ha1");
    return hex.p && hex_decode(hex, out->ha1, algorithm_len(alg)) == 0 ? 0 : CS_EPROTO;
}

/* One verdict, and what belongs to it: an answer that says two things says nothing. */
static bool is_contradictory(const json_t *j, enum backend_says says)
{
    const bool names = json_object_get(j, "aors") || json_object_get(j, "user");
    return (json_object_get(j, "cause") && says != BACKEND_REJECT) ||
           (json_object_get(j, "ha1") && says != BACKEND_VERIFY) ||
           (names && says != BACKEND_ACCEPT && says != BACKEND_VERIFY);
}

static int read(const json_t *j, struct span id, enum algorithm alg, struct arena *a,
                struct backend_answer *out)
{
    const struct span of = json_member(j, "id");
    int err = of.p && span_eq(of, id) ? read_verdict(j, out) : CS_EPROTO;
    if (!err && is_contradictory(j, out->says))
        err = CS_EPROTO;
    if (!err && out->says == BACKEND_REJECT)
        err = read_cause(j, out);
    if (!err && (out->says == BACKEND_ACCEPT || out->says == BACKEND_VERIFY))
        err = read_user(j, a, out);
    if (!err && out->says == BACKEND_VERIFY)
        err = read_ha1(j, alg, out);
    return err;
}

int backend_answer_read(struct span body, struct span id, enum algorithm alg, struct arena *a,
                        struct backend_answer *out)
{
    *out = (struct backend_answer){ 0 };
    json_t *j = json_read_object(body);
    int err = j ? read(j, id, alg, a, out) : CS_EPROTO;
    json_decref(j);
    if (err) {
        ct_wipe(out, sizeof(*out));
        *out = (struct backend_answer){ 0 };
    }
    return err;
}
