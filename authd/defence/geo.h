/* The country of an address, by a file in the MaxMind DB format: libmaxminddb's only home. The file
 * is copied into memory, so that whoever writes over it changes nothing here; when it was replaced
 * it is read anew within seconds, and one that cannot be used leaves the old one in its place. */
#ifndef CS_AUTHD_DEFENCE_GEO_H
#define CS_AUTHD_DEFENCE_GEO_H

#include "authd/defence/place.h"
#include "net/loop.h"

struct geo;

enum { GEO_LOOK_S = 2 }; /* between two looks at the file */

/* conf is borrowed, with a database. CS_EPROTO when the file is none; -errno. */
CS_CHECK int geo_open(struct loop *l, const struct geo_conf *conf, struct geo **out);
void geo_close(struct geo **g);
/* Looks whether the file was replaced, now. */
void geo_look(struct geo *g);

/* Nobody asks for the country of this one. */
bool geo_spares(const struct geo *g, const struct addr *a);
/* "DE", or "" when the database does not know. */
void geo_country(const struct geo *g, const struct addr *a, char out[4]);

#endif
