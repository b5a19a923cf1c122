/* Challenges of trunks on their way to authd and back, for gate.c. */
#ifndef CS_GATE_SIGN_H
#define CS_GATE_SIGN_H

#include "gate/gate.h"
#include "ipc/ipc.h"

struct signs {
    struct loop *loop;
    struct ipc_client *ipc;
    struct duration deadline;
    struct list open; /* struct gate_sign, in the order they were asked */
    struct timer timer;
    struct turn turn;
    size_t n, max;
    uint64_t last_id;
    bool ready, closing;
};

void signs_init(struct signs *s, struct loop *l, struct duration deadline, size_t max);
/* Every open one gets LATER. */
void signs_fini(struct signs *s);
/* authd came or went: what waits is asked, or what was asked gets LATER. */
void signs_ready(struct signs *s, struct ipc_client *ipc, bool ready);
void signs_answer(struct signs *s, const Countersign__Auth__Signed *m);
struct gate_sign *signs_ask(struct signs *s, const struct gate_challenge *c, gate_signed_fn *fn,
                            void *arg);

#endif
