/* Phones that are connected: who each one is, how far its registration has come, and what it says
 * about calls. It knows no sockets: bytes come in by sccp_session_data() and go out by an io.
 *
 * A device is here once. A new connection takes its place as soon as it is accepted, and not
 * before, so that nobody is put out by who merely says the name. */
#ifndef CS_B2BUA_SCCP_SESSION_H
#define CS_B2BUA_SCCP_SESSION_H

#include "b2bua/sccp/codec.h"
#include "b2bua/sccp/device.h"
#include "b2bua/sccp/machine.h"
#include "base/ct.h"
#include "base/log.h"
#include "base/map.h"
#include "net/loop.h"

enum { SCCP_CODECS_MAX = 18, SCCP_LOAD_MAX = 32, SCCP_ALARM_MAX = 81 };

struct sccp_codec {
    uint16_t id;
    uint16_t packet_ms; /* the longest packet; 0: not said */
};

/* Why a connection is over. */
enum sccp_end {
    SCCP_END_LOST,      /* the other side closed it */
    SCCP_END_LEFT,      /* the phone unregistered */
    SCCP_END_REFUSED,   /* it may not register */
    SCCP_END_LATER,     /* nobody could be asked whether it may */
    SCCP_END_REPLACED,  /* it is here by another connection */
    SCCP_END_RESTARTED, /* it was told to register again */
    SCCP_END_SILENT,    /* nothing was heard of it for too long */
    SCCP_END_STALLED,   /* it did not register in time */
    SCCP_END_MALFORMED, /* what it says is no SCCP */
    SCCP_END_CROWDED,   /* too many have not registered, and it is the oldest of them */
    SCCP_END_STOPPED,   /* we go */
    SCCP_END_UNHEARD,   /* its source is banned, or says more than strangers may */
};

struct sccp_io { /* of a connection */
    void (*write)(void *arg, struct span bytes);
    /* What was written is sent, and then it is closed; sccp_session_free() is to follow, and may
     * not come from inside this call. */
    void (*close)(void *arg);
    /* What it showed of itself, borrowed while it is there; NULL: nothing that is believed. */
    X509 *(*certificate)(void *arg, X509 **issuer);
};

struct sccp_session;

struct sccp_events { /* any may be NULL */
    /* It may act for its lines from now on; s->device says which. Also when it has registered
     * anew by the same connection, or by another that takes the place of was, which closes. */
    void (*attached)(void *arg, struct sccp_session *s, struct sccp_session *was);
    /* It has registered, or what its user sets is another than it was: what it shows beside calls
     * is to be told. */
    void (*ready)(void *arg, struct sccp_session *s);
    /* What its user does, and its media. */
    void (*called)(void *arg, struct sccp_session *s, const struct sccp_message *m);
    /* It has gone, and nothing took its place. */
    void (*detached)(void *arg, struct sccp_session *s);
    /* Whether a source of which nobody is attached is heard: asked before anything of it is read.
     */
    bool (*admits)(void *arg, const struct addr *from);
    /* A connection is over, of a stranger still; s->end says why. */
    void (*stranger_left)(void *arg, const struct sccp_session *s);
    /* Whether its user is in a call: then it is not restarted by itself, but by
     * sccp_session_idle(). */
    bool (*busy)(void *arg, struct sccp_session *s);
};

struct sccp_conf {
    struct span name;                /* of this server */
    struct span date;                /* D.M.YA */
    const struct zone *zone;         /* NULL: UTC */
    struct duration keepalive;       /* how often phones say that they are there; after thrice that
                                        they are not */
    struct duration register_within; /* a connection is accepted, or each step after that comes */
    size_t unregistered;             /* connections that have not been accepted, at most */
    size_t unregistered_of_source;   /* the same, of one address (a /64 of IPv6) */
};

struct sccp { /* all of them */
    struct loop *loop;
    struct sccp_conf conf;
    const struct sccp_directory *directory;
    const struct sccp_events *events;
    void *arg;
    struct list waiting; /* sessions not accepted yet, the oldest first */
    size_t n_waiting;
    struct map devices; /* of those that are, by name */
    struct list all;
    size_t n;
};

