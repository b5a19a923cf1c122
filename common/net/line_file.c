#include "net/line_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* What the disk has no room for is lost, and said to be: once for a row of failures, for lines are
 * many. */
void line_file_flush(struct line_file *f)
{
    timer_stop(f->loop, &f->timer);
    turn_cancel(&f->turn);
    for (size_t at = 0; at < f->n;) {
        ssize_t n = write(f->fd, f->waiting + at, f->n - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (!f->failing)
                log_error(f->conf.log, "lines cannot be written, and are lost",
                          kv_str("of", f->conf.what), kv_u("bytes", f->n - at),
                          kv_err(n < 0 ? -errno : UV_EIO));
            f->failing = true;
            break;
        }
        f->failing = false;
        at += (size_t)n;
    }
    f->n = 0;
}

static void on_timer(struct timer *t)
{
    line_file_flush(container_of(t, struct line_file, timer));
}

static void on_turn(struct turn *t)
{
    line_file_flush(container_of(t, struct line_file, turn));
}

int line_file_init(struct line_file *f, struct loop *l, const struct line_file_conf *conf)
{
    *f = (struct line_file){ .loop = l, .conf = *conf, .fd = -1 };
    timer_init(&f->timer, on_timer);
    turn_init(&f->turn, on_turn);
    f->waiting = malloc(conf->room);
    return f->waiting ? 0 : CS_ENOMEM;
}

static void change(struct line_file *f, int fd, bool owned)
{
    line_file_flush(f);
    if (f->owned)
        close(f->fd);
    f->fd = fd;
    f->owned = owned;
    f->failing = false;
}

int line_file_open(struct line_file *f, const char *path)
{
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, f->conf.mode) : -1;
    if (path && fd < 0)
        return -errno;
    change(f, fd, fd >= 0);
    return 0;
}

void line_file_use(struct line_file *f, int fd)
{
    change(f, fd, false);
}

static void wait_for_more(struct line_file *f)
{
    if (!f->conf.delay.ms)
        turn_queue(f->loop, &f->turn);
    else if (!timer_is_running(&f->timer))
        timer_start(f->loop, &f->timer, f->conf.delay);
}

struct buf line_file_begin(struct line_file *f)
{
    return buf_of(f->waiting + f->n, f->conf.room - f->n);
}

bool line_file_keep(struct line_file *f, const struct buf *line)
{
    if (!buf_ok(line)) {
        line_file_flush(f);
        return false;
    }
    if (f->fd < 0)
        return true;
    f->n += line->n;
    wait_for_more(f);
    return true;
}

void line_file_add(struct line_file *f, struct span line)
{
    for (unsigned tries = 0; tries < 2; tries++) {
        struct buf b = line_file_begin(f);
        buf_put(&b, line);
        if (line_file_keep(f, &b))
            break;
    }
}

void line_file_close(struct line_file *f)
{
    if (!f->loop) /* it was never begun */
        return;
    line_file_flush(f);
    if (f->owned)
        close(f->fd);
    free(f->waiting);
    *f = (struct line_file){ .fd = -1 };
}
