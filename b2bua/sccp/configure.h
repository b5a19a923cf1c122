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
/* Where calls of a line go that it does not take. */
void sccp_tell_forwards(struct buf *b, const struct sccp_dialect *d,
                        const struct sccp_device *device, uint32_t instance);
/* How the other line of a key is. */
void sccp_tell_feature(struct buf *b, const struct sccp_dialect *d,
                       const struct sccp_device *device, uint32_t index, uint32_t status);
/* What a key is to a phone of that version: older ones know no busy lamps, but light speed dials.
 */
uint8_t sccp_key_type(const struct sccp_key *k, unsigned version);
uint8_t sccp_busy_lamp_type(unsigned version);
/* The key of this type and instance; instances count from 1, for each type by itself. NULL: none.
 */
const struct sccp_key *sccp_key_of(const struct sccp_device *d, unsigned version, uint8_t type,
                                   uint32_t instance);
/* The version to speak with a phone that offers this one. */
unsigned sccp_agree(unsigned offered);
/* What the server says that it can do, at a version. */
void sccp_features(unsigned version, uint8_t out[3]);

#endif
