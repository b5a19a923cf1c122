/* A request of ours on its way: along its next hops, through the challenges of a trunk, to its
 * final answer. */
#ifndef CS_B2BUA_UA_UAC_H
#define CS_B2BUA_UA_UAC_H

#include "b2bua/trunk/trunk.h"
#include "b2bua/ua/dialog.h"
#include "gate/gate.h"
#include "hops/walk.h"

struct uac;

struct uac_means { /* of the process, for all requests; outlives them */
    struct loop *loop;
    struct siptx *tx;
    struct gate *gate;
    struct hop_means hops;
    const struct trunk_conf *trunks;
    size_t n_trunks;
};

struct uac_conf {
    struct dialog *dialog; /* borrowed; outlives the request */
    enum sip_method method;
    struct hop *const *hops; /* in their order; copied, not what they point to; none: the dialog's
                                next hop */
    size_t n_hops;
    const struct span *uris; /* Request-URI for each of the hops; NULL: the dialog's for all */
    uint32_t node;           /* instead of all that: a node of ours; 0: none */
    struct duration answer;  /* a hop that says nothing for so long is given up for the next; 0:
                                64*T1 */
    unsigned max_forwards;
    struct span trunk, route; /* whose challenges are answered, and of the dial peer; absent:
                                 nobody's. Live as long as the request */
    struct span lines;        /* whole headers, each with CRLF */
    struct span type, body;   /* absent: none. All of these are copied */
};

struct uac_events {
    /* Each response but 100, and but challenges that are answered; 2xx to INVITE each time one
     * comes. May free the request. */
    void (*response)(void *arg, struct uac *r, struct sip_msg *resp);
    /* No final answer will come; status is what to make of it. May free the request. */
    void (*failed)(void *arg, struct uac *r, unsigned status);
    /* Of an INVITE, NULL: of no interest. A hop that has said nothing is given up for the next; it
     * was told not to ring, and what it says all the same is uac_part()'s. */
    void (*silent)(void *arg, struct uac *r);
    /* Of an INVITE that was taken, NULL: of no interest. No 2xx comes any more. May free the
     * request. */
    void (*over)(void *arg, struct uac *r);
};

/* Takes the next CSeq of the dialog. NULL: no memory. Nothing is called from inside. */
struct uac *uac_send(const struct uac_means *m, const struct uac_conf *conf,
                     const struct uac_events *events, void *arg);
/* The same once more with other lines, to where it went, behind a final answer. */
CS_CHECK int uac_again(struct uac *r, struct span lines);
/* From inside silent(): what went to that hop, as a request of its own that is cancelled. dialog: a
 * copy of the first one's, borrowed like that. NULL: no memory. */
struct uac *uac_part(struct uac *r, struct dialog *dialog, const struct uac_events *events,
                     void *arg);
/* Of an INVITE: CANCEL, when a provisional answer was there or comes. The final answer still does.
 * reason: value of a Reason header; absent: none. */
void uac_cancel(struct uac *r, struct span reason);
/* Number of the last one that was sent, and how it proved who we are: header lines, which the ACK
 * to a 2xx repeats (RFC 3261, 22.1). Borrowed. */
uint32_t uac_cseq(const struct uac *r);
struct span uac_credentials(const struct uac *r);
/* The flow it went by; NULL before. Borrowed. */
struct flow *uac_flow(const struct uac *r);
/* Of those of its trunk, the hop that it went to; NULL before. */
struct hop *uac_hop(const struct uac *r);
/* NULL: there is none of this name. */
const struct trunk_conf *uac_trunk(const struct uac_means *m, struct span name);
/* A hop that a dialog with this trunk leads to, whatever its host: over TLS the trunk must be
 * there, by one of its own names and not by what a Record-Route or a Contact says, for that is all
 * that was agreed with it; and what is reached over TLS alone is so here, too. Absent: a line. */
void uac_bind(const struct uac_means *m, struct span trunk, struct hop *hop, struct hop_ask *ask);
/* Nothing is called any more. An INVITE that is out is not cancelled by this. Sets *r to NULL. */
void uac_free(struct uac **r);

#endif
