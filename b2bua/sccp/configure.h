/* What a phone is answered that asks for its configuration. Pure. */
#ifndef CS_B2BUA_SCCP_CONFIGURE_H
#define CS_B2BUA_SCCP_CONFIGURE_H

#include "b2bua/sccp/codec.h"
#include "b2bua/sccp/device.h"

struct sccp_house {          /* of the server */
    struct span name;        /* its host's */
    struct addr address;     /* where the phone reached it */
    struct span date;        /* of phones that have no format of their own */
    const struct zone *zone; /* the same; NULL: UTC */
    struct wall now;
};

/* Appends the answer to a request of SCCP_EV_REQUEST or SCCP_EV_FINISH; nothing where none is due.
 */
void sccp_configure(struct buf *b, const struct sccp_dialect *d, const struct sccp_message *request,
                    const struct sccp_device *device, const struct sccp_house *house);
/* The time on the phone's wall. */
void sccp_tell_time(struct buf *b, const struct sccp_dialect *d, const struct sccp_device *device,
                    const struct sccp_house *house);
/* The version to speak with a phone that offers this one. */
unsigned sccp_agree(unsigned offered);
/* What the server says that it can do, at a version. */
void sccp_features(unsigned version, uint8_t out[3]);

#endif
