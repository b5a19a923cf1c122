/* What calls may do, by configuration. */
#ifndef CS_B2BUA_CALL_CALL_CONF_H
#define CS_B2BUA_CALL_CALL_CONF_H

#include "conf/conf.h"

enum redirects { REDIRECTS_REFUSED, REDIRECTS_FOLLOWED };

struct pickup_group {
    struct span name;
    struct span *lines; /* users */
    size_t n_lines;
};

struct call_conf {
    enum redirects redirects; /* of lines */
    unsigned diversions;      /* at most, of one call */
    bool end_on_revocation;
    bool auto_answer;
    struct {
        struct span *slots;
        size_t n_slots;
        struct duration reminder;
    } park;
    struct pickup_group *pickup_groups;
    size_t n_pickup_groups;
};

extern const struct conf_section call_conf_section;

#endif
