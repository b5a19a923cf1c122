/* What the requests of one dialog, or of one registration, have in common (RFC 3261, 12). */
#ifndef CS_TOOLS_PHONE_DIALOG_H
#define CS_TOOLS_PHONE_DIALOG_H

#include "sip/msg.h"

enum { DIALOG_TAG = 128, DIALOG_URI = 512, DIALOG_ROUTES = 4096 };

struct dialog {
    char call_id[DIALOG_URI];
    char local[DIALOG_URI], remote[DIALOG_URI]; /* URIs of From and To */
    char local_tag[DIALOG_TAG], remote_tag[DIALOG_TAG];
    char target[DIALOG_URI];    /* Request-URI */
    char routes[DIALOG_ROUTES]; /* whole Route lines */
    uint32_t cseq;              /* last used */
};

/* Before it is one: a Call-ID and tag of its own, no routes. */
void dialog_init(struct dialog *d, struct span local, struct span remote, struct span target);
/* The caller's side: remote tag, target and routes of a 2xx (12.1.2). CS_EPROTO when it has no
 * tag or Contact, CS_ELIMIT when something in it is too long. */
CS_CHECK int dialog_confirm(struct dialog *d, const struct sip_msg *response);
/* The callee's side, out of the INVITE (12.1.1). */
CS_CHECK int dialog_accept(struct dialog *d, const struct sip_msg *invite, struct span local_tag);
/* Whether a request that came in belongs to it. */
bool dialog_owns(const struct dialog *d, const struct sip_msg *request);

#endif
