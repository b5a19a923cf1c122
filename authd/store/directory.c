#include "authd/store/directory.h"

#include <stdlib.h>

#include "authd/store/mirror.h"
#include "base/log.h"
#include "base/map.h"

/* What a party is found by. */
enum key_kind {
    KEY_DEVICE, /* its record's name */
    KEY_TRUNK,  /* the same */
    KEY_NAME,   /* a device's name in lower case, where it has no pins */
    KEY_LINE,
    KEY_PIN,
    KEY_DOMAIN, /* of a trunk */
};

struct key {
    struct map_node node;
    enum key_kind kind;
    struct span text;
    struct party *party;
};

struct party {
    struct arena arena; /* of all it holds, and of itself */
    bool is_trunk;
    struct device device;
    struct trunk trunk;
    size_t n_keys;
    struct key keys[];
};

struct directory {
    struct mirror *devices, *trunks;
    struct map keys;
    directory_fn *on_change;
    void *change_arg;
};

static const struct log lg = { .module = "directory" };

/* ---- keys ---- */

static uint64_t hash_of(enum key_kind kind, struct span text)
{
    const char c = (char)kind;
    return map_hash2(span_of(&c, 1), text);
}

static struct key *key_of(const struct map_node *n)
{
    return container_of((struct map_node *)n, struct key, node);
}

static bool is_key(const struct map_node *n, const void *probe)
{
    const struct key *k = key_of(n), *wanted = probe;
    return k->kind == wanted->kind && span_eq(k->text, wanted->text);
}

static struct party *find(const struct directory *d, enum key_kind kind, struct span text)
{
    const struct key wanted = { .kind = kind, .text = text };
    struct map_node *n = text.p ? map_find(&d->keys, hash_of(kind, text), is_key, &wanted) : NULL;
    return n ? key_of(n)->party : NULL;
}

static int add_key(struct directory *d, struct party *p, enum key_kind kind, struct span text)
{
    struct key *k = &p->keys[p->n_keys];
    *k = (struct key){ .kind = kind, .text = text, .party = p };
    int err = map_insert(&d->keys, &k->node, hash_of(kind, text));
    p->n_keys += err == 0;
    return err;
}

static int add_lower(struct directory *d, struct party *p, enum key_kind kind, struct span text)
{
    char *lower = arena_str(&p->arena, text);
    for (size_t i = 0; lower && i < text.n; i++)
        lower[i] = ascii_lower(lower[i]);
    return lower ? add_key(d, p, kind, span_of(lower, text.n)) : CS_ENOMEM;
}

static bool is_pin(struct span text)
{
    return span_find(text, ':') >= 0; /* which no host has that a certificate names */
}

/* ---- what the mirrors bring ---- */

static void drop(struct directory *d, struct party *p)
{
    for (size_t i = 0; i < p->n_keys; i++)
        map_remove(&d->keys, &p->keys[i].node);
    struct arena a = p->arena; /* it lives there itself */
    arena_fini(&a);
}

static struct party *party_new(struct arena *a, size_t n_keys)
{
    struct party *p = arena_zalloc(a, sizeof(*p) + n_keys * sizeof(p->keys[0]));
    if (p)
        p->arena = *a;
    return p;
}

static int put_device(struct directory *d, struct arena *a, struct span name, struct span bytes)
{
    struct device device;
    int err = device_decode(bytes, a, &device);
    if (!err && !span_eq(device.name, name))
        err = CS_EPROTO;
    struct party *p = err ? NULL : party_new(a, 2 + device.n_lines + device.n_pins);
    if (!p) {
        arena_fini(a);
        return err ? err : CS_ENOMEM;
    }
    p->device = device;
    err = add_key(d, p, KEY_DEVICE, device.name);
    if (!err && device.n_pins == 0)
        err = add_lower(d, p, KEY_NAME, device.name);
    for (size_t i = 0; !err && i < device.n_lines; i++)
        err = add_key(d, p, KEY_LINE, device.lines[i]);
    for (size_t i = 0; !err && i < device.n_pins; i++)
        err = add_key(d, p, KEY_PIN, device.pins[i]);
    if (err)
        drop(d, p);
    return err;
}

