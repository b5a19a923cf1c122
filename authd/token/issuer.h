/* A token issuer of the configuration: whose tokens are taken, where its keys are, and what its
 * tokens must say. */
#ifndef CS_AUTHD_TOKEN_ISSUER_H
#define CS_AUTHD_TOKEN_ISSUER_H

#include "conf/conf.h"

enum introspect_mode { INTROSPECT_NEVER, INTROSPECT_INSTEAD, INTROSPECT_ALSO };
enum users_mode { USERS_REQUIRED, USERS_OPTIONAL };

/* What a token may be for; methods are of one each. */
enum scope { SCOPE_REGISTER, SCOPE_CALL, SCOPE_PRESENCE, SCOPE_COUNT };

/* What an operator may; whoever may more may less. */
enum operator_right { RIGHT_NONE, RIGHT_READ, RIGHT_OPERATE, RIGHT_ADMINISTER };

struct operators_conf { /* whose tokens are an operator's: the claim has one of these values */
    struct span claim;
    struct span *read, *operate, *administer;
    size_t n_read, n_operate, n_administer;
};

struct issuer_conf {
    struct span name;   /* in logs and in groups */
    struct span issuer; /* what iss says, byte for byte */
    struct span *audiences;
    size_t n_audiences;
    unsigned algorithms; /* JWT_ALG_BITs */
    struct {
        const char **files; /* none of these: discovery */
        size_t n_files;
        struct span url;
        struct duration refresh, refetch, keep;
    } keys;
    const char *ca_file; /* NULL: the system's authorities */
    struct duration timeout;
    struct {
        enum introspect_mode mode;
        struct span url; /* absent: discovery says */
        struct span client_id;
        const char *client_secret_file;
        struct duration cache;
    } introspection;
    struct {
        struct span claim, domain;
    } identity;
    enum users_mode users;
    struct span scopes[SCOPE_COUNT]; /* empty: none is needed */
    struct span *acr, *amr;          /* one of each must be said; none: not asked for */
    size_t n_acr, n_amr;
    struct {
        struct duration min, max;
    } lifetime;
    struct duration leeway;           /* between the issuer's clock and ours */
    struct operators_conf *operators; /* NULL: its tokens are users' */
};

extern const struct conf_section issuer_section;

/* Whether anything must be fetched by discovery. */
bool issuer_discovers(const struct issuer_conf *c);
/* Whether its tokens are verified here. */
bool issuer_has_keys(const struct issuer_conf *c);

/* NULL, or why nothing may be fetched from there: https, or http on loopback; no user, no
 * fragment. A sentence for people. */
const char *issuer_url_fault(struct span url);

#endif
