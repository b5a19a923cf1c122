/* registrar: the SIP front.
 * Knows: its listeners, bindings in Redis, and what authd grants. Knows no password, verifier or
 * token key. May touch: the SIP ports, auth.sock, Redis, one loopback port for its own state, and
 * one port at which everybody may fetch the authority's certificate.
 * Talks to strangers, so everything it reads is hostile until authd said otherwise. It runs
 * unprivileged and cannot be dumped. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/metric.h"
#include "base/process.h"
#include "conf/options.h"
#include "net/systemd.h"
#include "registrar/abuse.h"
#include "registrar/authority.h"
#include "registrar/bouncer.h"
#include "registrar/drain.h"
#include "registrar/front.h"
#include "registrar/kernel_bans.h"
#include "registrar/status.h"
#include "registrar/workers.h"

static const struct log main_log = { .module = "main" };

enum { OPENING_MS = 10, OPENING_LOOKS = 100 };

struct registrar {
    struct loop loop;
    struct registrar_conf conf;
    struct redis_access redis_access;
    struct front front;
    struct worker_place place;
    struct drain drain;
    struct timer opening; /* of a worker's sockets */
    unsigned looks;
    struct httpd *httpd;
    struct systemd systemd;
    struct authority *authority; /* NULL: none is served */
};

static const char usage[] =
    "Usage: registrar --config FILE\n"
    "The SIP registrar and proxy of Countersign; asks authd about every request.\n"
    "\n"
    "  -c, --config FILE   read this configuration (YAML)\n"
    "      --check-config  say what is wrong with it, and exit\n"
    "      --print-config  print every key with its default and meaning, and exit\n"
    "      --print-schema  print the JSON Schema of the configuration, and exit\n"
    "      --version       print the version, and exit\n"
    "  -h, --help          print this, and exit\n"
    "\n"
    "SIGHUP reads certificates, keys, authorities and revocation lists of TLS again.\n"
    "Exit status: 0 after SIGTERM or SIGINT, 1 on failure, 2 when called wrongly.\n";

static const struct conf_program program = { .name = "registrar",
                                             .usage = usage,
                                             .root = &registrar_conf_section };

/* While Redis is away strangers get 503 as everybody else does: a challenge would lead nowhere. */
static void on_redis(void *arg, bool ready)
{
    struct registrar *r = arg;
    if (!ready)
        locations_forget(r->front.locations);
    if (r->front.gate)
        gate_use_leases(r->front.gate, ready);
}

static int open_redis(struct registrar *r)
{
    int err = redis_access_open(&r->conf.redis, &r->redis_access);
    if (!err)
        err = redis_open(&r->loop, &r->redis_access.conf, &r->front.redis);
    if (!err)
        err = locations_open(&r->loop, r->front.redis, r->conf.limits.known, r->conf.redis_grace,
                             &r->front.locations);
    if (!err)
        redis_on_ready(r->front.redis, on_redis, r);
    return err;
}

static void stop(void *arg)
{
    struct registrar *r = arg;
    systemd_stopping(&r->systemd);
    drain_stop(&r->drain);
    timer_stop(&r->loop, &r->opening);
    httpd_close(&r->httpd);
    authority_close(&r->authority);
    capture_close(&r->front.capture);
    gate_close(&r->front.gate); /* open questions are answered 503 while there is a socket */
    kernel_bans_close(&r->front.kernel_bans);
    nodes_close(&r->front.nodes);
    redis_close(&r->front.redis);
    locations_close(&r->front.locations);
    front_close(&r->front);
    loop_stop(&r->loop);
}

/* Once asks for order, twice for haste. */
static void on_signal(void *arg, int signum)
{
    struct registrar *r = arg;
    log_info(&main_log, "stopping", kv_i("signal", signum));
    if (r->front.draining)
        stop(r);
    else
        drain_start(&r->drain, &r->front, stop, r);
}

static void on_hangup(void *arg, int signum)
{
    struct registrar *r = arg;
    (void)signum;
    if (r->front.certs)
        certs_reload(r->front.certs);
    if (r->authority)
        authority_reload(r->authority);
}

static void on_revoked(void *arg, const Countersign__Auth__Revoked *revoked)
{
    front_revoke(arg, revoked);
}

/* A worker that takes the place of another finds requests waiting there: it first sees to it that
 * it can answer them, but not for ever. */
static void on_opening(struct timer *t)
{
    struct registrar *r = container_of(t, struct registrar, opening);
    if (!front_is_ready(&r->front) && r->looks++ < OPENING_LOOKS) {
        timer_start(&r->loop, &r->opening, DURATION_MS(OPENING_MS));
    } else if (front_listen(&r->front)) {
        log_error(&main_log, "cannot read from the sockets of this place");
        stop(r);
    }
}

