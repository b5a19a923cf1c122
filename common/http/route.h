/* What a request's target and its Host header mean: paths, queries, percent-decoding (RFC 3986,
 * RFC 9110). Pure functions; httpd.c does the rest. */
#ifndef CS_HTTP_ROUTE_H
#define CS_HTTP_ROUTE_H

#include "base/arena.h"

enum { ROUTE_MAX_QUERY = 16 };

struct route_pair {
    struct span name, value; /* value decoded */
};

struct route_pairs {
    struct route_pair pair[ROUTE_MAX_QUERY];
    size_t n;
};

/* The value of a name, absent if it is not there. */
struct span route_pair_get(const struct route_pairs *p, struct span name);

/* "/v1/users/{user}" against a path as it was sent: a segment in braces matches one segment that is
 * not empty, all others match themselves. */
bool route_match(const char *pattern, struct span path);
/* The segments in braces of a path that matches. CS_EPROTO for a broken escape or a NUL, CS_ENOMEM.
 */
CS_CHECK int route_params(const char *pattern, struct span path, struct arena *a,
                          struct route_pairs *out);
/* name=value&name=value, '+' being a space. CS_EPROTO as above and for a name said twice (two
 * readers could choose differently), CS_ELIMIT for more than ROUTE_MAX_QUERY. An absent query has
 * none. */
CS_CHECK int route_query(struct span query, struct arena *a, struct route_pairs *out);

/* May this Host be answered? An address, localhost or our own name (NULL: none), with any port. A
 * page of a stranger whose name was made to resolve to us (DNS rebinding) sends its own name. */
bool route_host_is_ours(struct span host, const char *name);
/* Is this media type (RFC 9110, 8.3.1), whatever its parameters? */
bool route_media_is(struct span content_type, struct span type);

#endif
