/* The key of what we hand out and believe when it comes back: flow tokens in bindings, routes in
 * dialogs. Kept in a file, these mean the same after a restart, so that phones on UDP can still be
 * called and calls ended. */
#ifndef CS_REGISTRAR_FLOW_KEY_H
#define CS_REGISTRAR_FLOW_KEY_H

#include "base/ct.h"
#include "registrar/route_token.h"

/* Reads the file, or makes it with a random key if it is not there. Without a path the key is
 * random and dies with the process. CS_EPROTO: the file holds less than a key. */
CS_CHECK int flow_key_load(const char *path, struct secret *out);
/* The key of routes, which tells nothing of the one it comes from. */
CS_CHECK int flow_key_derive(const struct secret *key, struct route_key *out);

#endif
