/* Whether a desk phone that says a name may attach in a group: a pure function of what is known of
 * it. */
#ifndef CS_AUTHD_CHECK_ATTACHMENT_H
#define CS_AUTHD_CHECK_ATTACHMENT_H

#include "authd/audit/cause.h"
#include "authd/config.h"
#include "authd/store/device.h"

struct attachment {
    const struct device *device; /* of that name; NULL: there is none */
    bool in_set;                 /* its address set holds the source; false where it has none */
    /* Of its certificate: as in struct shown, but OK only if it is of a device or trunk. */
    Countersign__Auth__Cause certificate;
    bool its_own; /* where that is OK: it is this device's */
    bool open;    /* what it fetches may be read by anybody, whatever its security */
};

/* OK, or why not. */
Countersign__Auth__Cause attachment_of(const struct group_conf *g, const struct facts *f,
                                       const struct attachment *a);

#endif
