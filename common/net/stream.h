/* Connected byte streams: TCP and Unix sockets, plain or inside TLS. What is written in a turn
 * leaves in one system call at its end. */
#ifndef CS_NET_STREAM_H
#define CS_NET_STREAM_H

#include <openssl/types.h>

#include "base/addr.h"
#include "net/loop.h"
#include "net/tls.h"

struct stream;

struct stream_events {
    /* A connection that was being made is there; with TLS: its handshake is done, for accepted ones
     * too (which are not told of otherwise). May be NULL. */
    void (*opened)(struct stream *s, void *arg);
    /* in is all that is unread, contiguous, borrowed for the call. Returns the bytes used (the rest
     * is kept and given again with more), or a negative code to close the stream with. */
    ptrdiff_t (*data)(struct stream *s, void *arg, struct span in);
    /* The last call for this stream, exactly once, also after a failed connect: reason is 0 when
     * stream_close() asked for it, UV_EOF when the peer did, else what went wrong: with TLS
     * CS_EDENIED when a certificate was refused, CS_EPROTO, CS_ETIMEOUT of the handshake,
     * UV_ECONNRESET when the peer went without saying so. s is gone when
     * it returns. Never called from inside another stream_ function. */
    void (*closed)(struct stream *s, void *arg, int reason);
};

struct stream_limits {
    size_t max_unread; /* bytes of one unfinished message; beyond it the stream closes, CS_ELIMIT */
    size_t max_unsent; /* bytes waiting for a slow reader; beyond it the stream closes, CS_ELIMIT */
};

/* events and arg stay the caller's and outlive the stream. */
CS_CHECK int stream_connect_tcp(struct loop *l, const struct addr *to, const struct addr *from,
                                const struct stream_limits *limits,
                                const struct stream_events *events, void *arg, struct stream **out);
CS_CHECK int stream_connect_unix(struct loop *l, const char *path,
                                 const struct stream_limits *limits,
                                 const struct stream_events *events, void *arg,
                                 struct stream **out);
/* To be called at once after stream_connect_: data() and stream_write() carry plaintext then. name
 * is what the server's certificate must say, a DNS name or an IP address; NULL: the address we
 * connect to. What is written before opened() is kept and sent encrypted. With TLS 1.3 a server
 * that refuses our certificate says so after opened(). On error (CS_ENOMEM, CS_ECONF for a name
 * that is none) the stream has to be closed. */
CS_CHECK int stream_start_tls(struct stream *s, struct tls_context *tls, const char *name);
/* What the peer's certificate says, in the arena. CS_ENOENT when there is none (yet). */
CS_CHECK int stream_peer_certificate(const struct stream *s, struct arena *a, struct tls_peer *out);
/* The peer's certificate and who signed it, borrowed until the stream closes; NULL unless its chain
 * was verified. */
X509 *stream_certificate(const struct stream *s, X509 **issuer);
/* Whether the certificate that this client has shown would be believed as a server's by a client
 * with that context, whatever name it says. Costs a verification. */
bool stream_is_vouched(const struct stream *s, const struct tls_context *by);
/* Copies data. After stream_close() nothing more is sent. Errors show in closed(). */
void stream_write(struct stream *s, struct span data);
/* Room for n bytes to be written in place, valid until the next call on s; stream_wrote() says how
 * many were used. NULL when the stream is closing or max_unsent would be passed. */
char *stream_reserve(struct stream *s, size_t n);
void stream_wrote(struct stream *s, size_t n);
/* Sends what is queued as far as the kernel takes it at once, then closes with this reason. */
void stream_close(struct stream *s, int reason);
bool stream_is_open(const struct stream *s);
/* Nothing more is read until stream_resume(), which gives what was read and not used once more; it
 * may not be called from data(). What the peer does meanwhile, its end included, shows then. */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);
void stream_set_arg(struct stream *s, void *arg);
const struct addr *stream_peer(const struct stream *s); /* family none for Unix sockets */
const struct addr *stream_local(const struct stream *s);
/* A TCP peer that leaves what we send, or a probe, unacknowledged for so long, at least two
 * seconds, is gone: closed() says UV_ETIMEDOUT. Of a silent one four probes are sent in that time.
 */
CS_CHECK int stream_watch_peer(const struct stream *s, struct duration silence);
/* Credentials of the process at the other end of a Unix socket. */
CS_CHECK int stream_peer_uid(const struct stream *s, uid_t *uid);

struct listener;
/* Decides about a new connection (before a TLS handshake): sets *arg, limits and events are the
 * listener's. Returning an error closes it without a call to closed(). */
typedef int accept_fn(void *listener_arg, struct stream *s, void **arg);

CS_CHECK int listener_open_tcp(struct loop *l, const struct addr *local,
                               const struct stream_limits *limits,
                               const struct stream_events *events, accept_fn *fn, void *arg,
                               struct listener **out);
/* The same on a socket of bind_socket(), which it takes over, and closes on error. */
CS_CHECK int listener_open_fd(struct loop *l, int fd, const struct stream_limits *limits,
                              const struct stream_events *events, accept_fn *fn, void *arg,
                              struct listener **out);
/* Takes the socket that systemd passed for this path, which stays when we go. Without, it replaces
 * a stale socket file; the new one gets this mode. A live server on it is UV_EADDRINUSE. */
CS_CHECK int listener_open_unix(struct loop *l, const char *path, unsigned mode,
                                const struct stream_limits *limits,
                                const struct stream_events *events, accept_fn *fn, void *arg,
                                struct listener **out);
/* Connections accepted from now on speak TLS. */
void listener_start_tls(struct listener *ls, struct tls_context *tls);
/* Stops accepting; streams live on. Sets *ls to NULL. */
void listener_close(struct listener **ls);
const struct addr *listener_local(const struct listener *ls);

#endif
