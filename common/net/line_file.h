/* A file of lines, an audit log or call records: those that come within a delay, or in one turn of
 * the loop, leave in one write. What is not written yet a kill -9 loses; nothing is synced. */
#ifndef CS_NET_LINE_FILE_H
#define CS_NET_LINE_FILE_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/log.h"
#include "net/loop.h"
#include "net/timer.h"

struct line_file_conf { /* copied; log and what outlive the file */
    struct duration delay;
    size_t room; /* bytes that are collected at most before they are written */
    mode_t mode; /* of a file that is made */
    const struct log *log;
    const char *what; /* is lost, when it cannot be written, as the log says it */
};

struct line_file { /* embedded in its owner */
    struct loop *loop;
    struct line_file_conf conf;
    int fd;       /* -1: there is none, and nothing is kept */
    bool owned;   /* to be closed */
    bool failing; /* since the last write that went well: said once */
    struct timer timer;
    struct turn turn;
    size_t n;
    char *waiting; /* whole lines */
};

/* delay 0: at the end of the turn. CS_ENOMEM: line_file_close() is still allowed. */
CS_CHECK int line_file_init(struct line_file *f, struct loop *l, const struct line_file_conf *conf);
/* Appends to this file from now on, which is made if need be; what waits is written first to what
 * was before. NULL: to none. Libuv's codes; nothing has changed then. */
CS_CHECK int line_file_open(struct line_file *f, const char *path);
/* Appends to what is open elsewhere, and stays so: stderr. */
void line_file_use(struct line_file *f, int fd);
/* A line, with its line feed; one that is longer than the room is dropped. */
void line_file_add(struct line_file *f, struct span line);
/* A line that is written in place: into this, and then it is kept. False: it did not fit; the room
 * is empty now, and it may be tried once more. */
struct buf line_file_begin(struct line_file *f);
bool line_file_keep(struct line_file *f, const struct buf *line);
/* Writes what waits now. */
void line_file_flush(struct line_file *f);
void line_file_close(struct line_file *f);

#endif
