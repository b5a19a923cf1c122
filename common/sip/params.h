/* Walks header parameters, ";a=b;c" (RFC 3261, 25.1: generic-param). */
#ifndef CS_SIP_PARAMS_H
#define CS_SIP_PARAMS_H

#include "sip/scan.h"

enum { PARAMS_MAX = 64 }; /* in one value; more are refused, since each is compared with each */

struct params {
    struct scan s;
    struct span name, value; /* value: absent if there is no '=', inside of quotes else */
    struct span text;        /* from the ';' on, as written */
    bool quoted;
    size_t n;
    struct span seen[PARAMS_MAX];
};

void params_init(struct params *it, struct span params);
/* False at the end, or with s.err set when malformed or given twice. */
bool params_next(struct params *it);
/* A qvalue (RFC 3261, 25.1) in thousandths. CS_EPROTO. */
CS_CHECK int params_q(struct span text, uint32_t *out);

#endif
