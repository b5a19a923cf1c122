#include "authd/calls/signer.h"

#include <stdlib.h>

#include "authd/calls/sign.h"
#include "base/log.h"
#include "base/lru.h"
#include "base/metric.h"
#include "base/rand.h"

enum { OPEN_MAX = 1000, NONCES_MAX = 4096, TRUNKS_MAX = 4096, VALUE_MAX = 8192, CNONCE_LEN = 16 };

#define NONCE_KEPT DURATION_S(3600)
#define RATE_KEPT  DURATION_S(2) /* then all is allowed again */
#define KIND(name) COUNTERSIGN__AUTH__VERDICT_KIND__##name

enum outcome { SIGNED, REFUSED, LATER }; /* of M_AUTHD_SIGNED */

struct signer {
    struct signer_conf conf;
    size_t open;
    struct records trunks;
    struct hash *hash;
    struct lru counts; /* by trunk, user, realm and nonce: the nonce count shown last */
    struct lru rates;  /* by trunk: when what was asked for is used up, nanoseconds */
};

struct sign_call {
    struct list link; /* in the asker's list */
    struct signer *s;
    struct record_call *get;
    struct arena arena;
    signed_fn *fn;
    void *arg;
    uint64_t id;
    struct mono began;
    struct span trunk;
    struct sign_ask ask;
    struct sign_choice choice;
    struct facts facts;
    char decision[DECISION_LEN + 1];
};

static const struct log slog = { .module = "signer" };

/* ---- answers ---- */

static void call_free(struct sign_call *c)
{
    if (c->get)
        record_cancel(c->get);
    list_remove(&c->link);
    c->s->open--;
    ct_wipe((char *)c->ask.body.p, c->ask.body.n); /* it may name media keys */
    arena_fini(&c->arena);
    free(c);
}

static enum outcome outcome_of(Countersign__Auth__Cause cause)
{
    switch (cause) {
    case CAUSE(OK):
        return SIGNED;
    case CAUSE(STORE_UNAVAILABLE):
    case CAUSE(OVERLOADED):
        return LATER;
    default:
        return REFUSED;
    }
}

static void answer(struct sign_call *c, Countersign__Auth__Cause cause, const char *value)
{
    static const Countersign__Auth__VerdictKind kinds[] = { KIND(ACCEPT), KIND(REJECT),
                                                            KIND(LATER) };
    Countersign__Auth__Signed m = COUNTERSIGN__AUTH__SIGNED__INIT;
    const enum outcome outcome = outcome_of(cause);
    const struct digest_challenge *challenge = &c->choice.challenge;
    const struct decision d = {
        .time = loop_wall(c->s->conf.loop),
        .id = span_of(c->decision, DECISION_LEN),
        .kind = kinds[outcome],
        .cause = cause,
        .facts = &c->facts,
        .trunk = c->trunk.p ? c->trunk : SPAN(""),
        .user = c->choice.credential ? c->choice.credential->user : c->ask.user,
        .realm = challenge->realm,
        .algorithm =
            challenge->realm.p ? digest_alg_name(challenge->alg, challenge->sess) : SPAN_NULL,
        .latency_us = (clock_mono().ns - c->began.ns) / 1000,
    };
    audit_write(c->s->conf.audit, &d);
    explain_add(c->s->conf.explain, &d);
    metric_inc(M_AUTHD_SIGNED, outcome);
    m.id = c->id;
    m.decision = c->decision;
    m.has_cause = true;
    m.cause = cause;
    m.value_secret = (char *)value;
    list_remove(&c->link); /* the asker may leave while he is told */
    c->fn(c->arg, &m);
    call_free(c);
}

/* ---- how often ---- */

