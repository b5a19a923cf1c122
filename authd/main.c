/* authd: the sentry.
 * Knows: the keys of nonces and of what is sealed, and thereby what every user's password hashes to
 * and what every trunk's password is. Talks to no strangers: only to fronts, whose uid the kernel
 * vouches for, to Redis, over HTTPS to the token issuers and backends of its configuration, and on
 * one port, loopback or TLS, to operators who show a token. May touch: auth.sock, Redis, its audit
 * log. It runs unprivileged, cannot be dumped, and writes no secret anywhere. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "authd/audit/figures.h"
#include "authd/audit/refusals.h"
#include "authd/audit/summaries.h"
#include "authd/audit/traces.h"
#include "authd/calls/admission.h"
#include "authd/calls/signer.h"
#include "authd/keeper.h"
#include "authd/rest/access.h"
#include "authd/rest/rest.h"
#include "authd/server.h"
#include "authd/store/directory.h"
#include "authd/store/realm_guard.h"
#include "authd/store/seen.h"
#include "authd/vault/make_keys.h"
#include "authd/vault/reseal.h"
#include "base/metric.h"
#include "base/process.h"
#include "conf/options.h"
#include "net/systemd.h"

static const struct log main_log = { .module = "main" };

struct authd {
    struct loop loop;
    struct authd_conf conf;
    struct redis_access redis_access;
    struct access access; /* to REST */
    struct secret turn_secret;
    struct redis *redis;
    struct checker checker;
    bool checking; /* checker was initialised */
    struct server *server;
    struct vault *trunk_vault; /* checker.vault, or one of its own */
    struct reseal *reseal;
    struct realm_guard *guard;
    bool refused; /* users are left of a realm that is not configured */
    struct timer leave;
    struct rest *rest;
    struct systemd systemd;
};

static const char usage[] =
    "Usage: authd --config FILE\n"
    "       authd --make-keys FOLDER\n"
    "The sentry of Countersign: knows every verifier, and decides about each request.\n"
    "\n"
    "  -c, --config FILE       read this configuration (YAML)\n"
    "      --check-config      say what is wrong with it, and exit\n"
    "      --print-config      print every key with its default and meaning, and exit\n"
    "      --print-schema      print the JSON Schema of the configuration, and exit\n"
    "      --make-keys FOLDER  make nonce.key, seal.key and admin.token there, and exit\n"
    "      --version           print the version, and exit\n"
    "  -h, --help              print this, and exit\n"
    "\n"
    "SIGHUP opens the audit log anew, and reads again the tokens and certificates of REST, and "
    "the\n"
    "authorities and revocation lists of client certificates, and the database of countries if it "
    "was replaced.\n"
    "Exit status: 0 after SIGTERM or SIGINT, 1 on failure, 2 when called wrongly.\n";

static const struct conf_program program = { "authd", usage, &authd_conf_section, "make-keys",
                                             make_keys };

/* ---- opening, in the order things need each other ---- */

static int failed(const char *what, const char *file, int err)
{
    log_error(&main_log, what, kv_str("file", file), kv_err(err));
    return err;
}

#define SEAL_KEY_VARIABLE "COUNTERSIGN_SEAL_KEY"

static int read_seal_keys(const char *file, struct secret *out)
{
    struct secret env = { 0 };
    int err = secret_take_env(&env, SEAL_KEY_VARIABLE);
    if (err == CS_ENOENT && !file) {
        log_error(&main_log, "there is no sealing key: write seal_key_file, or set the variable",
                  kv_str("variable", SEAL_KEY_VARIABLE));
    } else if (err == CS_ENOENT) {
        err = secret_read_file(out, file);
    } else if (file) {
        log_error(&main_log, "the sealing keys are in two places: keep the file or the variable",
                  kv_str("file", file), kv_str("variable", SEAL_KEY_VARIABLE));
        err = CS_ECONF;
    } else if (!err) {
        err = secret_set(out, secret_span(&env));
    }
    secret_fini(&env);
    return err;
}

