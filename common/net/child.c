#include "net/child.h"

#include <stdlib.h>
#include <unistd.h>

struct child {
    uv_process_t process;
    child_fn *fn;
    void *arg;
};

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

static void on_exit_(uv_process_t *p, int64_t status, int signum)
{
    struct child *c = p->data;
    c->fn(c->arg, (int)status, signum);
    uv_close((uv_handle_t *)p, on_closed);
}

/* Our environment with one variable more; the array is the caller's to free. */
static char **environment(char *variable)
{
    size_t n = 0;
    while (environ[n])
        n++;
    char **env = calloc(n + 2, sizeof(*env));
    if (!env)
        return NULL;
    memcpy(env, environ, n * sizeof(*env));
    env[n] = variable;
    return env;
}

int child_start(struct loop *l, char *const *argv, char *variable, const int *fds, size_t n_fds,
                child_fn *fn, void *arg, struct child **out)
{
    struct child *c = calloc(1, sizeof(*c));
    uv_stdio_container_t *io = calloc(3 + n_fds, sizeof(*io));
    char **env = environment(variable);
    int err = c && io && env ? 0 : CS_ENOMEM;
    *out = NULL;
    for (size_t i = 0; !err && i < 3 + n_fds; i++)
        io[i] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD,
                                        .data.fd = i < 3 ? (int)i : fds[i - 3] };
    if (!err) {
        uv_process_options_t options = { .file = argv[0],
                                         .args = (char **)argv,
                                         .env = env,
                                         .exit_cb = on_exit_,
                                         .stdio = io,
                                         .stdio_count = (int)(3 + n_fds) };
        c->process.data = c;
        c->fn = fn;
        c->arg = arg;
        err = uv_spawn(&l->uv, &c->process, &options);
        if (err) { /* the handle is there all the same */
            uv_close((uv_handle_t *)&c->process, on_closed);
            c = NULL;
        }
    }
    free(env);
    free(io);
    if (err) {
        free(c);
        return err;
    }
    *out = c;
    return 0;
}

void child_signal(struct child *c, int signum)
{
    uv_process_kill(&c->process, signum);
}

int child_pid(const struct child *c)
{
    return c->process.pid;
}
