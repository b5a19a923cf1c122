/* Challenges in hand (auth.proto, Lease): kept by class of request, each nonce used once. Bounded:
 * the class that was asked for longest ago makes room. */
#ifndef CS_GATE_LEASE_H
#define CS_GATE_LEASE_H

#include "gate/gate.h"

struct lease_table;
struct lease_text; /* what the challenges of a class say around the nonce; counted */

struct lease_table *lease_table_new(void);
void lease_table_free(struct lease_table **t);

/* The class of a request without credentials, or 0 for a request that shows some. */
uint64_t lease_class(const struct flow *f, const struct sip_msg *m, const struct gate_facts *facts);

enum { LEASE_NONCE_MAX = 64 };
/* Takes a nonce of this class and a reference to its text. False: this request goes to authd, and
 * asks for *want challenges if that is not 0: one request at a time, before the last one is used.
 * want NULL: the caller cannot ask; false then changes nothing. */
bool lease_take(struct lease_table *t, uint64_t class_, struct mono now,
                char nonce[LEASE_NONCE_MAX], struct lease_text **text, uint32_t *want);
void lease_fill(struct lease_table *t, uint64_t class_, const Countersign__Auth__Lease *lease,
                uint32_t status, struct mono now);

/* Writes the challenges with this nonce as a Verdict, whose texts live in the arena. */
CS_CHECK int lease_verdict(const struct lease_text *text, const char *nonce, struct arena *a,
                           Countersign__Auth__Verdict *out);
void lease_text_unref(struct lease_text **text);

#endif
