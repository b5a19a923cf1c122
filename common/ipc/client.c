#include <stdlib.h>

#include "base/log.h"
#include "base/rand.h"
#include "base/util.h"
#include "ipc/frame.h"

enum { BACKOFF_MIN = 20, BACKOFF_MAX = 1000 }; /* ms */

static char software[] = "countersign/" CS_VERSION;

struct ipc_client {
    struct loop *loop;
    const struct ipc_client_events *events;
    void *arg;
    char *path, *node;
    Countersign__Auth__Role role;
    struct stream *stream; /* NULL: waiting for the next attempt */
    struct unpacker unpacker;
    struct timer timer; /* the next attempt, or the end of the handshake */
    unsigned backoff_ms;
    bool ready, closing;
    bool complained; /* of this outage, in the log */
    unsigned busy;   /* our frames on the stack below a callback of the owner */
    struct log log;
};

static void leave(struct ipc_client *c)
{
    if (--c->busy || !c->closing || c->stream)
        return;
    unpacker_fini(&c->unpacker);
    free(c->path);
    free(c->node);
    free(c);
}

static void set_ready(struct ipc_client *c, bool ready)
{
    if (c->ready == ready)
        return;
    c->ready = ready;
    if (ready) {
        c->complained = false;
        c->backoff_ms = BACKOFF_MIN;
        log_info(&c->log, "authd is connected");
    }
    c->events->ready(c->arg, ready);
}

static void retry_later(struct ipc_client *c, int reason)
{
    unsigned half = c->backoff_ms / 2;
    unsigned ms = half + (unsigned)rand_below(half + 1);
    if (!c->complained)
        log_warn(&c->log, "authd is not connected", kv_err(reason));
    c->complained = true;
    c->backoff_ms = CS_MIN(c->backoff_ms * 2, (unsigned)BACKOFF_MAX);
    timer_start(c->loop, &c->timer, DURATION_MS(CS_MAX(ms, (unsigned)BACKOFF_MIN)));
}

static int on_hello(struct ipc_client *c, const Countersign__Auth__Hello *hello)
{
    if (c->ready)
        return CS_EPROTO; /* said twice */
    if (hello->refused || hello->version != IPC_VERSION) {
        if (!c->complained)
            log_error(&c->log, "authd refuses us", kv_str("why", hello->refused),
                      kv_u("its_version", hello->version), kv_u("our_version", IPC_VERSION));
        c->complained = true;
        return CS_EDENIED;
    }
    timer_stop(c->loop, &c->timer);
    set_ready(c, true);
    return 0;
}

static int on_message(void *arg, const ProtobufCMessage *base)
{
    struct ipc_client *c = arg;
    const Countersign__Auth__FromAuthd *msg = (const Countersign__Auth__FromAuthd *)base;
    if (msg->body_case == COUNTERSIGN__AUTH__FROM_AUTHD__BODY_HELLO)
        return on_hello(c, msg->hello);
    if (!c->ready)
        return CS_EPROTO; /* Hello comes first */
    if (msg->body_case != COUNTERSIGN__AUTH__FROM_AUTHD__BODY__NOT_SET)
        c->events->message(c->arg, msg);
    return 0;
}

static ptrdiff_t on_data(struct stream *s, void *arg, struct span in)
{
    struct ipc_client *c = arg;
    return frames_read(&c->unpacker, s, &countersign__auth__from_authd__descriptor, in, on_message,
                       c);
}

static void on_opened(struct stream *s, void *arg)
{
    struct ipc_client *c = arg;
    Countersign__Auth__Hello hello = COUNTERSIGN__AUTH__HELLO__INIT;
    Countersign__Auth__ToAuthd msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    hello.version = IPC_VERSION;
    hello.role = c->role;
    hello.node = c->node;
    hello.software = software;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_HELLO;
    msg.hello = &hello;
    int err = frame_write(s, &msg.base);
    if (err)
        stream_close(s, err);
}

static void on_closed(struct stream *s, void *arg, int reason)
{
    struct ipc_client *c = arg;
    (void)s;
    c->busy++;
    c->stream = NULL;
    timer_stop(c->loop, &c->timer);
    if (!c->closing) {
        retry_later(c, reason);
        set_ready(c, false);
    }
    leave(c);
}

static const struct stream_events events = { on_opened, on_data, on_closed };

static void attempt(struct ipc_client *c)
{
    int err = stream_connect_unix(c->loop, c->path, &frame_limits, &events, c, &c->stream);
    if (err) {
        c->stream = NULL;
        retry_later(c, err);
    } else {
        timer_start(c->loop, &c->timer, DURATION_MS(HELLO_WITHIN));
    }
}

static void on_timer(struct timer *t)
{
    struct ipc_client *c = container_of(t, struct ipc_client, timer);
    if (!c->stream)
        attempt(c);
    else
        stream_close(c->stream, CS_ETIMEOUT);
}

int ipc_client_open(struct loop *l, const struct ipc_client_conf *conf,
                    const struct ipc_client_events *client_events, void *arg,
                    struct ipc_client **out)
{
    *out = NULL;
    struct ipc_client *c = calloc(1, sizeof(*c));
    if (!c)
        return CS_ENOMEM;
    c->loop = l;
    c->events = client_events;
    c->arg = arg;
    c->path = strdup(conf->path);
    c->node = strdup(conf->node ? conf->node : "");
    c->role = conf->role;
    c->backoff_ms = BACKOFF_MIN;
    unpacker_init(&c->unpacker);
    timer_init(&c->timer, on_timer);
    if (!c->path || !c->node) {
        c->closing = true;
        c->busy = 1;
        leave(c);
        return CS_ENOMEM;
    }
    c->log = (struct log){ .module = "ipc", .ctx = { kv_str("socket", c->path) } };
    attempt(c);
    *out = c;
    return 0;
}

void ipc_client_close(struct ipc_client **cp)
{
    struct ipc_client *c = *cp;
    *cp = NULL;
    if (!c)
        return;
    c->busy++;
    c->closing = true;
    c->ready = false;
    timer_stop(c->loop, &c->timer);
    if (c->stream)
        stream_close(c->stream, 0);
    leave(c);
}

bool ipc_client_is_ready(const struct ipc_client *c)
{
    return c->ready && stream_is_open(c->stream);
}

int ipc_client_send(struct ipc_client *c, const Countersign__Auth__ToAuthd *msg)
{
    return ipc_client_is_ready(c) ? frame_write(c->stream, &msg->base) : UV_ENOTCONN;
}
