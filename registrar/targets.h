/* Where an address of record is reached: its record becomes the targets of a fork. */
#ifndef CS_REGISTRAR_TARGETS_H
#define CS_REGISTRAR_TARGETS_H

#include "location/location.h"
#include "registrar/fork.h"

struct targets { /* in the arena of the message */
    struct fork_target *list;
    size_t n, n_spare; /* those that ring, by falling q; and behind them other ways to them */
    bool too_open;     /* a phone was passed over, for sips allows no hop in the clear */
};

/* Which of the bindings: those for which it holds. m is the request. */
typedef bool targets_pick_fn(const struct front *f, const struct sip_msg *m, const void *arg,
                             const Countersign__Store__Binding *b);

/* secure: so is the flow m came by. pick may be NULL: all. Of several flows to one phone (RFC 5626,
 * 7) the one that was refreshed last is a target, the others are its spares. Bindings whose flow is
 * gone are left out, and so are phones beyond the first most (1 or more). Each target holds a
 * reference to its flow until targets_release(). CS_ENOMEM. */
CS_CHECK int targets_of(struct front *f, bool secure, struct sip_msg *m, struct span aor,
                        const Countersign__Store__Location *record, size_t most,
                        targets_pick_fn *pick, const void *arg, struct targets *out);
void targets_release(struct targets *t);

/* Whether a request has broken the promise of its sips URI already: it did not come by what is
 * secure. */
bool targets_came_too_open(const struct sip_msg *m, bool secure);
/* Whether a request would break the promise of its sips URI (RFC 5630, 3), which is for each hop,
 * by this flow or by the one it came by, if that is not secure. */
bool targets_are_too_open(const struct sip_msg *m, bool secure, const struct flow *to);

#endif
