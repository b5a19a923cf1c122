#include "net/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/span.h"

enum { FIRST_FD = 3, FDS_MAX = 64 };

static const struct log slog = { .module = "systemd" };

static bool is_us(const char *variable)
{
    uint64_t pid;
    struct span text = span_str(getenv(variable));
    return text.p && span_u64(text, INT32_MAX, &pid) == 0 && (pid_t)pid == getpid();
}

/* ---- what is passed ---- */

/* The path that a socket listens at; "" for other sockets. */
static void path_of(int fd, struct sockaddr_un *name)
{
    int listens = 0;
    socklen_t n = sizeof(listens), len = sizeof(*name) - 1;
    *name = (struct sockaddr_un){ 0 };
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) || !listens ||
        getsockname(fd, (struct sockaddr *)name, &len) || name->sun_family != AF_UNIX)
        name->sun_path[0] = '\0';
}

int systemd_socket(const char *path, int *fd)
{
    uint64_t n;
    struct span fds = span_str(getenv("LISTEN_FDS"));
    *fd = -1;
    if (!fds.p || !is_us("LISTEN_PID") || span_u64(fds, FDS_MAX, &n) || n == 0)
        return CS_ENOENT;
    for (int i = FIRST_FD; i < FIRST_FD + (int)n; i++) {
        struct sockaddr_un name;
        path_of(i, &name);
        if (strcmp(name.sun_path, path) != 0) {
            log_debug(&slog, "a socket of another path is passed", kv_str("path", name.sun_path));
            continue;
        }
        if (fcntl(i, F_SETFD, FD_CLOEXEC) || fcntl(i, F_SETFL, O_NONBLOCK))
            return -errno;
        *fd = i;
        return 0;
    }
    log_error(&slog, "systemd listens elsewhere: write the same path here and into the socket unit",
              kv_str("path", path));
    return CS_ECONF;
}

/* ---- what it is told ---- */

static void tell(const char *what)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    const char *path = getenv("NOTIFY_SOCKET");
    size_t n = path ? strlen(path) : 0;
    if (n < 2 || n >= sizeof(to.sun_path))
        return;
    memcpy(to.sun_path, path, n);
    if (path[0] == '@') /* it has no place in the file system */
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    if (fd < 0 || sendto(fd, what, strlen(what), MSG_NOSIGNAL, (struct sockaddr *)&to, len) < 0)
        log_warn(&slog, "systemd cannot be told", kv_str("what", what), kv_err(-errno));
    if (fd >= 0)
        close(fd);
}

static void on_timer(struct timer *t)
{
    struct systemd *s = container_of(t, struct systemd, timer);
    tell("WATCHDOG=1");
    timer_start(s->loop, t, s->every);
}

void systemd_ready(struct systemd *s, struct loop *l)
{
    uint64_t us;
    struct span text = span_str(getenv("WATCHDOG_USEC"));
    *s = (struct systemd){ .loop = l };
    timer_init(&s->timer, on_timer);
    tell("READY=1");
    if (!text.p || !is_us("WATCHDOG_PID") || span_u64(text, INT64_MAX, &us) || us < 2000)
        return;
    s->every = DURATION_MS((int64_t)(us / 2000));
    timer_start(l, &s->timer, s->every);
}

void systemd_stopping(struct systemd *s)
{
    if (!s->loop)
        return;
    tell("STOPPING=1");
    timer_stop(s->loop, &s->timer);
    s->loop = NULL;
}
