/* A trunk as configuration describes it: where its calls go, whose requests are its own, and what
 * its media are to be. */
#ifndef CS_B2BUA_TRUNK_TRUNK_H
#define CS_B2BUA_TRUNK_TRUNK_H

#include "b2bua/call/call_conf.h"
#include "b2bua/leg/profile.h"
#include "b2bua/session/session.h"
#include "certs/settings.h"
#include "conf/conf.h"
#include "hops/hop.h"
#include "siptp/siptp.h"

struct media_policy { /* of a kind of leg */
    enum srtp_policy srtp;
    enum webrtc_policy webrtc;
    struct span address; /* name of a media address; absent: the first */
    struct span *codecs; /* none: any */
    size_t n_codecs;
    bool learn, digit_drop;
};

extern const struct conf_section line_media_section; /* of struct media_policy */

struct trunk_target {
    struct span uri;
    unsigned priority, weight;
};

struct register_conf { /* that we register with it */
    struct span aor;
    struct sip_uri uri; /* the same, read */
    struct duration expires, retry;
    bool outbound;
};

enum trunk_identity { IDENTITY_NONE, IDENTITY_ASSERTED, IDENTITY_PARTY };

enum { RECORD_HEADERS_MAX = 8 };

struct trunk_conf {
    struct span name;
    struct trunk_target *targets;
    size_t n_targets;
    struct hop *hops;                /* n_targets, read */
    struct span *hosts;              /* the same, of their URIs */
    struct register_conf *registers; /* NULL: we do not */
    struct tls_peer_conf *tls;       /* NULL: nothing is said */
    unsigned peer;                   /* siptp_use_tls_for(); 0: it is not reached over TLS */
    bool only_tls;                   /* nor by anything else */
    struct span group;               /* absent: no calls come in by it */
    struct span context;             /* of the dial plan, for those */
    struct span test_number;         /* absent: a test calls nobody */
    struct span from_domain;         /* absent: our own address */
    struct span listener; /* whose address it is told; absent: the first of the transport */
    enum trunk_identity identity;
    struct duration answer, probe;
    enum trunk_profile profile;
    struct span *record_headers; /* names; what they say stands in call records */
    size_t n_record_headers;
    enum redirects redirects;                /* to its own targets */
    bool refer, notify, subscribe, replaces; /* what it may ask besides calls */
    struct media_policy media;
};

extern const struct conf_section trunk_conf_section;

/* For each of its targets, in this order, the URI of that user there, written into space; absent
 * user: of the target itself. CS_ELIMIT. */
CS_CHECK int trunk_uris(const struct trunk_conf *t, struct hop *const *hops, size_t n,
                        struct span user, struct buf *space, struct span out[HOPS_MAX]);

/* The transport of its first target, as far as that says it: else UDP. */
enum sip_transport trunk_transport(const struct trunk_conf *t);

#endif
