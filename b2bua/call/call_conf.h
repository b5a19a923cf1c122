/* What calls may do, by configuration. */
#ifndef CS_B2BUA_CALL_CALL_CONF_H
#define CS_B2BUA_CALL_CALL_CONF_H

#include "conf/conf.h"

enum redirects { REDIRECTS_REFUSED, REDIRECTS_FOLLOWED };

struct call_conf {
    enum redirects redirects; /* of lines */
    unsigned diversions;      /* at most, of one call */
    bool end_on_revocation;
};

extern const struct conf_section call_conf_section;

#endif
