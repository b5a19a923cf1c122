/* Header fields of a SIP message, as far as this generator reads them. */
#ifndef SIPLOAD_HEADER_H
#define SIPLOAD_HEADER_H

#include "base/span.h"

struct header {
    struct span name, value;
};

/* Takes the next header field off *rest: 1, or 0 at the empty line behind the last, which leaves
 * the body in *rest, or CS_EPROTO. */
CS_CHECK int header_next(struct span *rest, struct header *out);
/* compact: the short form of RFC 3261, 7.3.3; 0 when there is none. */
bool header_is(const struct header *h, struct span name, char compact);
/* The value of parameter name among text's parameters, each behind sep; quotes dropped. Absent when
 * it is not there. A value with an escaped character is not unescaped: no server here writes one.
 */
struct span header_param(struct span text, char sep, struct span name);

#endif