static int put_trunk(struct directory *d, struct arena *a, struct span name, struct span bytes)
{
    struct trunk trunk;
    int err = trunk_decode(bytes, a, &trunk);
    if (!err && !span_eq(trunk.name, name))
        err = CS_EPROTO;
    struct party *p = err ? NULL : party_new(a, 1 + trunk.n_certificates);
    if (!p) {
        arena_fini(a);
        return err ? err : CS_ENOMEM;
    }
    p->is_trunk = true;
    p->trunk = trunk;
    err = add_key(d, p, KEY_TRUNK, trunk.name);
    for (size_t i = 0; !err && i < trunk.n_certificates; i++) {
        const struct span text = trunk.certificates[i];
        err = add_key(d, p, is_pin(text) ? KEY_PIN : KEY_DOMAIN, text);
    }
    if (err)
        drop(d, p);
    return err;
}

static void take(struct directory *d, enum key_kind kind, struct span name, struct span bytes)
{
    struct party *old = find(d, kind, name);
    struct arena a;
    if (old)
        drop(d, old);
    if (!bytes.p)
        return;
    arena_init(&a, NULL, 0, 0);
    int err = kind == KEY_DEVICE ? put_device(d, &a, name, bytes) : put_trunk(d, &a, name, bytes);
    if (err)
        log_error(&lg, "a record cannot be read, so it has no say",
                  kv_str("kind", kind == KEY_DEVICE ? "device" : "trunk"), kv_s("name", name),
                  kv_err(err));
}

/* What is read once more since Redis was away is told only where it is another. */
static void on_device(void *arg, struct span name, struct span bytes)
{
    struct directory *d = arg;
    const struct party *old = find(d, KEY_DEVICE, name);
    if (old && bytes.p && span_eq(old->device.record, bytes))
        return;
    take(d, KEY_DEVICE, name, bytes);
    if (d->on_change)
        d->on_change(d->change_arg, name);
}

static void on_trunk(void *arg, struct span name, struct span bytes)
{
    take(arg, KEY_TRUNK, name, bytes);
}

/* ---- who it is ---- */

struct search {
    const struct directory *d;
    const struct cert_facts *c;
    struct span wanted;
    struct arena *a;
    struct holder *out;
    bool no_memory;
};

static bool found(struct search *s, const struct party *p)
{
    *s->out = p->is_trunk ? (struct holder){ .kind = HOLDER_TRUNK, .trunk = &p->trunk }
                          : (struct holder){ .kind = HOLDER_DEVICE, .device = &p->device };
    return true;
}

/* An address is an answer, too, but the next one may be the one that is wanted, or of a trunk. */
static bool take_user(struct search *s, struct span aor)
{
    const bool better = s->out->kind == HOLDER_NONE || span_eq(aor, s->wanted);
    struct span kept = better ? arena_dup(s->a, aor) : SPAN_NULL;
    s->no_memory |= better && !kept.p;
    if (kept.p)
        *s->out = (struct holder){ .kind = HOLDER_USER, .aor = kept };
    return false;
}

static bool take_name(void *arg, enum cert_name_kind kind, struct span name)
{
    struct search *s = arg;
    char space[SIP_AOR_MAX];
    struct buf lower = BUF_INIT(space);
    if (kind == CERT_USER)
        return take_user(s, name);
    for (size_t i = 0; i < name.n; i++)
        buf_putc(&lower, ascii_lower(name.p[i]));
    const struct party *p = find(s->d, KEY_DOMAIN, buf_span(&lower));
    if (!p)
        p = find(s->d, KEY_NAME, buf_span(&lower));
    return p && found(s, p);
}

int directory_holder(const struct directory *d, const struct cert_facts *c, struct span aor,
                     struct arena *a, struct holder *out)
{
    char text[PIN_MAX];
    struct search s = { .d = d, .c = c, .wanted = aor, .a = a, .out = out };
    *out = (struct holder){ .kind = HOLDER_NONE };
    const struct party *p =
        c->sha256.p ? find(d, KEY_PIN, cert_pin("sha256", c->sha256, text)) : NULL;
    if (!p && c->spki.p)
        p = find(d, KEY_PIN, cert_pin("spki", c->spki, text));
    if (p)
        found(&s, p);
    else
        cert_each_name(c, take_name, &s);
    return s.no_memory ? CS_ENOMEM : 0;
}

const struct device *directory_device(const struct directory *d, struct span name)
{
    const struct party *p = find(d, KEY_DEVICE, name);
    return p ? &p->device : NULL;
}

