#include "authd/store/realm_guard.h"

#include <stdlib.h>

#include "authd/store/user.h"
#include "base/log.h"

enum { PAGE = 1000, STRAYS_MAX = 8, NAME_MAX_LEN = 2 * USER_MAX_NAME + 1 };

static const struct log glog = { .module = "realms" };

struct stray { /* a realm that is not in the configuration */
    char name[USER_MAX_NAME + 1];
    uint64_t users;
};

struct realm_guard {
    struct redis *redis;
    const struct authd_conf *conf;
    realm_guard_fn *fn;
    void *arg;
    struct redis_call *call; /* under way, or NULL */
    bool done;
    char from[NAME_MAX_LEN + 2]; /* as ZRANGEBYLEX wants it */
    struct stray stray[STRAYS_MAX];
    size_t n_strays;
};

static bool is_known(const struct authd_conf *conf, struct span realm)
{
    for (size_t i = 0; i < conf->n_realms; i++) {
        const struct former_conf *f = conf->realms[i].formerly;
        if (span_eq(conf->realms[i].name, realm) || (f && span_eq(f->name, realm)))
            return true;
    }
    return false;
}

static void count(struct realm_guard *g, struct span name)
{
    size_t at = name.n, i = 0;
    while (at > 0 && name.p[at - 1] != '@') /* the last: a realm has none */
        at--;
    const struct span realm = span_skip(name, at);
    if (is_known(g->conf, realm))
        return;
    while (i < g->n_strays && !span_eq(span_str(g->stray[i].name), realm))
        i++;
    if (i == STRAYS_MAX)
        return;
    if (i == g->n_strays) {
        g->stray[i].users = 0;
        span_copy(g->stray[i].name, sizeof(g->stray[i].name), realm);
        g->n_strays++;
    }
    g->stray[i].users++;
}

static void finish(struct realm_guard *g)
{
    g->done = true;
    for (size_t i = 0; i < g->n_strays; i++)
        log_error(&glog,
                  "there are users of a realm that is not in the configuration; HA1 depends on the "
                  "realm, so they cannot authenticate in another one. If it was given another "
                  "name, write at that one \"formerly: { name: OLD, until: DATE }\"; if it is to "
                  "go, put it back, remove its users, and then the realm",
                  kv_str("realm", g->stray[i].name), kv_u("users", g->stray[i].users));
    g->fn(g->arg, g->n_strays == 0);
}

static void ask(struct realm_guard *g);

static void on_names(void *arg, const struct redis_reply *r)
{
    struct realm_guard *g = arg;
    g->call = NULL;
    if (!r) /* Redis goes, and comes again */
        return;
    if (r->type != REDIS_ARRAY) {
        log_error(&glog, "the names of users cannot be read: every question gets 503",
                  kv_s("reply", r->str));
        return;
    }
    for (size_t i = 0; i < r->n; i++)
        count(g, r->element[i].str);
    if (r->n < PAGE) {
        finish(g);
        return;
    }
    g->from[0] = '(';
    span_copy(g->from + 1, sizeof(g->from) - 1, r->element[r->n - 1].str);
    ask(g);
}

static void ask(struct realm_guard *g)
{
    g->call = redis_do(g->redis, on_names, g, SPAN("ZRANGEBYLEX"), SPAN("cs:users"),
                       span_str(g->from), SPAN("+"), SPAN("LIMIT"), SPAN("0"), SPAN("1000"));
}

void realm_guard_look(struct realm_guard *g)
{
    if (g->done || g->call)
        return;
    g->n_strays = 0;
    span_copy(g->from, sizeof(g->from), SPAN("-"));
    ask(g);
}

int realm_guard_new(struct redis *r, const struct authd_conf *conf, realm_guard_fn *fn, void *arg,
                    struct realm_guard **out)
{
    struct realm_guard *g = calloc(1, sizeof(*g));
    *out = g;
    if (!g)
        return CS_ENOMEM;
    g->redis = r;
    g->conf = conf;
    g->fn = fn;
    g->arg = arg;
    return 0;
}

void realm_guard_free(struct realm_guard **gp)
{
    struct realm_guard *g = *gp;
    *gp = NULL;
    if (g && g->call)
        redis_cancel(g->call);
    free(g);
}
