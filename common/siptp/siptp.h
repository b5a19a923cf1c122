/* SIP transports: listeners, flows, framing, keepalives, limits (RFC 3261, 18; RFC 3581; RFC
 * 5626, 4.4). A flow is a way to a peer: a remote address of a UDP listener, or one TCP connection.
 */
#ifndef CS_SIPTP_SIPTP_H
#define CS_SIPTP_SIPTP_H

#include <openssl/types.h>

#include "base/log.h"
#include "net/loop.h"
#include "net/tls.h"
#include "net/ws_hello.h"
#include "sip/msg.h"

/* SIP_LINK: the trusted link between processes of one installation; see below. */
enum sip_transport { SIP_UDP, SIP_TCP, SIP_TLS, SIP_WS, SIP_WSS, SIP_LINK, SIP_TRANSPORT_COUNT };

struct siptp;
struct siptp_listener;

/* Values of SIP_REFUSED, in the order of metrics.def. */
enum sip_refused {
    REFUSED_MALFORMED,
    REFUSED_TOO_LARGE,
    REFUSED_TOO_MANY_HEADERS,
    REFUSED_LINE_TOO_LONG,
    REFUSED_NO_LENGTH,
    REFUSED_TIMEOUT,
    REFUSED_CONNECTIONS,
    REFUSED_MEMORY,
    REFUSED_HANDSHAKE, /* of TLS: failed, too slow, too many at once, or a second one */
    REFUSED_UPGRADE,   /* of WebSocket: what came first is no handshake that we take */
};

struct flow { /* counted; members are read-only for others */
    unsigned refs;
    struct siptp *tp;
    struct siptp_listener *listener;
    enum sip_transport transport;
    bool open;
    int reason;                /* why it is not open any more; 0: it is, or nothing was wrong */
    struct addr remote, local; /* of links: no family */
    uint32_t peer;             /* of links: the node at the other end; 0 until its first request */
    uint64_t id;               /* unique in this process; for UDP 0 */
    struct list waiting;       /* siptx: client transactions that end with a stream */
    void *attached;            /* flow_attach() */
    void (*detach)(void *attached);
};
/* What it says of itself in lines of the log; borrowed for one of them. */
#define flow_log(f) (&(struct log){ .module = "siptp", .ctx = { kv_addr("peer", &(f)->remote) } })

/* Who looks at sources before what they say is read; links are not asked about. */
struct siptp_guard {
    /* Asked of each connection and message; no: it is dropped without an answer, and a connection
     * is closed. */
    bool (*admits)(void *arg, const struct addr *from);
    /* Something from there was refused. */
    void (*refused)(void *arg, const struct addr *from, enum sip_transport transport,
                    enum sip_refused why);
    /* Asked of each message of who is admitted: how long until this one more may be read; 0: now. A
     * datagram is dropped for it, a connection is not read from until then. May be NULL. */
    struct duration (*wait)(void *arg, const struct addr *from);
};

struct siptp_conf {
    struct sip_limits limits;
    size_t max_connections;             /* 0: 20000 */
    size_t max_connections_per_address; /* 0: 100 */
    size_t max_handshakes; /* of TLS, accepted and not done; the oldest makes room; 0: 1000 */
    struct duration idle;  /* a stream without a message or keepalive; 0: 15 min */
    struct duration message_deadline; /* from the first byte of a message to its last; 0: 10 s */
    struct duration first_message;    /* from accept to the first whole message; 0: 10 s */
    struct duration first_accepted;   /* from accept to flow_accepted(); 0: never demanded */
    size_t max_strangers; /* connections before flow_accepted(); beyond it the oldest of them is
                             closed; 0: any number */
    struct duration keepalive; /* a TCP peer that acknowledges nothing for so long; 0: never */
    struct duration connect;   /* 0: 2 s */
    struct duration ping; /* a silent WebSocket is pinged, and closed when it is for as long again;
                             0: 30 s */
    bool watch_delay;     /* for siptp_delay() */
    struct secret *token_key;        /* HMAC key of flow tokens; NULL: a random one */
    const struct siptp_guard *guard; /* NULL: everybody is heard; outlives the siptp */
    void *guard_arg;
    struct span node; /* name of this process in its installation; absent: "" */
};

