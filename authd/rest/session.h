/* A request that shows a token of an issuer, not an operator's: whose it is and until when it is
 * good. Judged as a front's request is, with the same causes, audit lines and explanations. */
#ifndef CS_AUTHD_REST_SESSION_H
#define CS_AUTHD_REST_SESSION_H

#include "authd/check/check.h"
#include "authd/rest/op.h"
#include "authd/token/tokens.h"

struct session {
    struct op op;
    /* Of a good token: */
    const struct claims *claims;
    struct span name, realm; /* of its user */
    /* Its own: */
    const struct token_conf *conf;
    struct duration least; /* that must be left of it */
    struct span method;    /* that its scope must cover; absent: an operator's token */
    void (*fn)(struct session *s);
    bool former;       /* its user is looked for under the realm's former name */
    struct span token; /* a copy, wiped when it ends */
    struct waiter waiter;
    struct token_proof proof;
    Countersign__Auth__Grant grant;
    struct tags tags;
    struct mono began;
};

/* The same of an operator's token, of the issuers that speak of operators: no scope is needed, and
 * nobody is looked for. fn ends the operation by session_leave(), whatever the token says of
 * rights. */
void session_start_operator(struct rest *rest, struct http_req *req, void (*fn)(struct session *s));
/* The request is free for who goes on with it. */
void session_leave(struct session *s);

/* Answers by itself, with a challenge (RFC 6750) or 503, unless the token is good for method and
 * for `least` to come; then
 * fn is called, and answers. size is that of what begins with struct session. */
void session_start(struct rest *rest, struct http_req *req, size_t size,
                   const struct token_conf *conf, struct duration least, struct span method,
                   void (*fn)(struct session *s));

#endif
