/* What follows from what was counted: pure functions over the section defence of the configuration.
 *
 * It must stop guessing without becoming a weapon. So a user is cooled off for one network only,
 * and never for one from which he succeeded lately; a source that holds live bindings has
 * live_factor times the room, and before that the one port behind which something is wrong is
 * banned; and nothing at all follows for trusted networks and our own gateways. */
#ifndef CS_AUTHD_DEFENCE_RULING_H
#define CS_AUTHD_DEFENCE_RULING_H

#include "auth.pb-c.h"
#include "conf/conf.h"

/* In the order of auth.proto's Abuse, from ABUSE_CONNECTION. */
enum abuse { ABUSE_CONNECTION, ABUSE_MALFORMED, ABUSE_AUTHENTICATION, ABUSE_DIALOG, ABUSE_FLOW };
enum { ABUSES = ABUSE_FLOW + 1 };
/* "connection", "malformed", "authentication", "dialog", "flow" */
struct span abuse_name(enum abuse a);
/* CS_EPROTO for what is none. */
CS_CHECK int abuse_of(Countersign__Auth__Abuse a, enum abuse *out);

struct defence_rule { /* a threshold of 0: none */
    struct duration window, ban;
    unsigned address, port, installation, users;
};

struct defence_conf {
    struct cidr *exempt; /* as configured, then the sources of our own gateways' groups */
    size_t n_exempt;
    struct defence_rule rules[ABUSES];
    struct duration cool_off, cool_off_repeated, repeated_within, remember;
    unsigned live_factor;
    struct {
        unsigned rate, burst;
    } strangers;
    size_t sources, bans, greylist;
};

/* What a peer group has instead. Of the classes these two are told by requests that belong to one;
 * the others are seen before anybody knows of which group it is. */
struct group_defence {
    struct defence_rule *authentication, *dialog; /* NULL: the installation's */
};

extern const struct conf_section defence_section, group_defence_section;
/* g NULL: nothing of a group. */
const struct defence_rule *ruling_rule(const struct defence_conf *c, const struct group_defence *g,
                                       enum abuse a);

/* Nothing is counted of this source, and it is never banned. */
bool ruling_spares(const struct defence_conf *c, const struct addr *source);
/* Whether a network holds, or lies in, one that is spared. */
bool ruling_spares_some(const struct defence_conf *c, const struct cidr *net);

struct tally {             /* within the rule's window, with what was counted last */
    unsigned pair;         /* failures of this user at this source */
    unsigned address;      /* of all at this source */
    unsigned port;         /* of its port */
    unsigned users;        /* different ones that failed there */
    unsigned installation; /* everywhere */
    unsigned strikes;      /* cool-offs of this pair before */
    unsigned added;        /* how many were counted last */
    bool known;            /* this user succeeded there within `remember` */
    bool live;             /* the source holds live bindings */
};

struct ruling {
    bool cool_off, ban_address, ban_port, alarm;
    bool by_users; /* ban_address, for the number of users */
    struct duration cool_off_for;
};

/* g: of the group, or NULL. attempts: the group's; 0 for no cool-off. */
struct ruling ruling_of(const struct defence_conf *c, const struct group_defence *g, enum abuse a,
                        unsigned attempts, const struct tally *t);

#endif
