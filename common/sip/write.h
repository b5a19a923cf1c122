/* Writing messages: answers to a request, and requests and responses on their way through a proxy.
 */
#ifndef CS_SIP_WRITE_H
#define CS_SIP_WRITE_H

#include "base/buf.h"
#include "sip/msg.h"

/* The usual reason phrase (RFC 3261, 21); "Unknown" for a status without one. */
struct span sip_reason(unsigned status);
/* Which of several final statuses is best: lower is (RFC 3261, 16.7 step 6). A 6xx decides, then
 * the lowest class; among 4xx first those that tell the caller how to succeed, and last what only
 * says that nobody answered. */
unsigned sip_status_rank(unsigned status);

/* Status line, Via (received and rport filled in the topmost from m->source, RFC 3261 18.2.1 and
 * RFC 3581), From, To, Call-ID, CSeq; a Timestamp is copied into a 100. to_tag is added to To where
 * it has none and the status is above 100. reason absent: the usual one. Then the caller adds
 * lines, then sip_write_end(). */
void sip_write_reply(struct buf *b, const struct sip_msg *req, unsigned status, struct span reason,
                     struct span to_tag);
/* "Name: value\r\n" */
void sip_write_hdr(struct buf *b, struct span name, struct span value);
/* Content-Type if type is present, Content-Length, the empty line, the body. */
void sip_write_end(struct buf *b, struct span type, struct span body);

/* What a proxy changes on the way (RFC 3261, 16.6). Everything else is copied, byte for byte, in
 * its order, but that the topmost Via gets received and rport where req->source is set (18.2.1),
 * and a missing Content-Length is added. Zeroed, with max_forwards = -1, it changes nothing. */
struct sip_edit {
    struct span uri;           /* new Request-URI; absent: keep */
    struct span via;           /* value of the Via to put on top */
    int max_forwards;          /* new value; < 0: keep; note that 0 is 0 */
    unsigned drop_routes;      /* topmost Route values to leave out */
    const struct span *routes; /* Route values to put on top, in order */
    size_t n_routes;
    struct span record_route; /* Record-Route value to put on top */
    uint64_t strip;           /* SIP_HDR_BIT of headers to leave out */
    struct span append;       /* whole lines, each with its CRLF, to add behind the headers */
};
void sip_write_request(struct buf *b, const struct sip_msg *req, const struct sip_edit *edit);
/* A response without its topmost Via. strip and append as above. */
void sip_write_response(struct buf *b, const struct sip_msg *resp, uint64_t strip,
                        struct span append);

/* Value of a Reason header: of several that rang another one has taken the call (RFC 3326, 3.1). */
#define SIP_ELSEWHERE "SIP;cause=200;text=\"Call completed elsewhere\""

/* The ACK for a non-2xx final response, hop by hop (RFC 3261, 17.1.1.3), and the CANCEL of an
 * INVITE that was sent as these bytes (9.1). reason: value of its Reason header (RFC 3326); absent:
 * none. */
void sip_write_ack(struct buf *b, const struct sip_msg *invite, const struct sip_msg *resp);
void sip_write_cancel(struct buf *b, const struct sip_msg *invite, struct span reason);

#endif
