/* Which clients keep weak algorithms alive: counts by the User-Agent patterns of the configuration
 * that narrow a challenge, and by product (a User-Agent's text before '/' or ' '). In memory and
 * bounded: of each kind, what was seen longest ago makes room. A stranger adds no product: only a
 * right answer does. */
#ifndef CS_AUTHD_AUDIT_CENSUS_H
#define CS_AUTHD_AUDIT_CENSUS_H

#include "authd/check/algorithm.h"
#include "base/clock.h"

struct census;

enum census_kind { CENSUS_PATTERN, CENSUS_PRODUCT, CENSUS_KINDS };

struct census_row {
    enum census_kind kind;
    char name[64];     /* pattern or product, cut; "" for those who send no User-Agent */
    uint64_t narrowed; /* challenges with one algorithm instead of several */
    uint64_t accepted[ALG_COUNT];
    char user[129]; /* who was accepted last, name@realm, cut; "" nobody */
    struct wall seen;
};

/* max: rows of each kind. */
CS_CHECK int census_new(size_t max, struct census **out);
void census_free(struct census **c);

/* n challenges were narrowed because this pattern matched. */
void census_narrowed(struct census *c, struct span pattern, struct span user_agent, uint32_t n,
                     struct wall now);
/* pattern absent: none matches. */
void census_accepted(struct census *c, struct span pattern, struct span user_agent,
                     enum algorithm alg, struct span user, struct span realm, struct wall now);
/* Patterns, then products; of each the one seen last first. The row is borrowed for the call. */
void census_each(const struct census *c, void (*fn)(void *arg, const struct census_row *row),
                 void *arg);

#endif
