/* What a webhook is asked about a call, and what it says (proto/webhook.yaml). Pure functions. */
#ifndef CS_AUTHD_CALLS_WEBHOOK_H
#define CS_AUTHD_CALLS_WEBHOOK_H

#include "authd/calls/destination.h"

struct webhook_call { /* borrowed; absent where it is not known */
    struct span id;   /* of the decision, that the answer repeats */
    struct span rule, call_id, from_trunk;
    const struct destination_call *call;
};

/* JSON, to be freed; NULL: no memory. */
char *webhook_question(const struct webhook_call *c);
/* Read strictly: CS_EPROTO for what is not exactly an answer to that question. */
CS_CHECK int webhook_answer_read(struct span body, struct span id, bool *allow);

#endif
