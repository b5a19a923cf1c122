/* authd's configuration. */
#ifndef CS_AUTHD_CONFIG_H
#define CS_AUTHD_CONFIG_H

#include <sys/types.h>

#include "authd/backend/backend_conf.h"
#include "authd/calls/calls_conf.h"
#include "authd/check/algorithm.h"
#include "authd/check/auth_id.h"
#include "authd/check/authorities.h"
#include "authd/check/ticket.h"
#include "authd/defence/place.h"
#include "authd/defence/ruling.h"
#include "authd/token/issuer.h"
#include "conf/sections.h"
#include "redis/settings.h"

/* Bits of group_match.transports. */
#define SCCP_TRANSPORTS                                 \
    ((1u << (COUNTERSIGN__AUTH__TRANSPORT__SCCP - 1)) | \
     (1u << (COUNTERSIGN__AUTH__TRANSPORT__SCCPS - 1)))

/* Facts a request must have to belong to the group; what is empty asks for nothing. */
struct group_match {
    struct span *listeners;
    size_t n_listeners;
    unsigned transports; /* bit i: transport i + 1 of auth.proto */
    union {
        struct { /* as in place_conf */
            struct cidr *sources;
            size_t n_sources;
            struct span *sets;
            size_t n_sets;
            uint64_t set_mask;
        };
        struct place_conf place;
    };
    struct span *domains;
    size_t n_domains;
};

enum proof {
    PROOF_ADDRESS = 1 << 0,
    PROOF_DIGEST = 1 << 1,
    PROOF_TOKEN = 1 << 2,
    PROOF_CERTIFICATE = 1 << 3,
    PROOF_DEVICE = 1 << 4 /* a desk phone's name, from the address set of its record */
};

struct group_require { /* exactly one of them is not 0 */
    unsigned all_of, any_of;
};

enum qop { QOP_AUTH, QOP_AUTH_INT, QOP_NONE };
enum nc_mode { NC_SHARED, NC_LOCAL, NC_OFF };
enum uri_mode { URI_LENIENT, URI_STRICT };
enum mismatch_mode { MISMATCH_CHALLENGE, MISMATCH_REJECT };
enum status_mode { STATUS_BY_METHOD, STATUS_401, STATUS_407 };
enum unlisted_mode { UNLISTED_CHALLENGE, UNLISTED_PASS };
enum drift_mode { DRIFT_BY_PROOF, DRIFT_ALARM, DRIFT_OFF };

struct digest_conf {
    struct span realm;
    const struct former_conf *former; /* of the realm; NULL: none */
    enum algorithm *algorithms;       /* in the order they are offered */
    size_t n_algorithms;
    unsigned algorithm_mask;
    bool sess;
    unsigned qop; /* 1 << enum qop */
    struct duration nonce_lifetime;
    enum nc_mode nc;
    enum uri_mode uri;
    enum mismatch_mode mismatch;
    enum status_mode status;
    unsigned attempts; /* 0: no limit */
    struct duration attempt_window;
    struct span *single_challenge; /* User-Agent patterns */
    size_t n_single_challenge;
    bool single_without_user_agent;
};

struct former_conf { /* what a realm was called before */
    struct span name;
    struct span date; /* as written */
    struct wall until;
};

struct token_conf {
    struct span *names; /* of issuers, as written; none: every issuer */
    size_t n_names;
    const struct issuer_conf **issuers; /* whom they name */
    size_t n_issuers;
    struct span realm;                /* of the challenge, and of the users tokens speak of */
    const struct former_conf *former; /* of that; NULL: none */
    struct span authz_server;         /* of the challenge: where tokens are to be had */
};

enum group_class { CLASS_NONE, CLASS_BROWSER, CLASS_DESK_PHONE, CLASS_TRUNK };
/* A user is From its own addresses. A server is a peer that speaks for many: it is From any that is
 * not somebody else's here, and known by whose credentials it shows. */
enum group_type { TYPE_USER, TYPE_SERVER };
/* Who answers whose challenges: this order is that of AuthMode in auth.proto. */
enum auth_mode { MODE_WE_CHALLENGE, MODE_ANSWER_FOR_ENDPOINT, MODE_PASS_THROUGH };

struct method_rule {
    struct span name;
    bool initial_only; /* not inside a dialog */
};

struct group_conf {
    struct span name;
    enum group_class class;
    enum group_type type;
    enum auth_mode mode;
    unsigned auth_id_forms;             /* FORMs */
    bool srtp;                          /* media must be encrypted */
    bool direct;                        /* calls go to the other phone, not to a b2bua */
    struct span backend_name;           /* as written */
    const struct backend_conf *backend; /* who judges digest; NULL: we do */
    struct group_match match;
    struct group_require require;
    struct place_conf *address; /* what proves an address; NULL: match does */
    struct span address_only_waiver;
    struct countries_conf *countries; /* NULL: all */
    struct group_defence defence;
    enum drift_mode drift;
    struct digest_conf digest;
    struct token_conf token;
    struct certificate_conf certificate;
    struct span *methods; /* as written; none: every method */
    size_t n_methods;
    struct method_rule *rules; /* what they mean */
    size_t n_rules;
    enum unlisted_mode unlisted;
    struct {
        struct duration min, max, standard;
    } expires;
    unsigned max_contacts;
    bool path, contact_routing, trusted, tickets;
};

