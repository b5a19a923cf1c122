/* What the files of siptx share. */
#ifndef CS_SIPTX_IMPL_H
#define CS_SIPTX_IMPL_H

#include "base/map.h"
#include "siptx/answers.h"
#include "siptx/machine.h"
#include "siptx/siptx.h"

enum {
    TX_TAG_LEN = SIPTX_TAG_LEN,
    TX_RANDOM_LEN = 16,      /* of it */
    TX_SPARE = 1024,         /* transactions kept for the next ones */
    TX_SPARE_TEXT = 4096,    /* and how much of their buffers */
    TX_SCRATCH = 128 * 1024, /* an answer repeats headers of at most one message */
};

struct tx {
    struct map_node node; /* by key.a */
    struct tx_key key;
    unsigned refs;    /* of owners */
    struct siptx *x;  /* NULL: siptx_free() came first */
    struct list link; /* siptx.all, or .spare */
    enum tx_kind kind;
    enum tx_state state;
    bool linked; /* can be found by its key */
    bool broken; /* what was sent last could not be */
    void *data;
    struct flow *flow; /* the request's */
    struct timer retry, deadline;
    struct duration retry_after;
    char *text; /* what a retransmission repeats */
    size_t text_n, text_cap;

    /* server */
    struct sip_msg *msg;
    struct flow *out; /* where answers go; NULL until the first */
    char tag[TX_TAG_LEN];
    unsigned char tag_n;
    bool once;      /* tx_set_once() */
    bool forwarded; /* the last answer came from elsewhere, with another To tag */

    /* client */
    const struct tx_client_events *events; /* NULL: forgotten */
    void *arg;
    char *reason;        /* of its CANCEL; NULL: none is given */
    struct list waiting; /* in flow->waiting, when it is a stream's */
};

struct siptx {
    struct loop *loop;
    struct siptx_conf conf;
    const struct siptx_events *events;
    void *arg;
    struct map live; /* struct tx */
    struct answers answers;
    struct list all, spare;
    size_t n_open, n_spare;
};

/* What an event brings. */
struct tx_input {
    struct sip_msg *msg; /* received */
    struct flow *flow;
    struct span text; /* to send */
};

static inline bool tx_is_server(const struct tx *t)
{
    return t->kind == TX_INVITE_SERVER || t->kind == TX_SERVER;
}

/* tx.c */
/* A transaction in state IDLE with one reference, or NULL. */
struct tx *tx_new(struct siptx *x, enum tx_kind kind, struct tx_key key, struct flow *f);
/* The one function that moves the state. */
void tx_move(struct tx *t, enum tx_event ev, const struct tx_input *in);
/* Ends it without a word. The caller has a reference. */
void tx_end(struct tx *t);
/* Its siptx goes. */
void tx_orphan(struct tx *t);
void tx_free(struct tx *t);
/* Copies what may have to be sent again. Without memory it will not be, as if it had been lost. */
void tx_remember(struct tx *t, struct span text);

/* match.c */
/* Whether the branch alone names the transaction; if not, RFC 2543's rules do (17.2.3). */
bool tx_has_branch(const struct sip_msg *m);
/* For what is written and then sent in one go. */
extern _Thread_local char tx_scratch[TX_SCRATCH];
/* The server transaction a request belongs to; ACK and CANCEL with as = SIP_INVITE: that INVITE's.
 */
struct tx_key tx_key_server(const struct sip_msg *m, enum sip_method as);
struct tx_key tx_key_client(struct span branch, enum sip_method method);
struct tx *tx_find(const struct siptx *x, struct tx_key key);

/* server.c */
void server_request(struct siptx *x, struct flow *f, struct sip_msg *m);
void server_send(struct tx *t, struct span text);
void server_100(struct tx *t);

/* client.c */
void client_response(struct siptx *x, struct flow *f, struct sip_msg *m);
void client_send(struct tx *t, struct span text);
void client_ack(struct tx *t, const struct sip_msg *resp);
void client_send_cancel(struct tx *t);
/* Every transaction that waits for an answer on this stream. */
void client_flow_closed(struct flow *f);

#endif
