/* A trunk as far as it concerns authd (message Trunk of proto/store.proto): which of its hosts'
 * URIs may be signed for, by which credentials, and how its server wants to be answered. Passwords
 * are sealed, because the client's half of digest needs them whatever algorithm is asked for. */
#ifndef CS_AUTHD_STORE_TRUNK_H
#define CS_AUTHD_STORE_TRUNK_H

#include "authd/vault/vault.h"
#include "base/arena.h"
#include "base/clock.h"
#include "sip/digest_answer.h"
#include "sip/uri.h"

enum {
    TRUNK_MAX_RECORD = 256 * 1024,
    TRUNK_MAX_NAME = 64,
    TRUNK_MAX_TEXT = 256, /* a target, realm, username or route */
    TRUNK_MAX_TARGETS = 64,
    TRUNK_MAX_CREDENTIALS = 64,
    TRUNK_MAX_PASSWORD = 1024,
    TRUNK_MAX_CERTIFICATES = 32, /* and domains */
};

/* Where records are kept, see authd/store/records.h. */
#define TRUNK_PREFIX "cs:trunk:"
#define TRUNK_INDEX  "cs:trunks"

enum trunk_uri { TRUNK_URI_AS_SENT, TRUNK_URI_WITHOUT_TRANSPORT, TRUNK_URI_WITHOUT_PARAMETERS };

/* Of a realm, username and route there is at most one. */
struct trunk_credential {
    struct span realm, user;
    struct span route; /* absent: for all of the trunk's */
    struct span sealed;
};

struct trunk { /* spans borrow: from the record's arena, or from who fills it */
    struct span name;
    const struct span *targets; /* as trunk_target() writes them */
    size_t n_targets;
    struct trunk_credential *credentials;
    size_t n_credentials;
    enum digest_echo echo;
    bool lower;
    enum trunk_uri uri;
    enum digest_alg prefer[DIGEST_UNKNOWN];
    size_t n_prefer;
    const struct span
        *certificates; /* that are its own: domains, or pins, as trunk_certificate() */
    size_t n_certificates;
    const struct span *domains; /* whose users may authenticate behind it; none: anybody's */
    size_t n_domains;
    struct wall created, changed;
    struct span record; /* the bytes it was decoded from; absent for a new one */
};

/* Everything is copied into the arena. CS_EPROTO for what is no trunk of a schema we know. */
CS_CHECK int trunk_decode(struct span record, struct arena *a, struct trunk *out);
/* CS_ELIMIT when a bound above or the buffer is too small for it. */
CS_CHECK int trunk_encode(const struct trunk *t, struct buf *out);

/* NULL, or why this cannot be a trunk's name: a sentence for people. */
const char *trunk_name_fault(struct span name);
/* NULL, or why this cannot be a realm, a username or a route. */
const char *trunk_text_fault(struct span text);
/* The target in the form it is kept in, in the arena: a host name, *.domain, an address or a
 * network of 8 bits or more (IPv6: 16). CS_EPROTO if it is none of these. */
CS_CHECK int trunk_target(struct span text, struct arena *a, struct span *out);
/* The same of what names it in a client certificate: a pin (authd/store/device.h), or a domain,
 * also as sip:example.com. And of a domain alone, which may be an address. */
CS_CHECK int trunk_certificate(struct span text, struct arena *a, struct span *out);
CS_CHECK int trunk_domain(struct span text, struct arena *a, struct span *out);
/* Whether a user with these canonical AORs may authenticate behind it. */
bool trunk_serves(const struct trunk *t, const struct span *aors, size_t n);
/* Whether a request to this URI may be signed for: sip or sips, to a target by its host and, where
 * it has one, by its maddr. */
bool trunk_is_target(const struct trunk *t, const struct sip_uri *uri);

/* Seals the password of a credential, whose texts stand, to this trunk. */
CS_CHECK int trunk_seal(const struct trunk *t, struct trunk_credential *c, struct vault *v,
                        struct span password, struct arena *a);
/* The password, *n bytes, to be wiped by the caller. CS_EDENIED: sealed for another one or under a
 * key we lack. */
CS_CHECK int trunk_open(const struct trunk *t, const struct trunk_credential *c, struct vault *v,
                        char out[TRUNK_MAX_PASSWORD], size_t *n);
/* Seals anew what is not sealed by the key that seals now, and says whether anything was.
 * CS_EDENIED as above; nothing is changed then. */
CS_CHECK int trunk_reseal(struct trunk *t, struct vault *v, struct arena *a, bool *changed);

#endif
