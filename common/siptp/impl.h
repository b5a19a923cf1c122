/* What the files of siptp share. */
#ifndef CS_SIPTP_IMPL_H
#define CS_SIPTP_IMPL_H

#include "base/ct.h"
#include "base/hmac.h"
#include "base/memo.h"
#include "net/stream.h"
#include "net/udp.h"
#include "net/ws.h"
#include "siptp/siptp.h"

enum {
    SIPTP_MAX_LISTENERS = 255,     /* a token has one byte for them */
    SIPTP_MAX_UNSENT = 256 * 1024, /* bytes waiting for a slow reader */
    SIPTP_SPARE_FLOWS = 1024,      /* UDP flows kept for the next messages */
    SIPTP_LATELY = 64,             /* UDP flows that are found again while they live */
    SIPTP_LINK_UNSENT = 16 * 1024 * 1024,
    SIPTP_LINK_SILENCE_MS = 5000, /* of a machine at the other end of a link */
    SIPTP_LEAVE_MS = 1000,        /* a WebSocket that we close has so long to agree */
    SIPTP_LEAVING_MAX = 1000,     /* of those at once */
    SIPTP_VISITORS_MAX = 128,     /* connections that were shown files, and spoke no SIP yet */
};

struct siptp_listener {
    struct list link;
    struct siptp *tp;
    enum sip_transport transport;
    unsigned index;
    struct udp *udp;
    struct listener *tcp; /* or of links */
    struct addr local;
    char *name, *sent_by;
    struct span host; /* of sent_by */
    uint16_t port;
    struct tls_context *tls;   /* NULL: siptp_listener_use_tls() was not called */
    const struct ws_rules *ws; /* NULL: siptp_listener_use_ws() was not called */
};

struct udp_flow {
    struct flow flow;
    struct udp_flow *next; /* among the spare ones */
};

/* What a connection has besides when it is a WebSocket. */
struct websocket {
    struct ws ws;
    bool upgraded;  /* the handshake is done */
    bool is_ticket; /* and this it has shown: */
    struct secret credential;
    struct mono pinged; /* and it has not said a thing since; 0: it has */
    /* Of one that we make: */
    char key[WS_KEY_LEN];
    char *early; /* frames that wait for the handshake */
    size_t n_early;
};

/* A connection that was accepted, as a way to who made it (RFC 5923). */
struct alias {
    struct map_node node;
    struct conn *conn;
    struct addr addr; /* where it came from, with the port of its Via */
};

/* A TCP connection or a link. The stream holds one reference to the flow until it has closed. */
struct conn {
    struct flow flow;
    struct stream *stream; /* NULL when it is gone */
    struct websocket *ws;  /* NULL: none */
    struct list link;      /* siptp.conns, .links or .leaving */
    struct map_node by_id, by_addr;
    struct conn_host *host; /* NULL when we made the connection, and for links */
    struct timer deadline;
    struct list shaking; /* in siptp.shaking: accepted, and its TLS handshake is not done */
    char *domain; /* of TLS and WebSockets that we began: who shall be there; NULL: accepted */
    X509 *certificate, *issuer; /* of a client, verified; NULL: none */
    struct alias *alias;        /* NULL: none */
    bool alias_asked;           /* by the other side */
    bool offers_alias;          /* we do */
    struct mono since;          /* of the connection */
    struct mono active;         /* last message or keepalive */
    struct mono held;           /* nothing is read before; 0: it is */
    struct mono partial;        /* first byte of the unfinished message; 0: there is none */
    struct duration pace;       /* flow_expect(); 0: nothing was said */
    struct list stranger;       /* siptp.strangers, until it is accepted */
    struct list visit;          /* siptp.visitors: it was shown files, and is no WebSocket yet */
    unsigned peer;              /* that TLS was begun with; 0: none of siptp_use_tls_for() */
    bool ours;                  /* we connected */
    bool connecting, greeted, half_ping, pinged;
};

/* Connections accepted from one address: IPv4, or the /64 that one IPv6 subscriber has. */
struct conn_host {
    struct map_node node;
    size_t n;
    unsigned char net[8];
    size_t net_len;
};

struct self; /* addresses of this machine */

struct siptp {
    size_t refs; /* the owner, and each flow */
    struct loop *loop;
    struct siptp_conf conf;
    struct stream_limits stream_limits;
    const struct siptp_events *events; /* NULL: freed, only waiting for its flows */
    void *arg;
    struct list listeners, conns, links, leaving;
    struct list strangers; /* the oldest first */
    size_t n_strangers;
    struct list visitors; /* who asked longest ago first */
    size_t n_visitors;
    struct siptp_listener *link_listener; /* NULL: none; not in listeners */
    struct listener *link_tls;
    struct tls_context *link_client;
    struct tls_context *tls;                    /* of connections that we make; NULL: none */
    struct tls_context *peers[SIPTP_TLS_PEERS]; /* the same to peers, from 1; NULL: none */
    struct span ws_path;                        /* of WebSockets that we make; absent: none */
    struct list shaking;                        /* the oldest first */
    size_t n_listeners, n_conns, n_shaking, n_leaving;
    struct map by_id, by_addr, by_alias, hosts;
    uint64_t last_id;
    struct udp_flow *spare;
    size_t n_spare;
    struct flow *lately[SIPTP_LATELY]; /* each in its place; NULL: none */
    struct self *self;
    struct hmac *hmac;
    struct memo macs;      /* of tokens */
    uint32_t epoch;        /* tells this process's connections from those before it */
    struct duration delay; /* of the datagram at hand */
    uint32_t node;
    uid_t link_uids[SIPTP_LINK_UIDS];
    size_t n_link_uids;
    struct stream_limits link_limits, ws_limits;
    struct ws_shelf shelf;
    siptp_tap_fn *tap; /* NULL: nobody listens */
    void *tap_arg;
    const struct siptp_reason *reason;
};

