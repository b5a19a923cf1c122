#include "registrar/bouncer.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"

static const struct log blog = { .module = "bouncer" };

void bouncer_write(struct bouncer_order *o, enum bouncer_what what, const struct cidr *net,
                   struct duration rest)
{
    *o = (struct bouncer_order){ .what = what,
                                 .seconds = (uint32_t)CS_MAX((rest.ms + 999) / 1000, 1) };
    if (!net)
        return;
    struct span host = addr_host_bytes(&net->net);
    o->bits = (uint8_t)net->bits;
    o->n_host = (uint8_t)host.n;
    memcpy(o->host, host.p, host.n);
}

int bouncer_net(const struct bouncer_order *o, struct cidr *net)
{
    struct addr a;
    if ((o->n_host != 4 && o->n_host != 16) || o->bits > 8 * o->n_host ||
        addr_from_bytes(span_of(o->host, o->n_host), &a) || addr_host_bytes(&a).n != o->n_host)
        return CS_EPROTO;
    *net = cidr_of(&a, o->bits);
    return 0;
}

/* ---- the process ---- */

static int obey(struct nft *n, const struct bouncer_order *o)
{
    struct cidr net;
    if (o->what == BOUNCER_BEGIN) {
        int err = nft_check(n);
        return err ? err : nft_flush(n);
    }
    if (bouncer_net(o, &net))
        return CS_EPROTO;
    switch (o->what) {
    case BOUNCER_ADD:
        return nft_add(n, &net, DURATION_S(o->seconds));
    case BOUNCER_REMOVE:
        return nft_remove(n, &net);
    case BOUNCER_LOOK:
        return nft_look(n, &net);
    default:
        return CS_EPROTO;
    }
}

static void serve(struct nft *n, int fd)
{
    struct bouncer_answer a;
    for (;;) {
        ssize_t got = recv(fd, &a.order, sizeof(a.order), 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got != sizeof(a.order))
            return;
        a.err = obey(n, &a.order);
        if (send(fd, &a, sizeof(a), MSG_NOSIGNAL) < 0)
            return;
    }
}

/* Nothing but its socket, and netlink, is open in it. */
static _Noreturn void run(const struct nft_conf *conf, struct span user, int fd)
{
    struct nft *n;
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    for (size_t i = 0; i < CS_LEN(signals); i++) /* who orders ends first, and then it does */
        signal(signals[i], SIG_IGN);
    prctl(PR_SET_NAME, "bouncer");
    if (dup2(fd, 3) != 3 || close_range(4, ~0U, 0))
        _exit(1);
    int err = process_become_with(user, CAP_NET_ADMIN);
    process_harden();
    if (!err)
        err = nft_open(conf, &n);
    if (err) {
        log_error(&blog, "cannot start", kv_err(err));
        _exit(1);
    }
    serve(n, 3);
    _exit(0);
}

int bouncer_start(const struct nft_conf *conf, struct span user, int *fd)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return -errno;
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        run(conf, user, pair[1]);
    }
    int err = pid < 0 ? -errno : 0;
    close(pair[1]);
    process_give_up(CAP_NET_ADMIN);
    if (err)
        close(pair[0]);
    else
        *fd = pair[0];
    return err;
}
