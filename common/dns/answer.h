/* What a DNS server says (RFC 1035, 2181, 2308, 2782, 3403): a pure function over the bytes of a
 * response, which anybody may have written. */
#ifndef CS_DNS_ANSWER_H
#define CS_DNS_ANSWER_H

#include "base/addr.h"
#include "base/arena.h"

enum dns_type {
    DNS_A = 1,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_NAPTR = 35,
};

enum { DNS_NAME_MAX = 253, DNS_RECORDS_MAX = 64 };

struct dns_srv {
    uint16_t priority, weight, port;
    struct span target; /* "": decidedly not available here */
};

struct dns_naptr {
    uint16_t order, preference;
    struct span flags, services, regexp, replacement;
};

struct dns_record {
    union {
        struct addr addr; /* A, AAAA; port 0 */
        struct dns_srv srv;
        struct dns_naptr naptr;
    };
};

struct dns_answer {             /* names are in lower case, without a dot at their end */
    struct dns_record *records; /* of the type that was asked for, at most DNS_RECORDS_MAX */
    size_t n;                   /* 0: there are none, or the name does not exist */
    uint32_t ttl;               /* seconds that it holds; of none: by its SOA, 0 without */
};

/* Whether it can be asked for: letters, digits, hyphens and underscores in labels of 1 to 63, in
 * all at most DNS_NAME_MAX. A dot at its end is allowed. */
bool dns_name_is_good(struct span name);

/* Reads the records of type that name has, through CNAMEs, out of a response. Records of other
 * names, and those whose names are no host names, are passed over. CS_EPROTO: malformed, not an
 * answer to this question, or an error of the server; CS_ENOMEM. All memory is the arena's. */
CS_CHECK int dns_answer_read(struct span wire, struct span name, enum dns_type type,
                             struct arena *a, struct dns_answer *out);

#endif
