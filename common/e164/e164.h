/* Numbers as they are dialled in a country, and in E.164 form (ITU-T E.164; RFC 3966, 5.1.4). */
#ifndef CS_E164_E164_H
#define CS_E164_E164_H

#include "base/buf.h"

struct e164 {
    struct span country;       /* "49" */
    struct span international; /* before a number of another country: "00" */
    struct span national;      /* before one of another area: "0"; empty where there is none */
    struct span area;          /* put before a number that has none of these; empty: it stays */
    struct span access;        /* before all, for a line to the outside: "9*"; empty: none */
    unsigned shortest;         /* what has fewer digits behind its prefix is no such number: 112 */
    unsigned numbers;          /* which it is for: bits 1 << enum translation_number */
};

enum { E164_MAX = 15 }; /* digits */

/* Writes the E.164 form to out: true. False, and out is as it was: the number is in that form
 * already, short, or not one of the country's. */
bool e164_from(const struct e164 *e, struct span number, struct buf *out);

#endif
