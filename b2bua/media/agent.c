#include "b2bua/media/agent.h"

#include <stdlib.h>

#include "base/ct.h"
#include "base/util.h"

struct agent {
    struct ice_conf ice;
    struct dtls *dtls; /* NULL: none */
    enum dtls_state state;
    struct addr peer; /* no family: not known yet */
    struct worker *worker;
    struct worker_timer again; /* DTLS's */
    const struct agent_events *events;
    void *arg;
};

int agent_new(struct dtls_identity *i, const struct ice_conf *ice, const struct dtls_conf *dtls,
              struct agent **out)
{
    struct agent *a = *out = calloc(1, sizeof(*a));
    if (!a)
        return CS_ENOMEM;
    a->ice = *ice;
    list_init(&a->again.link);
    int err = dtls->n ? dtls_new(i, dtls, &a->dtls) : 0;
    if (err)
        agent_free(out);
    return err;
}

void agent_free(struct agent **ap)
{
    struct agent *a = *ap;
    *ap = NULL;
    if (!a)
        return;
    worker_timer_stop(&a->again);
    dtls_free(&a->dtls);
    ct_wipe(a, sizeof(*a));
    free(a);
}

bool agent_has_ice(const struct agent *a)
{
    return a->ice.ufrag[0];
}

static void on_datagram(void *arg, const char *datagram, size_t n)
{
    struct agent *a = arg;
    a->events->send(a->arg, &a->peer, datagram, n);
}

/* ---- DTLS ---- */

static void take_keys(struct agent *a)
{
    struct crypt_key in = { 0 }, out = { 0 };
    if (dtls_keys(a->dtls, &in, &out) == 0)
        a->events->keyed(a->arg, &in, &out);
    else
        a->events->failed(a->arg);
    ct_wipe(&in, sizeof(in));
    ct_wipe(&out, sizeof(out));
}

static void advance(struct agent *a, enum dtls_state now)
{
    struct duration in;
    const enum dtls_state before = a->state;
    worker_timer_stop(&a->again);
    a->state = now;
    if (dtls_waits(a->dtls, &in))
        worker_timer_start(a->worker, &a->again, mono_add(clock_mono(), in));
    if (before == now)
        return;
    if (now == DTLS_DONE)
        take_keys(a);
    else if (now == DTLS_FAILED)
        a->events->failed(a->arg);
}

static void on_again(struct worker_timer *t)
{
    struct agent *a = container_of(t, struct agent, again);
    advance(a, dtls_timeout(a->dtls));
}

/* ---- ICE ---- */

static void go_to(struct agent *a, const struct addr *to)
{
    const bool first = a->peer.sa.sa_family == AF_UNSPEC;
    if (addr_eq(&a->peer, to))
        return;
    a->peer = *to;
    a->events->moved(a->arg, to);
    if (first && a->dtls)
        advance(a, dtls_start(a->dtls));
}

static enum agent_took check(struct agent *a, struct span in, const struct addr *source)
{
    char text[ICE_ANSWER_MAX];
    struct buf answer = BUF_INIT(text);
    const enum ice_said said = ice_answer(&a->ice, in, source, &answer);
    if (said == ICE_NOTHING || !buf_ok(&answer))
        return AGENT_STRANGE;
    a->events->send(a->arg, source, answer.p, answer.n);
    if (said == ICE_NOMINATED || (said == ICE_VALID && a->peer.sa.sa_family == AF_UNSPEC))
        go_to(a, source);
    return AGENT_TAKEN;
}

void agent_begin(struct agent *a, struct worker *w, const struct addr *at,
                 const struct agent_events *events, void *arg)
{
    a->worker = w;
    a->events = events;
    a->arg = arg;
    a->again.run = on_again;
    a->peer = *at;
    if (!a->dtls)
        return;
    a->state = DTLS_WAITING;
    dtls_set_sender(a->dtls, on_datagram, a);
    if (a->peer.sa.sa_family != AF_UNSPEC)
        advance(a, dtls_start(a->dtls));
}

void agent_retell(struct agent *a, const struct ice_conf *ice, const struct addr *at)
{
    a->ice = *ice;
    if (!agent_has_ice(a))
        a->peer = *at;
}

/* RFC 7983, 7. DTLS is heard from where the peer proved to be alone, so that strangers have no
 * handshakes begun. */
enum agent_took agent_receive(struct agent *a, const char *datagram, size_t n,
                              const struct addr *source)
{
    const unsigned first = n ? (unsigned char)datagram[0] : 255;
    if (first <= 3)
        return check(a, span_of(datagram, n), source);
    if (!(first >= 20 && first <= 63) && !(first >= 128 && first <= 191))
        return AGENT_JUNK;
    if (!addr_eq(source, &a->peer))
        return AGENT_STRANGE;
    if (first >= 128)
        return !a->dtls || a->state == DTLS_DONE ? AGENT_MEDIA : AGENT_STRANGE;
    if (!a->dtls)
        return AGENT_STRANGE;
    advance(a, dtls_receive(a->dtls, datagram, n));
    return AGENT_TAKEN;
}