/* What was sealed before trunks had keys of their own is opened, too. */
static int open_trunk_keys(struct authd *d, struct span seal_keys)
{
    struct secret text = { 0 };
    d->trunk_vault = d->checker.vault;
    if (!d->conf.trunk_key_file)
        return 0;
    int err = secret_read_file(&text, d->conf.trunk_key_file);
    if (!err)
        err = vault_new(secret_span(&text), &d->trunk_vault);
    if (!err)
        err = vault_add(d->trunk_vault, seal_keys);
    secret_fini(&text);
    return err;
}

static int open_keys(struct authd *d)
{
    const struct authd_conf *conf = &d->conf;
    struct secret text = { 0 };
    int err = secret_read_file(&text, conf->nonce_key_file);
    if (!err)
        err = noncer_new(secret_span(&text), &d->checker.nonces);
    if (!err)
        err = tickets_new(secret_span(&text), &d->checker.tickets);
    secret_fini(&text);
    if (err)
        return failed("cannot use the nonce keys", conf->nonce_key_file, err);
    err = read_seal_keys(conf->seal_key_file, &text);
    if (!err)
        err = vault_new(secret_span(&text), &d->checker.vault);
    if (err) {
        secret_fini(&text);
        return failed("cannot use the sealing keys",
                      conf->seal_key_file ? conf->seal_key_file : SEAL_KEY_VARIABLE, err);
    }
    err = open_trunk_keys(d, secret_span(&text));
    secret_fini(&text);
    if (err)
        return failed("cannot use the keys of trunks; no id may be in seal_key_file, too",
                      conf->trunk_key_file, err);
    err = conf->turn ? secret_read_file(&d->turn_secret, conf->turn->secret_file) : 0;
    if (err)
        return failed("cannot use the secret of the TURN server", conf->turn->secret_file, err);
    return access_open(conf, &d->access);
}

static void on_redis(void *arg, bool ready)
{
    struct authd *d = arg;
    if (ready)
        log_info(&main_log, "redis is there");
    else
        log_error(&main_log, "redis is away: every question gets 503",
                  kv_u("redis_grace_s", (uint64_t)d->conf.redis_grace.ms / 1000));
    if (ready)
        cache_forget_all(d->checker.cache); /* it may be another server, of other users */
    else
        cache_lose(d->checker.cache);
    store_forget(d->checker.store);
    epoch_refresh(d->checker.epoch, ready);
    realms_refresh(d->checker.realms, ready);
    if (ready)
        realm_guard_look(d->guard);
}

static void on_realms(void *arg, bool ok)
{
    struct authd *d = arg;
    d->refused = !ok;
    if (ok)
        realms_hold(d->checker.realms, false);
    else
        timer_start(&d->loop, &d->leave, DURATION_MS(0)); /* behind this turn */
}

