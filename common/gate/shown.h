/* The client certificate of a connection as auth.proto's Certificate: read once, and kept with the
 * flow. */
#ifndef CS_GATE_SHOWN_H
#define CS_GATE_SHOWN_H

#include "auth.pb-c.h"
#include "siptp/siptp.h"

/* Sets certificate and certificate_sha256 of check, which live as long as the flow, or leaves them
 * absent: none was shown, or nothing can be read out of it. CS_ENOMEM. */
CS_CHECK int shown_fill(Countersign__Auth__Check *check, struct flow *f);

#endif
