/* What a capture server (Homer) is told of a message: HEPv3, the Homer Encapsulation Protocol of
 * the generic encapsulation (EEP), version 3. Written only; no I/O. */
#ifndef CS_CAPTURE_HEP_H
#define CS_CAPTURE_HEP_H

#include "base/addr.h"
#include "base/buf.h"

/* Values of the chunk "protocol type". */
enum hep_type { HEP_SIP = 1 };

struct hep {              /* spans are borrowed; absent: the chunk is left out */
    struct addr from, to; /* of one family */
    bool stream;          /* it came over TCP */
    uint64_t time_us;     /* Unix time */
    enum hep_type type;
    uint32_t agent;          /* which of the senders this is: "capture agent id" */
    struct span password;    /* that the collector asks for */
    struct span node;        /* our name */
    struct span correlation; /* the same for all legs of a call */
    struct span payload;
};

/* One packet; what does not fit leaves the buffer in error, and so does one of more than 65535
 * bytes. */
void hep_write(struct buf *b, const struct hep *h);

#endif
