/* Public GRUUs (RFC 5627): the address of record with a gr parameter that says which phone. It
 * follows from AOR and instance alone, so nothing is kept of it. Pure functions. */
#ifndef CS_REGISTRAR_GRUU_H
#define CS_REGISTRAR_GRUU_H

#include "sip/uri.h"

/* Whether an instance, as in +sip.instance with its angle brackets, is a URN of sensible length. */
bool gruu_has(struct span instance);
/* "sip:alice@example.com;gr=urn:uuid:..." of an instance that has one. */
void gruu_write(struct buf *b, struct span aor, struct span instance);
/* Whether this URI claims to be a GRUU. */
static inline bool gruu_is(const struct sip_uri *uri)
{
    return sip_uri_param(uri, SPAN("gr")).p != NULL;
}
/* Whether gr could be of our making. */
bool gruu_is_ours(const struct sip_uri *uri);
/* Whether it names this instance. */
bool gruu_names(const struct sip_uri *uri, struct span instance);

#endif
