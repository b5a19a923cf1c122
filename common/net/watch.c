#include "net/watch.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"

enum { LOOK_EVERY_S = 10 };

static const struct log wlog = { .module = "watch" };

struct watched {
    char *path;
    struct stat seen; /* all zero: it is not there */
};

struct folder {
    uv_fs_event_t event;
    struct watch *watch;
    char *path;
    bool opened;
};

struct watch {
    struct loop *loop;
    void (*fn)(void *arg);
    void *arg;
    struct duration settle;
    struct watched *files;
    struct folder *folders;
    size_t n_files, n_folders, n_open; /* of the folders, handles to be closed */
    struct timer settled, look;
    bool changing; /* the last look saw something else than the one before */
};

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool look(struct watch *w)
{
    bool changed = false;
    for (size_t i = 0; i < w->n_files; i++) {
        struct stat now;
        if (stat(w->files[i].path, &now))
            memset(&now, 0, sizeof(now));
        changed |= !is_same(&now, &w->files[i].seen);
        w->files[i].seen = now;
    }
    return changed;
}

bool watch_look(struct watch *w)
{
    bool changed = look(w) || w->changing;
    w->changing = false;
    return changed;
}

/* What is written in pieces is told when two looks see the same. Others may write to the folder all
 * the time. */
static void on_settled(struct timer *t)
{
    struct watch *w = container_of(t, struct watch, settled);
    if (look(w)) {
        w->changing = true;
        timer_start(w->loop, &w->settled, w->settle);
    } else if (w->changing) {
        w->changing = false;
        w->fn(w->arg);
    }
}

static void on_event(uv_fs_event_t *e, const char *name, int events, int status)
{
    struct folder *f = container_of(e, struct folder, event);
    (void)name, (void)events, (void)status;
    if (!timer_is_running(&f->watch->settled))
        timer_start(f->watch->loop, &f->watch->settled, f->watch->settle);
}

static void on_look(struct timer *t)
{
    struct watch *w = container_of(t, struct watch, look);
    timer_start(w->loop, &w->look, DURATION_S(LOOK_EVERY_S));
    if (!timer_is_running(&w->settled))
        on_settled(&w->settled);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return !slash ? strdup(".") : strndup(path, (size_t)CS_MAX(slash - path, 1));
}

static int add_folder(struct watch *w, const char *file)
{
    char *path = folder_of(file);
    if (!path)
        return CS_ENOMEM;
    for (size_t i = 0; i < w->n_folders; i++) {
        if (strcmp(w->folders[i].path, path) == 0) {
            free(path);
            return 0;
        }
    }
    struct folder *f = &w->folders[w->n_folders++];
    f->path = path;
    f->watch = w;
    f->opened = uv_fs_event_init(&w->loop->uv, &f->event) == 0;
    w->n_open += f->opened;
    int err = f->opened ? uv_fs_event_start(&f->event, on_event, path, 0) : UV_ENOSYS;
    if (err)
        log_warn(&wlog, "a folder cannot be watched: its files are looked at every ten seconds",
                 kv_str("folder", path), kv_err(err));
    return 0;
}

static void watch_free(struct watch *w)
{
    for (size_t i = 0; i < w->n_files; i++)
        free(w->files[i].path);
    for (size_t i = 0; i < w->n_folders; i++)
        free(w->folders[i].path);
    free(w->files);
    free(w->folders);
    free(w);
}

int watch_open(struct loop *l, const char *const *files, size_t n, struct duration settle,
               void (*fn)(void *arg), void *arg, struct watch **out)
{
    struct watch *w = calloc(1, sizeof(*w));
    *out = w;
    if (!w)
        return CS_ENOMEM;
    w->loop = l;
    w->fn = fn;
    w->arg = arg;
    w->settle = settle;
    timer_init(&w->settled, on_settled);
    timer_init(&w->look, on_look);
    w->files = calloc(n + 1, sizeof(*w->files));
    w->folders = calloc(n + 1, sizeof(*w->folders));
    int err = w->files && w->folders ? 0 : CS_ENOMEM;
    for (size_t i = 0; !err && i < n; i++) {
        w->files[i].path = strdup(files[i]);
        err = w->files[i].path ? add_folder(w, files[i]) : CS_ENOMEM;
        w->n_files++;
    }
    if (err) {
        watch_close(out);
        return err;
    }
    watch_look(w);
    timer_start(l, &w->look, DURATION_S(LOOK_EVERY_S));
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    struct watch *w = container_of((uv_fs_event_t *)h, struct folder, event)->watch;
    if (--w->n_open == 0)
        watch_free(w);
}

void watch_close(struct watch **wp)
{
    struct watch *w = *wp;
    *wp = NULL;
    if (!w)
        return;
    timer_stop(w->loop, &w->settled);
    timer_stop(w->loop, &w->look);
    if (!w->n_open) {
        watch_free(w);
        return;
    }
    for (size_t i = 0; i < w->n_folders; i++) {
        if (w->folders[i].opened)
            uv_close((uv_handle_t *)&w->folders[i].event, on_closed);
    }
}
