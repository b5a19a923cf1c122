/* Many users in one request. Each is created; where there is one already it is left if it is the
 * same, and brought up to date if that is wanted. Some are under way at any time, so that what a
 * turn asks of Redis leaves in one write and the loop is never held up for long. */
#include <stdlib.h>

#include "authd/rest/forget.h"
#include "authd/rest/op.h"
#include "authd/rest/reuse.h"
#include "base/map.h"

enum { MAX_USERS = 1000, SLOTS = 64, TRIES = 4 };

struct import;
struct slot {
    struct import *import;
    size_t index; /* of the user it has */
    struct store_call *call;
    struct forget forget;
    struct arena arena;
    struct wish wish;
    const struct realm_conf *realm;
    struct user old, now;
    unsigned tries;
    bool weak;
    char generated[USER_PASSWORD_LEN + 1];
};

/* Whose password was seen in this import. */
struct seen {
    struct map_node node;
    struct span name, password; /* of the body */
    const struct realm_conf *realm;
};

enum outcome { CREATED, UPDATED, UNCHANGED, KEPT, REFUSED, FAILED, OUTCOMES };
static const char *const outcomes[OUTCOMES] = { "created", "updated", "unchanged",
                                                "kept",    "refused", "failed" };

struct import {
    struct op op;
    const json_t *users; /* of the body */
    bool update;
    size_t n, next, done;
    json_t *results;
    struct seen *seen; /* n of them */
    size_t n_seen;
    struct map passwords;
    unsigned count[OUTCOMES];
    struct slot slot[SLOTS];
};

static void slot_clear(struct slot *s)
{
    if (s->call)
        store_cancel(s->call);
    s->call = NULL;
    forget_cancel(&s->forget);
    arena_fini(&s->arena);
    ct_wipe(s->generated, sizeof(s->generated));
}

static void drop(struct op *op)
{
    struct import *im = container_of(op, struct import, op);
    for (size_t i = 0; i < SLOTS; i++)
        slot_clear(&im->slot[i]);
    map_fini(&im->passwords);
    json_decref(im->results);
}

static void finish(struct import *im)
{
    json_t *body = json_object(), *count = json_object();
    for (size_t i = 0; i < OUTCOMES; i++)
        json_object_set_new(count, outcomes[i], json_integer(im->count[i]));
    json_object_set_new(body, "count", count);
    char text[160];
    struct buf note = BUF_INIT(text);
    for (size_t i = 0; i < OUTCOMES; i++)
        buf_printf(&note, "%s%u %s", i ? ", " : "", im->count[i], outcomes[i]);
    log_action(&im->op, SPAN("users imported"), SPAN_NULL, buf_span(&note));
    json_object_set(body, "results", im->results);
    op_reply(&im->op, 200, body);
}

/* ---- one user ---- */

static void step(struct slot *s);

static bool is_seen(const struct map_node *n, const void *key)
{
    const struct seen *s = container_of(n, const struct seen, node);
    const struct wish *w = key;
    return span_eq(s->name, w->name) && span_eq(s->password, w->password);
}

/* Another realm in which this user was given the same password in this import; absent: none. */
static struct span reused(struct slot *s)
{
    struct import *im = s->import;
    const struct wish *w = &s->wish;
    if (!w->password.p || w->generate || !im->seen)
        return SPAN_NULL;
    const uint64_t hash = map_hash2(w->name, w->password);
    struct map_node *n = map_find(&im->passwords, hash, is_seen, w);
    if (n) {
        const struct realm_conf *realm = container_of(n, struct seen, node)->realm;
        return realm == s->realm ? SPAN_NULL : realm->name;
    }
    struct seen *new = &im->seen[im->n_seen];
    *new = (struct seen){ .name = w->name, .password = w->password, .realm = s->realm };
    im->n_seen += map_insert(&im->passwords, &new->node, hash) == 0;
    return SPAN_NULL;
}

