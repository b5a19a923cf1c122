/* A checker with everything around it: a real Redis, keys, an audit log, and a configuration whose
 * groups are chosen by the name of the listener. One for the whole test program. */
#ifndef CS_TESTS_AUTHD_BENCH_H
#define CS_TESTS_AUTHD_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authd/audit/summaries.h"
#include "authd/calls/signer.h"
#include "authd/check/check.h"
#include "base/metric.h"
#include "lib/redis_server.h"
#include "lib/run.h"
#include "lib/tmp.h"

#define CS_UNUSED __attribute__((unused)) /* by some of the programs */

static const char bench_yaml[] =
    "listen: { socket: auth.sock, users: ['0'] }\n"
    "redis: { socket: redis.sock }\n"
    "nonce_key_file: nonce.key\n"
    "seal_key_file: seal.key\n"
    "limits: { checks: 50, penalties: 1000 }\n"
    "defence: { exempt: [198.51.100.0/24], bans: 64 }\n"
    "realms: [{ name: example.com }, { name: other.example }]\n"
    "peer_groups:\n"
    "- { name: strict, match: { listener: [strict] },\n"
    "    digest: { realm: example.com, mismatch: reject, uri: strict, attempts: 0 } }\n"
    "- { name: loose, match: { listener: [loose] },\n"
    "    digest: { realm: example.com, sess: true, qop: [auth, auth-int, none], status: '401' } }\n"
    "- { name: local, match: { listener: [local] }, digest: { realm: example.com, nc: local } }\n"
    "- { name: off, match: { listener: [off] }, digest: { realm: example.com, nc: 'off' } }\n"
    "- { name: peers, match: { listener: [peers], source: [192.0.2.0/24] },\n"
    "    require: { any_of: [address, digest] }, digest: { realm: example.com }, trusted: true,\n"
    "    address_only_waiver: a laboratory of no consequence }\n"
    "- { name: pass, match: { listener: [pass] }, methods: [register/setup-invite],\n"
    "    unlisted: pass, digest: { realm: example.com } }\n"
    "- { name: phones, match: { transport: [udp, tls] }, digest: { realm: example.com },\n"
    "    expires: { min: 90s, max: 30m }, max_contacts: 4 }\n";

struct got { /* the last verdict */
    bool answered;
    size_t count;
    Countersign__Auth__VerdictKind kind;
    Countersign__Auth__Cause cause;
    unsigned status, retry_after;
    char challenge[CHALLENGE_MAX][512];
    size_t n_challenge;
    char decision[32], group[32], user[64], identity[64], aor[64];
    size_t n_aor;
    unsigned expires_min, expires_max, expires_default, max_contacts;
    bool has_target, known, trusted;
    Countersign__Auth__TargetState target;
};

static struct bench {
    struct loop loop;
    struct redis_server server;
    struct redis *redis;
    struct arena arena;
    struct authd_conf conf;
    struct checker k;
    const char *audit_file;
    struct got got;
    struct check *waiting;
} bench;

/* ---- verdicts ---- */

static void bench_copy(char *dst, size_t cap, const char *src)
{
    span_copy(dst, cap, src ? span_str(src) : SPAN(""));
}

static void bench_on_answer(struct check *c, const Countersign__Auth__Verdict *v)
{
    struct got *g = &bench.got;
    size_t count = g->count + 1;
    (void)c;
    bench.waiting = NULL;
    *g = (struct got){ .answered = true, .count = count, .kind = v->kind, .cause = v->cause };
    g->status = v->has_status ? v->status : 0;
    g->retry_after = v->retry_after_s;
    bench_copy(g->decision, sizeof(g->decision), v->decision);
    bench_copy(g->group, sizeof(g->group), v->group);
    for (size_t i = 0; i < v->n_challenge; i++)
        bench_copy(g->challenge[g->n_challenge++], sizeof(g->challenge[0]), v->challenge[i]);
    if (!v->grant)
        return;
    bench_copy(g->user, sizeof(g->user), v->grant->user);
    bench_copy(g->identity, sizeof(g->identity), v->grant->identity);
    g->n_aor = v->grant->n_aor;
    if (g->n_aor)
        bench_copy(g->aor, sizeof(g->aor), v->grant->aor[0]);
    g->expires_min = v->grant->expires_min_s;
    g->expires_max = v->grant->expires_max_s;
    g->expires_default = v->grant->expires_default_s;
    g->max_contacts = v->grant->max_contacts;
    g->trusted = v->grant->trusted;
    g->has_target = v->grant->has_target;
    g->target = v->grant->target;
}

