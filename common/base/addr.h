/* IP addresses with a port, and networks. */
#ifndef CS_BASE_ADDR_H
#define CS_BASE_ADDR_H

#include <netinet/in.h>

#include "base/buf.h"

struct addr { /* sa.sa_family == AF_UNSPEC: none */
    union {
        struct sockaddr sa;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
    };
};

struct cidr {
    struct addr net;
    unsigned bits;
};

enum { ADDR_STRLEN = 56 }; /* "[" IPv6 "]:65535" and NUL */

/* A numeric address without brackets or with them around IPv6; names are CS_EPROTO. */
CS_CHECK int addr_parse_host(struct span host, uint16_t port, struct addr *out);
/* "192.0.2.1", "192.0.2.1:5060", "[2001:db8::1]:5060", "2001:db8::1"; port when none is given. */
CS_CHECK int addr_parse(struct span text, uint16_t port, struct addr *out);
/* From the kernel's own form; an IPv4-mapped IPv6 address becomes IPv4, so that rules written for
 * one cannot be passed round by the other. */
void addr_from_sockaddr(const struct sockaddr *sa, struct addr *out);
/* From 4 or 16 raw bytes, with port 0; mapped as above. CS_EPROTO for another number. */
CS_CHECK int addr_from_bytes(struct span bytes, struct addr *out);
socklen_t addr_len(const struct addr *a);
uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);
bool addr_eq(const struct addr *a, const struct addr *b);
bool addr_same_host(const struct addr *a, const struct addr *b);
bool addr_is_loopback(const struct addr *a);
bool addr_is_any(const struct addr *a);
/* Raw bytes of the host part: 4 or 16. */
struct span addr_host_bytes(const struct addr *a);
/* What one subscriber has: the address of IPv4, the /64 of IPv6, as 4 or 8 of those bytes. */
struct span addr_net_bytes(const struct addr *a);
void addr_write_host(struct buf *b, const struct addr *a); /* IPv6 in brackets */
void addr_write_bare(struct buf *b, const struct addr *a); /* without them: for SDP, received= */
void addr_write(struct buf *b, const struct addr *a);      /* host:port */
/* host:port as a C string, for logs. Returns out. */
char *addr_format(const struct addr *a, char out[ADDR_STRLEN]);

/* "10.0.0.0/8", "2001:db8::/32", or an address alone. CS_EPROTO when bits are set behind the
 * prefix. */
CS_CHECK int cidr_parse(struct span text, struct cidr *out);
bool cidr_contains(const struct cidr *c, const struct addr *a);
/* The network of so many bits that holds a, without a port; bits are cut to the address's. */
struct cidr cidr_of(const struct addr *a, unsigned bits);
/* What addr_net_bytes() tells: a /32 or a /64. */
struct cidr cidr_of_subscriber(const struct addr *a);
/* "10.0.0.0/8", "2001:db8::/64"; an address alone where the prefix is all of it. */
void cidr_write(struct buf *b, const struct cidr *c);

#endif
