#include "greet.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "ipc/ipc.h"

struct greeting {
    struct timer timer;
    bool taken, late;
};

static void on_ready(void *arg, bool ready)
{
    ((struct greeting *)arg)->taken |= ready;
}

static void on_message(void *arg, const Countersign__Auth__FromAuthd *msg)
{
    (void)arg;
    (void)msg;
}

static void on_late(struct timer *t)
{
    container_of(t, struct greeting, timer)->late = true;
}

/* Is there somebody at all? The frames' client would try again and again and say nothing. */
static int knock(const char *path, pid_t *pid)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    struct ucred peer;
    socklen_t n = sizeof(peer);
    *pid = 0;
    if (strlen(path) >= sizeof(name.sun_path))
        return -ENAMETOOLONG;
    span_copy(name.sun_path, sizeof(name.sun_path), span_str(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int err = connect(fd, (struct sockaddr *)&name, sizeof(name)) ? -errno : 0;
    if (!err && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0)
        *pid = peer.pid;
    close(fd);
    return err;
}

static int talk(struct loop *l, const char *path, struct duration within)
{
    static const struct ipc_client_events events = { on_ready, on_message };
    const struct ipc_client_conf conf = { .path = path,
                                          .node = "csctl",
                                          .role = COUNTERSIGN__AUTH__ROLE__ROLE_TOOL };
    struct greeting g = { .taken = false };
    struct ipc_client *client;
    int err = ipc_client_open(l, &conf, &events, &g, &client);
    if (err)
        return err;
    timer_init(&g.timer, on_late);
    timer_start(l, &g.timer, within);
    while (!g.taken && !g.late)
        uv_run(&l->uv, UV_RUN_ONCE);
    timer_stop(l, &g.timer);
    ipc_client_close(&client);
    return g.taken ? 0 : CS_EDENIED;
}

int greet(const char *socket, struct duration within)
{
    struct loop loop;
    pid_t pid;
    int err = knock(socket, &pid);
    if (!err)
        err = loop_init(&loop);
    if (err)
        return err;
    err = talk(&loop, socket, within);
    loop_stop(&loop);
    loop_run(&loop);
    int leak = loop_fini(&loop);
    return err ? err : leak;
}

/* In a child, since there is no way back from another user. */
int greet_as(struct span user, const char *socket, struct duration within)
{
    enum { DENIED = 125, FAILED = 126 }; /* exit statuses besides an errno */
    int status;
    pid_t child = fork();
    if (child < 0)
        return -errno;
    if (child == 0) {
        int err = process_become(user);
        if (!err)
            err = greet(socket, within);
        _exit(err == CS_EDENIED ? DENIED : -err < DENIED ? -err : FAILED);
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    status = WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
    return status == DENIED ? CS_EDENIED : status == FAILED ? CS_ECLOSED : -status;
}

pid_t greet_pid(const char *socket)
{
    pid_t pid = 0;
    return knock(socket, &pid) ? 0 : pid;
}
