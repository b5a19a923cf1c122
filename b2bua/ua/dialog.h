/* A dialog as one of its user agents keeps it (RFC 3261, 12): who is at both ends, where its
 * requests go, and their numbers. No I/O. */
#ifndef CS_B2BUA_UA_DIALOG_H
#define CS_B2BUA_UA_DIALOG_H

#include "base/arena.h"
#include "base/buf.h"
#include "sip/msg.h"
#include "siptx/siptx.h"

enum { DIALOG_TAG_LEN = SIPTX_TAG_LEN, DIALOG_CALL_ID_LEN = 32, DIALOG_ROUTES_MAX = 32 };

struct dialog {
    struct arena arena; /* of all spans but target */
    struct span call_id;
    struct span local, remote; /* values of From and To of our requests, with tags once known */
    struct span local_tag, remote_tag;
    char *target;        /* remote target: Request-URI of what we send; replaced by refreshes */
    struct span *routes; /* route set, each a value with its brackets */
    size_t n_routes;
    uint32_t local_cseq, remote_cseq; /* of the last request each way; 0: there was none */
    bool established;                 /* tags, target and routes of the other side are known */
};

/* Of the INVITE that somebody sends us, by which the dialog is complete (12.1.1). CS_EPROTO when
 * its Contact or Record-Route makes no sense, CS_ENOMEM; nothing is to be released then. */
CS_CHECK int dialog_of_invite(struct dialog *d, const struct sip_msg *invite, struct span tag);
/* Of an INVITE that we are about to send: values of From and To without tags, and the Request-URI.
 * Everything is copied. node: siptp_node(), which our tag will name. */
CS_CHECK int dialog_to(struct dialog *d, struct span from, struct span to, struct span uri,
                       uint32_t node);
/* By the first response with a To tag, or a 2xx with another one (12.1.2). CS_EPROTO. */
CS_CHECK int dialog_establish(struct dialog *d, const struct sip_msg *resp);
/* The same dialog's other early or confirmed sibling, by another To tag: a copy that is established
 * by this response, for a fork that is to be ended. */
CS_CHECK int dialog_sibling(const struct dialog *d, const struct sip_msg *resp, struct dialog *out);
/* What an early answer said is forgotten: the INVITE goes elsewhere, with this To and Request-URI
 * (12.3). CS_ENOMEM. */
CS_CHECK int dialog_begin_again(struct dialog *d, struct span to, struct span uri);
/* The same once more, as nobody has answered it: of one that is not established. CS_ENOMEM. */
CS_CHECK int dialog_copy(const struct dialog *d, struct dialog *out);
void dialog_fini(struct dialog *d);

/* A target refresh: takes the Contact, if there is one (12.2.1.2, 12.2.2). */
void dialog_refresh(struct dialog *d, const struct sip_msg *m);
/* Whether a request of the other side comes in its turn; takes its number (12.2.2). */
bool dialog_takes(struct dialog *d, const struct sip_msg *req);
/* Where a request goes next: the first route, or the target. */
CS_CHECK int dialog_next_hop(const struct dialog *d, struct sip_uri *out);
/* Start line and headers up to CSeq, by loose or strict routing (12.2.1.1), with this Via value. */
void dialog_write(struct buf *b, const struct dialog *d, struct span method, uint32_t cseq,
                  struct span via, unsigned max_forwards);
/* Request-URI of what dialog_write() writes: what digest signs. */
struct span dialog_request_uri(const struct dialog *d);

#endif