static void report(struct slot *s, enum outcome outcome, const struct fault *f)
{
    struct import *im = s->import;
    json_t *j = json_object();
    if (s->wish.name.p)
        json_object_set_new(j, "user", json_of(s->wish.name));
    if (s->realm)
        json_object_set_new(j, "realm", json_of(s->realm->name));
    json_object_set_new(j, "outcome", json_string(outcomes[outcome]));
    if (f)
        json_object_set_new(j, "problem", fault_to_json(f));
    if (s->wish.generate && (outcome == CREATED || outcome == UPDATED))
        json_object_set_new(j, "password", json_of(s->wish.password));
    const struct span other = f ? SPAN_NULL : reused(s);
    if (other.p)
        json_object_set_new(j, "warnings", reuse_warning(other));
    json_array_set_new(im->results, s->index, j);
    im->count[outcome]++;
    im->done++;
}

static void refuse(struct slot *s, const struct fault *f)
{
    report(s, f->status == 503 ? FAILED : REFUSED, f);
}

static void fail(struct slot *s, int err)
{
    struct fault f;
    store_fault(err, &f);
    report(s, FAILED, &f);
}

static bool look_up(struct slot *s);

static void on_forgotten(void *arg, int err)
{
    struct slot *s = arg;
    if (err) {
        fail(s, err);
    } else {
        if (s->weak)
            log_change(&s->import->op, SPAN("user imported"), &s->now, true);
        report(s, CREATED, NULL);
    }
    step(s);
}

static void on_created(void *arg, int err)
{
    struct slot *s = arg;
    s->call = NULL;
    if (err == CS_ECONFLICT && look_up(s))
        return;
    if (!err && s->realm->formerly) {
        forget_user(&s->forget, s->import->op.rest->conf.store, s->wish.name,
                    s->realm->formerly->name, on_forgotten, s);
        return;
    }
    on_forgotten(s, err == CS_ECONFLICT ? CS_ENOMEM : err);
}

static void on_updated(void *arg, int err)
{
    struct slot *s = arg;
    s->call = NULL;
    if (err == CS_ECONFLICT && ++s->tries < TRIES && look_up(s))
        return;
    if (err) {
        fail(s, err);
    } else {
        if (s->weak)
            log_change(&s->import->op, SPAN("user imported"), &s->now, true);
        report(s, UPDATED, NULL);
    }
    step(s);
}

static bool same_fields(const struct user *a, const struct user *b)
{
    if (a->enabled != b->enabled || a->max_contacts != b->max_contacts ||
        a->max_calls != b->max_calls || !span_eq(a->display_name, b->display_name) ||
        a->n_aors != b->n_aors)
        return false;
    for (size_t i = 0; i < a->n_aors; i++) {
        if (!span_eq(a->aors[i], b->aors[i]))
            return false;
    }
    return true;
}

/* True while an update is under way. */
static bool update(struct slot *s, const struct user *found)
{
    struct rest *rest = s->import->op.rest;
    const struct wish_realm realm = wish_realm_of(rest, s->realm);
    struct fault f;
    if (user_copy(found, &s->arena, &s->old)) {
        fail(s, CS_ENOMEM);
        return false;
    }
    s->now = s->old;
    if (wish_apply(&s->wish, false, &s->arena, &s->now, &f)) {
        refuse(s, &f);
        return false;
    }
    bool same_secret =
        !s->wish.generate && wish_has_secret(&s->wish, rest->conf.vault, &realm, &s->old);
    if (same_secret && same_fields(&s->old, &s->now)) {
        report(s, UNCHANGED, NULL);
        return false;
    }
    if (!s->import->update) {
        report(s, KEPT, NULL);
        return false;
    }
    if (!same_secret &&
        wish_apply_secret(&s->wish, rest->conf.vault, &realm, &s->arena, &s->now, &f)) {
        refuse(s, &f);
        return false;
    }
    s->now.changed = loop_wall(rest->loop);
    s->call = store_put_user(rest->conf.store, &s->old, &s->now, on_updated, s);
    if (!s->call)
        fail(s, CS_ENOMEM);
    return s->call != NULL;
}

static void on_user(void *arg, int err, const struct user *found)
{
    struct slot *s = arg;
    s->call = NULL;
    if (err)
        fail(s, err);
    else if (update(s, found))
        return;
    step(s);
}

static bool look_up(struct slot *s)
{
    struct store *store = s->import->op.rest->conf.store;
    s->call = store_get_user(store, s->wish.name, s->realm->name, on_user, s);
    return s->call != NULL;
}

