#include "lib/redis_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/run.h"
#include "lib/tmp.h"

enum { MAX_ARGS = 64, ANSWERS_WITHIN = 10000 /* ms */ };

/* Whether the server answers; +PONG, or -NOAUTH where the test set a password. */
static bool answers(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char reply[8] = { 0 };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    bool ok = !connect(fd, (struct sockaddr *)&a, sizeof(a)) && write(fd, "PING\r\n", 6) == 6 &&
              read(fd, reply, sizeof(reply) - 1) > 0 &&
              (!strncmp(reply, "+PONG", 5) || !strncmp(reply, "-NOAUTH", 7));
    close(fd);
    return ok;
}

static const char *file_of(const struct redis_server *s, const char *ending)
{
    char file[64];
    snprintf(file, sizeof(file), "%s%s", s->name ? s->name : "redis", ending);
    return tmp_path(file);
}

static void run_server(const struct redis_server *s, const char *const *args)
{
    char port[16];
    const char *folder = file_of(s, ".d");
    const char *argv[MAX_ARGS] = {
        "redis-server", "--port",          port,    "--bind", "127.0.0.1",
        "--unixsocket", s->socket,         "--dir", folder,   "--appendonly",
        "yes",          "--appendfsync",   "no",    "--save", "",
        "--logfile",    file_of(s, ".log")
    };
    int n = 0;
    snprintf(port, sizeof(port), "%u", s->port);
    mkdir(folder, 0700);
    while (argv[n])
        n++;
    for (; args && *args && n < MAX_ARGS - 1; args++)
        argv[n++] = *args;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(argv[0], (char *const *)argv);
    _exit(TEST_SKIPPED);
}

/* Until the child that was just started answers. */
static void wait_until_it_answers(const struct redis_server *s)
{
    int status;
    for (int waited = 0; waited < ANSWERS_WITHIN; waited += 10) {
        if (answers(s->socket))
            return;
        if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
            if (WIFEXITED(status) && WEXITSTATUS(status) == TEST_SKIPPED) {
                puts("skipped: redis-server is not installed");
                exit(TEST_SKIPPED);
            }
            break;
        }
        usleep(10000);
    }
    fprintf(stderr, "redis-server does not start\n");
    exit(1);
}

static void find_room(struct redis_server *s)
{
    if (!s->socket) {
        s->socket = file_of(s, ".sock");
        s->port = free_port();
    }
    unlink(s->socket);
}

void redis_server_start(struct redis_server *s, const char *const *args)
{
    find_room(s);
    s->pid = fork();
    if (s->pid == 0)
        run_server(s, args);
    wait_until_it_answers(s);
}

void redis_sentinel_start(struct redis_server *s, unsigned master_port)
{
    char text[1024];
    find_room(s);
    snprintf(text, sizeof(text),
             "port %u\nbind 127.0.0.1\nunixsocket %s\ndir %s\nlogfile %s\n"
             "sentinel monitor mymaster 127.0.0.1 %u 1\n"
             "sentinel down-after-milliseconds mymaster 500\n"
             "sentinel failover-timeout mymaster 5000\n",
             s->port, s->socket, tmp_dir(), file_of(s, ".log"), master_port);
    char file[64];
    snprintf(file, sizeof(file), "%s.conf", s->name);
    const char *conf = tmp_file(file, text, strlen(text));
    s->pid = fork();
    if (s->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("redis-server", "redis-server", conf, "--sentinel", (char *)NULL);
        _exit(TEST_SKIPPED);
    }
    wait_until_it_answers(s);
}

void redis_server_kill(struct redis_server *s)
{
    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
    s->pid = 0;
}