static int open_store(struct authd *d)
{
    const struct authd_conf *conf = &d->conf;
    int err = redis_access_open(&conf->redis, &d->redis_access);
    if (!err)
        err = redis_open(&d->loop, &d->redis_access.conf, &d->redis);
    if (!err)
        err = store_new(&d->loop, d->redis, &d->checker.store);
    if (!err)
        tickets_use_redis(d->checker.tickets, d->redis);
    if (!err)
        err = cache_open(&d->loop, &d->redis_access.conf, conf->limits.cached_users,
                         conf->redis_grace, &d->checker.cache);
    if (!err)
        err = epoch_new(&d->loop, d->redis, &d->checker.epoch);
    const struct revoker_conf revoker = { .loop = &d->loop,
                                          .redis = d->redis,
                                          .watch = &d->redis_access.conf,
                                          .store = d->checker.store,
                                          .cache = d->checker.cache };
    if (!err)
        err = revoker_new(&revoker, &d->checker.revoker);
    const struct sets_env sets = { .loop = &d->loop,
                                   .redis = d->redis,
                                   .watch = &d->redis_access.conf,
                                   .names = &conf->sets,
                                   .audit = d->checker.audit };
    if (!err)
        err = sets_new(&sets, &d->checker.sets);
    if (!err)
        err = drift_new(&d->loop, d->redis, conf, d->checker.audit, &d->checker.drift);
    const struct defence_env env = { .loop = &d->loop,
                                     .redis = d->redis,
                                     .watch = &d->redis_access.conf,
                                     .conf = conf,
                                     .sets = d->checker.sets,
                                     .audit = d->checker.audit };
    if (!err)
        err = defence_new(&env, &d->checker.defence);
    if (!err)
        err = realms_new(&d->loop, conf, d->checker.store, &d->checker.realms);
    const struct directory_env directory = {
        .loop = &d->loop, .redis = d->redis, .watch = &d->redis_access.conf, .conf = conf
    };
    if (!err)
        err = directory_new(&directory, &d->checker.directory);
    if (!err)
        err = seen_new(&d->loop, d->redis, d->checker.audit, conf->limits.certificates,
                       &d->checker.seen);
    if (!err)
        err = realm_guard_new(d->redis, conf, on_realms, d, &d->guard);
    if (!err)
        realms_hold(d->checker.realms, true); /* until it has looked */
    const struct signer_conf signer = { .loop = &d->loop,
                                        .redis = d->redis,
                                        .directory = d->checker.directory,
                                        .vault = d->trunk_vault,
                                        .audit = d->checker.audit,
                                        .explain = d->checker.explain,
                                        .per_second = (unsigned)conf->limits.signatures };
    if (!err)
        err = signer_new(&signer, &d->checker.signer);
    const struct keeper_conf keeper = { .loop = &d->loop,
                                        .redis = d->redis,
                                        .directory = d->checker.directory,
                                        .audit = d->checker.audit };
    if (!err)
        err = keeper_new(&keeper, &d->checker.keeper);
    if (!err)
        err = uses_new(&d->loop, d->redis, &d->checker.uses);
    if (!err)
        err = summaries_new(&d->loop, d->redis, &d->checker.summaries);
    if (!err)
        err = traces_new(&d->loop, d->redis, &d->checker.traces);
    if (!err)
        err = refusals_new(&d->loop, d->redis, d->checker.explain, &d->checker.refusals);
    if (!err)
        err = reseal_new(&d->loop, d->redis, d->checker.vault, d->trunk_vault, &d->reseal);
    if (!err)
        redis_on_ready(d->redis, on_redis, d);
    return err;
}

static int open_checker(struct authd *d)
{
    const struct authd_conf *conf = &d->conf;
    d->checker.loop = &d->loop;
    d->checker.conf = conf;
    int err = audit_open(&d->loop, conf->audit.file, &d->checker.audit);
    if (err)
        return failed("cannot open the audit log", conf->audit.file, err);
    audit_keep(d->checker.audit, conf->audit.keep);
    err = explain_new(conf->limits.explained, &d->checker.explain);
    if (!err)
        err = figures_init(conf);
    if (!err)
        err = checker_init(&d->checker);
    d->checking = err == 0;
    return err;
}

static int open_backends(struct authd *d)
{
    const struct authd_conf *conf = &d->conf;
    return conf->n_backends
               ? backends_new(&d->loop, conf->backends, conf->n_backends, &d->checker.backends)
               : 0;
}

static int open_tokens(struct authd *d)
{
    const struct authd_conf *conf = &d->conf;
    int err = conf->n_token_issuers ? tokens_new(&d->loop, conf, &d->checker.tokens) : 0;
    if (err)
        log_error(&main_log, "cannot use the token issuers", kv_err(err));
    return err;
}

static int open_admissions(struct authd *d)
{
    const struct admissions_conf conf = { .loop = &d->loop,
                                          .calls = &d->conf.calls,
                                          .redis = d->redis,
                                          .store = d->checker.store,
                                          .cache = d->checker.cache,
                                          .backends = d->checker.backends,
                                          .audit = d->checker.audit,
                                          .explain = d->checker.explain };
    return admissions_new(&conf, &d->checker.admissions);
}

