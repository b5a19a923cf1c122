/* What is registered: bindings of one AOR, or of each AOR of a user. The registrar writes them;
 * here they are read, and removed when an operator says so. */
#include "authd/check/aor.h"
#include "authd/rest/op.h"
#include "authd/revocation/events.h"
#include "location/location.h"

struct bindings_op {
    struct op op;
    const struct realm_conf *realm; /* of the user */
    bool former;                    /* looked for under the realm's former name */
    const struct span *aors;
    size_t n_aors, i;
    bool removing;
    json_t *list;
    struct span next; /* of a list: where the next page begins */
};

enum { PAGE = 100 };

static void drop(struct op *op)
{
    json_decref(container_of(op, struct bindings_op, op)->list);
}

static struct bindings_op *bindings_op_new(struct http_req *req, struct rest *rest, bool removing)
{
    struct bindings_op *b = op_new(rest, req, sizeof(*b));
    if (!b)
        return NULL;
    b->op.drop = drop;
    b->removing = removing;
    b->list = json_array();
    return b;
}

static void set_text(json_t *j, const char *name, const char *text)
{
    if (text)
        json_object_set_new(j, name, json_of(span_str(text)));
}

static void set_time(json_t *j, const char *name, uint64_t ms)
{
    char text[WALL_STRLEN];
    wall_format((struct wall){ (int64_t)ms }, text);
    json_object_set_new(j, name, json_string(text));
}

/* What csctl revoke token wants to know of it. */
static json_t *token_to_json(const Countersign__Store__Token *t)
{
    json_t *j = json_object();
    set_text(j, "iss", t->iss);
    set_text(j, "sub", t->sub);
    set_text(j, "jti", t->jti);
    set_text(j, "sid", t->sid);
    if (t->has_iat_s)
        set_time(j, "issued", t->iat_s * 1000);
    if (t->has_exp_s)
        set_time(j, "expires", t->exp_s * 1000);
    return j;
}

static json_t *binding_to_json(const Countersign__Store__Binding *b, struct span aor,
                               struct wall now)
{
    json_t *j = json_object(), *path = json_array();
    for (size_t i = 0; i < b->n_path; i++)
        json_array_append_new(path, json_of(span_str(b->path[i])));
    json_object_set_new(j, "aor", json_of(aor));
    set_text(j, "contact", b->contact);
    json_object_set_new(
        j, "expires", json_integer((json_int_t)((b->expires_ms - (uint64_t)now.ms + 999) / 1000)));
    set_time(j, "expires_at", b->expires_ms);
    json_object_set_new(j, "q", json_real(b->has_q ? b->q / 1000.0 : 1.0));
    set_text(j, "call_id", b->call_id);
    json_object_set_new(j, "cseq", json_integer(b->cseq));
    json_object_set_new(j, "path", path);
    set_text(j, "instance", b->instance);
    if (b->has_reg_id)
        json_object_set_new(j, "reg_id", json_integer(b->reg_id));
    set_text(j, "user", b->user);
    if (b->token)
        json_object_set_new(j, "token", token_to_json(b->token));
    set_text(j, "user_agent", b->user_agent);
    set_text(j, "source", b->source);
    set_text(j, "registrar", b->owner);
    if (b->has_since_ms)
        set_time(j, "since", b->since_ms);
    return j;
}

/* ---- one AOR after the other ---- */

static void next_aor(struct bindings_op *b);

static void removed(struct bindings_op *b)
{
    log_action(&b->op, SPAN("bindings removed"), b->aors[b->i], SPAN_NULL);
    b->i++;
    next_aor(b);
}

static void on_deleted(void *arg, const struct redis_reply *reply)
{
    struct bindings_op *b = arg;
    b->op.redis = NULL;
    if (reply && reply->type == REDIS_INTEGER)
        removed(b);
    else
        op_store_error(&b->op, CS_ECLOSED);
}