/* siptp.c */
void siptp_listener_free(struct siptp_listener *ls);
static inline void siptp_show(const struct flow *f, bool sent, struct span text)
{
    const struct siptp *tp = f->tp;
    if (tp->tap && text.n && (unsigned char)text.p[0] > ' ')
        tp->tap(tp->tap_arg, f, sent, text);
}

/* flow.c */
/* The caller gets a reference; NULL: no memory. */
struct flow *udp_flow_to(struct siptp_listener *ls, const struct addr *remote);
void flow_setup(struct flow *f, struct siptp_listener *ls, const struct addr *remote,
                const struct addr *local);
void siptp_unref(struct siptp *tp);

/* datagram.c */
udp_fn siptp_datagram;

/* conn.c */
extern const struct stream_events conn_events;
accept_fn conn_accept;
CS_CHECK int conn_open(struct siptp_listener *ls, const struct addr *remote, struct span domain,
                       unsigned peer, struct flow **out);
struct conn *conn_by_addr(const struct siptp *tp, enum sip_transport transport,
                          const struct addr *remote, struct span domain, unsigned peer);
void conn_free(struct conn *c);
uint64_t conn_addr_hash(const struct addr *a);
struct conn *conn_by_id(const struct siptp *tp, uint64_t id);
void conn_close(struct conn *c, int reason);
void conn_close_ws(struct conn *c, int reason, enum ws_code code);
/* One more connection, already there (s) or about to be made (NULL); remote NULL: a link. */
CS_CHECK int conn_new(struct siptp_listener *ls, struct stream *s, const struct addr *remote,
                      struct conn_host *host, struct conn **out);
/* Of one that was just made: waits for stream, if err is 0, or undoes conn_new(). */
CS_CHECK int conn_begin(struct conn *c, struct stream *s, int err, struct flow **out);
void conn_arm(struct conn *c);
/* Whether its messages have to wait: nothing more is to be read then. Asked once for each. */
bool conn_hold(struct conn *c);
/* One whole message; alone: it ends where text does, whatever its Content-Length (RFC 7118, 4.2).
 * 0, or what is wrong with it, which was counted, or CS_ECLOSED: the connection has closed. */
CS_CHECK int conn_take(struct conn *c, struct span text, bool alone);
/* Of all that came, rest was left: a message whose end is missing, or nothing. */
void conn_left(struct conn *c, bool partial);

/* alias.c */
/* What the Via of a request says of the connection it came by. */
void alias_take(struct conn *c, const struct sip_msg *m);
void alias_drop(struct conn *c);
/* The one that leads to who is this domain at this address; NULL: there is none. */
struct conn *alias_find(const struct siptp *tp, const struct addr *remote, struct span domain);

/* websocket.c */
CS_CHECK int websocket_new(bool ours, struct websocket **out);
void websocket_free(struct websocket **w);
/* When it has to be looked at, if it is one that has begun to speak SIP: pinged, or closed. */
bool websocket_due(const struct conn *c, struct mono *due);
/* Pings it, if that was not done. */
bool websocket_ping(struct conn *c);
/* Whether it was shown files and may ask for more, or open a WebSocket. */
static inline bool websocket_visits(const struct conn *c)
{
    return !list_empty(&c->visit);
}
/* It does no more. */
void websocket_leaves(struct conn *c);
/* Of one that we make: the connection is there. */
void websocket_ask(struct conn *c);
ptrdiff_t websocket_data(struct conn *c, struct span in);
void websocket_send(struct conn *c, struct span message);
/* Says why the connection ends, if that was not said yet; false: it is none yet. */
bool websocket_leave(struct conn *c, enum ws_code code);

/* refuse.c */
/* Whether this source is heard. */
static inline bool siptp_admits(const struct siptp *tp, const struct addr *from)
{
    return !tp->conf.guard || tp->conf.guard->admits(tp->conf.guard_arg, from);
}
static inline struct duration siptp_wait(const struct siptp *tp, const struct addr *from)
{
    const struct siptp_guard *g = tp->conf.guard;
    return g && g->wait ? g->wait(tp->conf.guard_arg, from) : DURATION_MS(0);
}
/* Counts what is refused, and tells the guard. */
void siptp_count_refused(const struct siptp *tp, const struct addr *from,
                         enum sip_transport transport, enum sip_refused why);
/* The same of a message that sip_frame() or sip_msg_parse() refused with err. */
void siptp_refuse(const struct siptp *tp, const struct addr *from, enum sip_transport transport,
                  struct span in, int err);
/* The part of in up to the empty line, with it; absent if there is none. */
struct span siptp_head(struct span in);

/* token.c */
CS_CHECK int token_init(struct siptp *tp);
void token_fini(struct siptp *tp);

/* link.c */
void link_learn_peer(struct flow *f, const struct sip_msg *m);

/* self.c */
CS_CHECK int self_new(struct loop *l, struct self **out);
void self_free(struct self **s);
bool self_has(struct self *s, const struct addr *a);
/* What to call this machine when bound to any address: the first that is not loopback. */
void self_name(struct self *s, int family, struct addr *out);

static inline struct conn *conn_of(const struct flow *f)
{
    return container_of(f, struct conn, flow);
}

#endif
