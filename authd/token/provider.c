#include "authd/token/provider.h"

#include <stdio.h>
#include <stdlib.h>

#include "authd/token/metadata.h"
#include "base/log.h"

static const struct log plog = { .module = "token" };

struct provider {
    struct loop *loop;
    struct fetcher *fetcher;
    const struct issuer_conf *conf;
    struct keyset *keys; /* NULL: none were had, or too long ago */
    struct arena arena;  /* of metadata */
    struct metadata metadata;
    bool discovered;
    struct mono began;    /* the attempt under way, or the last one */
    struct mono had;      /* when the last one that succeeded began; ns 0: never */
    struct wall had_wall; /* the same */
    unsigned failures;    /* since then */
    struct fetch *fetch;
    struct timer timer;
    struct list waiters;
};

enum { RETRY_MS = 1000 };

/* ---- the end of an attempt ---- */

static void schedule(struct provider *p, struct duration after)
{
    timer_start(p->loop, &p->timer, after);
}

static void succeed(struct provider *p, int64_t max_age_s)
{
    const struct issuer_conf *c = p->conf;
    int64_t next = c->keys.refresh.ms;
    if (max_age_s >= 0) /* sooner when it says so, but it cannot make us hurry */
        next = CS_MIN(next, CS_MAX(max_age_s * 1000, c->keys.refetch.ms));
    if (p->failures || !p->had.ns)
        log_info(&plog, "an issuer's keys are there", kv_s("issuer", c->name),
                 kv_u("keys", p->keys ? p->keys->n : 0),
                 kv_u("unusable", p->keys ? p->keys->skipped : 0));
    p->failures = 0;
    p->had = p->began;
    p->had_wall = loop_wall(p->loop);
    schedule(p, DURATION_MS(next));
    waiters_wake(&p->waiters);
}

static void fail(struct provider *p, const char *what, const char *why, int err)
{
    const struct issuer_conf *c = p->conf;
    const struct mono now = loop_now(p->loop);
    if (!p->failures)
        log_error(&plog, what, kv_s("issuer", c->name), kv_str("why", why), kv_err(err));
    const int64_t retry = (int64_t)RETRY_MS << CS_MIN(p->failures, 10u);
    p->failures++;
    p->discovered = false; /* perhaps it moved */
    if (p->keys && mono_since(p->had, now).ms >= c->keys.keep.ms) {
        log_error(&plog, "an issuer's keys are too old to be used", kv_s("issuer", c->name));
        keyset_free(&p->keys);
    }
    schedule(p, DURATION_MS(CS_MIN(retry, c->keys.refetch.ms)));
    waiters_wake(&p->waiters);
}

/* ---- keys ---- */

static void take_keys(struct provider *p, struct keyset **keys)
{
    keyset_free(&p->keys);
    p->keys = *keys;
    *keys = NULL;
    if (p->keys->n == 0)
        log_warn(&plog, "an issuer has no key that can be used", kv_s("issuer", p->conf->name),
                 kv_u("unusable", p->keys->skipped));
}

static void on_keys(void *arg, const struct fetch_answer *a)
{
    struct provider *p = arg;
    struct keyset *keys = NULL;
    int err = a->err;
    p->fetch = NULL;
    if (!err)
        err = keyset_new(&keys);
    if (!err)
        err = keyset_add(keys, a->body);
    if (err) {
        keyset_free(&keys);
        fail(p, "an issuer's keys cannot be had", a->err ? a->why : "it is no JWK Set", err);
        return;
    }
    take_keys(p, &keys);
    succeed(p, a->max_age_s);
}

static int read_file(const char *path, struct keyset *keys)
{
    char *text = malloc(KEYSET_TEXT_MAX + 1);
    FILE *f = text ? fopen(path, "re") : NULL;
    int err = !text ? CS_ENOMEM : !f ? CS_ENOENT : 0;
    if (!err) {
        size_t n = fread(text, 1, KEYSET_TEXT_MAX + 1, f);
        err = ferror(f) ? CS_ENOENT : keyset_add(keys, span_of(text, n));
    }
    if (f)
        fclose(f);
    free(text);
    return err;
}

static int read_files(struct provider *p)
{
    const struct issuer_conf *c = p->conf;
    struct keyset *keys;
    int err = keyset_new(&keys);
    for (size_t i = 0; !err && i < c->keys.n_files; i++) {
        err = read_file(c->keys.files[i], keys);
        if (err)
            fail(p, "an issuer's key file cannot be used", c->keys.files[i], err);
    }
    if (err) {
        keyset_free(&keys);
        return err;
    }
    take_keys(p, &keys);
    succeed(p, -1);
    return 0;
}

/* ---- asking ---- */

static int ask(struct provider *p, const char *url, size_t max, fetch_fn *fn)
{
    const struct fetch_request r = {
        .url = url,
        .ca_file = p->conf->ca_file,
        .accept = "application/json",
        .max = max,
        .timeout = p->conf->timeout,
    };
    return fetch_start(p->fetcher, &r, fn, p, &p->fetch);
}