struct siptp_events {
    /* A message, good or answerable (m->bad). The callee borrows both and takes references to keep.
     */
    void (*message)(void *arg, struct flow *f, struct sip_msg *m);
    /* A stream flow ended. */
    void (*closed)(void *arg, struct flow *f);
};

CS_CHECK int siptp_new(struct loop *l, const struct siptp_conf *conf,
                       const struct siptp_events *events, void *arg, struct siptp **out);
/* Closes listeners and flows; memory goes when the last flow reference does. Sets *tp to NULL. */
void siptp_free(struct siptp **tp);

/* name is what authd knows the listener by. advertised is the host and port that Via, Record-Route
 * and Path show, e.g. "sip.example.com:5060"; absent means the local address. */
CS_CHECK int siptp_listen(struct siptp *tp, enum sip_transport transport, const struct addr *local,
                          struct span name, struct span advertised, struct siptp_listener **out);
/* The same on a socket of bind_socket(), which it takes over, and closes on error. */
CS_CHECK int siptp_listen_fd(struct siptp *tp, enum sip_transport transport, int fd,
                             struct span name, struct span advertised, struct siptp_listener **out);
/* Of a TLS listener: connections from now on have this context, which is held; before the first
 * call none is accepted. */
void siptp_listener_use_tls(struct siptp_listener *ls, struct tls_context *tls);
/* Of a WebSocket listener: whom it takes. Borrowed; before the first call none is accepted. */
void siptp_listener_use_ws(struct siptp_listener *ls, const struct ws_rules *rules);
/* What connections that we make over TLS have from now on: a client's context, held. Before the
 * first call they are CS_ENOTSUP. */
void siptp_use_tls(struct siptp *tp, struct tls_context *tls);
/* The path of WebSockets that we make, as a browser does; borrowed. Before the first call they are
 * CS_ENOTSUP: only a phone makes any. */
void siptp_use_ws(struct siptp *tp, struct span path);
/* The same for connections to one peer, which has a number, less than SIPTP_TLS_PEERS; 0: to all
 * that have none. Its context says what its certificates are to say. */
enum { SIPTP_TLS_PEERS = 257 };
void siptp_use_tls_for(struct siptp *tp, unsigned peer, struct tls_context *tls);
/* Why TLS to this peer failed last, in words for people; "": it never has. */
const char *siptp_tls_failure(const struct siptp *tp, unsigned peer);
struct span siptp_listener_name(const struct siptp_listener *ls);
struct span siptp_listener_sent_by(const struct siptp_listener *ls);
const struct addr *siptp_listener_local(const struct siptp_listener *ls);
/* From inside message(): how long a datagram waited since it came to this machine; 0 of a stream's.
 */
struct duration siptp_delay(const struct siptp *tp);
/* Before an end: no more connections are accepted; those that are there live on. */
void siptp_stop_accepting(struct siptp *tp);
/* Closes up to n of the connections, the oldest first, once their answers have left. Returns how
 * many there were before; links are not counted. */
size_t siptp_close_some(struct siptp *tp, size_t n);
/* Closes the connections from this network, and from this port of it if that is not 0. */
void siptp_close_from(struct siptp *tp, const struct cidr *net, uint16_t port);
/* Whether host and port (0: default) name one of our listeners, by address or as advertised. */
bool siptp_is_us(const struct siptp *tp, struct span host, uint16_t port);
/* Whether what is sent to this address comes to one of our listeners, by its own address or the one
 * that is advertised. */
bool siptp_hears(const struct siptp *tp, enum sip_transport transport, const struct addr *a);

/* A flow to a peer, found or made: for UDP from the listener given, or the first of its family; for
 * TCP an open connection to exactly this address or a new one (what is sent waits for it; a failed
 * connect shows as closed); for TLS the same, but only one that we made for this domain, or that
 * who is this domain made and lets us use (RFC 5923): his Via said "alias", and his certificate, of
 * an authority of siptp_use_tls(), says the domain. domain is what the certificate must say, and
 * the Host of a WebSocket; absent: the address. The caller gets a reference. UV_EAFNOSUPPORT when
 * no listener fits, CS_ENOTSUP when TLS or WebSocket is not to be spoken. */
CS_CHECK int siptp_flow_to_domain(struct siptp *tp, enum sip_transport transport,
                                  const struct addr *remote, struct span domain,
                                  struct siptp_listener *via, struct flow **out);
