#include "authd/token/tokens.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "authd/token/introspect.h"
#include "authd/token/json.h"
#include "authd/token/jwt.h"
#include "authd/token/provider.h"
#include "base/lru.h"
#include "base/metric.h"

enum { BUDGET_NS = 500 * 1000, HASH_LEN = 32, FETCHES_MAX = 64 };

struct issuer {
    const struct issuer_conf *conf;
    struct provider *provider;
    struct inquirer *inquirer; /* NULL: it is not asked about tokens */
};

struct tokens {
    struct loop *loop;
    struct fetcher *fetcher;
    struct issuer *issuers; /* in the order of the configuration */
    size_t n_issuers;
    const struct issuer_conf *first;
    struct lru kept; /* struct kept and claims, by the token's hash */
    /* Verifying in portions: */
    struct list queue; /* as many as there may be checks */
    struct timer timer;
    struct mono turn; /* to which spent belongs */
    int64_t spent_ns;
};

/* What is remembered of a token; packed claims follow, unless it is inactive. */
struct kept {
    size_t issuer;
    bool signed_, inactive;
    struct mono asked; /* when the issuer said so; ns 0: it was not asked */
    unsigned char key[JWK_ID_LEN];
};

/* What one question is about. */
struct query {
    struct tokens *t;
    struct span token;
    unsigned char hash[HASH_LEN];
    const struct token_conf *group;
    struct waiter *w;
    struct arena *arena;
    struct token_proof *out;
};

/* ---- remembering ---- */

static bool takes(const struct token_conf *g, const struct issuer_conf *c)
{
    for (size_t i = 0; i < g->n_issuers; i++) {
        if (g->issuers[i] == c)
            return true;
    }
    return false;
}

static void keep(const struct query *q, const struct kept *k)
{
    char block[sizeof(*k) + CLAIMS_MAX];
    struct buf b = BUF_INIT(block);
    buf_put(&b, span_of(k, sizeof(*k)));
    if (k->inactive || claims_pack(&q->out->claims, &b) == 0)
        lru_put(&q->t->kept, span_of(q->hash, HASH_LEN), buf_span(&b), loop_now(q->t->loop));
}

static bool is_fresh(struct tokens *t, const struct issuer_conf *c, const struct kept *k)
{
    return k->asked.ns && mono_since(k->asked, loop_now(t->loop)).ms < c->introspection.cache.ms;
}

/* The claims become the arena's. */
static bool recall(const struct query *q, struct kept *k)
{
    struct tokens *t = q->t;
    struct span block = lru_get(&t->kept, span_of(q->hash, HASH_LEN), loop_now(t->loop));
    if (!block.p)
        return false;
    memcpy(k, block.p, sizeof(*k));
    const struct issuer *i = &t->issuers[k->issuer];
    /* A key that was withdrawn, a word that is old, an issuer the group takes under other terms:
     * from the beginning. */
    if (!takes(q->group, i->conf) || (k->signed_ && !provider_has_key(i->provider, k->key)) ||
        (k->inactive && !is_fresh(t, i->conf, k)))
        return false;
    block = k->inactive ? SPAN("") : arena_dup(q->arena, span_skip(block, sizeof(*k)));
    if (!block.p)
        return false;
    q->out->issuer = i->conf;
    if (!k->inactive)
        claims_unpack(block, &q->out->claims);
    return true;
}

/* ---- portions ---- */

static bool is_spent(struct tokens *t)
{
    const struct mono now = loop_now(t->loop);
    if (t->turn.ns != now.ns)
        t->spent_ns = 0;
    t->turn = now;
    return t->spent_ns >= BUDGET_NS;
}

static void on_turn(struct timer *timer)
{
    struct tokens *t = container_of(timer, struct tokens, timer);
    struct list *it;
    while (!is_spent(t) && (it = list_pop(&t->queue))) {
        struct waiter *w = container_of(it, struct waiter, link);
        w->fn(w);
    }
    if (!list_empty(&t->queue))
        timer_start(t->loop, &t->timer, DURATION_MS(0));
}

static Countersign__Auth__Cause queue(struct query *q)
{
    struct tokens *t = q->t;
    list_remove(&q->w->link);
    list_push_back(&t->queue, &q->w->link);
    if (!timer_is_running(&t->timer))
        timer_start(t->loop, &t->timer, DURATION_MS(0));
    return CAUSE(CAUSE_NONE);
}

static int verify(struct tokens *t, const struct jwt *jwt, const struct jwk *key)
{
    const struct mono began = clock_mono();
    int err = jwt_verify(jwt, key);
    t->spent_ns += clock_mono().ns - began.ns;
    metric_inc(M_AUTHD_TOKENS, err ? 1 : 0);
    return err;
}

