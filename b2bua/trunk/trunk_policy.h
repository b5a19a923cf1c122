/* What a trunk may ask besides calls: transfers, news, subscriptions, another's place in a call. */
#ifndef CS_B2BUA_TRUNK_TRUNK_POLICY_H
#define CS_B2BUA_TRUNK_TRUNK_POLICY_H

#include "b2bua/ua/uac.h"

/* Whether its configuration keeps it from asking this, in a call or outside. */
bool trunk_policy_forbids(const struct trunk_conf *t, const struct sip_msg *req);
/* Answers 403 where it does, and tells authd, before anything is looked up. */
bool trunk_policy_refuses(const struct uac_means *m, const struct trunk_conf *t, struct tx *tx);
/* What is told of a request of a trunk. Texts are of the message's arena. */
struct gate_facts trunk_policy_facts(struct sip_msg *m);

#endif
