#include "authd/audit/decision.h"

#include "base/buf.h"
#include "base/rand.h"

void decision_id(char out[DECISION_LEN + 1])
{
    unsigned char random[DECISION_LEN / 4 * 3];
    struct buf b = buf_of(out, DECISION_LEN);
    rand_bytes(random, sizeof(random));
    random[0] &= 0x7f; /* begins with a letter: csctl would take a dash for an option */
    buf_base64url(&b, random, sizeof(random));
    out[DECISION_LEN] = '\0';
}

struct span decision_kind(Countersign__Auth__VerdictKind kind)
{
    static const struct span names[] = { SPAN_INIT("none"), SPAN_INIT("accept"),
                                         SPAN_INIT("challenge"), SPAN_INIT("reject"),
                                         SPAN_INIT("later") };
    return (size_t)kind < CS_LEN(names) ? names[kind] : names[0];
}