/* What tokens are exchanged for, besides a registration. */
struct turn_conf {
    struct token_conf token;
    const char *secret_file; /* shared with the TURN server */
    struct span *uris;
    size_t n_uris;
    struct span *origins; /* of pages that may ask for themselves */
    size_t n_origins;
    struct {
        struct duration min, max;
    } ttl;
};

struct exchange_conf {
    struct token_conf token;
};

extern const struct conf_section token_section, turn_section, exchange_section;

struct realm_conf {
    struct span name;
    struct former_conf *formerly; /* NULL: nothing else */
    unsigned verifiers;           /* ALG_BITs made from a password */
    unsigned forms;               /* FORMs that any group of this realm takes */
};

enum profile { PROFILE_TRIAL, PROFILE_PRODUCTION };

struct http_tls_conf {
    const char *certificate_file, *key_file;
    const char *client_ca_file; /* NULL: clients need no certificate */
};

struct sign_in_conf { /* of operators, at the console */
    struct span name; /* of its issuer, as written */
    const struct issuer_conf *issuer;
    struct span client_id, scope, resource; /* resource may be absent */
    struct span *connect;
    size_t n_connect;
};

struct authd_conf {
    struct {
        const char *socket;
        struct span mode;
        struct span *users; /* names or numbers */
        size_t n_users;
        unsigned bits; /* of mode */
        uid_t *uids;   /* of users */
        size_t n_uids;
        struct span *signers; /* of users those that may ask for signatures */
        size_t n_signers;
        uid_t *signer_uids;
        size_t n_signer_uids;
    } listen;
    struct span user;
    struct redis_settings redis;
    struct duration redis_grace;                                 /* 0: none */
    const char *nonce_key_file, *seal_key_file, *trunk_key_file; /* NULL: none of their own */
    struct {
        struct addr listen;
        struct http_tls_conf *tls; /* NULL: plain */
        const char *admin_token_file, *tokens_file;
        bool console, require_if_match;
        struct sign_in_conf *sign_in; /* NULL: nowhere */
        struct token_conf operators;  /* whose tokens say who is one */
    } http;
    struct {
        const char *file;     /* NULL: stderr */
        struct duration keep; /* files of days that ended; 0: all */
    } audit;
    struct log_conf log;
    struct {
        size_t checks, signatures, penalties, local_nonces, explained, cached_users, cached_tokens,
            revocations, devices, trunks, certificates;
    } limits;
    struct defence_conf defence;
    enum profile profile;
    struct {
        struct span realm; /* of groups of users that name none; absent: they must */
    } lines;
    struct {
        struct span id; /* the same, of groups of servers */
    } cluster;
    struct geo_conf geo;
    struct drift_conf drift;
    struct set_names sets; /* that peer groups name */
    uint64_t gateway_sets; /* of them, those of our own gateways and of who is known by address */
    struct tickets_conf tickets;
    struct realm_conf *realms;
    size_t n_realms;
    struct authority_conf *authorities;
    size_t n_authorities;
    struct issuer_conf *token_issuers;
    size_t n_token_issuers;
    struct turn_conf *turn;         /* NULL: none is given */
    struct exchange_conf *exchange; /* NULL: none is */
    struct backend_conf *backends;
    size_t n_backends;
    struct group_conf *peer_groups;
    size_t n_peer_groups;
    struct calls_conf calls;
    bool insecure_provisioning;
};

extern const struct conf_section authd_conf_section, http_section, realm_conf_section;

/* Completes conf->http by the issuers whose tokens speak of operators. */
void config_find_operators(struct conf_check *c, struct authd_conf *conf);

/* An edge proxy's, a trusted peer's, or one whose match knows it by its address: nothing that comes
 * from there is held against it. */
bool group_is_ours(const struct group_conf *g);
/* The realm's former name while it is good; absent: there is none. */
struct span config_former(const struct former_conf *f, struct wall now);
/* What a realm was called before, or is called now; absent: it never had another name. */
struct span config_other_name(const struct authd_conf *conf, struct span realm);
/* Somebody may pass the group on nothing but the address that the request seems to come from. */
bool group_rests_on_address(const struct group_conf *g);
/* The realm's place in conf->realms, or -1. */
ptrdiff_t config_realm(const struct authd_conf *conf, struct span realm);
/* NULL, or why this realm had better have another name: a sentence without its subject. In a
 * production profile such a one is refused. */
const char *config_realm_fault(struct span realm);
/* Completes conf->defence by the addresses of our own gateways; what is made is the arena's. */
void config_spare_gateways(struct authd_conf *conf, struct arena *arena);
/* Says on the log what is legal but unwise. */
void config_warn(const struct authd_conf *conf);

#endif
