#include "registrar/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ct.h"
#include "base/log.h"
#include "base/process.h"
#include "net/bind.h"
#include "net/child.h"
#include "net/systemd.h"
#include "registrar/flow_key.h"

/* "2:3,4,5": the second, whose sockets are 3 and 4, and 5 a file with the seed of ticket keys;
 * behind it what the bouncer is spoken to by, if there is one */
#define VARIABLE "COUNTERSIGN_WORKER"

enum {
    WORKERS_MAX = 64,
    PAUSE_MIN_MS = 100,
    PAUSE_MAX_MS = 5000,
    SETTLED_MS = 10000,
    GRACE_MS = 2000
};

static const struct log wlog = { .module = "workers" };

struct workers;

struct worker {
    struct workers *all;
    unsigned number;
    int fds[LISTENERS_MAX +
            2];          /* behind the sockets the seed, while it is started, and the bouncer */
    struct child *child; /* NULL: not running */
    struct timer pause;
    int64_t pause_ms; /* before the next start */
    struct mono started;
};

struct workers {
    struct loop loop;
    const struct registrar_conf *conf;
    char **argv;
    struct worker worker[WORKERS_MAX];
    struct tls_tickets *tickets;
    int bouncer;           /* 0: none */
    struct timer deadline; /* of stopping */
    bool stopping;
    struct systemd systemd;
};

/* ---- what a worker is told ---- */

static void write_place(struct buf *b, const struct worker *w, size_t n)
{
    buf_lit(b, VARIABLE "=");
    buf_u64(b, w->number);
    for (size_t i = 0; i < n; i++) {
        buf_putc(b, i ? ',' : ':');
        buf_u64(b, 3 + i);
    }
    buf_putc(b, 0);
}

/* From a file that no other process has. */
static int take_seed(int fd, struct tls_ticket_seed *out)
{
    ssize_t n = pread(fd, out, sizeof(*out), 0);
    close(fd);
    return n == sizeof(*out) ? 0 : CS_EPROTO;
}

int workers_place(const struct registrar_conf *conf, struct worker_place *out)
{
    uint64_t number, fd;
    struct span fds = span_str(getenv(VARIABLE));
    *out = (struct worker_place){ 0 };
    if (!fds.p)
        return 0;
    if (span_u64(span_cut(&fds, ':'), conf->workers, &number) || !number)
        return CS_EPROTO;
    for (size_t i = 0; i < conf->n_listeners; i++) {
        if (!fds.p || span_u64(span_cut(&fds, ','), 1024, &fd))
            return CS_EPROTO;
        out->fds[i] = (int)fd;
    }
    if (!fds.p || span_u64(span_cut(&fds, ','), 1024, &fd) || take_seed((int)fd, &out->tickets))
        return CS_EPROTO;
    if (fds.p && span_u64(fds, 1024, &fd))
        return CS_EPROTO;
    out->bouncer = fds.p ? (int)fd : 0;
    out->number = (unsigned)number;
    return 0;
}

/* ---- one worker ---- */

static void end_if_done(struct workers *ws)
{
    for (size_t i = 0; i < ws->conf->workers; i++) {
        if (ws->worker[i].child)
            return;
    }
    for (size_t i = 0; i < ws->conf->workers; i++)
        timer_stop(&ws->loop, &ws->worker[i].pause);
    timer_stop(&ws->loop, &ws->deadline);
    systemd_stopping(&ws->systemd);
    loop_stop(&ws->loop);
}

static void on_exit_of(void *arg, int status, int signum)
{
    struct worker *w = arg;
    struct workers *ws = w->all;
    w->child = NULL;
    if (ws->stopping) {
        end_if_done(ws);
        return;
    }
    bool settled = mono_since(w->started, loop_now(&ws->loop)).ms >= SETTLED_MS;
    w->pause_ms = settled || !w->pause_ms ? PAUSE_MIN_MS : CS_MIN(2 * w->pause_ms, PAUSE_MAX_MS);
    log_error(&wlog, "a worker ended and is started again", kv_u("worker", w->number),
              kv_i("status", status), kv_i("signal", signum), kv_i("pause_ms", w->pause_ms));
    timer_start(&ws->loop, &w->pause, DURATION_MS(w->pause_ms));
}

/* A file in memory with what all workers make the same ticket keys of. */
static int give_seed(struct workers *ws, int *fd)
{
    struct tls_ticket_seed seed;
    *fd = memfd_create("tickets", MFD_CLOEXEC);
    if (*fd < 0)
        return -errno;
    tls_tickets_seed(ws->tickets, &seed);
    ssize_t n = write(*fd, &seed, sizeof(seed));
    ct_wipe(&seed, sizeof(seed));
    if (n == sizeof(seed))
        return 0;
    close(*fd);
    return CS_ENOMEM;
}

