/* The keys of session tickets (RFC 5077, 4; RFC 8446, 4.6.1). Each serves for a period and is
 * accepted for one more; the next is made out of it by a function without a way back, so that who
 * learns today's key reads nothing of yesterday's. Processes that begin with one seed have the same
 * keys at the same time without a further word. */
#ifndef CS_NET_TLS_TICKETS_H
#define CS_NET_TLS_TICKETS_H

#include "base/clock.h"
#include "base/err.h"

struct tls_tickets; /* counted; all in one thread */

struct tls_ticket_seed {
    unsigned char key[32]; /* to be wiped by who has it */
    struct mono begun;     /* of its period; the clock is the machine's */
};

/* seed NULL: a random one. CS_ENOMEM. */
CS_CHECK int tls_tickets_new(const struct tls_ticket_seed *seed, struct duration period,
                             struct tls_tickets **out);
struct tls_tickets *tls_tickets_ref(struct tls_tickets *t);
void tls_tickets_unref(struct tls_tickets **t); /* wipes the keys with the last reference */
/* What another process may begin with now. */
void tls_tickets_seed(struct tls_tickets *t, struct tls_ticket_seed *out);
struct duration tls_tickets_period(const struct tls_tickets *t);

/* ---- for tls.c ---- */

enum { TLS_TICKET_NAME = 16, TLS_TICKET_KEY = 32 };

struct tls_ticket_key {
    unsigned char name[TLS_TICKET_NAME], cipher[TLS_TICKET_KEY], mac[TLS_TICKET_KEY];
};

/* The key to make tickets with, good until the next call. */
const struct tls_ticket_key *tls_tickets_current(struct tls_tickets *t);
/* The key of this name, or NULL; *old: the ticket is to be replaced. */
const struct tls_ticket_key *tls_tickets_find(struct tls_tickets *t, const unsigned char *name,
                                              bool *old);

#endif