/* ---- its issuer ---- */

static struct issuer *issuer_of(const struct query *q, const struct issuer_conf *c)
{
    return &q->t->issuers[c - q->t->first];
}

/* Whom the token itself names, which is no proof yet. */
static const struct issuer_conf *named(const struct token_conf *g, struct span iss)
{
    for (size_t i = 0; i < g->n_issuers; i++) {
        if (span_eq(g->issuers[i]->issuer, iss))
            return g->issuers[i];
    }
    return NULL;
}

/* A token that is no JWT names nobody: it is for the one who is asked about all of his. */
static const struct issuer_conf *asked_for_all(const struct token_conf *g)
{
    for (size_t i = 0; i < g->n_issuers; i++) {
        if (g->issuers[i]->introspection.mode == INTROSPECT_INSTEAD)
            return g->issuers[i];
    }
    return NULL;
}

/* ---- judging ---- */

static Countersign__Auth__Cause judge_time(const struct query *q)
{
    return claims_time(&q->out->claims, q->out->issuer, loop_wall(q->t->loop));
}

static Countersign__Auth__Cause judge_signature(struct query *q, const struct jwt *jwt,
                                                struct kept *k)
{
    const struct issuer_conf *c = q->out->issuer;
    struct issuer *i = issuer_of(q, c);
    const struct jwk *key;
    if (jwt->alg == JWT_ALG_UNKNOWN || !(c->algorithms & JWT_ALG_BIT(jwt->alg)))
        return CAUSE(TOKEN_ALGORITHM);
    const int64_t iat = (int64_t)json_integer_value(json_object_get(jwt->claims, "iat"));
    switch (provider_key(i->provider, jwt->kid, jwt->alg, iat, q->w, &key)) {
    case KEY_FOUND:
        break;
    case KEY_WAITS:
        return CAUSE(CAUSE_NONE);
    case KEY_LATER:
        return CAUSE(ISSUER_UNAVAILABLE);
    case KEY_UNKNOWN:
        return CAUSE(TOKEN_KEY_UNKNOWN);
    case KEY_MISFIT:
        return CAUSE(TOKEN_ALGORITHM);
    }
    if (is_spent(q->t))
        return queue(q);
    if (verify(q->t, jwt, key))
        return CAUSE(TOKEN_SIGNATURE);
    k->signed_ = true;
    memcpy(k->key, key->id, sizeof(k->key));
    Countersign__Auth__Cause cause =
        claims_of(jwt->claims, c, CLAIMS_SIGNED, q->arena, &q->out->claims);
    return cause == CAUSE(CAUSE_NONE) ? CAUSE(OVERLOADED) : cause;
}

/* The issuer's word, as young as its cache allows. */
static Countersign__Auth__Cause judge_word(struct query *q, struct kept *k)
{
    struct tokens *t = q->t;
    const struct issuer_conf *c = q->out->issuer;
    struct issuer *i = issuer_of(q, c);
    const char *url;
    const json_t *said;
    if (!i->inquirer)
        return CAUSE(OK);
    if (is_fresh(t, c, k))
        return k->inactive ? CAUSE(TOKEN_INACTIVE) : CAUSE(OK);
    switch (provider_introspection(i->provider, q->w, &url)) {
    case KEY_FOUND:
        break;
    case KEY_WAITS:
        return CAUSE(CAUSE_NONE);
    default:
        return CAUSE(ISSUER_UNAVAILABLE);
    }
    switch (inquire(i->inquirer, url, q->token, q->hash, q->w, &said)) {
    case INQUIRY_WAITS:
        return CAUSE(CAUSE_NONE);
    case INQUIRY_FAILED:
        return CAUSE(ISSUER_UNAVAILABLE);
    case INQUIRY_ACTIVE:
        k->inactive = false;
        break;
    case INQUIRY_INACTIVE:
        k->inactive = true;
        break;
    }
    k->asked = loop_now(t->loop);
    Countersign__Auth__Cause cause = k->inactive ? CAUSE(TOKEN_INACTIVE) : CAUSE(OK);
    if (!k->inactive && !k->signed_)
        cause = claims_of(said, c, CLAIMS_INQUIRED, q->arena, &q->out->claims);
    if (cause == CAUSE(OK) || k->inactive)
        keep(q, k);
    return cause == CAUSE(CAUSE_NONE) ? CAUSE(OVERLOADED) : cause;
}