static void ask_keys(struct provider *p, int64_t max_age_s)
{
    const struct span url = p->conf->keys.url.p ? p->conf->keys.url : p->metadata.jwks_uri;
    if (!issuer_has_keys(p->conf)) {
        succeed(p, max_age_s);
        return;
    }
    int err = url.p ? ask(p, url.p, KEYSET_TEXT_MAX, on_keys) : CS_ENOENT;
    if (err)
        fail(p, "an issuer's keys cannot be asked for",
             url.p ? "out of memory, or too many requests" : "discovery names no jwks_uri", err);
}

static void on_metadata(void *arg, const struct fetch_answer *a)
{
    struct provider *p = arg;
    p->fetch = NULL;
    arena_fini(&p->arena);
    arena_init(&p->arena, NULL, 0, 0);
    int err = a->err;
    if (!err)
        err = metadata_parse(a->body, p->conf->issuer, &p->arena, &p->metadata);
    if (err) {
        p->metadata = (struct metadata){ 0 };
        fail(p, "an issuer cannot be discovered",
             a->err              ? a->why
             : err == CS_EDENIED ? "it speaks of another issuer, or names an unsafe address"
                                 : "it is no discovery document",
             err);
        return;
    }
    p->discovered = true;
    ask_keys(p, a->max_age_s);
}

static int begin(struct provider *p)
{
    char url[METADATA_URL_MAX + 64];
    struct buf b = BUF_INIT(url);
    p->began = loop_now(p->loop);
    if (p->conf->keys.n_files)
        return read_files(p);
    if (!issuer_discovers(p->conf) || p->discovered) {
        ask_keys(p, -1);
        return 0;
    }
    int err = metadata_url(p->conf->issuer, &b);
    if (!err)
        err = ask(p, url, METADATA_TEXT_MAX, on_metadata);
    if (err)
        fail(p, "an issuer cannot be discovered", "out of memory, or too many requests", err);
    return 0;
}

static void on_time(struct timer *t)
{
    struct provider *p = container_of(t, struct provider, timer);
    int ignored = p->fetch ? 0 : begin(p); /* a failure was logged, and is tried again */
    (void)ignored;
}

/* ---- answers ---- */

static bool may_refetch(struct provider *p)
{
    return mono_since(p->began, loop_now(p->loop)).ms >= p->conf->keys.refetch.ms;
}

/* Whether keys were had that a token must be among which existed before: either it came here before
 * they were asked for, or so its own clock says. */
static bool had_behind(const struct provider *p, const struct waiter *w, int64_t iat)
{
    return !mono_before(p->had, w->since) ||
           (iat && (p->had_wall.ms - p->conf->leeway.ms) / 1000 > iat); /* whatever it says */
}

static enum key_answer wait(struct provider *p, struct waiter *w)
{
    list_remove(&w->link);
    list_push_back(&p->waiters, &w->link);
    return KEY_WAITS;
}

enum key_answer provider_key(struct provider *p, struct span kid, enum jwt_alg alg, int64_t iat,
                             struct waiter *w, const struct jwk **out)
{
    if (!w->since.ns)
        w->since = loop_now(p->loop);
    for (bool fetched = false;; fetched = true) {
        int err = p->keys ? keyset_find(p->keys, kid, alg, out) : CS_ENOENT;
        if (err != CS_ENOENT)
            return err ? KEY_MISFIT : KEY_FOUND;
        if (p->keys && had_behind(p, w, iat))
            return KEY_UNKNOWN;
        if (p->fetch)
            return wait(p, w);
        if (fetched || !may_refetch(p) || begin(p))
            return KEY_LATER;
    }
}

bool provider_has_key(const struct provider *p, const unsigned char id[JWK_ID_LEN])
{
    return p->keys && keyset_has(p->keys, id);
}

enum key_answer provider_introspection(struct provider *p, struct waiter *w, const char **url)
{
    const struct span known = p->conf->introspection.url.p ? p->conf->introspection.url
                                                           : p->metadata.introspection_endpoint;
    *url = known.p;
    if (known.p)
        return KEY_FOUND;
    return p->fetch ? wait(p, w) : KEY_LATER;
}

/* ---- life ---- */

int provider_new(struct loop *l, struct fetcher *f, const struct issuer_conf *c,
                 struct provider **out)
{
    struct provider *p = calloc(1, sizeof(*p));
    *out = p;
    if (!p)
        return CS_ENOMEM;
    p->loop = l;
    p->fetcher = f;
    p->conf = c;
    arena_init(&p->arena, NULL, 0, 0);
    timer_init(&p->timer, on_time);
    list_init(&p->waiters);
    if (!issuer_has_keys(c) && !issuer_discovers(c))
        return 0; /* nothing to be had */
    int err = begin(p);
    if (err)
        provider_free(out);
    return err;
}

void provider_free(struct provider **pp)
{
    struct provider *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    list_for_each (it, &p->waiters)
        list_remove(it);
    fetch_cancel(&p->fetch);
    timer_stop(p->loop, &p->timer);
    keyset_free(&p->keys);
    arena_fini(&p->arena);
    free(p);
}