struct sccp_session {
    struct sccp *sccp;
    struct list all, waiting;
    struct map_node node; /* while it is attached */
    const struct sccp_io *io;
    void *io_arg;
    struct addr source, local;
    struct span listener; /* lives as long as the listener */
    bool secure, attached, closing;
    bool outdated; /* what it shows is of a record that is another one now */
    enum sccp_state state;
    enum sccp_end end; /* when it is closing */
    struct timer deadline;
    void *asked; /* of the directory; NULL: nothing was */
    void
        *before; /* what was asked before, and stands while it registers once more; NULL: nothing */
    bool odd;    /* which of two tells the answer to asked */
    struct arena arena;
    const struct sccp_device *device; /* NULL: not accepted yet */
    char name[SCCP_NAME_MAX + 1], load[SCCP_LOAD_MAX];
    char alarm[SCCP_ALARM_MAX]; /* what it said last of how it fares */
    struct log log;
    uint32_t type;
    unsigned offered;
    struct sccp_dialect dialect;
    struct sccp_codec codecs[SCCP_CODECS_MAX]; /* that it can do, best first */
    size_t n_codecs;
    bool events;       /* it says and hears digits by telephone-events (RFC 4733) itself */
    struct wall since; /* registered */
    void *owner;       /* of who hears of events */
};

void sccp_init(struct sccp *x, struct loop *l, const struct sccp_conf *conf,
               const struct sccp_directory *directory, const struct sccp_events *events, void *arg);
/* Closes all of them, once nobody more comes; each is still to be freed, before x goes. */
void sccp_stop(struct sccp *x);
/* The session of a device that is attached, or NULL. */
struct sccp_session *sccp_find(const struct sccp *x, struct span name);

/* A connection from source. Where there are too many, the one that has not registered for longest
 * is closed. CS_ENOMEM, CS_ELIMIT, CS_EDENIED: its source is not heard. */
CS_CHECK int sccp_session_new(struct sccp *x, const struct sccp_io *io, void *io_arg,
                              const struct addr *source, const struct addr *local,
                              struct span listener, bool secure, struct sccp_session **out);
/* All that is unread: returns the bytes used. What is no SCCP closes the connection. */
ptrdiff_t sccp_session_data(struct sccp_session *s, struct span in);
/* The connection is gone. */
void sccp_session_free(struct sccp_session **s);
/* All from this network, and from this port unless it is 0. */
void sccp_close_from(struct sccp *x, const struct cidr *net, uint16_t port);
/* Has it register again: its record has changed, or somebody wants it to. how is one of RESET and
 * RESTART. */
void sccp_session_restart(struct sccp_session *s, unsigned how);
/* Its user is in no call any more: it registers again, if it was to. */
void sccp_session_idle(struct sccp_session *s);
/* Sends what sccp_put_ wrote. */
void sccp_session_send(struct sccp_session *s, const struct buf *b);

/* SCCP_SEND(s, call_state, .state = SCCP_CALL_RING_IN, .line = 1) */
#define SCCP_SEND(s, name, ...)                                                    \
    do {                                                                           \
        char text_[SCCP_FRAME_MAX];                                                \
        struct buf b_ = BUF_INIT(text_);                                           \
        sccp_put_##name(&b_, &(s)->dialect, &(struct sccp_##name){ __VA_ARGS__ }); \
        sccp_session_send((s), &b_);                                               \
    } while (0)

/* The same of a struct that has keys in it: it is wiped, and so is what was written. */
#define SCCP_SEND_SECRET(s, name, m)              \
    do {                                          \
        char text_[SCCP_FRAME_MAX];               \
        struct buf b_ = BUF_INIT(text_);          \
        sccp_put_##name(&b_, &(s)->dialect, (m)); \
        sccp_session_send((s), &b_);              \
        ct_wipe(text_, b_.n);                     \
        ct_wipe((m), sizeof(*(m)));               \
    } while (0)

#endif