static int start_worker(struct worker *w)
{
    char place[128];
    struct buf b = BUF_INIT(place);
    struct workers *ws = w->all;
    size_t n = ws->conf->n_listeners, all = n + 1;
    if (ws->bouncer && w->number == 1)
        w->fds[all++] = ws->bouncer;
    int err = give_seed(ws, &w->fds[n]);
    if (err)
        return err;
    write_place(&b, w, all);
    w->started = loop_now(&ws->loop);
    err = child_start(&ws->loop, ws->argv, place, w->fds, all, on_exit_of, w, &w->child);
    close(w->fds[n]);
    return err;
}

static void on_pause(struct timer *t)
{
    struct worker *w = container_of(t, struct worker, pause);
    int err = w->all->stopping ? 0 : start_worker(w);
    if (err) {
        log_error(&wlog, "cannot start a worker", kv_u("worker", w->number), kv_err(err));
        timer_start(&w->all->loop, &w->pause, DURATION_MS(PAUSE_MAX_MS));
    }
}

/* ---- all of them ---- */

static void signal_all(struct workers *ws, int signum)
{
    for (size_t i = 0; i < ws->conf->workers; i++) {
        if (ws->worker[i].child)
            child_signal(ws->worker[i].child, signum);
    }
}

static void on_deadline(struct timer *t)
{
    log_warn(&wlog, "workers that did not end in time are killed");
    signal_all(container_of(t, struct workers, deadline), SIGKILL);
}

/* Once asks for order, twice for haste, as with a single process. */
static void on_signal(void *arg, int signum)
{
    struct workers *ws = arg;
    log_info(&wlog, "stopping", kv_i("signal", signum));
    if (!ws->stopping)
        timer_start(&ws->loop, &ws->deadline, DURATION_MS(ws->conf->limits.drain.ms + GRACE_MS));
    ws->stopping = true;
    signal_all(ws, SIGTERM);
    end_if_done(ws);
}

/* Certificates and what goes with them are read again. */
static void on_hangup(void *arg, int signum)
{
    signal_all(arg, signum);
}

static int bind_all(struct workers *ws)
{
    const struct registrar_conf *c = ws->conf;
    for (size_t l = 0; l < c->n_listeners; l++) {
        struct addr at = c->listeners[l].address;
        enum bind_kind kind = c->listeners[l].transport == SIP_UDP ? BIND_UDP : BIND_TCP;
        for (size_t i = 0; i < c->workers; i++) {
            int err = bind_socket(kind, &at, true, &ws->worker[i].fds[l], &at);
            if (err) {
                log_error(&wlog, "cannot listen", kv_s("listener", c->listeners[l].name),
                          kv_addr("address", &at), kv_err(err));
                return err;
            }
        }
    }
    return 0;
}

/* The first worker that needs it would make it, while the others look for it. */
static int make_key(const struct registrar_conf *c)
{
    struct secret key = { 0 };
    int err = flow_key_load(c->flow_key_file, &key);
    if (err)
        log_error(&wlog, "cannot use the key of flows", kv_str("file", c->flow_key_file),
                  kv_err(err));
    secret_fini(&key);
    return err;
}

static int start_all(struct workers *ws)
{
    int err = bind_all(ws);
    if (!err && (err = process_become(ws->conf->user)))
        log_error(&wlog, "cannot become the user of the configuration",
                  kv_s("user", ws->conf->user), kv_err(err));
    process_harden();
    if (!err)
        err = make_key(ws->conf);
    if (!err)
        err = tls_tickets_new(NULL, ws->conf->tls.tickets, &ws->tickets);
    for (size_t i = 0; !err && i < ws->conf->workers; i++)
        err = start_worker(&ws->worker[i]);
    if (!err)
        err = loop_signal(&ws->loop, SIGHUP, on_hangup, ws);
    if (!err)
        err = loop_signal(&ws->loop, SIGTERM, on_signal, ws);
    if (!err)
        err = loop_signal(&ws->loop, SIGINT, on_signal, ws);
    if (!err)
        systemd_ready(&ws->systemd, &ws->loop);
    return err;
}

int workers_run(const struct registrar_conf *conf, int bouncer, char **argv)
{
    static struct workers ws;
    static char self[] = "/proc/self/exe";
    ws = (struct workers){ .conf = conf, .argv = argv, .bouncer = bouncer };
    argv[0] = self;
    timer_init(&ws.deadline, on_deadline);
    for (unsigned i = 0; i < conf->workers; i++) {
        ws.worker[i].all = &ws;
        ws.worker[i].number = i + 1;
        timer_init(&ws.worker[i].pause, on_pause);
    }
    int err = loop_init(&ws.loop);
    if (err)
        return err;
    err = start_all(&ws);
    if (err) {
        log_error(&wlog, "cannot start", kv_err(err));
        on_signal(&ws, SIGTERM);
    }
    loop_run(&ws.loop);
    int leak = loop_fini(&ws.loop);
    tls_tickets_unref(&ws.tickets);
    return err ? err : leak;
}