/* The time that what was asked for uses up runs ahead of the clock by a second at most. */
static bool is_too_often(struct signer *s, struct span trunk)
{
    const struct mono now = loop_now(s->conf.loop);
    const int64_t each = 1000000000 / (int64_t)s->conf.per_second;
    int64_t used = now.ns;
    struct span kept = lru_get(&s->rates, trunk, now);
    if (kept.p)
        memcpy(&used, kept.p, sizeof(used));
    used = CS_MAX(used, now.ns) + each;
    if (used - now.ns > 1000000000)
        return true;
    lru_put(&s->rates, trunk, span_of((const char *)&used, sizeof(used)), now);
    return false;
}

/* The next count for this nonce, from 1 (RFC 7616, 3.4). One that was forgotten begins anew, and
 * its server says stale at worst. */
static uint32_t next_count(struct sign_call *c)
{
    const struct mono now = loop_now(c->s->conf.loop);
    const struct trunk_credential *k = c->choice.credential;
    const struct span parts[] = { c->trunk, k->user, c->choice.challenge.realm,
                                  c->choice.challenge.nonce };
    char space[4096];
    struct buf key = BUF_INIT(space);
    uint32_t n = 0;
    for (size_t i = 0; i < CS_LEN(parts); i++) {
        buf_put(&key, parts[i]);
        buf_putc(&key, '\0');
    }
    if (!buf_ok(&key))
        return 1; /* too long to be answered, too */
    struct span kept = lru_get(&c->s->counts, buf_span(&key), now);
    if (kept.p)
        memcpy(&n, kept.p, sizeof(n));
    n++;
    lru_put(&c->s->counts, buf_span(&key), span_of((const char *)&n, sizeof(n)), now);
    return n;
}

/* ---- one ---- */

static void sign(struct sign_call *c, const struct trunk *t)
{
    char value[VALUE_MAX], cnonce_text[CNONCE_LEN];
    unsigned char random[CNONCE_LEN / 4 * 3];
    struct buf b = BUF_INIT(value), cnonce = BUF_INIT(cnonce_text);
    Countersign__Auth__Cause cause = sign_choose(t, &c->ask, &c->choice);
    if (cause != CAUSE(OK)) {
        answer(c, cause, NULL);
        return;
    }
    rand_bytes(random, sizeof(random));
    buf_base64url(&cnonce, random, sizeof(random));
    int err = sign_write(t, &c->ask, &c->choice, c->s->conf.vault, c->s->hash, buf_span(&cnonce),
                         next_count(c), &b);
    buf_putc(&b, '\0');
    if (err == CS_EDENIED)
        log_error(&slog,
                  "a trunk's password cannot be opened: is its key in trunk_key_file, or "
                  "seal_key_file?",
                  kv_s("trunk", t->name), kv_s("realm", c->choice.credential->realm),
                  kv_s("user", c->choice.credential->user));
    if (err == CS_EDENIED)
        answer(c, CAUSE(STORE_UNAVAILABLE), NULL);
    else if (err || !buf_ok(&b))
        answer(c, CAUSE(CHALLENGE_UNANSWERABLE), NULL);
    else
        answer(c, CAUSE(OK), value);
}

static void look_and_sign(struct sign_call *c, const struct trunk *t)
{
    if (is_too_often(c->s, t->name))
        answer(c, CAUSE(SIGNED_TOO_OFTEN), NULL);
    else
        sign(c, t);
}

static void on_trunk(void *arg, int err, struct span bytes)
{
    struct sign_call *c = arg;
    struct trunk t;
    c->get = NULL;
    if (err == CS_ENOENT) {
        answer(c, CAUSE(TRUNK_UNKNOWN), NULL);
        return;
    }
    if (!err)
        err = trunk_decode(bytes, &c->arena, &t);
    if (err == CS_EPROTO)
        log_error(&slog, "a trunk's record cannot be read", kv_s("trunk", c->trunk));
    if (err)
        answer(c, CAUSE(STORE_UNAVAILABLE), NULL);
    else
        look_and_sign(c, &t);
}

