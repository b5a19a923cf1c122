/* A trunk as configuration describes it: where its calls go, whose requests are its own, and what
 * its media are to be. */
#ifndef CS_B2BUA_TRUNK_H
#define CS_B2BUA_TRUNK_H

#include "b2bua/session.h"
#include "conf/conf.h"
#include "hops/hop.h"

struct media_policy { /* of a kind of leg */
    enum srtp_policy srtp;
    enum webrtc_policy webrtc;
    struct span address; /* name of a media address; absent: the first */
    struct span *codecs; /* none: any */
    size_t n_codecs;
    bool learn;
};

extern const struct conf_section line_media_section; /* of struct media_policy */

enum trunk_identity { IDENTITY_NONE, IDENTITY_ASSERTED, IDENTITY_PARTY };

struct trunk_conf {
    struct span name;
    struct span *targets;
    size_t n_targets;
    struct hop *hops;        /* n_targets, read */
    struct span group;       /* absent: no calls come in by it */
    struct span context;     /* of the dial plan, for those */
    struct span from_domain; /* absent: our own address */
    struct span listener;    /* whose address it is told; absent: the first of the transport */
    enum trunk_identity identity;
    struct duration answer;
    bool refer; /* its REFER moves calls */
    struct media_policy media;
};

extern const struct conf_section trunk_conf_section;

#endif
