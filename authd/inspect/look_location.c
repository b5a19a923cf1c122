/* What is registered: by whom, whether he still may, and who has the connection. */
#include "authd/inspect/look.h"
#include "authd/revocation/event.h"
#include "authd/revocation/events.h"
#include "authd/store/device.h"
#include "location/location.h"
#include "proto/codec.h"

struct bound {
    const Countersign__Store__Binding *binding;
    struct span user;
};

/* ---- ending it ---- */

static void on_told(struct look *l, const struct redis_reply *r, void *arg)
{
    struct finding *f = arg;
    (void)l;
    f->repaired = r->type == REDIS_STRING; /* the entry's id */
}

/* As when the user was removed now: every authd looks at what stands, removes the bindings and has
 * the flows closed. Who loses all he has to an event is the user that the binding names. */
static void repair(struct look *l, struct finding *f)
{
    Countersign__Store__Event e;
    struct user old = { .enabled = true, .aors = &l->name, .n_aors = 1 };
    const struct user none = { 0 };
    device_line_split(f->detail, &old.name, &old.realm);
    if (event_of_change(&old, &none, loop_wall(l->env->loop), l->arena, &e)) {
        look_no_memory(l);
        return;
    }
    const struct span packed = event_encode(&e, l->arena);
    look_do(l, NULL, NULL, SPAN("HSET"), SPAN("cs:revoking"), span_str(e.token), packed);
    look_do(l, on_told, f, SPAN("XADD"), SPAN("cs:events"), SPAN("*"), SPAN("e"), packed);
}

/* ---- who it is ---- */

/* Where somebody else's service judges, and where a token alone proves who it is, there need be no
 * user here. */
static bool may_be_nobody(const struct look *l, const struct bound *b)
{
    const struct authd_conf *conf = l->env->conf;
    struct span name, realm;
    device_line_split(b->user, &name, &realm);
    for (size_t i = 0; i < conf->n_peer_groups; i++) {
        const struct group_conf *g = &conf->peer_groups[i];
        if (g->backend && span_eq(g->digest.realm, realm))
            return true;
    }
    return b->binding->token || user_is_temporary(name);
}

static void on_user(struct look *l, const struct redis_reply *r, void *arg)
{
    const struct bound *b = arg;
    const struct span contact = span_str(b->binding->contact);
    struct user u;
    if (r->type == REDIS_NIL) {
        if (!may_be_nobody(l, b))
            look_found(l, FLAW_BINDING_OF_NOBODY, contact, b->user, repair);
        return;
    }
    if (r->type != REDIS_STRING || user_decode(r->str, l->arena, &u))
        return; /* told of where the user is looked at */
    if (!u.enabled)
        look_found(l, FLAW_BINDING_OF_DISABLED, contact, b->user, repair);
    else if (!user_has_aor(&u, l->name) && !may_be_nobody(l, b))
        look_found(l, FLAW_BINDING_NOT_ALLOWED, contact, b->user, repair);
}

static void on_owner(struct look *l, const struct redis_reply *r, void *arg)
{
    const struct bound *b = arg;
    if (r->type == REDIS_INTEGER && r->integer == 0)
        look_found(l, FLAW_REGISTRAR_AWAY, span_str(b->binding->contact),
                   span_str(b->binding->owner), NULL);
}

static void look_at_binding(struct look *l, const Countersign__Store__Binding *binding)
{
    struct bound *b = arena_alloc(l->arena, sizeof(*b));
    if (!b) {
        look_no_memory(l);
        return;
    }
    *b = (struct bound){ binding, span_str(binding->user) };
    if (b->user.n)
        look_do(l, on_user, b, SPAN("GET"), look_key(l, "cs:user:", b->user, ""));
    if (!binding->flow || !binding->owner)
        return;
    const struct span owner = span_str(binding->owner);
    char *key = arena_alloc(l->arena, owner.n + 16);
    struct buf k = buf_of(key, key ? owner.n + 16 : 0);
    buf_lit(&k, "cs:{nodes}:");
    buf_put(&k, owner);
    look_do(l, on_owner, b, SPAN("EXISTS"), key ? buf_span(&k) : SPAN_NULL);
}

/* ---- the record ---- */

void look_location(struct look *l, const struct redis_reply *r, void *arg)
{
    const struct wall now = loop_wall(l->env->loop);
    struct location read;
    (void)arg;
    int err = location_decode(r, l->arena, &read);
    if (err == CS_ENOMEM) {
        look_no_memory(l);
        return;
    }
    if (err) { /* is it of a schema that is not known here? */
        const struct span last = r->type == REDIS_ARRAY ? r->element[r->n - 1].str : SPAN_NULL;
        if (!last.p || look_message(l, &countersign__store__location__descriptor, last))
            look_found(l, FLAW_UNREADABLE, SPAN_NULL, SPAN_NULL, NULL);
        return;
    }
    for (size_t i = 0; read.record && i < read.record->n_binding; i++) {
        if ((int64_t)read.record->binding[i]->expires_ms > now.ms)
            look_at_binding(l, read.record->binding[i]);
    }
}