static void bench_on_waits(struct check *c)
{
    bench.waiting = c;
}

CS_UNUSED static struct check_asker bench_asker = { bench_on_waits, bench_on_answer };

/* ---- opening and closing ---- */

static bool bench_ready(void)
{
    unsigned lacking;
    return store_is_ready(bench.k.store) && revoker_is_current(bench.k.revoker) &&
           epoch_is_known(bench.k.epoch) &&
           realms_lacking(bench.k.realms, SPAN("example.com"), &lacking) &&
           realms_lacking(bench.k.realms, SPAN("other.example"), &lacking);
}

static void bench_settle(void)
{
    for (int i = 0; i < 500 && !bench_ready(); i++)
        run_for(&bench.loop, 10);
    assert_true(bench_ready());
}

static void bench_on_redis(void *arg, bool ready)
{
    (void)arg;
    epoch_refresh(bench.k.epoch, ready);
    realms_refresh(bench.k.realms, ready);
}

static int bench_open(void **state)
{
    static const char key[] =
        "7:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    struct redis_conf rc = { 0 };
    (void)state;
    redis_server_start(&bench.server, NULL);
    assert_int_equal(loop_init(&bench.loop), 0);
    arena_init(&bench.arena, NULL, 0, 0);
    assert_int_equal(conf_parse(span_str(bench_yaml), "bench.yaml", &authd_conf_section,
                                &bench.arena, &bench.conf, NULL, NULL),
                     0);
    rc.unix_path = bench.server.socket;
    rc.deadline = DURATION_MS(1000);
    bench.audit_file = tmp_path("audit.log");
    struct checker *k = &bench.k;
    k->loop = &bench.loop;
    k->conf = &bench.conf;
    assert_int_equal(redis_open(&bench.loop, &rc, &bench.redis), 0);
    assert_int_equal(store_new(&bench.loop, bench.redis, &k->store), 0);
    assert_int_equal(cache_open(&bench.loop, &rc, 16, bench.conf.redis_grace, &k->cache), 0);
    assert_int_equal(epoch_new(&bench.loop, bench.redis, &k->epoch), 0);
    const struct revoker_conf revoker = { .loop = &bench.loop,
                                          .redis = bench.redis,
                                          .watch = &rc,
                                          .store = k->store,
                                          .cache = k->cache };
    assert_int_equal(revoker_new(&revoker, &k->revoker), 0);
    assert_int_equal(vault_new(span_str(key), &k->vault), 0);
    assert_int_equal(noncer_new(span_str(key), &k->nonces), 0);
    assert_int_equal(realms_new(&bench.loop, &bench.conf, k->store, &k->realms), 0);
    redis_on_ready(bench.redis, bench_on_redis, NULL);
    assert_int_equal(audit_open(&bench.loop, bench.audit_file, &k->audit), 0);
    const struct defence_env defence = { .loop = &bench.loop,
                                         .redis = bench.redis,
                                         .watch = &rc,
                                         .conf = &bench.conf,
                                         .audit = k->audit };
    assert_int_equal(defence_new(&defence, &k->defence), 0);
    assert_int_equal(explain_new(64, &k->explain), 0);
    const struct signer_conf signer = { .loop = &bench.loop,
                                        .redis = bench.redis,
                                        .vault = k->vault,
                                        .audit = k->audit,
                                        .explain = k->explain,
                                        .per_second = (unsigned)bench.conf.limits.signatures };
    assert_int_equal(signer_new(&signer, &k->signer), 0);
    assert_int_equal(uses_new(&bench.loop, bench.redis, &k->uses), 0);
    assert_int_equal(summaries_new(&bench.loop, bench.redis, &k->summaries), 0);
    assert_int_equal(checker_init(k), 0);
    bench_settle();
    return 0;
}

static int bench_close(void **state)
{
    (void)state;
    struct checker *k = &bench.k;
    checker_fini(k);
    defence_free(&k->defence);
    signer_free(&k->signer);
    summaries_free(&k->summaries);
    uses_free(&k->uses);
    realms_free(&k->realms);
    revoker_free(&k->revoker);
    epoch_free(&k->epoch);
    cache_close(&k->cache);
    store_free(&k->store);
    redis_close(&bench.redis);
    explain_free(&k->explain);
    audit_close(&k->audit);
    vault_free(&k->vault);
    noncer_free(&k->nonces);
    arena_fini(&bench.arena);
    bool clean = run_down(&bench.loop);
    redis_server_kill(&bench.server);
    return clean ? 0 : -1;
}