/* What cannot be read cannot be replaced either; nothing is lost with it. */
static void delete_unreadable(struct bindings_op *b)
{
    char key[USER_MAX_AOR + 16];
    struct buf k = BUF_INIT(key);
    location_key(&k, b->aors[b->i]);
    if (buf_ok(&k))
        b->op.redis = redis_do(b->op.rest->conf.redis, on_deleted, b, SPAN("DEL"), buf_span(&k));
    redis_confirm(b->op.redis);
    if (!b->op.redis)
        op_no_memory(&b->op);
}

static void on_removed(void *arg, int err, size_t n)
{
    struct bindings_op *b = arg;
    (void)n;
    b->op.removal = NULL;
    if (err == CS_EPROTO)
        delete_unreadable(b);
    else if (err)
        op_store_error(&b->op, err);
    else
        removed(b);
}

static bool every(void *arg, const Countersign__Store__Binding *binding)
{
    (void)arg, (void)binding;
    return true;
}

static void on_location(void *arg, int err, const struct location *read)
{
    struct bindings_op *b = arg;
    struct wall now = loop_wall(b->op.rest->loop);
    size_t n = err || !read->record ? 0 : read->record->n_binding;
    b->op.location = NULL;
    if (err) {
        op_store_error(&b->op, err);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const Countersign__Store__Binding *x = read->record->binding[i];
        if (x->expires_ms > (uint64_t)now.ms)
            json_array_append_new(b->list, binding_to_json(x, b->aors[b->i], now));
    }
    b->i++;
    next_aor(b);
}

static void on_told(void *arg, const struct redis_reply *reply)
{
    struct bindings_op *b = arg;
    b->op.redis = NULL;
    if (reply && reply->type == REDIS_STRING)
        op_reply(&b->op, 204, NULL);
    else
        op_store_error(&b->op, CS_ECLOSED); /* who repeats it finds no bindings, and tells */
}

/* Whoever registered there shall notice: fronts close the flows. */
static void tell_removed(struct bindings_op *b)
{
    struct arena *a = http_arena(b->op.req);
    Countersign__Store__Event e = COUNTERSIGN__STORE__EVENT__INIT;
    e.kind = COUNTERSIGN__STORE__EVENT_KIND__EVENT_UNBOUND;
    e.has_time_ms = true;
    e.time_ms = (uint64_t)loop_wall(b->op.rest->loop).ms;
    e.aor = arena_alloc(a, b->n_aors * sizeof(*e.aor));
    for (size_t i = 0; e.aor && i < b->n_aors; i++) {
        e.aor[i] = arena_str(a, b->aors[i]);
        e.aor = e.aor[i] ? e.aor : NULL;
    }
    e.n_aor = b->n_aors;
    struct span packed = e.aor ? event_encode(&e, a) : SPAN_NULL;
    if (packed.p)
        b->op.redis = events_append(b->op.rest->conf.redis, packed, on_told, b);
    redis_confirm(b->op.redis);
    if (!b->op.redis)
        op_no_memory(&b->op);
}

static void next_aor(struct bindings_op *b)
{
    struct locations *l = b->op.rest->locations;
    if (b->i < b->n_aors && b->removing) {
        b->op.removal = location_remove(l, b->aors[b->i], every, on_removed, b);
        if (!b->op.removal)
            op_no_memory(&b->op);
    } else if (b->i < b->n_aors) {
        b->op.location = location_get(l, b->aors[b->i], http_arena(b->op.req), on_location, b);
        if (!b->op.location)
            op_no_memory(&b->op);
    } else if (b->removing) {
        tell_removed(b);
    } else {
        json_t *body = json_pack("{s:O}", "bindings", b->list);
        if (b->next.p)
            json_object_set_new(body, "next", json_of(b->next));
        op_reply(&b->op, 200, body);
    }
}

/* ---- the routes ---- */

static void find_user(struct bindings_op *b);

static void on_user(void *arg, int err, const struct user *found)
{
    struct bindings_op *b = arg;
    struct user *u = arena_alloc(http_arena(b->op.req), sizeof(*u));
    b->op.call = NULL;
    if (err == CS_ENOENT && b->realm->formerly && !b->former) {
        b->former = true;
        find_user(b);
        return;
    }
    if (!err && (!u || user_copy(found, http_arena(b->op.req), u)))
        err = CS_ENOMEM;
    if (err) {
        op_store_error(&b->op, err);
        return;
    }
    b->aors = u->aors;
    b->n_aors = u->n_aors;
    next_aor(b);
}

