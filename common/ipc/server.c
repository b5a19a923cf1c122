#include <stdlib.h>

#include "base/log.h"
#include "base/util.h"
#include "ipc/frame.h"

enum { NODE_MAX = 64 };

static char software[] = "countersign/" CS_VERSION;

struct ipc_server {
    struct loop *loop;
    const struct ipc_server_events *events;
    void *arg;
    char *node;
    uid_t *uids;
    size_t n_uids;
    struct listener *listener;
    struct list peers;
    size_t n_peers; /* whose memory is still held; the last takes a closed server with it */
    bool closing;
    struct unpacker unpacker;
    struct log log;
};

struct ipc_peer {
    struct list link;
    struct ipc_server *server;
    struct stream *stream;
    void *data;
    bool joined;
    Countersign__Auth__Role role;
    uid_t uid;
    char node[NODE_MAX];
    struct timer timer; /* for its Hello */
    struct log log;
};

static void server_free(struct ipc_server *s)
{
    unpacker_fini(&s->unpacker);
    free(s->node);
    free(s->uids);
    free(s);
}

/* ---- peers ---- */

static int say_hello(struct ipc_peer *p, char *refused)
{
    Countersign__Auth__Hello hello = COUNTERSIGN__AUTH__HELLO__INIT;
    Countersign__Auth__FromAuthd msg = COUNTERSIGN__AUTH__FROM_AUTHD__INIT;
    hello.version = IPC_VERSION;
    hello.role = COUNTERSIGN__AUTH__ROLE__ROLE_AUTHD;
    hello.node = p->server->node;
    hello.software = software;
    hello.refused = refused;
    msg.body_case = COUNTERSIGN__AUTH__FROM_AUTHD__BODY_HELLO;
    msg.hello = &hello;
    return frame_write(p->stream, &msg.base);
}

static int on_hello(struct ipc_peer *p, const Countersign__Auth__Hello *hello)
{
    if (p->joined)
        return CS_EPROTO; /* said twice */
    span_copy(p->node, sizeof(p->node), span_str(hello->node));
    p->role = hello->role;
    p->log.ctx[0] = kv_str("node", p->node);
    if (hello->version != IPC_VERSION) {
        log_error(&p->log, "front refused: it speaks another version",
                  kv_u("its_version", hello->version), kv_u("our_version", IPC_VERSION));
        static char why[] = "authd speaks another version of auth.proto";
        int err = say_hello(p, why);
        return err ? err : CS_ENOTSUP;
    }
    int err = say_hello(p, NULL);
    if (err)
        return err;
    timer_stop(p->server->loop, &p->timer);
    p->joined = true;
    log_info(&p->log, "front connected", kv_u("role", p->role));
    p->server->events->joined(p->server->arg, p);
    return 0;
}

static int on_message(void *arg, const ProtobufCMessage *base)
{
    struct ipc_peer *p = arg;
    const Countersign__Auth__ToAuthd *msg = (const Countersign__Auth__ToAuthd *)base;
    if (msg->body_case == COUNTERSIGN__AUTH__TO_AUTHD__BODY_HELLO)
        return on_hello(p, msg->hello);
    if (!p->joined)
        return CS_EPROTO; /* Hello comes first */
    if (msg->body_case != COUNTERSIGN__AUTH__TO_AUTHD__BODY__NOT_SET)
        p->server->events->message(p->server->arg, p, msg);
    return 0;
}

static ptrdiff_t on_data(struct stream *s, void *arg, struct span in)
{
    struct ipc_peer *p = arg;
    return frames_read(&p->server->unpacker, s, &countersign__auth__to_authd__descriptor, in,
                       on_message, p);
}

static void on_closed(struct stream *stream, void *arg, int reason)
{
    struct ipc_peer *p = arg;
    struct ipc_server *s = p->server;
    (void)stream;
    timer_stop(s->loop, &p->timer);
    list_remove(&p->link);
    if (reason != UV_EOF && reason != 0)
        log_warn(&p->log, "front dropped", kv_err(reason));
    else if (p->joined)
        log_info(&p->log, "front left");
    if (p->joined && !s->closing)
        s->events->left(s->arg, p);
    free(p);
    if (--s->n_peers == 0 && s->closing)
        server_free(s);
}

