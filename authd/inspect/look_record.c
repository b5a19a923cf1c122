/* Records, each against its key, its index, and what it refers to. */
#include "authd/check/certificate.h"
#include "authd/defence/ban.h"
#include "authd/inspect/look.h"
#include "authd/revocation/event.h"
#include "authd/revocation/revocation.h"
#include "authd/store/address_set.h"
#include "authd/store/device.h"
#include "authd/store/seen.h"
#include "authd/store/trunk.h"
#include "proto/codec.h"

#define TYPE(name) (&countersign__store__##name##__descriptor)

enum { SCHEMA = 1, UNFINISHED_MS = 60 * 1000 };

/* ---- what all have ---- */

const void *look_message(struct look *l, const ProtobufCMessageDescriptor *type, struct span bytes)
{
    const struct span kept = arena_dup(l->arena, bytes);
    const void *m = kept.p ? proto_unpack(type, kept, l->arena) : NULL;
    const ProtobufCFieldDescriptor *schema =
        protobuf_c_message_descriptor_get_field_by_name(type, "schema");
    const struct span entry = l->fn ? l->entry : SPAN_NULL;
    uint32_t version = SCHEMA;
    if (m)
        memcpy(&version, (const char *)m + schema->offset, sizeof(version));
    if (!m || version != SCHEMA) {
        look_found(l, m ? FLAW_UNKNOWN_SCHEMA : FLAW_UNREADABLE, entry, SPAN_NULL, NULL);
        return NULL;
    }
    return m;
}

/* It is of a schema that is known here; what more it should be it is not. */
static void unreadable(struct look *l, int err)
{
    if (err == CS_ENOMEM)
        look_no_memory(l);
    else
        look_found(l, FLAW_UNREADABLE, l->fn ? l->entry : SPAN_NULL, SPAN_NULL, NULL);
}

static void on_listed(struct look *l, const struct redis_reply *r, void *arg)
{
    (void)arg;
    if (r->type == REDIS_NIL || (r->type == REDIS_INTEGER && r->integer == 0))
        look_found(l, FLAW_UNLISTED, SPAN_NULL, SPAN_NULL, NULL);
}

/* Under its own name, and in its index. */
static void look_at_place(struct look *l, struct span name, struct span index)
{
    if (!span_eq(name, l->name))
        look_found(l, FLAW_MISPLACED, SPAN_NULL, name, NULL);
    look_do(l, on_listed, NULL, SPAN("ZSCORE"), index, l->name);
}

/* What a record refers to. */
struct referred {
    enum flaw flaw;
    struct span name;
};

static void on_referred(struct look *l, const struct redis_reply *r, void *arg)
{
    const struct referred *x = arg;
    if (r->type == REDIS_INTEGER && r->integer == 0)
        look_found(l, x->flaw, SPAN_NULL, x->name, NULL);
}

static void refer(struct look *l, enum flaw flaw, const char *prefix, struct span name)
{
    struct referred *x = arena_alloc(l->arena, sizeof(*x));
    if (!x) {
        look_no_memory(l);
        return;
    }
    *x = (struct referred){ flaw, name };
    look_do(l, on_referred, x, SPAN("EXISTS"), look_key(l, prefix, name, ""));
}

/* ---- devices, trunks, address sets ---- */

void look_device(struct look *l, const struct redis_reply *r, void *arg)
{
    struct device d;
    (void)arg;
    if (!look_message(l, TYPE(device), r->str))
        return;
    int err = device_decode(r->str, l->arena, &d);
    if (err) {
        unreadable(l, err);
        return;
    }
    look_at_place(l, d.name, SPAN(DEVICE_INDEX));
    for (size_t i = 0; i < d.n_lines; i++)
        refer(l, FLAW_LINE_OF_NOBODY, "cs:user:", d.lines[i]);
    if (d.address_set.n)
        refer(l, FLAW_ABSENT_SET, ADDRESS_SET_PREFIX, d.address_set);
}

static void look_at_credential(struct look *l, const struct trunk *t,
                               const struct trunk_credential *c)
{
    char password[TRUNK_MAX_PASSWORD], text[2 * TRUNK_MAX_TEXT + 64];
    struct buf b = BUF_INIT(text);
    size_t n = 0;
    const int err = trunk_open(t, c, l->env->trunk_vault, password, &n);
    ct_wipe(password, sizeof(password));
    if (!err)
        return;
    buf_printf(&b, "realm " SPAN_FMT ", user " SPAN_FMT ", key %u", SPAN_ARG(c->realm),
               SPAN_ARG(c->user), c->sealed.n ? (unsigned char)c->sealed.p[0] : 0);
    look_found(l, FLAW_UNKNOWN_KEY_ID, SPAN_NULL, buf_span(&b), NULL);
}