static void find_user(struct bindings_op *b)
{
    const struct span realm = b->former ? b->realm->formerly->name : b->realm->name;
    b->op.call =
        store_get_user(b->op.rest->conf.store, http_param(b->op.req, "user"), realm, on_user, b);
    if (!b->op.call)
        op_no_memory(&b->op);
}

static void of_user(struct http_req *req, struct rest *rest, bool removing)
{
    struct fault f;
    struct bindings_op *b = bindings_op_new(req, rest, removing);
    if (!b)
        return;
    b->realm = realm_of(rest, http_query(req, "realm"), &f);
    if (b->realm)
        find_user(b);
    else
        op_fault(&b->op, &f);
}

static void of_aor(struct http_req *req, struct rest *rest, bool removing)
{
    struct bindings_op *b = bindings_op_new(req, rest, removing);
    struct span *aor = b ? arena_alloc(http_arena(req), sizeof(*aor)) : NULL;
    if (!b)
        return;
    int err = aor ? aor_of(http_param(req, "aor"), http_arena(req), aor) : CS_ENOMEM;
    if (err == CS_ENOMEM) {
        op_no_memory(&b->op);
    } else if (err) {
        struct fault f;
        fault_set(&f, 422, "invalid-aor", "Invalid address of record",
                  "Write sip:user@domain, percent-encoded where the path needs it.");
        op_fault(&b->op, &f);
    } else {
        b->aors = aor;
        b->n_aors = 1;
        next_aor(b);
    }
}

static bool has(const struct span *aors, size_t n, struct span aor)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq(aors[i], aor))
            return true;
    }
    return false;
}

/* A page of users, and what is registered for their AORs. */
static void on_list(void *arg, int err, const struct user *users, size_t n, struct span next)
{
    struct bindings_op *b = arg;
    struct arena *a = http_arena(b->op.req);
    size_t total = 0, kept = 0;
    b->op.call = NULL;
    if (err) {
        op_store_error(&b->op, err);
        return;
    }
    for (size_t i = 0; i < n; i++)
        total += users[i].n_aors;
    struct span *aors = arena_alloc(a, total * sizeof(*aors));
    b->next = arena_dup(a, next);
    bool ok = aors && (b->next.p || !next.p);
    for (size_t i = 0; ok && i < n; i++) {
        for (size_t k = 0; ok && k < users[i].n_aors; k++) {
            if (has(aors, kept, users[i].aors[k]))
                continue; /* they share it */
            aors[kept] = arena_dup(a, users[i].aors[k]);
            ok = aors[kept++].p != NULL;
        }
    }
    if (!ok) {
        op_no_memory(&b->op);
        return;
    }
    b->aors = aors;
    b->n_aors = kept;
    next_aor(b);
}

void rest_bindings_list(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct fault f;
    size_t limit;
    struct span realm = http_query(req, "realm");
    struct bindings_op *b = bindings_op_new(req, rest, false);
    if (!b)
        return;
    if ((realm.p && !realm_of(rest, realm, &f)) || limit_of(req, PAGE, PAGE, &limit, &f)) {
        op_fault(&b->op, &f);
        return;
    }
    b->op.call =
        store_list_users(rest->conf.store, realm, http_query(req, "after"), limit, on_list, b);
    if (!b->op.call)
        op_no_memory(&b->op);
}

void rest_user_bindings(struct http_req *req, void *arg)
{
    of_user(req, arg, false);
}

void rest_user_unbind(struct http_req *req, void *arg)
{
    of_user(req, arg, true);
}

void rest_bindings_get(struct http_req *req, void *arg)
{
    of_aor(req, arg, false);
}

void rest_bindings_delete(struct http_req *req, void *arg)
{
    of_aor(req, arg, true);
}