/* ---- commands past the store ---- */

static struct {
    bool done;
    int64_t integer;
} bench_reply;

CS_UNUSED static void bench_on_reply(void *arg, const struct redis_reply *reply)
{
    (void)arg;
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_ERROR);
    bench_reply.done = true;
    bench_reply.integer = reply->integer;
}

/* What Redis answers where it is a number. */
#define bench_do(...)                                                 \
    ({                                                                \
        bench_reply.done = false;                                     \
        redis_do(bench.redis, bench_on_reply, NULL, __VA_ARGS__);     \
        assert_true(run_until(&bench.loop, &bench_reply.done, 5000)); \
        bench_reply.integer;                                          \
    })

/* ---- users ---- */

static struct {
    bool done;
    int err;
} bench_op;

static void bench_on_done(void *arg, int err)
{
    (void)arg;
    bench_op.done = true;
    bench_op.err = err;
}

static int bench_wait(struct store_call *c)
{
    assert_non_null(c);
    bench_op.done = false;
    assert_true(run_until(&bench.loop, &bench_op.done, 3000));
    return bench_op.err;
}

/* Creates a user with one AOR, sip:<aor>@example.com. */
CS_UNUSED static void bench_add(const char *name, const char *aor, const char *password,
                                unsigned algorithms, bool enabled)
{
    char text[128];
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    snprintf(text, sizeof(text), "sip:%s@example.com", aor);
    struct span aors[] = { span_str(text) };
    struct user u = { .name = span_str(name),
                      .realm = SPAN("example.com"),
                      .enabled = enabled,
                      .aors = aors,
                      .n_aors = 1 };
    assert_int_equal(user_set_password(&u, bench.k.vault, algorithms, span_str(password), &a), 0);
    assert_int_equal(bench_wait(store_put_user(bench.k.store, NULL, &u, bench_on_done, NULL)), 0);
    arena_fini(&a);
    run_for(&bench.loop, 20); /* what the realm lacks is asked anew */
}

static struct user bench_user;
static struct arena bench_user_arena;

static void bench_on_user(void *arg, int err, const struct user *u)
{
    (void)arg;
    bench_op.done = true;
    bench_op.err = err ? err : user_copy(u, &bench_user_arena, &bench_user);
}

CS_UNUSED static void bench_remove(const char *name)
{
    arena_init(&bench_user_arena, NULL, 0, 0);
    assert_int_equal(bench_wait(store_get_user(bench.k.store, span_str(name), SPAN("example.com"),
                                               bench_on_user, NULL)),
                     0);
    assert_int_equal(bench_wait(store_remove_user(bench.k.store, &bench_user, bench_on_done, NULL)),
                     0);
    arena_fini(&bench_user_arena);
    run_for(&bench.loop, 20);
}

/* ---- questions ---- */

struct ask {
    Countersign__Auth__Check m;
    Countersign__Auth__DigestCredentials cred[2], *list[2];
    char nonce[NONCE_LEN + 1], response[2 * ALG_MAX_LEN + 1];
};

static struct ask ask_new(const char *method, const char *listener)
{
    static unsigned char source[] = { 198, 51, 100, 7 };
    static unsigned calls;
    static char call_id[32];
    struct ask a = { .m = COUNTERSIGN__AUTH__CHECK__INIT };
    snprintf(call_id, sizeof(call_id), "call-%u", ++calls);
    a.m.id = calls;
    a.m.method = (char *)method;
    a.m.listener = (char *)listener;
    a.m.has_transport = true;
    a.m.transport = COUNTERSIGN__AUTH__TRANSPORT__UDP;
    a.m.has_source_ip = a.m.has_source_port = true;
    a.m.source_ip.data = source;
    a.m.source_ip.len = sizeof(source);
    a.m.source_port = 5060;
    a.m.request_uri = (char *)"sip:example.com";
    a.m.domain = (char *)"example.com";
    a.m.from_aor = a.m.to_aor = (char *)"sip:1001@example.com";
    a.m.call_id = call_id;
    a.m.user_agent = (char *)"Tester/1.0";
    return a;
}

