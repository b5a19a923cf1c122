/* Where phones connect: TCP and TLS listeners, and a session for each connection. */
#ifndef CS_B2BUA_SCCP_SERVER_H
#define CS_B2BUA_SCCP_SERVER_H

#include "b2bua/sccp/session.h"
#include "net/stream.h"

struct sccp_listener;

/* Port 0 takes a free one. name lives as long as the listener. tls: connections speak it; a context
 * has to be given by sccp_listener_tls() before the loop runs. x outlives it. */
CS_CHECK int sccp_listen(struct sccp *x, const struct addr *local, struct span name, bool tls,
                         struct sccp_listener **out);
struct listener *sccp_listener_stream(struct sccp_listener *ls);
/* Nobody more is accepted; who is connected stays. Sets *ls to NULL. */
void sccp_listener_close(struct sccp_listener **ls);

#endif
