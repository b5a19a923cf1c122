/* The user agent: its transports, its ways to registrars, trunks and authd, and who gets which
 * request. */
#ifndef CS_B2BUA_UA_UA_H
#define CS_B2BUA_UA_UA_H

#include "b2bua/call/early_media.h"
#include "b2bua/config.h"
#include "b2bua/desk/desks.h"
#include "b2bua/leg/leg_sip.h"
#include "capture/capture.h"
#include "certs/certs.h"
#include "net/line_file.h"

struct ua {
    struct loop *loop;
    const struct b2bua_conf *conf;
    char node[65];
    struct gate *gate;
    struct capture *capture;
    struct siptp *tp;
    struct siptx *tx;
    struct dns *dns;
    struct locator *locator;
    struct hop registrars[REGISTRARS_MAX];
    struct siptp_listener *listeners[LISTENERS_MAX];
    struct certs *certs;
    struct trunks *trunks;
    struct ports *ports;
    struct media *media;
    struct desks desks;
    struct leg_sip_means legs_means;
    struct map legs;   /* of SIP, by local tag */
    struct list all;   /* of them */
    struct list calls; /* struct call */
    size_t n_calls;
    struct map occupancy; /* of lines, by AOR */
    struct list parked;   /* struct parked: calls that wait in slots */
    struct list tests;    /* struct trunk_test */
    struct list asking;   /* struct asked: requests that authd judges */
    struct list news;     /* struct news: on their way to lines */
    struct journal *journal;
    struct line_file records;
    bool draining;
    struct early_media early_media;
    struct timer leases; /* of calls, that authd is told of again */
    struct duration lease;
};

/* Opens what needs privileges; on failure what is wrong was logged, and ua_close() is still due. */
CS_CHECK int ua_open(struct ua *u);
/* Where call records are written; again when the file was moved. On failure nothing changes. */
CS_CHECK int ua_open_records(struct ua *u);
/* Ends what the process before this one left, once it can be asked for. */
CS_CHECK int ua_open_journal(struct ua *u);
/* The trusted link, as the user that will stay. */
CS_CHECK int ua_open_link(struct ua *u);
void ua_close(struct ua *u);

/* The registrars in the order in which what has this Call-ID asks them: those that are away come
 * last. Returns how many there are in it. */
size_t ua_registrars(struct ua *u, struct span call_id, struct hop *out[HOPS_MAX]);
/* The b2bua whose dialog this is, by its tags, if we know how to reach it; 0: none. */
uint32_t ua_peer(const struct ua *u, const struct replaces *r);
/* The AOR of a line, in the arena; absent: it can have none, or there is no memory. */
struct span ua_line(const struct ua *u, struct span name, struct arena *a);
/* Our Contact URI towards a trunk: user@address of its listener. */
void ua_contact(struct buf *b, const struct ua *u, const struct trunk_conf *t, struct span user);
/* How media are to be for a policy; dtls: DTLS-SRTP is offered, if the policy knows of it. */
void ua_media_side(const struct ua *u, const struct media_policy *p, bool dtls,
                   struct session_side *out);

#endif
