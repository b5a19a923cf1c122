#include "registrar/abuse.h"

#include "registrar/flood.h"
#include "registrar/kernel_bans.h"

#define ABUSE(name) COUNTERSIGN__AUTH__ABUSE__ABUSE_##name

/* What a refusal says of who caused it; of memory nothing. */
static Countersign__Auth__Abuse abuse_of(enum sip_refused why)
{
    static const Countersign__Auth__Abuse kinds[] = {
        [REFUSED_MALFORMED] = ABUSE(MALFORMED),        [REFUSED_TOO_LARGE] = ABUSE(MALFORMED),
        [REFUSED_TOO_MANY_HEADERS] = ABUSE(MALFORMED), [REFUSED_LINE_TOO_LONG] = ABUSE(MALFORMED),
        [REFUSED_NO_LENGTH] = ABUSE(MALFORMED),        [REFUSED_TIMEOUT] = ABUSE(CONNECTION),
        [REFUSED_CONNECTIONS] = ABUSE(CONNECTION),     [REFUSED_MEMORY] = ABUSE(UNKNOWN),
        [REFUSED_HANDSHAKE] = ABUSE(CONNECTION),       [REFUSED_UPGRADE] = ABUSE(MALFORMED),
    };
    return kinds[why];
}

/* Before the gate is there, and behind its end, nobody is banned. */
static bool admits(void *arg, const struct addr *from)
{
    const struct front *f = arg;
    return !f->gate || gate_admits(f->gate, from);
}

static void refused(void *arg, const struct addr *from, enum sip_transport transport,
                    enum sip_refused why)
{
    struct front *f = arg;
    Countersign__Auth__Abuse abuse = abuse_of(why);
    if (f->gate && abuse != ABUSE(UNKNOWN))
        gate_saw(f->gate, abuse, from, transport != SIP_UDP);
}

static struct duration wait_(void *arg, const struct addr *from)
{
    const struct front *f = arg;
    return flood_wait(f->flood, from);
}

const struct siptp_guard abuse_guard = { .admits = admits, .wait = wait_, .refused = refused };

void abuse_banned(void *arg, const struct gate_ban *ban)
{
    const struct front *f = arg;
    if (f->kernel_bans)
        kernel_bans_take(f->kernel_bans, ban);
    if (ban && ban->rest.ms)
        siptp_close_from(f->tp, &ban->net, ban->port);
}

void abuse_stray(struct front *f, const struct flow *flow)
{
    if (f->gate && flow->transport != SIP_LINK)
        gate_saw(f->gate, ABUSE(FLOW), &flow->remote, flow_is_reliable(flow));
}
