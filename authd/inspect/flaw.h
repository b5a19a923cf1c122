/* What may be wrong with a key in Redis, in words: what it means, and what to do. */
#ifndef CS_AUTHD_INSPECT_FLAW_H
#define CS_AUTHD_INSPECT_FLAW_H

#include "base/span.h"

enum flaw {
    FLAW_UNREADABLE,
    FLAW_UNKNOWN_SCHEMA,
    FLAW_UNKNOWN_KEY,
    FLAW_MISPLACED,
    FLAW_UNLISTED,
    FLAW_AOR_NOT_INDEXED,
    FLAW_LACK_NOT_INDEXED,
    FLAW_DANGLING,
    FLAW_STALE_ENTRY,
    FLAW_UNKNOWN_REALM,
    FLAW_UNKNOWN_KEY_ID,
    FLAW_LINE_OF_NOBODY,
    FLAW_ABSENT_SET,
    FLAW_BINDING_OF_NOBODY,
    FLAW_BINDING_OF_DISABLED,
    FLAW_BINDING_NOT_ALLOWED,
    FLAW_REGISTRAR_AWAY,
    FLAW_UNFINISHED,
    FLAW_NO_EXPIRY,
    FLAW_EXPIRES,
    FLAWS
};

/* All are constant: "dangling", and sentences for people. */
struct span flaw_name(enum flaw f);
struct span flaw_meaning(enum flaw f);
struct span flaw_remedy(enum flaw f);
/* Whether it can be repaired by removing what is of no use to anybody. */
bool flaw_is_repairable(enum flaw f);

#endif
