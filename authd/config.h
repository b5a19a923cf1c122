/* authd's configuration. */
#ifndef CS_AUTHD_CONFIG_H
#define CS_AUTHD_CONFIG_H

#include <sys/types.h>

#include "authd/algorithm.h"
#include "authd/ruling.h"
#include "authd/token/issuer.h"
#include "conf/sections.h"
#include "redis/settings.h"

/* Facts a request must have to belong to the group; what is empty asks for nothing. */
struct group_match {
    struct span *listeners;
    size_t n_listeners;
    unsigned transports; /* bit i: transport i + 1 of auth.proto */
    struct cidr *sources;
    size_t n_sources;
    struct span *domains;
    size_t n_domains;
};

enum proof { PROOF_ADDRESS = 1 << 0, PROOF_DIGEST = 1 << 1, PROOF_TOKEN = 1 << 2 };

struct group_require { /* exactly one of them is not 0 */
    unsigned all_of, any_of;
};

enum qop { QOP_AUTH, QOP_AUTH_INT, QOP_NONE };
enum nc_mode { NC_SHARED, NC_LOCAL, NC_OFF };
enum uri_mode { URI_LENIENT, URI_STRICT };
enum mismatch_mode { MISMATCH_CHALLENGE, MISMATCH_REJECT };
enum status_mode { STATUS_BY_METHOD, STATUS_401, STATUS_407 };
enum unlisted_mode { UNLISTED_CHALLENGE, UNLISTED_PASS };

struct digest_conf {
    struct span realm;
    enum algorithm *algorithms; /* in the order they are offered */
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

struct token_conf {
    struct span *names; /* of issuers, as written; none: every issuer */
    size_t n_names;
    const struct issuer_conf **issuers; /* whom they name */
    size_t n_issuers;
    struct span realm;        /* of the challenge, and of the users tokens speak of */
    struct span authz_server; /* of the challenge: where tokens are to be had */
};

struct method_rule {
    struct span name;
    bool initial_only; /* not inside a dialog */
};

struct group_conf {
    struct span name;
    struct group_match match;
    struct group_require require;
    struct digest_conf digest;
    struct token_conf token;
    struct span *methods; /* as written; none: every method */
    size_t n_methods;
    struct method_rule *rules; /* what they mean */
    size_t n_rules;
    enum unlisted_mode unlisted;
    struct {
        struct duration min, max, standard;
    } expires;
    unsigned max_contacts;
    bool path, contact_routing, trusted;
};

/* What tokens are exchanged for, besides a registration. */
struct turn_conf {
    struct token_conf token;
    const char *secret_file; /* shared with the TURN server */
    struct span *uris;
    size_t n_uris;
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
    unsigned verifiers; /* ALG_BITs made from a password */
};

struct http_tls_conf {
    const char *certificate_file, *key_file;
    const char *client_ca_file; /* NULL: clients need no certificate */
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
        struct span *signers; /* of users those that may ask for signatures; none: all */
        size_t n_signers;
        uid_t *signer_uids;
        size_t n_signer_uids;
    } listen;
    struct span user;
    struct redis_settings redis;
    const char *nonce_key_file, *seal_key_file;
    struct {
        struct addr listen;
        struct http_tls_conf *tls; /* NULL: plain */
        const char *admin_token_file, *tokens_file;
        bool require_if_match;
    } http;
    struct {
        const char *file;     /* NULL: stderr */
        struct duration keep; /* files of days that ended; 0: all */
    } audit;
    struct log_conf log;
    struct {
        size_t checks, signatures, penalties, local_nonces, explained, cached_users, cached_tokens,
            revocations;
    } limits;
    struct defence_conf defence;
    struct realm_conf *realms;
    size_t n_realms;
    struct issuer_conf *token_issuers;
    size_t n_token_issuers;
    struct turn_conf *turn;         /* NULL: none is given */
    struct exchange_conf *exchange; /* NULL: none is */
    struct group_conf *peer_groups;
    size_t n_peer_groups;
};

extern const struct conf_section authd_conf_section;

/* An edge proxy's, a trusted peer's, or one that is known by its address: nothing that comes from
 * there is held against it. */
bool group_is_ours(const struct group_conf *g);
/* The realm's place in conf->realms, or -1. */
ptrdiff_t config_realm(const struct authd_conf *conf, struct span realm);
/* Says on the log what is legal but unwise. */
void config_warn(const struct authd_conf *conf);

#endif
