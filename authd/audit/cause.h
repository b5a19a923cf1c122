/* Causes of decisions: proto/auth.proto has the closed list, here are their words. */
#ifndef CS_AUTHD_AUDIT_CAUSE_H
#define CS_AUTHD_AUDIT_CAUSE_H

#include "auth.pb-c.h"
#include "base/span.h"

#define CAUSE(name) COUNTERSIGN__AUTH__CAUSE__##name

/* "nonce_stale": as logs, audit and REST write it. */
struct span cause_name(Countersign__Auth__Cause c);
/* What happened, and what an operator can do about it: sentences. */
struct span cause_text(Countersign__Auth__Cause c);
struct span cause_remedy(Countersign__Auth__Cause c);

#endif
