/* Which softkeys a phone shows when: a set for each state of a call, from the left. */
#ifndef CS_B2BUA_SCCP_SOFT_KEYS_H
#define CS_B2BUA_SCCP_SOFT_KEYS_H

#include "b2bua/sccp/codec.h"

enum { SCCP_SETS = 12, SCCP_SET_KEYS = 16 };

struct sccp_soft_keys {
    uint8_t sets[SCCP_SETS][SCCP_SET_KEYS]; /* SCCP_KEY_, of the set SCCP_KEYS_; 0 ends one */
};

extern const struct sccp_soft_keys sccp_soft_keys_default;

/* As configuration calls it, "new_call"; 0: there is no such key. */
uint8_t sccp_soft_key_named(struct span name);
/* All keys there are, and the sets of which they are shown. */
void sccp_tell_soft_keys(struct buf *b, const struct sccp_dialect *d);
void sccp_tell_soft_key_sets(struct buf *b, const struct sccp_dialect *d,
                             const struct sccp_soft_keys *of);
/* Which keys of a set are shown, from its first, where one is not (0: all are). */
uint32_t sccp_soft_keys_but(const struct sccp_soft_keys *of, uint32_t set, uint8_t hidden);

#endif
