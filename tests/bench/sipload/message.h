/* REGISTER and MESSAGE as this generator writes them and the answers as it reads them. It shares no
 * code with the server under test, so that one mistake cannot hide the other. */
#ifndef SIPLOAD_MESSAGE_H
#define SIPLOAD_MESSAGE_H

#include "base/buf.h"
#include "phone.h"

/* What is the same in all requests of a run. */
struct site {
    struct span domain, realm;
    struct hash *hash;
    uint32_t expires;
    struct span transport; /* as in Via; UDP when nobody sets it */
    bool repeat_nc;        /* misbehave: always nc=00000001 */
    uint64_t run;          /* random: Call-IDs of two runs never meet */
    char ha2[HASH_HEX];    /* of REGISTER */
};

/* One request under way. slot and serial come back in the branch of its answer. */
struct request {
    uint32_t slot, serial;
    uint32_t phone;             /* index, part of the Call-ID */
    uint16_t port;              /* that it is sent from */
    const struct phone *callee; /* gets a MESSAGE; NULL: the request is a REGISTER */
};

struct challenge {
    struct span realm, nonce, opaque;
    bool stale;
};

enum { ANSWER_CONTACTS = 8 };

struct answer { /* spans borrow from the datagram */
    unsigned status;
    uint32_t slot, serial;
    uint64_t run; /* that the request was of */
    struct span method, call_id, from_tag, to_tag;
    uint32_t cseq;
    struct challenge challenge;           /* the first that we can answer; realm.p == NULL: none */
    struct span contact[ANSWER_CONTACTS]; /* values of the Contact header fields */
    unsigned contacts;
};

void site_init(struct site *s, struct span domain, struct span realm, struct hash *h,
               uint32_t expires);
/* With credentials if the phone has a nonce; then counts its nc up (unless repeat_nc). Counts its
 * CSeq up. */
void message_write(struct buf *b, const struct site *s, const struct request *r, struct phone *ph);
/* Slot and serial of a request, as its branch and its body have them. */
CS_CHECK int message_read_mark(struct span text, uint32_t *slot, uint32_t *serial);
/* The URI that a phone registers. */
void message_contact(struct buf *b, const struct phone *ph);
/* CS_EPROTO when it is not what a correct server answers. */
CS_CHECK int message_read(struct span text, const struct site *s, struct answer *out);
/* Does the answer belong to the phone's last request? */
bool message_matches(const struct answer *a, const struct site *s, const struct request *r,
                     const struct phone *ph);
/* Seconds that the phone's binding has left, as the answer lists it; -1 when it does not. */
int64_t message_expires(const struct answer *a, const struct phone *ph);

#endif