/* True while a creation is under way. */
static bool create(struct slot *s, const json_t *j)
{
    struct rest *rest = s->import->op.rest;
    struct fault f;
    int err = wish_parse(j, WISH_NAME | WISH_FIELDS | WISH_SECRET | WISH_NO_SECRET, &s->arena,
                         &s->wish, &f);
    if (!err)
        err = wish_check_secret(&s->wish, s->generated, &s->weak, &f);
    if (!err) {
        s->realm = realm_of(rest, s->wish.realm, &f);
        err = s->realm ? 0 : CS_ENOENT;
    }
    if (!err) {
        struct wall now = loop_wall(rest->loop);
        s->now = (struct user){
            .name = s->wish.name, .realm = s->realm->name, .created = now, .changed = now
        };
        err = wish_apply(&s->wish, true, &s->arena, &s->now, &f);
    }
    if (!err) {
        const struct wish_realm realm = wish_realm_of(rest, s->realm);
        err = wish_apply_secret(&s->wish, rest->conf.vault, &realm, &s->arena, &s->now, &f);
    }
    if (err) {
        refuse(s, &f);
        return false;
    }
    s->call = store_put_user(rest->conf.store, NULL, &s->now, on_created, s);
    if (!s->call)
        fail(s, CS_ENOMEM);
    return s->call != NULL;
}

/* Gives a slot that is free the next user, until one has to wait for Redis. */
static void step(struct slot *s)
{
    struct import *im = s->import;
    while (im->next < im->n) {
        slot_clear(s);
        arena_init(&s->arena, NULL, 0, 0);
        s->tries = 0;
        s->realm = NULL;
        s->index = im->next++;
        if (create(s, json_array_get(im->users, s->index)))
            return;
    }
    if (im->done == im->n)
        finish(im);
}

/* ---- all of them ---- */

static int read_body(struct import *im, struct fault *f)
{
    static const char *const known[] = { "users", "existing" };
    const json_t *body = im->op.body;
    const char *name, *existing = "keep";
    json_t *value;
    json_object_foreach((json_t *)body, name, value)
    {
        if (strcmp(name, known[0]) && strcmp(name, known[1]))
            return fault_set(f, 422, "unknown-member", "Unknown member",
                             "\"%.60s\" is not known here.", name);
    }
    im->users = json_object_get(body, "users");
    im->n = json_array_size(im->users);
    if (!json_is_array(im->users) || im->n > MAX_USERS)
        return fault_set(f, 422, "invalid-member", "Invalid member",
                         "users must be an array of up to %d.", MAX_USERS);
    for (size_t i = 0; i < im->n; i++) {
        if (!json_is_object(json_array_get(im->users, i)))
            return fault_set(f, 422, "invalid-member", "Invalid member",
                             "users[%zu] must be an object.", i);
    }
    value = json_object_get(body, "existing");
    if (value)
        existing = json_is_string(value) ? json_string_value(value) : "";
    im->update = strcmp(existing, "update") == 0;
    if (!im->update && strcmp(existing, "keep"))
        return fault_set(f, 422, "invalid-member", "Invalid member",
                         "existing must be \"keep\" or \"update\".");
    return 0;
}

void rest_import(struct http_req *req, void *arg)
{
    struct fault f;
    json_t *body = http_json(req);
    if (!body)
        return;
    struct import *im = op_new(arg, req, sizeof(*im));
    if (!im) {
        json_decref(body);
        return;
    }
    im->op.drop = drop;
    im->op.body = body;
    if (read_body(im, &f)) {
        op_fault(&im->op, &f);
        return;
    }
    map_init(&im->passwords);
    im->seen = arena_alloc(http_arena(req), im->n * sizeof(*im->seen));
    im->results = json_array();
    for (size_t i = 0; i < im->n; i++)
        json_array_append_new(im->results, json_null());
    if (im->n == 0)
        finish(im);
    for (size_t i = 0; i < SLOTS; i++)
        im->slot[i].import = im;
    for (size_t i = 0; i < SLOTS && im->next < im->n; i++)
        step(&im->slot[i]);
}
