/* A thread that carries packets: sockets in an epoll of its own, and commands that the main thread
 * posts, run between two packets. */
#ifndef CS_B2BUA_MEDIA_WORKER_H
#define CS_B2BUA_MEDIA_WORKER_H

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"

struct worker;

struct worker_command { /* embedded in what it is about */
    struct list link;
    void (*run)(struct worker_command *c); /* in the thread; may free it */
};

/* Embedded, where that begins which its packets want. Both are called in the thread. */
struct worker_socket {
    int fd;
    /* Something came: to be read until nothing is there, or worker_again(). */
    void (*readable)(struct worker_socket *s, struct worker *w);
    /* Will be readable: asks memory for what that wants, twice, for the first asks for what says
     * where the rest is. */
    void (*soon)(struct worker_socket *s, bool again);
};

struct worker_timer { /* embedded; begins as an empty list of its own */
    struct list link;
    struct mono due;
    void (*run)(struct worker_timer *t); /* in the thread, once; may start it again */
};

CS_CHECK int worker_start(struct worker **out);
/* Runs what was posted, then ends the thread. Sets *w to NULL. */
void worker_stop(struct worker **w);
/* From any thread; in order. */
void worker_post(struct worker *w, struct worker_command *c);
/* The same for what may wait for others: the thread is woken for it after half a second. */
void worker_post_late(struct worker *w, struct worker_command *c);
/* From any thread. */
CS_CHECK int worker_watch(struct worker *w, struct worker_socket *s);

/* ---- in the thread ---- */
/* There may be more to read than was read: called once more, behind others. */
void worker_again(struct worker *w, struct worker_socket *s);
void worker_unwatch(struct worker *w, struct worker_socket *s);
/* When it is due, or a little later. Stopping one that does not run is harmless. */
void worker_timer_start(struct worker *w, struct worker_timer *t, struct mono due);
void worker_timer_stop(struct worker_timer *t);
/* The time at which this round of packets began. */
struct mono worker_now(const struct worker *w);
/* Room for a packet and what sealing adds, at an aligned address; one for all. */
enum { WORKER_ROOM = 2048 + 64 };
char *worker_room(struct worker *w);

#endif
