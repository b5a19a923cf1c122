/* The messages of RFC 4475 and RFC 5118, sent to a server that runs, each over a connection of its
 * own: over UDP its answer would go to the address that the message names. */
#ifndef CS_TOOLS_TORTURE_H
#define CS_TOOLS_TORTURE_H

#include "selftest.h"

struct torture {
    const char *name, *rule, *what; /* as the RFC calls it, where it is, and what it is */
    enum {
        TORTURE_VALID,   /* it is understood: any final answer but 400 and 5xx; 501 is one */
        TORTURE_METHOD,  /* valid, of a method that nobody knows: 405, 501, or no answer */
        TORTURE_INVALID, /* it is refused: 4xx, 5xx or 6xx but no challenge, or without an answer */
        TORTURE_EITHER,  /* the RFC leaves it open: anything but 2xx, and 5xx but 501 */
        TORTURE_RESPONSE, /* nobody asked for it: no answer */
    } kind;
};

/* Ends with a NULL name. */
extern const struct torture torture_messages[];

/* The server of one of the phones that takes connections; NULL when there is none. */
const struct phone_conf *torture_server(const struct selftest *t);
/* Sends it, and says in t->seen what came of it. */
enum outcome torture(struct selftest *t, const struct torture *m);

#endif
