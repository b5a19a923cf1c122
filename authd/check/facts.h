/* What a front says of a request (message Check of proto/auth.proto), as spans. */
#ifndef CS_AUTHD_CHECK_FACTS_H
#define CS_AUTHD_CHECK_FACTS_H

#include "auth.pb-c.h"
#include "base/addr.h"
#include "base/arena.h"

struct facts { /* an absent span was not said */
    Countersign__Auth__Transport transport;
    struct addr source; /* family none: not said */
    struct span listener, method, request_uri, domain, from_aor, to_aor, target_aor, call_id,
        user_agent, body, certificate_sha256, certificate_subject;
    bool in_dialog, is_register;
    bool on_registered_flow;
    uint64_t sets;   /* of the configuration's address sets those that hold the source */
    char country[4]; /* of the source, "DE"; "" when it was not asked for, or is not known */
};

/* Borrows from the message. */
void facts_of(const Countersign__Auth__Check *m, struct facts *out);
/* Copies what is borrowed into the arena. */
CS_CHECK int facts_keep(struct facts *f, struct arena *a);
/* "udp", "tcp", "tls", "ws", "wss", "sccp", "sccps", "link"; "" for UNKNOWN. */
struct span facts_transport(Countersign__Auth__Transport t);

#endif
