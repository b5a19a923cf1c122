/* ICE of an agent that only answers (ICE-lite, RFC 8445, 2.5 and 7.3): who proves that he was told
 * our password is answered, and by that is known to be reachable where he asks from. Pure
 * functions. */
#ifndef CS_B2BUA_MEDIA_ICE_H
#define CS_B2BUA_MEDIA_ICE_H

#include "stun/stun.h"

enum { /* characters (RFC 8839, 5.4) */
       ICE_UFRAG = 8,
       ICE_PWD = 24,
       ICE_UFRAG_MAX = 256,
       ICE_ANSWER_MAX = 128 /* bytes */
};

struct ice_conf {
    char ufrag[ICE_UFRAG + 1]; /* ours; empty: no ICE */
    char pwd[ICE_PWD + 1];
    char peer[ICE_UFRAG_MAX + 1]; /* his ufrag */
};

enum ice_said {
    ICE_NOTHING,   /* no answer: malformed, no request, or nothing proves who sent it */
    ICE_ANSWERED,  /* an error, or a question that changes nothing */
    ICE_VALID,     /* media may go to where this came from */
    ICE_NOMINATED, /* they are to */
};
/* What came from there, and the answer to it, of at most ICE_ANSWER_MAX bytes. Who proves nothing
 * gets none: this port helps nobody to flood another with errors. */
enum ice_said ice_answer(const struct ice_conf *c, struct span in, const struct addr *from,
                         struct buf *out);

#endif
