/* b2bua: the back-to-back user agent.
 * Knows: its calls, their media keys, where trunks are. Knows no password: authd answers the
 * challenges of trunks. May touch: SIP ports towards trunks, media ports, auth.sock, the link to
 * registrars, one loopback port for its own state and, where that is configured, ports that desk
 * phones fetch their files from. It runs unprivileged and cannot be dumped. */
#include <signal.h>

#include "b2bua/call/call.h"
#include "b2bua/status.h"
#include "b2bua/trunk/trunk_test.h"
#include "base/metric.h"
#include "base/process.h"
#include "conf/options.h"
#include "net/systemd.h"

static const struct log main_log = { .module = "main" };

enum { TICK_MS = 50 };

struct b2bua {
    struct loop loop;
    struct b2bua_conf conf;
    struct ua ua;
    struct httpd *httpd;
    struct provisioning *provisioning;
    struct timer drain;
    struct mono due; /* of draining */
    bool hung_up;
    struct systemd systemd;
};

static const char usage[] =
    "Usage: b2bua --config FILE\n"
    "The back-to-back user agent of Countersign: calls between phones and SIP trunks, and their "
    "media.\n"
    "\n"
    "  -c, --config FILE   read this configuration (YAML)\n"
    "      --check-config  say what is wrong with it, and exit\n"
    "      --print-config  print every key with its default and meaning, and exit\n"
    "      --print-schema  print the JSON Schema of the configuration, and exit\n"
    "      --version       print the version, and exit\n"
    "  -h, --help          print this, and exit\n"
    "\n"
    "SIGHUP reads certificates, keys, authorities and revocation lists of TLS again, and opens "
    "the\n"
    "call records anew.\n"
    "Exit status: 0 after SIGTERM or SIGINT, 1 on failure, 2 when called wrongly.\n";

static const struct conf_program program = { .name = "b2bua",
                                             .usage = usage,
                                             .root = &b2bua_conf_section };

static void stop(struct b2bua *b)
{
    systemd_stopping(&b->systemd);
    timer_stop(&b->loop, &b->drain);
    trunk_tests_drop(&b->ua);
    httpd_close(&b->httpd);
    provisioning_close(&b->provisioning);
    desks_close(&b->ua.desks);
    capture_close(&b->ua.capture);
    gate_close(&b->ua.gate); /* open questions are answered 503 while there is a socket */
    ua_close(&b->ua);
    loop_stop(&b->loop);
}

/* New calls are refused; those that are there may end by themselves until the time is up. */
static void on_drain(struct timer *t)
{
    struct b2bua *b = container_of(t, struct b2bua, drain);
    bool late = !mono_before(loop_now(&b->loop), b->due);
    if (late && !b->hung_up) {
        call_end_all(&b->ua);
        b->hung_up = true;
        b->due = mono_add(loop_now(&b->loop), DURATION_MS(2000)); /* for the BYEs */
    } else if (late || (!b->ua.n_calls && list_empty(&b->ua.all) &&
                        trunks_have_left(b->ua.trunks) && desks_have_left(&b->ua.desks))) {
        log_info(&main_log, "drained", kv_u("calls", b->ua.n_calls));
        stop(b);
        return;
    }
    timer_start(&b->loop, &b->drain, DURATION_MS(TICK_MS));
}

/* Once asks for order, twice for haste. */
static void on_signal(void *arg, int signum)
{
    struct b2bua *b = arg;
    log_info(&main_log, "stopping", kv_i("signal", signum), kv_u("calls", b->ua.n_calls));
    if (b->ua.draining) {
        stop(b);
        return;
    }
    b->ua.draining = true;
    trunks_leave(b->ua.trunks);
    desks_leave(&b->ua.desks);
    b->due = mono_add(loop_now(&b->loop), b->conf.limits.drain);
    timer_start(&b->loop, &b->drain, DURATION_MS(0));
}

static void on_hangup(void *arg, int signum)
{
    struct b2bua *b = arg;
    (void)signum;
    certs_reload(b->ua.certs);
    provisioning_reload(b->provisioning);
    if (ua_open_records(&b->ua))
        log_error(&main_log, "the old call records stay in use");
}

