/* Client certificates that somebody was accepted with, in the whole installation (message
 * SeenCertificate of proto/store.proto), so that people see what is in use and what runs out. A use
 * is written every few minutes, and one that expires within a fortnight is told of once a day: in
 * the log, by a metric, and as a change in the audit log and its stream. What expired is forgotten.
 */
#ifndef CS_AUTHD_STORE_SEEN_H
#define CS_AUTHD_STORE_SEEN_H

#include "authd/audit/audit.h"
#include "authd/check/certificate.h"
#include "redis/redis.h"

enum {
    SEEN_MAX_HOLDER = 640, /* "user alice@example.com", "device NAME", "trunk NAME" */
    SEEN_WARN_DAYS = 14,
    SEEN_PAGE_MAX = 1000,
};

struct seen;

/* Everything is borrowed. max: so many are remembered; those that expire last make room. */
CS_CHECK int seen_new(struct loop *l, struct redis *redis, struct audit *audit, size_t max,
                      struct seen **out);
void seen_free(struct seen **s);
/* It was used now, by holder. */
void seen_add(struct seen *s, const struct cert_facts *c, struct span holder);

struct seen_certificate { /* texts are borrowed; absent where they are not known */
    struct span sha256, spki;
    struct span holder, subject, issuer, serial;
    struct wall expires, seen;
};
CS_CHECK int seen_decode(struct span record, struct arena *a, struct seen_certificate *out);

/* Up to limit of them, those that expire first before others, from the offset-th on: their records
 * are what the reply is an array of, NIL where one went meanwhile; NULL as for any command. */
typedef void seen_fn(void *arg, int err, const struct redis_reply *records, size_t n, bool more);
struct seen_list;
/* A handle for seen_list_cancel() until fn was called; NULL when memory is exhausted. */
struct seen_list *seen_list(struct seen *s, size_t offset, size_t limit, seen_fn *fn, void *arg);
void seen_list_cancel(struct seen_list *l);

#endif