const struct trunk *directory_trunk(const struct directory *d, struct span name)
{
    const struct party *p = find(d, KEY_TRUNK, name);
    return p ? &p->trunk : NULL;
}

struct among { /* begins with what is_key() looks at */
    struct key wanted;
    const struct device *best;
    size_t n;
};

static bool asks_for_more(const struct device *a, const struct device *b)
{
    return a->enabled != b->enabled ? a->enabled : a->security > b->security;
}

/* Looks at every one of them, so it never says that it found the one. */
static bool look(const struct map_node *n, const void *probe)
{
    struct among *among = (struct among *)probe;
    if (!is_key(n, &among->wanted))
        return false;
    const struct device *device = &key_of(n)->party->device;
    among->n++;
    if (!among->best || asks_for_more(device, among->best))
        among->best = device;
    return false;
}

const struct device *directory_line(const struct directory *d, struct span line, size_t *n)
{
    struct among among = { .wanted = { .kind = KEY_LINE, .text = line } };
    map_find(&d->keys, hash_of(KEY_LINE, line), look, &among);
    *n = among.n;
    return among.best;
}

struct gathering { /* the same */
    struct key wanted;
    struct span *names;
    struct arena *arena;
    size_t n, max;
    bool no_memory;
};

static bool gather(const struct map_node *n, const void *probe)
{
    struct gathering *g = (struct gathering *)probe;
    if (!is_key(n, &g->wanted) || g->n == g->max)
        return false;
    struct span name = arena_dup(g->arena, key_of(n)->party->device.name);
    g->no_memory |= !name.p;
    g->names[g->n++] = name;
    return false;
}

int directory_line_names(const struct directory *d, struct span line, struct arena *a,
                         struct span **out, size_t *n)
{
    struct gathering g = { .wanted = { .kind = KEY_LINE, .text = line }, .arena = a };
    directory_line(d, line, &g.max);
    g.names = arena_alloc(a, (g.max + 1) * sizeof(*g.names));
    if (g.names)
        map_find(&d->keys, hash_of(KEY_LINE, line), gather, &g);
    *out = g.names;
    *n = g.n;
    return g.names && !g.no_memory ? 0 : CS_ENOMEM;
}

/* ---- life ---- */

int directory_new(const struct directory_env *env, struct directory **out)
{
    struct directory *d = calloc(1, sizeof(*d));
    *out = d;
    if (!d)
        return CS_ENOMEM;
    map_init(&d->keys);
    const struct mirror_conf devices = { .loop = env->loop,
                                         .redis = env->redis,
                                         .watch = env->watch,
                                         .prefix = DEVICE_PREFIX,
                                         .index = DEVICE_INDEX,
                                         .max = env->conf->limits.devices,
                                         .limit = "limits.devices",
                                         .fn = on_device,
                                         .arg = d };
    const struct mirror_conf trunks = { .loop = env->loop,
                                        .redis = env->redis,
                                        .watch = env->watch,
                                        .prefix = TRUNK_PREFIX,
                                        .index = TRUNK_INDEX,
                                        .max = env->conf->limits.trunks,
                                        .limit = "limits.trunks",
                                        .fn = on_trunk,
                                        .arg = d };
    int err = mirror_new(&devices, &d->devices);
    if (!err)
        err = mirror_new(&trunks, &d->trunks);
    if (err)
        directory_free(out);
    return err;
}

void directory_free(struct directory **dp)
{
    struct directory *d = *dp;
    *dp = NULL;
    if (!d)
        return;
    mirror_free(&d->devices);
    mirror_free(&d->trunks);
    /* A party's first key is its record's name: there is one such of each. */
    for (size_t i = 0; i < d->keys.n_slots; i++) {
        while (d->keys.slots[i])
            drop(d, key_of(d->keys.slots[i])->party);
    }
    map_fini(&d->keys);
    free(d);
}

void directory_listen(struct directory *d, directory_fn *fn, void *arg)
{
    d->on_change = fn;
    d->change_arg = arg;
}

bool directory_is_known(const struct directory *d)
{
    return mirror_is_known(d->devices) && mirror_is_known(d->trunks);
}

bool directory_is_full(const struct directory *d)
{
    return mirror_is_full(d->devices);
}
