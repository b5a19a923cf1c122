/* What a REGISTER changes: a pure function from the record of an AOR and a request to the new
 * record (RFC 3261, 10.3). Decides only; location keeps. */
#ifndef CS_REGISTRAR_BINDING_H
#define CS_REGISTRAR_BINDING_H

#include "base/clock.h"
#include "sip/msg.h"
#include "store.pb-c.h"

/* One Contact value of a REGISTER. Spans borrow from the message. */
struct register_contact {
    struct sip_addr addr;
    bool has_expires;
    uint32_t expires; /* seconds */
    bool has_q;
    uint32_t q;           /* thousandths */
    struct span instance; /* absent if none */
    uint32_t reg_id;      /* 0: none */
    struct span *params;  /* the others, each without its ';' */
    size_t n_params;
};

struct register_ask {
    struct register_contact *contacts; /* none and not remove_all: a query */
    size_t n_contacts;
    bool remove_all; /* Contact: * */
    bool has_expires;
    uint32_t expires; /* of the header */
    struct span call_id;
    uint32_t cseq;
    struct span flow, owner, user, user_agent, source; /* absent: not stored */
    const struct span *path;
    size_t n_path;
    struct wall now;
    /* From the grant: */
    uint32_t expires_min, expires_max, expires_default; /* seconds */
    uint32_t max_contacts;                              /* none is added beyond; 0: no bound */
    Countersign__Store__Token *token; /* what it rests on, and does not outlive; NULL: none */
    struct span rests_on;             /* tags of that and of all else (location/rests.h) */
};

struct register_answer {
    unsigned status;                      /* 200, or the refusal: 400, 423, 500, 503 */
    const char *why;                      /* of a refusal */
    bool changed;                         /* the record must be committed */
    Countersign__Store__Location *record; /* never NULL with 200; no bindings: delete */
};

/* old may be NULL (nothing is registered); it is not changed. All memory is the arena's, and the
 * new record borrows from old and from the request. CS_ENOMEM. All or nothing: with another status
 * than 200 there is no record. */
CS_CHECK int binding_apply(const Countersign__Store__Location *old, const struct register_ask *ask,
                           struct arena *a, struct register_answer *out);

/* Reads the Contact values of a REGISTER: 0, CS_EPROTO with *why, or CS_ENOMEM. */
CS_CHECK int binding_read_contacts(const struct sip_msg *m, struct arena *a,
                                   struct register_ask *ask, const char **why);

/* Contact header lines of a 200: each live binding with what is left of it. gruu_aor: the AOR,
 * where the phone wants to be told the GRUU of each instance (RFC 5627, 5.1); absent else. */
void binding_write_contacts(struct buf *b, const Countersign__Store__Location *record,
                            struct wall now, struct span gruu_aor);

/* The Contact as the Request-URI of what is sent there: without the parts that have no place in one
 * (16.6 step 2; 19.1.1), and a sips Contact that was asked for by sip as sip (RFC 5630, 5.3).
 * Borrows from the binding or lives in the arena; absent: no memory, or the Contact is sip and
 * asked for by sips. */
struct span binding_request_uri(const Countersign__Store__Binding *b, enum sip_scheme asked,
                                struct arena *a);
/* Whether one of the Contacts is a sips URI, or all of them are. */
bool binding_any_sips(const struct register_ask *ask);
bool binding_all_sips(const struct register_ask *ask);

static inline bool binding_is_live(const Countersign__Store__Binding *b, struct wall now)
{
    return (int64_t)b->expires_ms > now.ms;
}

/* The Path by which a registrar hands a request to the one that has the binding's flow (RFC 3327):
 * "<sip:" flow "@" owner ";lr>"; behind the flow the tag of its instance, if that is not absent. */
enum { BINDING_PATH_MAX = 528 };
void binding_write_path(struct buf *b, const Countersign__Store__Binding *binding, struct span tag);

#endif
