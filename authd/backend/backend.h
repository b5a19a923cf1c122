/* Backends: external services that are asked over HTTP about credentials (proto/backend.yaml) and
 * calls (proto/webhook.yaml). One that is down, slow or says nonsense is spared for a while; none
 * of that is ever a yes. */
#ifndef CS_AUTHD_BACKEND_BACKEND_H
#define CS_AUTHD_BACKEND_BACKEND_H

#include "authd/backend/backend_conf.h"
#include "net/loop.h"

struct backends;
struct backend_ask;

/* Reads the secrets; a failure was logged. conf is borrowed. */
CS_CHECK int backends_new(struct loop *l, const struct backend_conf *conf, size_t n,
                          struct backends **out);
/* Questions under way are forgotten. */
void backends_free(struct backends **b);

/* err: there is no answer; else it is body, borrowed for the call. Says whether that is one:
 * CS_EPROTO where it is not. */
typedef int backend_fn(void *arg, int err, struct span body);
/* fn is called once, in a later turn. CS_ECLOSED while it is spared, CS_ELIMIT when too many are
 * under way, CS_ENOMEM. */
CS_CHECK int backend_ask(struct backends *b, const struct backend_conf *which, struct span json,
                         backend_fn *fn, void *arg, struct backend_ask **out);
/* fn will not be called. */
void backend_cancel(struct backend_ask **ask);

#endif
