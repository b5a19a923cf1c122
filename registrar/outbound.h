/* Whether a REGISTER gets what RFC 5626 calls outbound: bindings named by instance and reg-id, each
 * reached down its flow alone. Pure. */
#ifndef CS_REGISTRAR_OUTBOUND_H
#define CS_REGISTRAR_OUTBOUND_H

#include "registrar/binding.h"

enum outbound {
    OUTBOUND_NONE,    /* nothing asks for it, or it cannot be had and nobody insists */
    OUTBOUND_APPLIED, /* and the phone understands Require: outbound */
    OUTBOUND_SILENT,  /* applied, but the phone does not say that it understands */
    OUTBOUND_LACKING, /* 439: the phone asks for it, its first hop knows nothing of it */
};

/* Of the contacts that were read of m. A reg-id that has no meaning, without an instance or behind
 * a first hop without outbound, is taken off them (RFC 5626, 6). best_effort: instead of LACKING
 * there is NONE. */
enum outbound outbound_judge(const struct sip_msg *m, struct register_contact *contacts, size_t n,
                             bool best_effort);

#endif
