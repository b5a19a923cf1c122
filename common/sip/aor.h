/* Addresses of record that outlive the message they were read from. */
#ifndef CS_SIP_AOR_H
#define CS_SIP_AOR_H

#include "base/arena.h"
#include "sip/uri.h"

/* The canonical AOR of a URI (sip_aor_write()), in the arena; absent: it is none, or no memory. */
struct span sip_aor_in(struct arena *a, const struct sip_uri *uri);

#endif