void look_trunk(struct look *l, const struct redis_reply *r, void *arg)
{
    struct trunk t;
    (void)arg;
    if (!look_message(l, TYPE(trunk), r->str))
        return;
    int err = trunk_decode(r->str, l->arena, &t);
    if (err) {
        unreadable(l, err);
        return;
    }
    look_at_place(l, t.name, SPAN(TRUNK_INDEX));
    for (size_t i = 0; i < t.n_credentials; i++)
        look_at_credential(l, &t, &t.credentials[i]);
}

void look_set(struct look *l, const struct redis_reply *r, void *arg)
{
    struct address_set s;
    (void)arg;
    if (!look_message(l, TYPE(address_set), r->str))
        return;
    int err = address_set_decode(r->str, l->arena, &s);
    if (err)
        unreadable(l, err);
    else
        look_at_place(l, s.name, SPAN(ADDRESS_SET_INDEX));
}

/* ---- bans, certificates, registrars ---- */

void look_ban(struct look *l, const struct redis_reply *r, void *arg)
{
    char id[BAN_ID_LEN + 1];
    struct ban b;
    (void)arg;
    if (!look_message(l, TYPE(ban), r->str))
        return;
    int err = ban_decode(r->str, l->arena, &b);
    if (err) {
        unreadable(l, err);
        return;
    }
    ban_id(&b, id);
    look_at_place(l, span_str(id), SPAN("cs:ban:{all}"));
}

/* Of many the index keeps those that expire first: a record that is in none is no flaw. */
void look_certificate(struct look *l, const struct redis_reply *r, void *arg)
{
    char hash[2 * 32];
    struct buf b = BUF_INIT(hash);
    struct seen_certificate c;
    (void)arg;
    if (!look_message(l, TYPE(seen_certificate), r->str))
        return;
    int err = seen_decode(r->str, l->arena, &c);
    if (err) {
        unreadable(l, err);
        return;
    }
    buf_hex(&b, c.sha256.p, c.sha256.n);
    if (!span_eq(buf_span(&b), l->name))
        look_found(l, FLAW_MISPLACED, SPAN_NULL, buf_span(&b), NULL);
}

void look_node(struct look *l, const struct redis_reply *r, void *arg)
{
    (void)arg;
    const Countersign__Store__Node *n = look_message(l, TYPE(node), r->str);
    if (!n)
        return;
    if (!span_eq(span_str(n->name), l->name))
        look_found(l, FLAW_MISPLACED, SPAN_NULL, span_str(n->name), NULL);
    look_do(l, on_listed, NULL, SPAN("SISMEMBER"), SPAN("cs:{nodes}"), l->name);
}

/* ---- what is revoked ---- */

static void on_revocation(struct look *l, const struct redis_reply *r, void *arg)
{
    struct revocation x;
    (void)arg;
    if (r->type != REDIS_STRING || !look_message(l, TYPE(revocation), r->str))
        return;
    int err = revocation_decode(r->str, l->arena, &x);
    if (err)
        unreadable(l, err);
}

void look_revocation(struct look *l)
{
    look_do(l, on_revocation, NULL, SPAN("HGET"), l->key, l->entry);
}

static const Countersign__Store__Event *event_of(struct look *l, struct span bytes)
{
    Countersign__Store__Event *e = NULL;
    if (!look_message(l, TYPE(event), bytes))
        return NULL;
    int err = event_decode(bytes, l->arena, &e);
    if (err)
        unreadable(l, err);
    return err ? NULL : e;
}

static void on_revoking(struct look *l, const struct redis_reply *r, void *arg)
{
    (void)arg;
    const Countersign__Store__Event *e = r->type == REDIS_STRING ? event_of(l, r->str) : NULL;
    if (e && (int64_t)e->time_ms < loop_wall(l->env->loop).ms - UNFINISHED_MS)
        look_found(l, FLAW_UNFINISHED, l->entry, span_str(e->user ? e->user : e->revocation), NULL);
}

void look_revoking(struct look *l)
{
    look_do(l, on_revoking, NULL, SPAN("HGET"), l->key, l->entry);
}

/* [[id, ["e", event]]] */
static void on_event(struct look *l, const struct redis_reply *r, void *arg)
{
    (void)arg;
    if (r->type != REDIS_ARRAY || r->n == 0)
        return; /* those that came behind it have pushed it out */
    const struct redis_reply *e = &r->element[0];
    if (e->n == 2 && e->element[1].n == 2 && span_eq(e->element[1].element[0].str, SPAN("e")))
        event_of(l, e->element[1].element[1].str);
    else
        look_found(l, FLAW_UNREADABLE, l->entry, SPAN_NULL, NULL);
}

void look_event(struct look *l)
{
    look_do(l, on_event, NULL, SPAN("XRANGE"), l->key, l->entry, l->entry);
}

/* ---- what the configuration refers to ---- */

void look_named_set(struct look *l)
{
    refer(l, FLAW_ABSENT_SET, ADDRESS_SET_PREFIX, l->entry);
}
