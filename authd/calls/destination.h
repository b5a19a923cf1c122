/* Where a call is to go, and which rule of the configuration fits it. Pure functions. */
#ifndef CS_AUTHD_CALLS_DESTINATION_H
#define CS_AUTHD_CALLS_DESTINATION_H

#include "authd/calls/calls_conf.h"
#include "base/clock.h"

enum { DESTINATION_MAX = 64 };

struct destination {
    char text[DESTINATION_MAX], e164[E164_MAX + 2];
    struct span
        number;       /* as it is sent, without visual separators and parameters (RFC 3966); cut */
    struct span form; /* "+4930123456"; absent: it has none that is known */
    struct span country; /* constant; absent: not known */
};

/* user: user part of the Request-URI, unescaped; absent: there is none. dialled: NULL: a number
 * without + has no E.164 form. *out must not be moved. */
void destination_read(const struct e164 *dialled, struct span user, struct destination *out);

struct destination_call { /* borrowed */
    const struct destination *to;
    struct span caller; /* "alice@example.com"; absent: no line */
    struct span trunk;
    struct wall now;
    bool first_time; /* who calls is not known to have called that country */
};

/* The first rule that fits; NULL: none does. */
const struct destination_rule *destination_rule(const struct calls_conf *conf,
                                                const struct destination_call *call);

#endif