static const struct stream_events events = { NULL, on_data, on_closed };

static void on_timer(struct timer *t)
{
    struct ipc_peer *p = container_of(t, struct ipc_peer, timer);
    stream_close(p->stream, CS_ETIMEOUT);
}

/* ---- accepting ---- */

static bool may_connect(const struct ipc_server *s, uid_t uid)
{
    for (size_t i = 0; i < s->n_uids; i++) {
        if (s->uids[i] == uid)
            return true;
    }
    return false;
}

static int on_accept(void *arg, struct stream *stream, void **peer_arg)
{
    struct ipc_server *s = arg;
    uid_t uid;
    int err = stream_peer_uid(stream, &uid);
    if (err)
        return err;
    if (!may_connect(s, uid)) {
        log_warn(&s->log, "front refused: its uid is not configured", kv_u("uid", uid));
        return CS_EDENIED;
    }
    struct ipc_peer *p = calloc(1, sizeof(*p));
    if (!p)
        return CS_ENOMEM;
    p->server = s;
    p->stream = stream;
    p->uid = uid;
    p->log = (struct log){ .module = "ipc" };
    timer_init(&p->timer, on_timer);
    timer_start(s->loop, &p->timer, DURATION_MS(HELLO_WITHIN));
    list_push_back(&s->peers, &p->link);
    s->n_peers++;
    *peer_arg = p;
    return 0;
}

/* ---- entry points ---- */

int ipc_server_open(struct loop *l, const struct ipc_server_conf *conf,
                    const struct ipc_server_events *server_events, void *arg,
                    struct ipc_server **out)
{
    *out = NULL;
    struct ipc_server *s = calloc(1, sizeof(*s));
    if (!s)
        return CS_ENOMEM;
    s->loop = l;
    s->events = server_events;
    s->arg = arg;
    s->log = (struct log){ .module = "ipc" };
    list_init(&s->peers);
    unpacker_init(&s->unpacker);
    s->node = strdup(conf->node ? conf->node : "");
    s->uids = calloc(conf->n_uids + 1, sizeof(*s->uids));
    int err = CS_ENOMEM;
    if (s->node && s->uids) {
        if (conf->n_uids)
            memcpy(s->uids, conf->uids, conf->n_uids * sizeof(*s->uids));
        s->n_uids = conf->n_uids;
        err = listener_open_unix(l, conf->path, conf->mode, &frame_limits, &events, on_accept, s,
                                 &s->listener);
    }
    if (err) {
        server_free(s);
        return err;
    }
    *out = s;
    return 0;
}

void ipc_server_close(struct ipc_server **sp)
{
    struct ipc_server *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    listener_close(&s->listener);
    s->closing = true;
    list_for_each (it, &s->peers) {
        struct ipc_peer *p = container_of(it, struct ipc_peer, link);
        if (p->joined)
            s->events->left(s->arg, p);
        stream_close(p->stream, 0);
    }
    if (s->n_peers == 0)
        server_free(s);
}

int ipc_peer_send(struct ipc_peer *p, const Countersign__Auth__FromAuthd *msg)
{
    return frame_write(p->stream, &msg->base);
}

void ipc_peer_drop(struct ipc_peer *p)
{
    stream_close(p->stream, CS_ECLOSED);
}

Countersign__Auth__Role ipc_peer_role(const struct ipc_peer *p)
{
    return p->role;
}

uid_t ipc_peer_uid(const struct ipc_peer *p)
{
    return p->uid;
}

const char *ipc_peer_node(const struct ipc_peer *p)
{
    return p->node;
}

void ipc_peer_set_data(struct ipc_peer *p, void *data)
{
    p->data = data;
}

void *ipc_peer_data(const struct ipc_peer *p)
{
    return p->data;
}
