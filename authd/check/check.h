/* The life of one question: from the facts of a request to a verdict. What is decided is decided by
 * group.c, policy.c and digest.c; here is the order, and the waiting for Redis. */
#ifndef CS_AUTHD_CHECK_CHECK_H
#define CS_AUTHD_CHECK_CHECK_H

#include "authd/audit/audit.h"
#include "authd/audit/census.h"
#include "authd/audit/explain.h"
#include "authd/backend/backend.h"
#include "authd/check/certificate.h"
#include "authd/check/challenge.h"
#include "authd/check/digest.h"
#include "authd/check/epoch.h"
#include "authd/check/nonce.h"
#include "authd/check/tags.h"
#include "authd/check/ticket.h"
#include "authd/check/window.h"
#include "authd/config.h"
#include "authd/defence/defence.h"
#include "authd/defence/drift.h"
#include "authd/defence/geo.h"
#include "authd/revocation/revoker.h"
#include "authd/store/cache.h"
#include "authd/store/realms.h"
#include "authd/store/sets.h"
#include "authd/store/store.h"
#include "authd/store/uses.h"
#include "authd/token/tokens.h"
#include "authd/vault/vault.h"
#include "base/map.h"

struct check;
struct admissions;
struct directory;
struct seen;

/* Of a desk phone that attaches: the record that is told of it, as far as it is read. */
struct attach {
    Countersign__Auth__DeviceRecord record;
    struct span record_bytes; /* what is kept of the device, when its lines began to be read */
    size_t usable;            /* lines */
    bool fetches;             /* a file: its lines do not matter, but where it has */
    bool passwords;           /* of theirs, which are made for it */
    struct user user;         /* of the line that is given one */
    bool unproven;            /* it may be another than its source who asks */
};

/* v is borrowed for the call; the check is gone when it returns. */
typedef void check_fn(struct check *c, const Countersign__Auth__Verdict *v);

struct check_asker {                /* outlives its checks */
    void (*waits)(struct check *c); /* the answer comes later: c may be cancelled until then */
    check_fn *answer;
};

struct checker { /* what all checks share; filled by its owner, members outlive the checks */
    struct loop *loop;
    const struct authd_conf *conf;
    struct store *store;
    struct cache *cache;
    struct revoker *revoker;
    struct epoch *epoch;
    struct vault *vault;
    struct noncer *nonces;
    struct realms *realms;
    struct tokens *tokens; /* NULL: no group takes any */
    struct tickets *tickets;
    struct authorities *authorities; /* NULL: none are configured */
    struct directory *directory;     /* NULL: there are no devices and trunks */
    struct seen *seen;               /* NULL: certificates are not remembered */
    struct audit *audit;
    struct explain *explain;
    struct defence *defence;
    struct sets *sets;
    struct drift *drift; /* NULL: nobody is watched */
    struct geo *geo;     /* NULL: no group asks for countries */
    struct signer *signer;
    struct admissions *admissions;
    struct keeper *keeper; /* NULL: nothing is kept of desk phones */
    struct uses *uses;
    struct summaries *summaries;
    struct traces *traces; /* NULL: nobody can look */
    struct refusals *refusals;
    struct backends *backends;      /* NULL: no group has one */
    void (*waits)(struct check *c); /* the answer comes later: c may be cancelled until then */
    check_fn *answer;
    /* Its own: */
    struct hash *hash;
    struct window *window;
    char own[32];          /* random: see check_grace.c */
    struct census *census; /* may be read */
    struct arena dummy_arena;
    struct user dummy; /* whom those are compared with who do not exist */
    struct list spare;
    size_t n_spare, open;
};

CS_CHECK int checker_init(struct checker *k);
/* No check may be open. */
void checker_fini(struct checker *k);

/* What the client certificate of a request says, where the group takes any. Its texts live in the
 * check's arena. */
struct certified {
    Countersign__Auth__Cause fault; /* as in struct shown; NONE where the group takes none */
    bool rests;                     /* what is granted rests on it */
    unsigned kind;                  /* of struct holder */
    struct span name;               /* of a user an AOR; the device's or trunk's name */
    struct cert_facts facts;        /* without its names */
};

struct check {
    /* The asker's: */
    const struct check_asker *asker;
    struct map_node node;
    struct list link;
    void *owner;
    uint64_t id;
    bool listed;   /* in its map */
    bool outlives; /* the message it was made of */

    /* Its own: */
    struct checker *k;
    struct mono began;
    struct facts facts;
    const struct group_conf *group; /* NULL: none matches */
    struct credential cred;
    struct claim claim;
    struct nonce nonce;
    struct span token;    /* the one shown, or a ticket; a copy that is wiped, once it waits */
    struct span flow;     /* of a ticket: the connection that it was shown on */
    struct ticket ticket; /* what it says */
    struct redis_call *claiming;
    struct waiter waiter; /* for the token's issuer */
    struct token_proof proof;
    struct certified certified;
    struct attach *attach; /* NULL: a request is judged */
    struct span device;    /* that attaches, or whose line shows its pass */
    bool has_cred, stale, uri_differs, right, digest_too, proven;
    bool grace, other_nonce; /* see check_grace.c */
    bool old;    /* by the verifier of a replaced password, or of the realm's former name */
    bool former; /* the record of the realm's former name is looked at */
    Countersign__Auth__Cause own_cause; /* what the one before it, of the realm, gave */
    struct span pattern;
    Countersign__Auth__Cause pending_cause; /* of the accept that is waited for */
    struct store_call *get, *commit, *find;
    struct backend_ask *backend;
    int commit_err, find_err;
    uint64_t cache_generation;
    struct timer deadline;
    uint32_t deadline_ms, lease_want, leased;
    Countersign__Auth__Grant grant;
    struct tags tags; /* of the certificate; of all the grant rests on, once it is made */
    char *revoked;    /* which revocation refused it, for people; NULL: none */
    char decision[DECISION_LEN + 1];
    struct arena arena;
    char first[2560]; /* serves the arena: a check takes nothing from the heap */
};

/* Judges. The answer comes to asker->answer, at once or, after asker->waits, later; false when
 * memory is exhausted and none will come. */
bool check_start(struct checker *k, const Countersign__Auth__Check *m,
                 const struct check_asker *asker, void *owner);
/* The same of a desk phone. allowed: who asks is a b2bua. */
bool attach_start(struct checker *k, const Countersign__Auth__Attach *m, bool allowed,
                  const struct check_asker *asker, void *owner);
/* What its verdict says to b2bua; borrows from both. */
void check_attached(struct check *c, const Countersign__Auth__Verdict *v,
                    Countersign__Auth__Attached *out);
/* The record of this user was changed: if the check rests on it as it was, it is answered LATER,
 * and gone; the next try is judged by what stands then. */
void check_changed(struct check *c, struct span name, struct span realm);
/* The same of what rests on this and waits to be accepted. */
void check_fallen(struct check *c, const struct fallen *what);
/* No answer is wanted any more. */
void check_cancel(struct check *c);

#endif
