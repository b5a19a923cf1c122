/* Whose page it is (RFC 6454, 4): the beginning of an address. A pure function. */
#ifndef CS_HTTP_ORIGIN_H
#define CS_HTTP_ORIGIN_H

#include "base/span.h"

/* scheme://host:port as it is written in an https or http address; absent when it is none, or has
 * characters that may not stand among others in a header. */
struct span origin_of(struct span url);

#endif
