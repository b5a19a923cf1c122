/* Frames of auth.proto over a Unix socket, both ends. Messages of one turn leave in one write;
 * received ones are unpacked into an arena and borrowed for the call. */
#ifndef CS_IPC_IPC_H
#define CS_IPC_IPC_H

#include "auth.pb-c.h"
#include "base/arena.h"
#include "base/buf.h"
#include "net/loop.h"
#include "net/stream.h"

enum { IPC_VERSION = 1, IPC_MAX_FRAME = 128 * 1024 };

/* ---- a front's end ---- */
struct ipc_client;
struct ipc_client_conf {
    const char *path;
    const char *node;
    Countersign__Auth__Role role;
};
struct ipc_client_events {
    /* true after Hello went both ways, false when that is lost. It reconnects by itself, with a
     * jittered back-off from 20 ms to 1 s. */
    void (*ready)(void *arg, bool ready);
    void (*message)(void *arg, const Countersign__Auth__FromAuthd *msg);
};
CS_CHECK int ipc_client_open(struct loop *l, const struct ipc_client_conf *conf,
                             const struct ipc_client_events *events, void *arg,
                             struct ipc_client **out);
void ipc_client_close(struct ipc_client **c);
bool ipc_client_is_ready(const struct ipc_client *c);
/* UV_ENOTCONN while there is no authd; CS_ELIMIT when too much waits to be sent or the frame is too
 * long. */
CS_CHECK int ipc_client_send(struct ipc_client *c, const Countersign__Auth__ToAuthd *msg);

/* ---- authd's end ---- */
struct ipc_server;
struct ipc_peer; /* one connected front */
struct ipc_server_conf {
    const char *path;
    unsigned mode;     /* of the socket file, e.g. 0660 */
    const uid_t *uids; /* who may connect */
    size_t n_uids;
    const char *node;
};
struct ipc_server_events {
    void (*joined)(void *arg, struct ipc_peer *p);
    void (*message)(void *arg, struct ipc_peer *p, const Countersign__Auth__ToAuthd *msg);
    void (*left)(void *arg, struct ipc_peer *p); /* p is gone when it returns */
};
CS_CHECK int ipc_server_open(struct loop *l, const struct ipc_server_conf *conf,
                             const struct ipc_server_events *events, void *arg,
                             struct ipc_server **out);
/* left() is called for each peer. */
void ipc_server_close(struct ipc_server **s);
/* UV_ENOTCONN when it is leaving; CS_ELIMIT as above. */
CS_CHECK int ipc_peer_send(struct ipc_peer *p, const Countersign__Auth__FromAuthd *msg);
/* Closes its connection; left() is called later. */
void ipc_peer_drop(struct ipc_peer *p);
Countersign__Auth__Role ipc_peer_role(const struct ipc_peer *p); /* as it says */
uid_t ipc_peer_uid(const struct ipc_peer *p);                    /* as the kernel says */
const char *ipc_peer_node(const struct ipc_peer *p);             /* "" when it gave no name */
/* The owner's own pointer. */
void ipc_peer_set_data(struct ipc_peer *p, void *data);
void *ipc_peer_data(const struct ipc_peer *p);

/* ---- frames ---- */
/* First whole frame of in: its payload in *frame and the bytes used; 0 when more is needed;
 * CS_EPROTO when longer than IPC_MAX_FRAME or empty. */
ptrdiff_t ipc_frame(struct span in, struct span *frame);

/* ---- printing ---- */
/* One line of text of any message, walking its descriptor; a field whose name ends in _secret is
 * shown as <9 bytes>. */
void ipc_print(struct buf *b, const ProtobufCMessage *msg);

#endif
