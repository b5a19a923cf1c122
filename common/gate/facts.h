/* What a message and its flow say, as auth.proto's Check. */
#ifndef CS_GATE_FACTS_H
#define CS_GATE_FACTS_H

#include "gate/gate.h"

/* Fills check; its texts live in the arena or are the message's. CS_ENOMEM. */
CS_CHECK int facts_fill(Countersign__Auth__Check *check, struct flow *f, const struct sip_msg *m,
                        const struct gate_facts *facts, struct arena *a);
/* m was accepted: the token it brought stands for what the connection showed before, if it showed
 * anything. CS_ENOMEM. */
CS_CHECK int facts_renew(struct flow *f, const struct sip_msg *m);

#endif