static int open_authorities(struct authd *d)
{
    const struct authd_conf *conf = &d->conf;
    return conf->n_authorities ? authorities_new(&d->loop, conf->authorities, conf->n_authorities,
                                                 &d->checker.authorities)
                               : 0;
}

static int open_geo(struct authd *d)
{
    const struct authd_conf *conf = &d->conf;
    int err = conf->geo.database ? geo_open(&d->loop, &conf->geo, &d->checker.geo) : 0;
    return err ? failed("cannot use the database of countries", conf->geo.database, err) : 0;
}

static int open_server(struct authd *d)
{
    int err = server_open(&d->checker, &d->server);
    if (err)
        return failed("cannot listen for fronts", d->conf.listen.socket, err);
    log_info(&main_log, "listening", kv_str("socket", d->conf.listen.socket));
    return 0;
}

static int open_rest(struct authd *d)
{
    const struct authd_conf *conf = &d->conf;
    if (conf->http.listen.sa.sa_family == AF_UNSPEC)
        return 0;
    const struct rest_conf rc = {
        .listen = conf->http.listen,
        .tls = d->access.tls,
        .bearers = &d->access.bearers,
        .console = conf->http.console,
        .require_if_match = conf->http.require_if_match,
        .audit = d->checker.audit,
        .redis = d->redis,
        .store = d->checker.store,
        .vault = d->checker.vault,
        .trunk_vault = d->trunk_vault,
        .explain = d->checker.explain,
        .census = d->checker.census,
        .uses = d->checker.uses,
        .defence = d->checker.defence,
        .sets = d->checker.sets,
        .revoker = d->checker.revoker,
        .epoch = d->checker.epoch,
        .checker = &d->checker,
        .reseal = d->reseal,
        .turn_secret = &d->turn_secret,
        .realms = conf->realms,
        .n_realms = conf->n_realms,
    };
    int err = rest_open(&d->loop, &rc, &d->rest);
    if (err) {
        log_error(&main_log, "cannot serve REST", kv_addr("address", &conf->http.listen),
                  kv_err(err));
        return err;
    }
    log_info(&main_log, "REST listening", kv_addr("address", rest_local(d->rest)),
             kv_str("admin_token_file", conf->http.admin_token_file),
             kv_b("tls", d->access.tls != NULL), kv_u("tokens", d->access.bearers.n));
    return 0;
}

/* Files made as root belong to whom we become, so that they can be opened anew and replaced. */
static int become(struct authd *d)
{
    const struct authd_conf *conf = &d->conf;
    const char *const files[] = { conf->listen.socket, conf->audit.file };
    uid_t uid;
    gid_t gid;
    int err = conf->user.p ? process_user(conf->user, &uid, &gid) : 0;
    for (size_t i = 0; !err && conf->user.p && geteuid() == 0 && i < CS_LEN(files); i++) {
        if (files[i] && lchown(files[i], uid, (gid_t)-1))
            err = -errno;
    }
    if (!err)
        err = process_become(conf->user);
    if (err)
        log_error(&main_log, "cannot become the user of the configuration",
                  kv_s("user", conf->user), kv_err(err));
    return err;
}

/* ---- life ---- */