static int start(struct registrar *r)
{
    struct gate_conf gc = { .socket = r->conf.authd.socket,
                            .node = r->front.node,
                            .role = COUNTERSIGN__AUTH__ROLE__ROLE_REGISTRAR,
                            .deadline = r->conf.authd.deadline,
                            .max_open = r->conf.authd.max_open };
    int err = front_open(&r->front);
    const struct capture_conf cc = { .tp = r->front.tp, .hep = r->conf.hep, .node = r->front.node };
    if (!err)
        err = capture_open(&r->loop, &cc, &r->front.capture);
    if (!err)
        err = open_redis(r);
    if (!err)
        err = status_open(&r->front, &r->httpd);
    if (!err && r->conf.ca.file && r->place.number <= 1) /* of workers the first serves it */
        err = authority_open(&r->loop, &r->conf, &r->authority);
    if (err) {
        log_error(&main_log, "cannot start", kv_err(err));
        return err;
    }
    err = process_become(r->conf.user);
    if (err) {
        log_error(&main_log, "cannot become the user of the configuration",
                  kv_s("user", r->conf.user), kv_err(err));
        return err;
    }
    process_harden();
    err = front_open_link(&r->front);
    if (err) {
        log_error(&main_log, "cannot start", kv_err(err));
        return err;
    }
    if (r->place.bouncer)
        err = kernel_bans_open(&r->loop, r->place.bouncer, &r->front.kernel_bans);
    if (!err)
        err =
            gate_open(&r->loop, &gc, &r->front.gate); /* authd looks at our uid: after the change */
    if (!err) {
        gate_on_revoked(r->front.gate, on_revoked, &r->front);
        gate_on_banned(r->front.gate, abuse_banned, &r->front);
        capture_use(r->front.capture, r->front.gate);
        status_summarize(&r->front);
    }
    if (!err)
        gate_use_leases(r->front.gate, redis_is_ready(r->front.redis));
    if (r->place.number)
        timer_start(&r->loop, &r->opening, DURATION_MS(0));
    log_info(&main_log, "status listening", kv_addr("address", httpd_local(r->httpd)));
    if (r->authority)
        log_info(&main_log, "authority listening",
                 kv_addr("address", authority_local(r->authority)),
                 kv_str("sha256", authority_sha256(r->authority)));
    log_info(&main_log, "serving", kv_s("domain", r->conf.domains[0]),
             kv_u("domains", r->conf.n_domains));
    if (!err)
        err = loop_signal(&r->loop, SIGHUP, on_hangup, r);
    if (!err)
        err = loop_signal(&r->loop, SIGTERM, on_signal, r);
    if (!err)
        err = loop_signal(&r->loop, SIGINT, on_signal, r);
    if (!err && !r->place.number) /* of workers the one who started them speaks */
        systemd_ready(&r->systemd, &r->loop);
    return err;
}

/* First of all: in the child is nothing then but the configuration. */
static int start_bouncer(const struct registrar_conf *c, int *fd)
{
    const struct nftables_conf *n = c->limits.nftables;
    const struct nft_conf sets = { n->family, n->table, n->set4, n->set6 };
    int err = bouncer_start(&sets, c->user, fd);
    if (err)
        log_error(&main_log, "cannot start the process that changes the packet filter",
                  kv_err(err));
    return err;
}

static int run_workers(const struct registrar_conf *conf, int bouncer, struct arena *a, char **argv)
{
    int err = workers_run(conf, bouncer, argv);
    arena_fini(a);
    return err ? 1 : 0;
}

int main(int argc, char **argv)
{
    static struct registrar r;
    struct conf_options o;
    struct arena arena;
    int status = conf_options(argc, argv, &program, &o);
    if (status >= 0)
        return status;
    arena_init(&arena, NULL, 0, 0);
    if (conf_load(o.config, &registrar_conf_section, &arena, &r.conf, NULL, NULL)) {
        arena_fini(&arena);
        return 1;
    }
    if (o.check) {
        arena_fini(&arena);
        return 0;
    }
    int err;
    log_setup(r.conf.log.level, r.conf.log.format);
    err = workers_place(&r.conf, &r.place);
    if (err)
        log_error(&main_log, "the place of a worker makes no sense", kv_err(err));
    if (!err && r.conf.limits.nftables && !r.place.number)
        err = start_bouncer(&r.conf, &r.place.bouncer);
    if (!err && r.conf.workers > 1 && !r.place.number)
        return run_workers(&r.conf, r.place.bouncer, &arena, argv);
    metric_set(M_PROCESS_START, 0, clock_wall().ms / 1000);
    r.front.worker = r.place.number;
    r.front.fds = r.place.fds;
    r.front.ticket_seed = &r.place.tickets;
    if (r.place.number)
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* nobody would watch us */
    if (!err)
        err = loop_init(&r.loop);
    if (!err) {
        timer_init(&r.opening, on_opening);
        r.front.loop = &r.loop;
        r.front.conf = &r.conf;
        loop_coalesce(&r.loop, (unsigned)r.conf.coalesce_us);
        err = start(&r);
        if (err)
            stop(&r);
        loop_run(&r.loop);
        int leak = loop_fini(&r.loop);
        if (leak)
            log_error(&main_log, "a handle was left open", kv_err(leak));
        err = err ? err : leak;
    }
    redis_access_close(&r.redis_access);
    arena_fini(&arena);
    return err ? 1 : 0;
}
