/* SIP transactions: the four machines of RFC 3261, 17, with RFC 6026, as tables; matching; CANCEL;
 * and answers to retransmissions from memory that is bounded. */
#ifndef CS_SIPTX_SIPTX_H
#define CS_SIPTX_SIPTX_H

#include "siptp/siptp.h"

struct siptx;
struct tx; /* counted */

struct siptx_conf {                 /* 0 means the default */
    struct duration t1, t2, t4;     /* 500 ms, 4 s, 5 s (RFC 3261, 17.1.1.1) */
    struct duration invite_timeout; /* proxies' timer C, 180 s; restarted by provisionals */
    size_t max_transactions; /* open ones, both sides; beyond it requests get a stateless 503;
                                100000 */
    uint32_t node;           /* that To tags name, siptp_node_id(); 0: none */
    size_t answer_memory;    /* bytes for final answers kept for retransmissions; 32 MiB; the oldest
                                go first */
};

struct siptx_events {
    /* A new request that would get a transaction: true if it was answered without one, by
     * siptx_reply_stateless(). May be NULL. (RFC 3261, 8.2.7: what strangers ask should cost no
     * memory.) */
    bool (*stateless)(void *arg, struct flow *f, struct sip_msg *m);
    /* A new request, neither ACK nor CANCEL, good by grammar. tx is borrowed (tx_ref to keep): it
     * must be answered with tx_reply at some time, even if only by giving up the last reference
     * (then 500). */
    void (*request)(void *arg, struct tx *tx, struct flow *f, struct sip_msg *m);
    /* The INVITE of this server transaction is cancelled by the same hop; the CANCEL has its 200.
     */
    void (*cancelled)(void *arg, struct tx *tx, struct sip_msg *cancel);
    /* An ACK that no transaction absorbed: it belongs to a 2xx. */
    void (*ack)(void *arg, struct flow *f, struct sip_msg *m);
    /* A response that no client transaction wants; a proxy drops it, except a 2xx to INVITE. */
    void (*stray)(void *arg, struct flow *f, struct sip_msg *m);
    void (*flow_closed)(void *arg, struct flow *f);
};

/* Takes over the events of tp: make it with siptx_transport_events() and the siptx as arg. */
CS_CHECK int siptx_new(struct loop *l, const struct siptx_conf *conf,
                       const struct siptx_events *events, void *arg, struct siptx **out);
const struct siptp_events *siptx_transport_events(void);
/* Ends every transaction without a word, then frees. Sets *x to NULL. Free it before the siptp. */
void siptx_free(struct siptx **x);

/* Transactions that have no final answer yet, of both sides. Counts them, one by one. */
size_t siptx_unanswered(const struct siptx *x);

struct tx *tx_ref(struct tx *t);
void tx_unref(struct tx **t);
/* The request of a server transaction, and the flow it came by; both borrowed. */
struct sip_msg *tx_request(const struct tx *t);
struct flow *tx_flow(const struct tx *t);
/* Where the owner keeps its own: cleared by nobody but the owner. */
void tx_set_data(struct tx *t, void *data);
void *tx_data(const struct tx *t);

/* ---- server side ---- */
/* Answers with a usual reason; lines are whole header lines with CRLF, or absent. The To tag is the
 * transaction's own, the same in each of its answers. */
void tx_reply(struct tx *t, unsigned status, struct span lines);
/* The same with a reason phrase and a body. */
void tx_reply_full(struct tx *t, unsigned status, struct span reason, struct span lines,
                   struct span content_type, struct span body);
/* Sends these bytes, a response that came from elsewhere (a proxy's). status is its status. */
void tx_forward(struct tx *t, unsigned status, struct span response);
/* Whether a final answer was given. */
bool tx_is_answered(const struct tx *t);
struct span tx_to_tag(const struct tx *t);
/* A stranger's INVITE: its refusal is sent once, and the transaction ends with it, waiting for no
 * ACK (RFC 3261, 8.2.7, 26.3.2.4: strangers cost no memory). If that was lost, the INVITE comes
 * again as a new one; so it does not hold where a 100 has told the client over UDP to be quiet. To
 * be turned off when the stranger is known. No-op for other methods, which cost little once
 * answered. */
void tx_set_once(struct tx *t, bool once);
/* An answer without a transaction: for requests that must not cost memory. */
void siptx_reply_stateless(struct flow *f, const struct sip_msg *req, unsigned status,
                           struct span lines);

/* ---- client side ---- */
struct tx_client_events {
    /* Each response but retransmissions; 2xx to INVITE, each time one comes (RFC 6026). */
    void (*response)(void *arg, struct tx *t, struct sip_msg *resp);
    /* No final answer will come: CS_ETIMEOUT, or CS_ECLOSED when the transport failed (RFC
     * 3261, 8.1.3.1: 408, 503). The last call, unless a final answer was given. */
    void (*failed)(void *arg, struct tx *t, int err);
    /* Of an INVITE that was taken, NULL: of no interest. No 2xx comes any more, neither again nor
     * of another phone behind a fork (RFC 6026, 7.2). The last call. */
    void (*over)(void *arg, struct tx *t);
};
/* Branch for a Via: the magic cookie and 96 random bits. */
enum { SIP_BRANCH_LEN = 7 + 16 };
void siptx_branch(struct buf *b);
/* Tag of a dialog of ours: 64 random bits, and, unless it is 0, the node that the dialog lives at:
 * whoever is told of it by name knows where to ask (RFC 3891). */
enum { SIPTX_TAG_LEN = 16 + 8 };
void siptx_tag(struct buf *b, uint32_t node);
/* The node of a tag of this form; 0: another one's. Nobody vouches for it. */
uint32_t siptx_tag_node(struct span tag);
/* Sends a request, whose bytes have a topmost Via with this branch. Copies the bytes. arg may be
 * dropped by tx_forget(). *out gets a reference of the caller. */
CS_CHECK int tx_send(struct siptx *x, struct flow *f, enum sip_method method, struct span branch,
                     struct span request, const struct tx_client_events *events, void *arg,
                     struct tx **out);
/* Cancels an INVITE: now if a provisional was seen, else when one is (RFC 3261, 9.1). reason: value
 * of a Reason header (RFC 3326), copied; absent: none. */
void tx_cancel(struct tx *t, struct span reason);
/* From here on these are called, with this. */
void tx_hand_over(struct tx *t, const struct tx_client_events *events, void *arg);
/* The events are not called any more. The transaction ends by itself. */
void tx_forget(struct tx *t);

#endif