static void stop(struct authd *d)
{
    systemd_stopping(&d->systemd);
    rest_close(&d->rest);
    reseal_free(&d->reseal);
    realm_guard_free(&d->guard);
    timer_stop(&d->loop, &d->leave);
    server_close(&d->server);
    if (d->checking)
        checker_fini(&d->checker);
    d->checking = false;
    geo_close(&d->checker.geo);
    admissions_free(&d->checker.admissions);
    tokens_free(&d->checker.tokens);
    backends_free(&d->checker.backends);
    defence_free(&d->checker.defence);
    drift_free(&d->checker.drift);
    sets_free(&d->checker.sets);
    signer_free(&d->checker.signer);
    keeper_free(&d->checker.keeper);
    authorities_free(&d->checker.authorities);
    directory_free(&d->checker.directory);
    seen_free(&d->checker.seen);
    uses_free(&d->checker.uses);
    summaries_free(&d->checker.summaries);
    traces_free(&d->checker.traces);
    refusals_free(&d->checker.refusals);
    realms_free(&d->checker.realms);
    revoker_free(&d->checker.revoker);
    epoch_free(&d->checker.epoch);
    cache_close(&d->checker.cache);
    store_free(&d->checker.store);
    if (d->redis)
        redis_close(&d->redis);
    explain_free(&d->checker.explain);
    figures_fini();
    audit_close(&d->checker.audit);
    if (d->trunk_vault != d->checker.vault)
        vault_free(&d->trunk_vault);
    vault_free(&d->checker.vault);
    noncer_free(&d->checker.nonces);
    tickets_free(&d->checker.tickets);
    loop_stop(&d->loop);
}

static void on_leave(struct timer *t)
{
    stop(container_of(t, struct authd, leave));
}

static void on_signal(void *arg, int signum)
{
    struct authd *d = arg;
    if (signum != SIGHUP) {
        log_info(&main_log, "stopping", kv_i("signal", signum));
        stop(d);
        return;
    }
    if (access_reload(&d->conf, &d->access))
        log_error(&main_log, "the tokens and certificates of REST stay as they were");
    else if (d->rest && d->access.tls)
        rest_use_tls(d->rest, d->access.tls);
    if (d->checker.authorities)
        authorities_reload(d->checker.authorities);
    if (d->checker.geo)
        geo_look(d->checker.geo);
    int err = d->checker.audit ? audit_reopen(d->checker.audit) : 0;
    if (err)
        log_error(&main_log, "cannot open the audit log anew, the old one stays in use",
                  kv_str("file", d->conf.audit.file), kv_err(err));
}

static int start(struct authd *d)
{
    int (*const steps[])(struct authd *) = {
        open_keys,        open_checker, open_store,  open_tokens, open_backends, open_admissions,
        open_authorities, open_geo,     open_server, open_rest,   become,
    };
    int err = 0;
    for (size_t i = 0; !err && i < CS_LEN(steps); i++)
        err = steps[i](d);
    if (err)
        return err;
    process_harden();
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
    for (size_t i = 0; !err && i < CS_LEN(signals); i++)
        err = loop_signal(&d->loop, signals[i], on_signal, d);
    if (!err)
        systemd_ready(&d->systemd, &d->loop);
    return err;
}

int main(int argc, char **argv)
{
    static struct authd d;
    struct conf_options o;
    struct arena arena;
    int status = conf_options(argc, argv, &program, &o);
    if (status >= 0)
        return status;
    arena_init(&arena, NULL, 0, 0);
    if (conf_load(o.config, &authd_conf_section, &arena, &d.conf, NULL, NULL)) {
        arena_fini(&arena);
        return 1;
    }
    log_setup(d.conf.log.level, d.conf.log.format);
    config_warn(&d.conf);
    if (o.check) {
        arena_fini(&arena);
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    metric_set(M_PROCESS_START, 0, clock_wall().ms / 1000);
    timer_init(&d.leave, on_leave);
    int err = loop_init(&d.loop);
    if (!err) {
        err = start(&d);
        if (err)
            stop(&d);
        loop_run(&d.loop);
        int leak = loop_fini(&d.loop);
        if (leak)
            log_error(&main_log, "a handle was left open", kv_err(leak));
        err = err ? err : leak ? leak : d.refused ? CS_ECONF : 0;
    }
    redis_access_close(&d.redis_access);
    access_close(&d.access);
    secret_fini(&d.turn_secret);
    arena_fini(&arena);
    return err ? 1 : 0;
}