/* The same to a peer of siptp_use_tls_for(). Any connection over TLS that was made to this address
 * for this peer serves, whatever domain led there: who is there has shown to be the peer. */
CS_CHECK int siptp_flow_to_peer(struct siptp *tp, enum sip_transport transport,
                                const struct addr *remote, struct span domain, unsigned peer,
                                struct siptp_listener *via, struct flow **out);
static inline CS_CHECK int siptp_flow_to(struct siptp *tp, enum sip_transport transport,
                                         const struct addr *remote, struct siptp_listener *via,
                                         struct flow **out)
{
    return siptp_flow_to_domain(tp, transport, remote, SPAN_NULL, via, out);
}
struct flow *flow_ref(struct flow *f);
void flow_unref(struct flow **f);
static inline bool flow_is_reliable(const struct flow *f)
{
    return f->transport != SIP_UDP;
}
static inline bool sip_transport_is_tls(enum sip_transport t)
{
    return t == SIP_TLS || t == SIP_WSS;
}
static inline bool sip_transport_is_ws(enum sip_transport t)
{
    return t == SIP_WS || t == SIP_WSS;
}
static inline bool flow_is_secure(const struct flow *f)
{
    return sip_transport_is_tls(f->transport) || f->transport == SIP_LINK;
}
/* What a WebSocket's handshake showed of who is there, borrowed: a token, or a ticket. Absent:
 * nothing, or no WebSocket. */
struct span flow_credential(const struct flow *f, bool *is_ticket);
/* A newer token, that authd has accepted: it stands for what the handshake showed from now on. */
CS_CHECK int flow_renew_credential(struct flow *f, struct span token);
/* The certificate that a client has shown over TLS and an authority of the listener vouches for,
 * and who signed it; as long as the flow; NULL: none. */
X509 *flow_certificate(const struct flow *f, X509 **issuer);
/* Keeps something with the flow, in the one place for it; detach(p) when the flow goes. */
void flow_attach(struct flow *f, void *p, void (*detach)(void *p));
/* Value of the Via to put on a request that leaves by this flow; with "alias" (RFC 5923, 8.1) if we
 * made it over TLS, and showed the certificate that its listener shows, so that the other side may
 * know us by it. */
void flow_write_via(struct buf *b, const struct flow *f, struct span branch);
/* Copies data; leaves at the end of the turn. CS_ECLOSED, CS_ELIMIT. */
CS_CHECK int flow_send(struct flow *f, struct span data);
/* Where a response goes (RFC 3261, 18.2.2; RFC 3581): the flow the request came by, or, for a dead
 * stream or a Via that says so, another. The caller gets a reference. */
CS_CHECK int flow_for_response(struct flow *f, const struct sip_msg *req, struct flow **out);
/* Its peer has to come back and authenticate anew; a WebSocket is told so (code 3000). */
void flow_close(struct flow *f);
/* Of a stream: its peer was told to send keepalives at least so often. Once it has sent one, it is
 * gone when they end; a peer that never sends any has siptp_conf.idle. */
void flow_expect(struct flow *f, struct duration pace);
/* Of a stream: who is there was accepted, so it has met siptp_conf.first_accepted. */
void flow_accepted(struct flow *f);

/* ---- who listens ---- */
/* Shown each message that came and could be read, before anybody acts on it, and each that leaves,
 * as they are on the wire: with all their secrets (sip/mask.h). Keepalives are none. */
typedef void siptp_tap_fn(void *arg, const struct flow *f, bool sent, struct span text);
/* One at a time, NULL for none, which costs nothing. */
void siptp_tap(struct siptp *tp, siptp_tap_fn *fn, void *arg);
/* What is sent until the next call is sent for this reason. Borrowed; NULL: none is told. */
struct siptp_reason {
    unsigned cause;       /* authd's (auth.proto) */
    const char *decision; /* its id; NULL: none */
};
void siptp_set_reason(struct siptp *tp, const struct siptp_reason *why);
/* From inside siptp_tap_fn, of a message that leaves. */
const struct siptp_reason *siptp_reason(const struct siptp *tp);

