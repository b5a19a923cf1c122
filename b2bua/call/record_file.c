#include "b2bua/call/record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

static const struct log file_log = { .module = "cdr" };

/* What the disk has no room for is lost, and said to be. */
static void flush(struct record_file *f)
{
    turn_cancel(&f->turn);
    for (size_t at = 0; at < f->n;) {
        ssize_t n = write(f->fd, f->waiting + at, f->n - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            log_error(&file_log, "call records could not be written", kv_u("bytes", f->n - at),
                      kv_str("why", strerror(errno)));
            break;
        }
        at += (size_t)n;
    }
    f->n = 0;
}

static void on_turn(struct turn *t)
{
    flush(container_of(t, struct record_file, turn));
}

void record_file_init(struct record_file *f, struct loop *l)
{
    *f = (struct record_file){ .loop = l, .fd = -1 };
    turn_init(&f->turn, on_turn);
}

int record_file_open(struct record_file *f, const char *path)
{
    char *room = f->waiting ? f->waiting : malloc(RECORD_FILE_TURN);
    if (!room)
        return CS_ENOMEM;
    f->waiting = room;
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (path && fd < 0)
        return CS_EDENIED;
    flush(f);
    if (f->fd >= 0)
        close(f->fd);
    f->fd = fd;
    return 0;
}

void record_file_add(struct record_file *f, struct span line)
{
    if (f->fd < 0 || line.n > RECORD_FILE_TURN)
        return;
    if (f->n + line.n > RECORD_FILE_TURN)
        flush(f);
    memcpy(f->waiting + f->n, line.p, line.n);
    f->n += line.n;
    turn_queue(f->loop, &f->turn);
}

void record_file_close(struct record_file *f)
{
    if (!f->loop) /* it was never opened */
        return;
    flush(f);
    if (f->fd >= 0)
        close(f->fd);
    free(f->waiting);
    *f = (struct record_file){ .fd = -1 };
}
