/* What authd is told of this front from time to time: how much more was counted, and its state. */
#ifndef CS_GATE_SUMMARY_H
#define CS_GATE_SUMMARY_H

#include "gate/gate.h"
#include "ipc/ipc.h"

enum { SUMMARY_COUNTS = 40 }; /* differences in one message */

struct summary {
    struct loop *loop;
    struct ipc_client *authd; /* NULL: not there now */
    const struct gate_summary *what;
    struct timer timer;
    int64_t told[SUMMARY_COUNTS];
};

void summary_init(struct summary *s, struct loop *l);
void summary_fini(struct summary *s);
void summary_begin(struct summary *s, const struct gate_summary *what);
/* authd came, or (NULL) went. */
void summary_ready(struct summary *s, struct ipc_client *authd);

#endif
