#include "authd/revocation/event.h"

#include "authd/revocation/revocation.h"
#include "base/rand.h"
#include "proto/codec.h"

enum { SCHEMA = 1 };

/* Something that was good before is good no longer: to be there, an AOR, a password. */
static bool takes(const struct user *old, const struct user *now)
{
    bool taken = old->enabled && !now->enabled;
    for (size_t i = 0; old->enabled && i < old->n_aors; i++)
        taken |= !user_has_aor(now, old->aors[i]);
    for (enum algorithm alg = 0; old->enabled && alg < ALG_COUNT; alg++)
        taken |= old->sealed[alg].p && !user_has_sealed(now, old->sealed[alg]);
    return taken;
}

static int add_aors(Countersign__Store__Event *e, const struct user *u, const struct user *listed,
                    struct arena *a)
{
    for (size_t i = 0; i < u->n_aors; i++) {
        if (listed && user_has_aor(listed, u->aors[i]))
            continue;
        e->aor[e->n_aor] = arena_str(a, u->aors[i]);
        if (!e->aor[e->n_aor++])
            return CS_ENOMEM;
    }
    return 0;
}

/* What begins here is seen to its end under this name. */
static int begin(Countersign__Store__Event *e, struct wall when, struct arena *a)
{
    unsigned char random[EVENT_TOKEN_LEN / 4 * 3];
    e->has_time_ms = true;
    e->time_ms = (uint64_t)when.ms;
    e->token = arena_alloc(a, EVENT_TOKEN_LEN + 1);
    if (!e->token)
        return CS_ENOMEM;
    rand_bytes(random, sizeof(random));
    struct buf b = buf_of(e->token, EVENT_TOKEN_LEN + 1);
    buf_base64url(&b, random, sizeof(random));
    buf_putc(&b, '\0');
    return 0;
}

/* "name@realm" of the user. */
static int name(Countersign__Store__Event *e, const struct user *u, struct arena *a)
{
    const size_t n = u->name.n + u->realm.n + 2;
    e->user = arena_alloc(a, n);
    if (!e->user)
        return CS_ENOMEM;
    struct buf b = buf_of(e->user, n);
    buf_put(&b, u->name);
    buf_putc(&b, '@');
    buf_put(&b, u->realm);
    buf_putc(&b, '\0');
    return 0;
}

int event_of_change(const struct user *old, const struct user *now, struct wall when,
                    struct arena *a, Countersign__Store__Event *out)
{
    countersign__store__event__init(out);
    if (!takes(old, now))
        return CS_ENOENT;
    out->kind = COUNTERSIGN__STORE__EVENT_KIND__EVENT_USER;
    out->aor = arena_alloc(a, (old->n_aors + now->n_aors) * sizeof(*out->aor));
    if (!out->aor || name(out, old, a) || begin(out, when, a))
        return CS_ENOMEM;
    int err = add_aors(out, old, NULL, a);
    return err ? err : add_aors(out, now, old, a);
}

int event_of_closing(const struct user *u, struct wall when, struct arena *a,
                     Countersign__Store__Event *out)
{
    countersign__store__event__init(out);
    out->kind = COUNTERSIGN__STORE__EVENT_KIND__EVENT_UNBOUND;
    out->aor = arena_alloc(a, u->n_aors * sizeof(*out->aor));
    if (!out->aor || name(out, u, a) || begin(out, when, a))
        return CS_ENOMEM;
    return add_aors(out, u, NULL, a);
}

int event_of_revocation(struct span id, struct wall when, struct arena *a,
                        Countersign__Store__Event *out)
{
    countersign__store__event__init(out);
    out->kind = COUNTERSIGN__STORE__EVENT_KIND__EVENT_REVOCATION;
    out->revocation = arena_str(a, id);
    return out->revocation ? begin(out, when, a) : CS_ENOMEM;
}

struct span event_encode(Countersign__Store__Event *e, struct arena *a)
{
    e->schema = SCHEMA;
    return proto_packed(SPAN_NULL, &e->base, a);
}

bool event_user(const Countersign__Store__Event *e, struct span *name, struct span *realm)
{
    struct span full = span_str(e->user);
    size_t at = full.n;
    while (at > 0 && full.p[at - 1] != '@') /* the last: a realm has none */
        at--;
    *name = span_head(full, at > 0 ? at - 1 : 0);
    *realm = span_skip(full, at);
    return name->n > 0 && name->n <= USER_MAX_NAME && realm->n > 0 && realm->n <= USER_MAX_NAME;
}

/* So that whoever makes a key of it needs no check. */
static bool fits(const Countersign__Store__Event *e)
{
    unsigned char tag[REST_TAG_LEN];
    struct span name, realm;
    bool named = event_user(e, &name, &realm);
    for (size_t i = 0; i < e->n_aor; i++) {
        if (span_str(e->aor[i]).n > USER_MAX_AOR)
            return false;
    }
    return e->schema == SCHEMA && e->n_aor <= EVENT_MAX_AORS &&
           (named || (!e->user && e->kind != COUNTERSIGN__STORE__EVENT_KIND__EVENT_USER)) &&
           (revocation_of_id(span_str(e->revocation), tag) == 0 ||
            (!e->revocation && e->kind != COUNTERSIGN__STORE__EVENT_KIND__EVENT_REVOCATION)) &&
           span_str(e->token).n <= EVENT_TOKEN_LEN;
}

int event_decode(struct span packed, struct arena *a, Countersign__Store__Event **out)
{
    struct span kept = arena_dup(a, packed);
    *out = NULL;
    if (!kept.p)
        return packed.p ? CS_ENOMEM : CS_EPROTO;
    Countersign__Store__Event *e = proto_unpack(&countersign__store__event__descriptor, kept, a);
    if (!e || !fits(e))
        return CS_EPROTO;
    e->base.n_unknown_fields = 0; /* of a later version; not ours to pass on */
    *out = e;
    return 0;
}

bool event_is_id(struct span id)
{
    uint64_t n;
    if (id.n >= EVENT_ID_MAX)
        return false;
    struct span time = span_cut(&id, '-');
    return span_u64(time, UINT64_MAX, &n) == 0 && span_u64(id, UINT64_MAX, &n) == 0;
}
