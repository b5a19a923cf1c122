/* What the phones of selftest answer to challenges: by OpenSSL, and with qop=auth alone. */
#ifndef CS_TOOLS_PHONE_DIGEST_H
#define CS_TOOLS_PHONE_DIGEST_H

#include "sip/digest_answer.h"
#include "sip/msg.h"

/* The challenge of a 401 or 407 with the strongest algorithm we compute; of equals the first. 0, or
 * CS_ENOENT when there is none that can be answered. Spans borrow from the response. */
CS_CHECK int phone_digest_choose(const struct sip_msg *response, struct digest_challenge *out);
/* Writes the value of an Authorization or Proxy-Authorization: qop=auth where it is offered, else
 * the form without qop. CS_ENOTSUP when only another qop is offered or OpenSSL lacks the hash. */
CS_CHECK int phone_digest_write(struct buf *b, const struct digest_challenge *c,
                                const struct digest_answer *who);

#endif
