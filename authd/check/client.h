/* What is known of clients by their User-Agent. */
#ifndef CS_AUTHD_CHECK_CLIENT_H
#define CS_AUTHD_CHECK_CLIENT_H

#include "base/span.h"

/* Clients that look at the first challenge only, or give up at one they do not know. A pattern is a
 * glob over the whole User-Agent, in any case. */
#define CLIENTS_STUMBLING                                                                 \
    "baresip v0.*,baresip v1.*,sipp*,Grandstream HT*,Grandstream GXP1*,"                  \
    "Grandstream GXP2*,Yealink SIP-T1*,Yealink SIP-T2*,Cisco/SPA*,Linksys/*,Sipura/*,"    \
    "Cisco-CP*,PolycomSoundPoint*,Linphone/3.*,Twinkle/*,X-Lite*,Asterisk PBX 1*,FPBX-*," \
    "JsSIP*,SIP.js*"

/* Whether text is what the pattern says, in any case: * stands for any characters, ? for one. */
bool glob_matches(struct span pattern, struct span text);
/* The first pattern that matches, or absent. An absent User-Agent matches none. */
struct span client_pattern(const struct span *patterns, size_t n, struct span user_agent);

#endif
