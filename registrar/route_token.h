/* The user part of our Record-Route: caller's flow "." callee's flow "." MAC. The MAC is over both
 * flows, the Call-ID and the caller's tag, so a token serves the requests of its dialog alone,
 * cannot be put together out of others, and tells which side a request comes from. */
#ifndef CS_REGISTRAR_ROUTE_TOKEN_H
#define CS_REGISTRAR_ROUTE_TOKEN_H

#include "base/hmac.h"
#include "sip/msg.h"

enum { ROUTE_MAC_LEN = 10 };

struct route_key {
    struct hmac *routes, *tags; /* its own */
};

/* CS_ENOMEM, CS_ENOTSUP: then there is nothing to end. */
CS_CHECK int route_key_init(struct route_key *k, struct span key);
void route_key_fini(struct route_key *k);

/* The flows are tokens of siptp; m is the request that makes the dialog. */
void route_token_write(struct buf *b, const struct route_key *key, struct span caller,
                       struct span callee, const struct sip_msg *m);
/* The flow that m, a request with this token, is to leave by, and the one that its side of the
 * dialog has. CS_EPROTO: not ours, or not for this dialog. */
CS_CHECK int route_token_read(struct span token, const struct route_key *key,
                              const struct sip_msg *m, struct span *to, struct span *from);

/* ---- which phone a side is ---- */
/* Behind the flow of a side may stand "~" and a tag for the instance of the phone there, by which
 * it is found again when the flow is gone. */
enum { ROUTE_TAG_LEN = 8 };
/* Writes the tag of an instance; nothing where it is absent. */
void route_tag_write(struct buf *b, const struct route_key *key, struct span instance);
/* Puts a tag behind the flow that was written to b; nothing where it is absent. */
void route_tag_put(struct buf *b, struct span tag);
/* Takes it off again; absent if there is none. */
struct span route_tag_take(struct span *side);
bool route_tag_names(struct span tag, const struct route_key *key, struct span instance);

#endif
