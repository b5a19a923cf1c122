/* Which algorithms the users of each realm can answer: asked of Redis once a second, and at once
 * after a change made here. */
#ifndef CS_AUTHD_STORE_REALMS_H
#define CS_AUTHD_STORE_REALMS_H

#include "authd/config.h"
#include "authd/store/store.h"

struct realms;

/* Takes the store's on_change. */
CS_CHECK int realms_new(struct loop *l, const struct authd_conf *conf, struct store *store,
                        struct realms **out);
void realms_free(struct realms **r);
/* Asks anew for all; what was known is forgotten when Redis was lost. */
void realms_refresh(struct realms *r, bool redis_ready);
/* While held nothing is known, whatever Redis says. */
void realms_hold(struct realms *r, bool held);
/* A bit for each algorithm that some enabled user of the realm lacks, but those without any
 * verifier. false: not known now. */
bool realms_lacking(const struct realms *r, struct span realm, unsigned *mask);
/* As it was when it was last known; false: it never was. */
bool realms_recall(const struct realms *r, struct span realm, unsigned *mask);

#endif
