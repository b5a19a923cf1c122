/* One ban (message Ban of proto/store.proto): its id, and how it stands in Redis. No I/O. */
#ifndef CS_AUTHD_DEFENCE_BAN_H
#define CS_AUTHD_DEFENCE_BAN_H

#include "base/addr.h"
#include "base/arena.h"
#include "base/clock.h"
#include "store.pb-c.h"

enum { BAN_ID_LEN = 16, BAN_USER_MAX = 513, BAN_REASON_MAX = 200, BAN_RECORD_MAX = 1024 };

struct ban { /* spans are borrowed */
    struct cidr net;
    uint16_t port;      /* 0: any */
    struct span user;   /* name@realm whose credentials are not judged from there; absent: nothing
                           from there is heard at all */
    struct span class_; /* "authentication", ...; absent: by hand */
    struct span reason;
    struct wall since, until;
};

/* Of what is banned alone, so that a later ban of the same replaces it: base64url. */
void ban_id(const struct ban *b, char out[BAN_ID_LEN + 1]);
bool ban_is_id(struct span text);
/* "192.0.2.1", "2001:db8::/64", "192.0.2.1:6000" */
void ban_write_source(struct buf *b, const struct ban *ban);
/* Tells users of a network apart (base/netset.h); 0 for absent, and for nothing else. */
uint64_t ban_tag(struct span user);

/* CS_ELIMIT when out is too small. */
CS_CHECK int ban_encode(const struct ban *b, struct buf *out);
/* Copied into the arena. CS_EPROTO for what is no Ban of a schema we know, within the bounds above.
 */
CS_CHECK int ban_decode(struct span packed, struct arena *a, struct ban *out);

#endif
