/* What authd keeps in Redis: users and the indexes over them (the keys are listed in
 * proto/store.proto). Each operation answers once, in a later turn, with 0 or
 *   CS_ENOENT     no such user
 *   CS_ECONFLICT  somebody else changed it first, or it exists already
 *   CS_ECLOSED    Redis did not answer: whether it was done is unknown
 *   CS_EPROTO     what Redis holds there is not ours
 *   CS_ENOMEM
 * What a callback is given is borrowed for the call. The handles serve store_cancel() until the
 * callback was called; NULL means that memory is exhausted and no callback will come. */
#ifndef CS_AUTHD_STORE_STORE_H
#define CS_AUTHD_STORE_STORE_H

#include "authd/check/nonce.h"
#include "authd/store/user.h"
#include "redis/redis.h"
#include "store.pb-c.h"

struct store;
struct store_call;

/* The client is borrowed and outlives the store. */
CS_CHECK int store_new(struct loop *l, struct redis *r, struct store **out);
/* Open operations are forgotten without a callback. */
void store_free(struct store **s);
/* Redis may have lost what was written: after each break of the connection. */
void store_forget(struct store *s);
bool store_is_ready(const struct store *s);
/* fn is called after each change of a realm's users made here: indexes over them have new values.
 */
void store_on_change(struct store *s, void (*fn)(void *arg, struct span realm), void *arg);
/* The callback will not be called; what was begun in Redis may still be done. */
void store_cancel(struct store_call *c);

typedef void store_user_fn(void *arg, int err, const struct user *u);
typedef void store_done_fn(void *arg, int err);
/* next is absent on the last page, else it is what `after` should be for the next one. */
typedef void store_list_fn(void *arg, int err, const struct user *users, size_t n,
                           struct span next);
typedef void store_count_fn(void *arg, int err, const uint64_t *n);

struct store_call *store_get_user(struct store *s, struct span name, struct span realm,
                                  store_user_fn *fn, void *arg);
/* One that stands for a token (user_is_temporary()), and is in no list. What was there of this name
 * is replaced; it expires by itself. */
struct store_call *store_get_temporary(struct store *s, struct span name, struct span realm,
                                       store_user_fn *fn, void *arg);
struct store_call *store_put_temporary(struct store *s, const struct user *u, struct wall until,
                                       store_done_fn *fn, void *arg);
/* A change that takes something from a user is told to the whole installation
 * (authd/revocation/revoker.h), as of now; these two are done when that is written, too. */
/* Commits u with its indexes. old absent (NULL): create, CS_ECONFLICT if there is one. Else u
 * replaces old, if the record still is what old was decoded from (old->record); name and realm
 * cannot change. Both are copied. */
struct store_call *store_put_user(struct store *s, const struct user *old, const struct user *u,
                                  store_done_fn *fn, void *arg);
/* Deletes u and its indexes, if the record still is what u was decoded from. */
struct store_call *store_remove_user(struct store *s, const struct user *u, store_done_fn *fn,
                                     void *arg);

enum { STORE_PAGE_MAX = 1000 };
/* Users in the order of "name@realm", from behind `after` (absent: from the first). realm absent:
 * of all realms; else a page may hold fewer than limit although there is a next one. */
struct store_call *store_list_users(struct store *s, struct span realm, struct span after,
                                    size_t limit, store_list_fn *fn, void *arg);
/* n[ALG_COUNT]: how many enabled users of the realm lack a verifier for each algorithm. */
struct store_call *store_count_lacking(struct store *s, struct span realm, store_count_fn *fn,
                                       void *arg);
/* Number of users, in n[0]. */
struct store_call *store_count_users(struct store *s, store_count_fn *fn, void *arg);

/* ---- for checks ---- */
/* Sets the nonce's bit nc in its batch's window: CS_ECONFLICT if it was set. The window expires
 * when all of the batch are older than lifetime. nc is at most STORE_NC_MAX, so that a window takes
 * no more than 2 KB. */
enum { STORE_NC_MAX = 255 };
struct store_call *store_commit_nc(struct store *s, const struct nonce *n, unsigned nc,
                                   struct duration lifetime, store_done_fn *fn, void *arg);
/* 0 if an enabled user has this AOR, CS_ENOENT if none has. */
struct store_call *store_find_aor(struct store *s, struct span aor, store_done_fn *fn, void *arg);
/* The user that alone has this AOR; CS_ENOENT: nobody has, or several do. */
struct store_call *store_get_owner(struct store *s, struct span aor, store_user_fn *fn, void *arg);

#endif