static void on_revoked(void *arg, const Countersign__Auth__Revoked *r)
{
    struct ua *u = arg;
    call_revoke(u, r);
    desks_revoked(&u->desks, r);
}

static void on_banned(void *arg, const struct gate_ban *ban)
{
    struct ua *u = arg;
    if (!ban || !ban->rest.ms)
        return;
    siptp_close_from(u->tp, &ban->net, ban->port);
    desks_banned(&u->desks, ban);
}

static struct span origin_of(void *arg, const struct sip_msg *m)
{
    struct ua *u = arg;
    return leg_sip_origin(&u->legs_means, m);
}

static int start(struct b2bua *b)
{
    struct ua *u = &b->ua;
    int err = ua_open(u);
    const struct capture_conf cc = {
        .tp = u->tp, .hep = b->conf.hep, .node = u->node, .origin = origin_of, .arg = u
    };
    const struct provisioning_plan plan = {
        &b->conf.dialplan, dialplan_context(&b->conf.dialplan, b->conf.lines_context)
    };
    if (!err)
        err = capture_open(&b->loop, &cc, &u->capture);
    if (!err)
        err = status_open(u, &b->httpd);
    if (!err)
        err = provisioning_open(&b->loop, &b->conf.provisioning, &plan, u->certs,
                                b->conf.n_listeners + b->conf.sccp.n_listeners, &b->provisioning);
    if (!err)
        err = process_become(b->conf.user);
    if (err) {
        log_error(&main_log, "cannot start", kv_err(err));
        return err;
    }
    process_harden();
    err = ua_open_link(u);
    struct gate_conf gc = { .socket = b->conf.authd.socket,
                            .node = u->node,
                            .role = COUNTERSIGN__AUTH__ROLE__ROLE_B2BUA,
                            .deadline = b->conf.authd.deadline,
                            .max_open = b->conf.authd.max_open };
    if (!err)
        err = gate_open(&b->loop, &gc, &u->gate); /* authd looks at our uid: after the change */
    u->legs_means.uac.gate = u->gate;
    if (!err)
        err = desks_open_gate(&u->desks, u->gate);
    if (!err) {
        gate_on_revoked(u->gate, on_revoked, u);
        gate_on_banned(u->gate, on_banned, u);
        capture_use(u->capture, u->gate);
        provisioning_use(b->provisioning, u->gate);
    }
    if (!err)
        status_summarize(u);
    if (!err)
        err = ua_open_journal(u);
    if (!err)
        err = loop_signal(&b->loop, SIGHUP, on_hangup, b);
    if (!err)
        err = loop_signal(&b->loop, SIGTERM, on_signal, b);
    if (!err)
        err = loop_signal(&b->loop, SIGINT, on_signal, b);
    if (!err)
        log_info(&main_log, "status listening", kv_addr("address", httpd_local(b->httpd)));
    if (!err)
        systemd_ready(&b->systemd, &b->loop);
    return err;
}

int main(int argc, char **argv)
{
    static struct b2bua b;
    struct conf_options o;
    struct arena arena;
    int status = conf_options(argc, argv, &program, &o);
    if (status >= 0)
        return status;
    arena_init(&arena, NULL, 0, 0);
    if (conf_load(o.config, &b2bua_conf_section, &arena, &b.conf, NULL, NULL)) {
        arena_fini(&arena);
        return 1;
    }
    if (o.check) {
        arena_fini(&arena);
        return 0;
    }
    log_setup(b.conf.log.level, b.conf.log.format);
    metric_set(M_PROCESS_START, 0, clock_wall().ms / 1000);
    int err = loop_init(&b.loop);
    if (!err) {
        timer_init(&b.drain, on_drain);
        b.ua.loop = &b.loop;
        b.ua.conf = &b.conf;
        err = start(&b);
        if (err)
            stop(&b);
        loop_run(&b.loop);
        int leak = loop_fini(&b.loop);
        if (leak)
            log_error(&main_log, "a handle was left open", kv_err(leak));
        err = err ? err : leak;
    }
    arena_fini(&arena);
    return err ? 1 : 0;
}