/* ---- tokens ---- */
/* A token names a flow of one process and cannot be made up (HMAC); all processes that share the
 * key can read it. That of a connection we made outlives it: it leads to a new one, over TLS to who
 * shows the same domain. At most FLOW_TOKEN_MAX base64url characters, a UDP flow's FLOW_TOKEN_UDP.
 */
enum { FLOW_TOKEN_MAX = 384, FLOW_TOKEN_UDP = 64 };
void flow_token(const struct flow *f, struct buf *b);
/* The same of one that siptp_flow_to_domain() gave for this domain: where that was not made by us,
 * it outlives it all the same. */
void flow_token_to(const struct flow *f, struct span domain, struct buf *b);
/* Whether the token is of flow_token() or flow_token_to() of this flow, to whatever domain that his
 * certificate says. */
bool flow_has_token(const struct flow *f, struct span token);
struct flow_token {
    uint32_t node; /* who has the flow: siptp_node_id() */
    enum sip_transport transport;
    uint32_t peer; /* SIP_LINK: the node at the other end */
};
/* CS_EPROTO: none of our making. */
CS_CHECK int flow_token_read(struct siptp *tp, struct span text, struct flow_token *out);
/* The flow of a token, with a reference. CS_EPROTO: not ours; CS_ENOENT: gone (RFC 5626: 430), or
 * another process's. Of a link it is the one that there is to the same node. */
CS_CHECK int siptp_flow_by_token(struct siptp *tp, struct span token, struct flow **out);

/* ---- the trusted link ---- */
/* Processes of one installation pass SIP to each other: over Unix sockets on one machine, over TLS
 * with certificates of an authority of their own between machines. Who is admitted is believed: he
 * authenticated the request already. What comes in this way has a flow of transport SIP_LINK; Via
 * shows TCP and the node's name. */
/* Short for a node's name; never 0. */
uint32_t siptp_node_id(struct span name);
uint32_t siptp_node(const struct siptp *tp); /* our own */
/* Admits peers of this uid, on both ways (SO_PEERCRED); to be called for each, before
 * siptp_listen_link(). CS_ELIMIT beyond SIPTP_LINK_UIDS. */
enum { SIPTP_LINK_UIDS = 17 };
CS_CHECK int siptp_link_admit(struct siptp *tp, uid_t uid);
/* Admits our own, and these users, by name or number. CS_ENOENT. */
CS_CHECK int siptp_link_admit_users(struct siptp *tp, const struct span *users, size_t n);
/* The socket is the group's as well where more than one uid is admitted. */
CS_CHECK int siptp_listen_link(struct siptp *tp, const char *path);
/* Admits who shows a certificate that server's authority vouches for; server must require one.
 * client serves the links that we make. Both are referenced. Port 0: see bound. */
CS_CHECK int siptp_listen_link_tls(struct siptp *tp, const struct addr *local,
                                   struct tls_context *server, struct tls_context *client,
                                   struct addr *bound);
/* Links from now on have these; where siptp_listen_link_tls() was called. */
void siptp_link_use_tls(struct siptp *tp, struct tls_context *server, struct tls_context *client);
struct siptp_link_target {
    const char *path;        /* Unix socket; who listens must be admitted, too; NULL: */
    const struct addr *addr; /* TLS; its certificate must say */
    const char *name;
};
/* The link that there is to a node; the caller gets a reference. CS_ENOENT. */
CS_CHECK int siptp_link_find(struct siptp *tp, uint32_t node, struct flow **out);
/* The link to a node, found or made; the caller gets a reference. When the other side is not who it
 * must be, what is sent goes nowhere and the flow closes. */
CS_CHECK int siptp_link_to(struct siptp *tp, uint32_t node, const struct siptp_link_target *to,
                           struct flow **out);
/* The node is gone: what waits for an answer over a link to it will get none, so the links close.
 */
void siptp_link_close(struct siptp *tp, uint32_t node);

/* "UDP", as in Via; "udp", as in a URI, where WSS is "ws" too (RFC 7118, 5.3); "udp", "wss", as in
 * our logs; and back from any of them, in either case. */
struct span sip_transport_via(enum sip_transport t);
struct span sip_transport_uri(enum sip_transport t);
struct span sip_transport_name(enum sip_transport t);
/* The port where none is given. */
uint16_t sip_transport_port(enum sip_transport t);
CS_CHECK int sip_transport_of(struct span name, enum sip_transport *out);

#endif
