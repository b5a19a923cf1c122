/* Digest credentials as they stand in Authorization and Proxy-Authorization, and challenges as they
 * stand in WWW- and Proxy-Authenticate (RFC 7616, RFC 8760). Syntax only: judging them is authd's
 * work. */
#ifndef CS_SIP_DIGEST_H
#define CS_SIP_DIGEST_H

#include "base/span.h"

enum digest_alg { DIGEST_MD5, DIGEST_SHA256, DIGEST_SHA512_256, DIGEST_UNKNOWN };

/* Spans borrow from the header value; an absent one has p == NULL. Of a quoted-string they are the
 * inside, with its escapes as written: sip_unquote() undoes them. They hold no control characters,
 * escaped or not, so that what was undone has neither NULs nor line ends. */
struct digest {
    struct span username, realm, nonce, uri, response;        /* always present */
    struct span algorithm, qop, nc, cnonce, opaque, userhash; /* optional */
    enum digest_alg alg; /* absent means MD5; unheard of means UNKNOWN, never MD5 */
    bool sess;           /* the algorithm's -sess form */
};

/* 0, or CS_ENOTSUP if the scheme is not Digest, or CS_EPROTO if malformed, incomplete or repeating
 * a parameter of these. Others are ignored, username* (RFC 7616, 3.4) among them, so credentials
 * with that alone are incomplete. On error *out is all zero. */
CS_CHECK int digest_parse(struct span value, struct digest *out);

struct digest_challenge {
    struct span realm, nonce; /* always present */
    struct span algorithm, qop, opaque, domain, stale;
    struct span username; /* of no RFC: whom some servers want to answer */
    enum digest_alg alg;
    bool sess;
    bool qop_auth, qop_auth_int; /* what the qop list offers */
    bool is_stale;
};
/* One challenge, as digest_parse(): a WWW-Authenticate line of SIP has one (RFC 3261, 20.44). */
CS_CHECK int digest_challenge_parse(struct span value, struct digest_challenge *out);

/* "MD5", "SHA-256", "SHA-512-256"; with "-sess" if asked for. */
struct span digest_alg_name(enum digest_alg alg, bool sess);
enum digest_alg digest_alg_of(struct span name, bool *sess);

#endif