/* Written anew here, so that a mistake there is not its own judge. */
static void hex_hash(const char *alg, const char *text, char out[2 * ALG_MAX_LEN + 1])
{
    unsigned char md[EVP_MAX_MD_SIZE];
    size_t n = 0;
    assert_int_equal(EVP_Q_digest(NULL, alg, NULL, text, strlen(text), md, &n), 1);
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", md[i]);
}

static const char *evp_name(const char *algorithm)
{
    return !algorithm || strncasecmp(algorithm, "MD5", 3) == 0 ? "MD5"
           : strncmp(algorithm, "SHA-256", 7) == 0             ? "SHA2-256"
                                                               : "SHA2-512/256";
}

/* Credentials as an honest client makes them; what is set in a->cred[0] already is kept. */
static void ask_answer(struct ask *a, const char *user, const char *password)
{
    Countersign__Auth__DigestCredentials *d = &a->cred[0];
    char text[2048], ha1[65], ha2[65], body[65];
    const char *alg = evp_name(d->algorithm);
    if (!d->realm)
        d->realm = (char *)"example.com";
    d->username = (char *)user;
    d->nonce_secret = a->nonce;
    if (!d->uri)
        d->uri = a->m.request_uri;
    snprintf(text, sizeof(text), "%s:%s:%s", user, d->realm, password);
    hex_hash(alg, text, ha1);
    if (d->algorithm && strstr(d->algorithm, "-sess")) {
        snprintf(text, sizeof(text), "%s:%s:%s", ha1, a->nonce, d->cnonce_secret);
        hex_hash(alg, text, ha1);
    }
    snprintf(text, sizeof(text), "%s:%s", a->m.method, d->uri);
    if (d->qop && strcmp(d->qop, "auth-int") == 0) {
        char content[512];
        snprintf(content, sizeof(content), "%.*s", (int)a->m.body.len,
                 a->m.body.data ? (const char *)a->m.body.data : "");
        hex_hash(alg, content, body);
        snprintf(text, sizeof(text), "%s:%s:%s", a->m.method, d->uri, body);
    }
    hex_hash(alg, text, ha2);
    if (d->qop)
        snprintf(text, sizeof(text), "%s:%s:%s:%s:%s:%s", ha1, a->nonce, d->nc, d->cnonce_secret,
                 d->qop, ha2);
    else
        snprintf(text, sizeof(text), "%s:%s:%s", ha1, a->nonce, ha2);
    hex_hash(alg, text, a->response);
    d->response_secret = a->response;
    a->list[0] = d;
    a->m.digest = a->list;
    a->m.n_digest = a->m.n_digest ? a->m.n_digest : 1;
}

/* A fresh nonce, qop=auth, nc=1. */
static void ask_prepare(struct ask *a, const char *algorithm)
{
    Countersign__Auth__DigestCredentials *d = &a->cred[0];
    countersign__auth__digest_credentials__init(d);
    struct wall issued = epoch_issued(bench.k.epoch, clock_wall());
    assert_int_equal(nonce_mint(bench.k.nonces, SPAN("example.com"), issued, NULL, a->nonce), 0);
    d->algorithm = (char *)algorithm;
    d->qop = (char *)"auth";
    d->nc = (char *)"00000001";
    d->cnonce_secret = (char *)"0a4f113b";
}

CS_UNUSED static const struct got *ask_put(struct ask *a)
{
    bench.got.answered = false;
    assert_true(check_start(&bench.k, &a->m, &bench_asker, NULL));
    assert_true(run_until(&bench.loop, &bench.got.answered, 5000));
    return &bench.got;
}

/* The usual one: prepared, answered and put. */
CS_UNUSED static const struct got *ask_with(const char *method, const char *listener,
                                            const char *user, const char *password)
{
    struct ask a = ask_new(method, listener);
    ask_prepare(&a, "SHA-256");
    ask_answer(&a, user, password);
    return ask_put(&a);
}

#define KIND(name) COUNTERSIGN__AUTH__VERDICT_KIND__##name
#define assert_verdict(g, k, c)                  \
    do {                                         \
        const struct got *got_ = (g);            \
        assert_int_equal(got_->cause, CAUSE(c)); \
        assert_int_equal(got_->kind, KIND(k));   \
    } while (0)

#endif
