/* SDES keys of one stream towards one side (RFC 4568): what we offered, and what was agreed on. */
#ifndef CS_B2BUA_SESSION_KEYS_H
#define CS_B2BUA_SESSION_KEYS_H

#include "b2bua/media/crypt.h"
#include "sdp/sdp.h"

enum { KEYS_OFFERED = 5 };

struct keys {
    struct crypt_key *offered; /* ours, KEYS_OFFERED by tag - 1, made at the first offer; NULL: none
                                  are waited for */
    bool made;                 /* some were offered */
    struct crypt_key in, out;  /* agreed on; suite NONE: in the clear */
    unsigned tag;              /* of the crypto line agreed on */
};

/* Wipes. */
void keys_fini(struct keys *k);
/* Our crypto lines for an offer, strongest first; what was agreed on before alone, so that a
 * repeated offer changes nothing. */
CS_CHECK int keys_offer(struct keys *k, struct arena *a, struct sdp_attrs *out);
/* Takes an answer to them. CS_ENOENT: it has no crypto line. CS_EPROTO: one that is no answer. */
CS_CHECK int keys_answered(struct keys *k, const struct sdp_media *m);
/* Takes the first line of an offer whose suite we know, and writes the answer to it. CS_ENOENT:
 * there is none. */
CS_CHECK int keys_accept(struct keys *k, const struct sdp_media *m, struct arena *a,
                         struct sdp_attrs *out);
/* These, which no description says. */
void keys_bring(struct keys *k, const struct crypt_key *in, const struct crypt_key *out);
/* As SDP writes it; absent of NONE. */
struct span keys_suite_name(enum crypt_suite s);
/* No other answer to our lines will come: of what was offered, what was agreed on is left. */
void keys_settled(struct keys *k);
/* In the clear from now on. */
void keys_clear(struct keys *k);

#endif