static Countersign__Auth__Cause judge_kept(struct query *q, struct kept *k)
{
    Countersign__Auth__Cause cause = k->inactive ? CAUSE(OK) : judge_time(q);
    return cause == CAUSE(OK) ? judge_word(q, k) : cause;
}

static Countersign__Auth__Cause judge_new(struct query *q, const struct jwt *jwt)
{
    struct kept k = { 0 };
    const struct issuer_conf *c =
        jwt ? named(q->group, json_member(jwt->claims, "iss")) : asked_for_all(q->group);
    if (!c)
        return jwt ? CAUSE(TOKEN_ISSUER_UNKNOWN) : CAUSE(TOKEN_INVALID);
    q->out->issuer = c;
    k.issuer = (size_t)(c - q->t->first);
    if (jwt && issuer_has_keys(c)) {
        Countersign__Auth__Cause cause = judge_signature(q, jwt, &k);
        if (cause == CAUSE(OK))
            cause = judge_time(q);
        if (cause != CAUSE(OK))
            return cause;
        keep(q, &k);
    }
    Countersign__Auth__Cause cause = judge_word(q, &k);
    return cause == CAUSE(OK) ? judge_time(q) : cause;
}

/* b64token (RFC 6750, 2.1). */
static bool is_token(struct span s)
{
    static const struct span others = SPAN_INIT("-._~+/=");
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_alpha(s.p[i]) && !ascii_digit(s.p[i]) && span_find(others, s.p[i]) < 0)
            return false;
    }
    return s.n > 0 && s.n <= JWT_MAX;
}

static bool has_three_parts(struct span s)
{
    size_t dots = 0;
    for (size_t i = 0; i < s.n; i++)
        dots += s.p[i] == '.';
    return dots == 2;
}

Countersign__Auth__Cause tokens_judge(struct tokens *t, struct span token,
                                      const struct token_conf *group, struct waiter *w,
                                      struct arena *a, struct token_proof *out)
{
    struct query q = { .t = t, .token = token, .group = group, .w = w, .arena = a, .out = out };
    struct kept k;
    struct jwt jwt;
    *out = (struct token_proof){ 0 };
    if (!is_token(token))
        return CAUSE(TOKEN_INVALID);
    if (!EVP_Q_digest(NULL, "SHA256", NULL, token.p, token.n, q.hash, NULL))
        return CAUSE(OVERLOADED);
    if (recall(&q, &k)) {
        metric_inc(M_AUTHD_TOKENS, 2);
        return judge_kept(&q, &k);
    }
    if (!has_three_parts(token))
        return judge_new(&q, NULL);
    if (jwt_parse(token, &jwt))
        return CAUSE(TOKEN_INVALID);
    Countersign__Auth__Cause cause = judge_new(&q, &jwt);
    jwt_fini(&jwt);
    return cause;
}

/* ---- life ---- */

static int open_issuer(struct tokens *t, const struct issuer_conf *c)
{
    struct issuer *i = &t->issuers[t->n_issuers++];
    i->conf = c;
    int err = provider_new(t->loop, t->fetcher, c, &i->provider);
    if (!err && c->introspection.mode != INTROSPECT_NEVER)
        err = inquirer_new(t->fetcher, c, &i->inquirer);
    return err;
}

int tokens_new(struct loop *l, const struct authd_conf *conf, struct tokens **out)
{
    struct tokens *t = calloc(1, sizeof(*t));
    *out = t;
    if (!t)
        return CS_ENOMEM;
    t->loop = l;
    t->first = conf->token_issuers;
    list_init(&t->queue);
    timer_init(&t->timer, on_turn);
    lru_init(&t->kept, conf->limits.cached_tokens, DURATION_MS(INT64_C(1) << 40));
    t->issuers = calloc(conf->n_token_issuers + 1, sizeof(*t->issuers));
    int err = t->issuers ? fetcher_new(l, FETCHES_MAX, &t->fetcher) : CS_ENOMEM;
    for (size_t i = 0; !err && i < conf->n_token_issuers; i++)
        err = open_issuer(t, &conf->token_issuers[i]);
    if (err)
        tokens_free(out);
    return err;
}

void tokens_free(struct tokens **tp)
{
    struct tokens *t = *tp;
    *tp = NULL;
    if (!t)
        return;
    list_for_each (it, &t->queue)
        list_remove(it);
    timer_stop(t->loop, &t->timer);
    for (size_t i = 0; i < t->n_issuers; i++) {
        inquirer_free(&t->issuers[i].inquirer);
        provider_free(&t->issuers[i].provider);
    }
    free(t->issuers);
    fetcher_close(&t->fetcher);
    lru_fini(&t->kept);
    free(t);
}
