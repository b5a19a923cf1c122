/* A named set of networks (message AddressSet of proto/store.proto). Addresses change hands, so
 * each set says who answers for it, what it is for, and by when he has to say that it still is so.
 */
#ifndef CS_AUTHD_STORE_ADDRESS_SET_H
#define CS_AUTHD_STORE_ADDRESS_SET_H

#include "base/addr.h"
#include "base/arena.h"
#include "base/clock.h"

enum {
    ADDRESS_SET_MAX_RECORD = 128 * 1024,
    ADDRESS_SET_MAX_NAME = 64,
    ADDRESS_SET_MAX_TEXT = 200, /* owner or note */
    ADDRESS_SET_MAX_NETWORKS = 1024,
    ADDRESS_SET_MAX_LENGTHS = 32, /* different lengths of prefix; base/netset.h */
    ADDRESS_SET_DUE_DAYS = 14,
};

/* Where records are kept, see authd/store/records.h. */
#define ADDRESS_SET_PREFIX "cs:set:"
#define ADDRESS_SET_INDEX  "cs:sets"

struct address_set { /* spans borrow: from the record's arena, or from who fills it */
    struct span name, owner, note;
    struct cidr *networks;
    size_t n_networks;
    struct wall renewal; /* the first moment of that day, UTC */
    struct wall created, changed;
    struct span record; /* the bytes it was decoded from; absent for a new one */
};

/* Everything is copied into the arena. CS_EPROTO for what is no set of a schema we know, within the
 * bounds above. */
CS_CHECK int address_set_decode(struct span record, struct arena *a, struct address_set *out);
/* CS_ELIMIT when a bound above or the buffer is too small for it. */
CS_CHECK int address_set_encode(const struct address_set *s, struct buf *out);

/* DUE from ADDRESS_SET_DUE_DAYS before the day of its renewal, OVERDUE when that has passed: it
 * holds all the same, since a forgotten date is no reason to cut a carrier off. */
enum set_state { SET_CURRENT, SET_DUE, SET_OVERDUE };
enum set_state address_set_state(const struct address_set *s, struct wall now);
/* "current", "due", "overdue" */
struct span set_state_name(enum set_state s);

/* NULL, or why it cannot be that: sentences for people. */
const char *address_set_name_fault(struct span name);
const char *address_set_text_fault(struct span text);
/* "192.0.2.0/24", "2001:db8::/32", "192.0.2.1"; not shorter than a /8, of IPv6 a /16. */
const char *address_set_network_fault(struct span text, struct cidr *out);
/* NULL, or why not all of them can stand in one set. */
const char *address_set_networks_fault(const struct cidr *nets, size_t n);

/* "2027-03-01" and its first moment in UTC, of the years 1970 to 9999. CS_EPROTO. */
CS_CHECK int date_parse(struct span text, struct wall *out);
enum { DATE_STRLEN = 11 };
void date_format(struct wall t, char out[DATE_STRLEN]);

#endif
