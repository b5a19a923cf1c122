/* The other end of a stream that proves itself: by ICE where it is, by DTLS who it is. Stands
 * before a side of a relay, in its thread, and tells it where to send and by which keys. */
#ifndef CS_B2BUA_MEDIA_AGENT_H
#define CS_B2BUA_MEDIA_AGENT_H

#include "b2bua/media/dtls.h"
#include "b2bua/media/ice.h"
#include "b2bua/media/worker.h"

struct agent_events { /* in the thread */
    void (*send)(void *arg, const struct addr *to, const char *datagram, size_t n);
    void (*moved)(void *arg, const struct addr *to);
    /* By these packets are opened and sealed from now on; they are wiped behind it. */
    void (*keyed)(void *arg, const struct crypt_key *in, const struct crypt_key *out);
    void (*failed)(void *arg);
};

struct agent;
/* ICE's ufrag or DTLS's fingerprint may be empty. CS_ENOMEM. */
CS_CHECK int agent_new(struct dtls_identity *i, const struct ice_conf *ice,
                       const struct dtls_conf *dtls, struct agent **out);
void agent_free(struct agent **a);

/* ---- in the thread ---- */
/* Without ICE at is where it is, as was signalled; with it, where it proved to be before. */
void agent_begin(struct agent *a, struct worker *w, const struct addr *at,
                 const struct agent_events *events, void *arg);
/* The same peer tells other words, or another address where there is no ICE. */
void agent_retell(struct agent *a, const struct ice_conf *ice, const struct addr *at);
bool agent_has_ice(const struct agent *a);

enum agent_took {
    AGENT_MEDIA,   /* the datagram is RTP or RTCP, from where they may come */
    AGENT_TAKEN,   /* it was the agent's own */
    AGENT_STRANGE, /* it comes from elsewhere, or proves nothing */
    AGENT_JUNK     /* of no kind that there is (RFC 7983) */
};
enum agent_took agent_receive(struct agent *a, const char *datagram, size_t n,
                              const struct addr *source);

#endif
