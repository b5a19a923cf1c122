/* Session timers (RFC 4028): after how long a call that nobody refreshes is over, and who does.
 * Decisions only; each leg has one of its own. */
#ifndef CS_B2BUA_UA_SESSION_TIMER_H
#define CS_B2BUA_UA_SESSION_TIMER_H

#include "base/buf.h"
#include "base/clock.h"
#include "sip/msg.h"

struct session_timer_conf {
    struct duration interval; /* that we ask for */
    struct duration least;    /* Min-SE */
};

struct session_timer {
    uint32_t interval_s; /* 0: the call has none yet */
    uint32_t least_s;    /* what the other side wants at least; 0: it has not said */
    bool ours;           /* it is we who refresh */
    bool theirs_knows;   /* the other side has these timers */
};

/* By an INVITE or UPDATE of the other side: 0, or 422. */
unsigned session_timer_asked(struct session_timer *t, const struct session_timer_conf *c,
                             const struct sip_msg *req);
/* Lines of the 2xx to that, or of the 422. */
void session_timer_write_answer(struct buf *b, const struct session_timer *t);
void session_timer_write_least(struct buf *b, const struct session_timer_conf *c);
/* Lines of a request of ours. */
void session_timer_write_ask(struct buf *b, const struct session_timer *t,
                             const struct session_timer_conf *c);
/* By its 2xx; or by a 422, after which to ask again: false when that would be in vain. */
void session_timer_answered(struct session_timer *t, const struct session_timer_conf *c,
                            const struct sip_msg *resp);
bool session_timer_refused(struct session_timer *t, const struct sip_msg *resp);
/* When to refresh, or, where they do, when it is too late (10). */
struct duration session_timer_due(const struct session_timer *t);

#endif
