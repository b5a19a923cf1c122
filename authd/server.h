/* authd's end of auth.sock: fronts, their open questions, and the answers. */
#ifndef CS_AUTHD_SERVER_H
#define CS_AUTHD_SERVER_H

#include "authd/check/check.h"

struct server;

/* Listens as conf.listen says. The members of k that are its owner's stand already; the server sets
 * answer, and initialises the rest. Everything is borrowed and outlives the server. */
CS_CHECK int server_open(struct checker *k, struct server **out);
/* Open questions are dropped: fronts make LATER of a lost connection by themselves. */
void server_close(struct server **s);

#endif