static bool keep(struct sign_call *c, const Countersign__Auth__Sign *m, const char *node)
{
    struct arena *a = &c->arena;
    struct span node_text = span_str(node);
    struct {
        struct span from, *to;
    } const texts[] = {
        { span_str(m->trunk), &c->trunk },
        { span_str(m->method), &c->ask.method },
        { span_str(m->uri), &c->ask.uri },
        { span_of(m->body_secret.data, m->body_secret.len), &c->ask.body },
        { span_str(m->realm), &c->ask.realm },
        { span_str(m->user), &c->ask.user },
        { span_str(m->route), &c->ask.route },
        { span_str(m->call_id), &c->facts.call_id },
        { node_text, &c->facts.listener },
    };
    struct span *challenges = arena_alloc(a, m->n_challenge * sizeof(*challenges));
    bool ok = challenges != NULL;
    for (size_t i = 0; ok && i < CS_LEN(texts); i++) {
        *texts[i].to = arena_dup(a, texts[i].from);
        ok = texts[i].to->p || !texts[i].from.p;
    }
    for (size_t i = 0; ok && i < m->n_challenge; i++) {
        challenges[i] = arena_dup(a, span_str(m->challenge[i]));
        ok = challenges[i].p != NULL;
    }
    c->ask.challenges = challenges;
    c->ask.n_challenges = m->n_challenge;
    c->facts.method = c->ask.method;
    c->facts.request_uri = c->facts.target_aor = c->ask.uri;
    return ok;
}

bool signer_ask(struct signer *s, const Countersign__Auth__Sign *m, bool allowed, const char *node,
                struct list *open, signed_fn *fn, void *arg)
{
    struct sign_call *c = calloc(1, sizeof(*c));
    if (!c)
        return false;
    c->s = s;
    c->fn = fn;
    c->arg = arg;
    c->id = m->id;
    c->began = clock_mono();
    arena_init(&c->arena, NULL, 0, 0);
    list_push_back(open, &c->link);
    s->open++;
    decision_id(c->decision);
    if (!keep(c, m, node)) {
        call_free(c);
        return false;
    }
    const struct directory *d = s->conf.directory;
    const struct trunk *known = d && directory_is_known(d) ? directory_trunk(d, c->trunk) : NULL;
    if (!allowed) {
        answer(c, CAUSE(SIGNER_NOT_ALLOWED), NULL);
    } else if (trunk_name_fault(c->trunk)) {
        answer(c, CAUSE(TRUNK_UNKNOWN), NULL);
    } else if (s->open > OPEN_MAX) {
        answer(c, CAUSE(OVERLOADED), NULL);
    } else if (known) {
        look_and_sign(c, known);
    } else { /* it may have been made just now */
        c->get = record_get(&s->trunks, c->trunk, on_trunk, c);
        if (!c->get)
            answer(c, CAUSE(OVERLOADED), NULL);
    }
    return true;
}

void signer_forget(struct list *open)
{
    while (!list_empty(open))
        call_free(container_of(open->next, struct sign_call, link));
}

/* ---- all ---- */

int signer_new(const struct signer_conf *conf, struct signer **out)
{
    struct signer *s = calloc(1, sizeof(*s));
    *out = s;
    if (!s)
        return CS_ENOMEM;
    s->conf = *conf;
    records_init(&s->trunks, conf->redis, SPAN(TRUNK_PREFIX), SPAN(TRUNK_INDEX));
    lru_init(&s->counts, NONCES_MAX, NONCE_KEPT);
    lru_init(&s->rates, TRUNKS_MAX, RATE_KEPT);
    int err = hash_new(&s->hash);
    if (err)
        signer_free(out);
    return err;
}

void signer_free(struct signer **sp)
{
    struct signer *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    records_fini(&s->trunks);
    lru_fini(&s->counts);
    lru_fini(&s->rates);
    hash_free(&s->hash);
    free(s);
}
