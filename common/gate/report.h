/* What was decided without a verdict of authd, told to authd as soon as it is there, for the audit
 * log. */
#ifndef CS_GATE_REPORT_H
#define CS_GATE_REPORT_H

#include "gate/gate.h"
#include "ipc/ipc.h"

struct reports { /* oldest first */
    struct list all;
    size_t n;
};

void reports_init(struct reports *r);
void reports_fini(struct reports *r);
/* Keeps it with references to f and m. When there are too many, the oldest is lost, and said so. */
void reports_add(struct reports *r, struct flow *f, struct sip_msg *m,
                 const struct gate_facts *facts, Countersign__Auth__Cause cause, unsigned status,
                 struct wall now);
/* Sends what there is, as far as authd takes it. */
void reports_send(struct reports *r, struct ipc_client *authd);

#endif
