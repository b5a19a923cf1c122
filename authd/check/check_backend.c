/* Digest credentials of a group that an external service judges (proto/backend.yaml). What is ours
 * stays ours: the nonce, its count, the URI and what the user may be From. */
#include <jansson.h>

#include "authd/backend/backend_answer.h"
#include "authd/check/check_impl.h"

static void set(json_t *j, const char *name, struct span s)
{
    if (s.p)
        json_object_set_new(j, name, json_stringn(s.p, s.n)); /* not UTF-8: not said */
}

/* For auth-int: what stands in its A2 (RFC 7616, 3.4.3). */
static int set_body_hash(const struct check *c, json_t *j)
{
    char hex[2 * ALG_MAX_LEN];
    const enum algorithm alg = c->claim.alg;
    if (c->claim.qop != QOP_AUTH_INT)
        return 0;
    int err = hash_hex_of(c->k->hash, alg, hex, c->facts.body);
    if (!err)
        set(j, "body_hash", span_of(hex, 2 * algorithm_len(alg)));
    return err;
}

static json_t *digest_to_json(const struct check *c)
{
    const struct credential *d = &c->cred;
    json_t *j = json_object();
    set(j, "username", d->auth_id);
    set(j, "realm", d->realm);
    set(j, "nonce", d->nonce);
    set(j, "uri", d->uri);
    set(j, "response", d->response);
    set(j, "algorithm", algorithm_name(c->claim.alg));
    json_object_set_new(j, "sess", json_boolean(c->claim.sess));
    set(j, "qop", d->qop);
    set(j, "nc", d->nc);
    set(j, "cnonce", d->cnonce);
    if (set_body_hash(c, j)) {
        json_decref(j);
        return NULL;
    }
    return j;
}

static json_t *request_to_json(const struct facts *f)
{
    char source[ADDR_STRLEN];
    json_t *j = json_object();
    set(j, "method", f->method);
    set(j, "uri", f->request_uri);
    set(j, "domain", f->domain);
    set(j, "from", f->from_aor);
    set(j, "to", f->to_aor);
    set(j, "call_id", f->call_id);
    set(j, "user_agent", f->user_agent);
    json_object_set_new(j, "in_dialog", json_boolean(f->in_dialog));
    set(j, "transport", facts_transport(f->transport));
    set(j, "listener", f->listener);
    if (f->source.sa.sa_family != AF_UNSPEC) {
        addr_format(&f->source, source);
        set(j, "source", span_str(source));
    }
    return j;
}

/* To be freed, NULL: no memory. */
static char *write_question(const struct check *c)
{
    json_t *digest = digest_to_json(c);
    json_t *j = digest ? json_object() : NULL;
    set(j, "id", span_str(c->decision));
    set(j, "group", c->group->name);
    set(j, "user", c->cred.username);
    json_object_set_new(j, "request", request_to_json(&c->facts));
    json_object_set_new(j, "digest", digest);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    return text;
}

static void judge(struct check *c, const struct backend_answer *a)
{
    if (a->says == BACKEND_LATER) {
        check_later(c, CAUSE(BACKEND_UNAVAILABLE));
        return;
    }
    if (a->says == BACKEND_REJECT) {
        check_refuse_wrong(c, a->cause);
        return;
    }
    if (a->says == BACKEND_VERIFY &&
        !digest_is_right(c->k->hash, &c->cred, &c->claim, &c->facts, a->ha1)) {
        check_refuse_wrong(c, CAUSE(WRONG_RESPONSE));
        return;
    }
    const struct user u = { .name = a->user.p ? a->user : c->cred.username,
                            .realm = c->group->digest.realm,
                            .enabled = true,
                            .aors = a->aors,
                            .n_aors = a->n_aors,
                            .max_contacts = a->max_contacts };
    check_proceed(c, &u);
}

static int answered(void *arg, int err, struct span body)
{
    struct check *c = arg;
    struct backend_answer answer = { 0 };
    struct arena a;
    c->backend = NULL;
    arena_init(&a, NULL, 0, 256 * 1024);
    if (!err)
        err = backend_answer_read(body, span_str(c->decision), c->claim.alg, &a, &answer);
    judge(c, &answer); /* of an error: LATER */
    ct_wipe(&answer, sizeof(answer));
    arena_fini(&a);
    return err;
}

void check_backend(struct check *c)
{
    int err = check_outlive(c);
    char *text = err ? NULL : write_question(c);
    if (!err && !text)
        err = CS_ENOMEM;
    const struct span question = span_str(text);
    if (!err)
        err = backend_ask(c->k->backends, c->group->backend, question, answered, c, &c->backend);
    if (text)
        ct_wipe(text, question.n);
    free(text);
    if (err)
        check_later(c, err == CS_ENOMEM ? CAUSE(OVERLOADED) : CAUSE(BACKEND_UNAVAILABLE));
}
