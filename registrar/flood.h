/* What the registrar does not take up, so that a flood costs no more than reading it: budgets of
 * sources, of peer groups and of all; methods nobody uses; and, when requests wait too long before
 * they are read, those of strangers first. Memory is fixed: of sources the one heard of longest ago
 * makes room. */
#ifndef CS_REGISTRAR_FLOOD_H
#define CS_REGISTRAR_FLOOD_H

#include "registrar/config.h"

struct flood;

/* conf is borrowed. */
CS_CHECK int flood_new(struct loop *l, const struct registrar_conf *conf, struct flood **out);
void flood_free(struct flood **f);

/* Before a message is read: how long its source has to wait to be heard; 0: it need not. */
struct duration flood_wait(struct flood *f, const struct addr *from);

enum flood_answer {
    FLOOD_PASS,
    FLOOD_SILENCE,
    FLOOD_BUSY,           /* 503 */
    FLOOD_METHOD_REFUSED, /* 405 with flood_allow() */
    FLOOD_URI_TOO_LONG,   /* 414 */
};
/* Of a new request that waited so long: what becomes of it without a transaction. */
enum flood_answer flood_judge(struct flood *f, const struct addr *from, const struct sip_msg *m,
                              struct duration waited);
/* Somebody of this peer group was accepted there; group may be absent. He is no stranger for an
 * hour. */
void flood_know(struct flood *f, const struct addr *from, struct span group);
/* "Allow: ..." with CRLF: the methods of the configuration. */
struct span flood_allow(const struct flood *f);

#endif
