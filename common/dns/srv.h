/* In which order several servers of one name are tried (RFC 2782): by priority, and within one at
 * random by weight. Pure functions of a seed: who has the same seed and the same records, in
 * whatever order they came, makes the same choice, so that a request with credentials goes where
 * the one without was challenged (RFC 3263, 4.4). */
#ifndef CS_DNS_SRV_H
#define CS_DNS_SRV_H

#include "dns/answer.h"

void srv_order(struct dns_record *records, size_t n, uint64_t seed);
/* The same of addresses, which have no weight. */
void srv_shuffle_addrs(struct dns_record *records, size_t n, uint64_t seed);
/* The next number that a seed yields (SplitMix64). */
uint64_t srv_next(uint64_t *seed);

#endif
