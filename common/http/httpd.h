/* The HTTP face of a daemon: libmicrohttpd in our loop, a table of routes, JSON, problem documents
 * (RFC 9457). Plain on loopback, and over TLS anywhere (net/tls.h: libmicrohttpd's own is not
 * used). libmicrohttpd is known to the files that include impl.h alone. */
#ifndef CS_HTTP_HTTPD_H
#define CS_HTTP_HTTPD_H

#include <jansson.h>
#include <openssl/types.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/ct.h"
#include "base/util.h"
#include "http/bearer.h"
#include "net/loop.h"
#include "net/tls.h"

struct httpd;
struct http_req;
typedef void http_fn(struct http_req *req, void *arg);

struct http_route {
    const char *method;
    const char *path; /* "/v1/users/{user}": a segment in braces matches one segment */
    http_fn *fn;
    enum http_role role; /* the least it needs; HTTP_PUBLIC needs no token */
};

struct httpd_conf {
    struct addr listen;      /* without TLS loopback only, else CS_EDENIED, but */
    bool in_the_clear;       /* what all routes give is for everybody: anywhere, by any Host */
    struct tls_context *tls; /* of a server; NULL: plain */
    const struct bearers
        *bearers;             /* borrowed; NULL: all but HTTP_PUBLIC routes answer 401 always */
    size_t max_body;          /* 0 means 1 MiB */
    const char *name;         /* a Host it answers to besides addresses and localhost, or NULL; with
                               * TLS, whose certificate says who we are, any will do */
    unsigned max_connections; /* 0 means 64; as many more may be in their TLS handshake */
    struct duration deadline; /* to send a request, and to take its answer; 0 means 30 s. The head
                               * of a connection's first request has 5 s of it. */
    /* Asked about a token that is none of bearers but looks like a JWT, once all of the request is
     * there: calls http_admit(), or replies, at once or later. NULL: it is nobody's. */
    http_fn *admit;
    http_fn *before; /* runs in place of a route's fn, and calls http_handle() at once or later, or
                      * replies; may be NULL */
    void (*answered)(void *arg, unsigned status); /* after each reply; may be NULL */
};

/* When every place is taken, the connection that has been longest without sending a whole request
 * makes room; one that showed a token does not.
 * routes ends with a NULL method; it and arg outlive the server. A known path with another method
 * is 405 with Allow; HEAD is served by GET; an unknown path is 404; a role that is too small 403.
 */
CS_CHECK int httpd_open(struct loop *l, const struct httpd_conf *conf,
                        const struct http_route *routes, void *arg, struct httpd **out);
/* Open requests are dropped: their handlers must have been cancelled before. */
void httpd_close(struct httpd **h);
const struct addr *httpd_local(const struct httpd *h);
/* Connections from now on have this context; for a server that was opened with one. */
void httpd_use_tls(struct httpd *h, struct tls_context *tls);

/* ---- a request: valid until one of the http_reply functions is called, which may be later ---- */
struct span http_param(struct http_req *r, const char *name); /* of the path, percent-decoded */
struct span http_query(struct http_req *r, const char *name); /* absent when not given */
struct span http_header(struct http_req *r, const char *name);
struct span http_body(struct http_req *r);
struct span http_method(const struct http_req *r); /* of the route: HEAD shows as GET */
struct span http_target(const struct http_req *r); /* path and query as they were sent */
/* Where it came from. */
void http_peer(const struct http_req *r, struct addr *out);
/* The client's certificate whose chain the handshake verified, and who signed it, borrowed; NULL:
 * none was shown. */
X509 *http_certificate(const struct http_req *r, X509 **issuer);
/* The name of the token that was shown; absent on a HTTP_PUBLIC route. */
struct span http_who(const struct http_req *r);
/* And its role; HTTP_PUBLIC there. */
enum http_role http_role(const struct http_req *r);
/* When who follows something without an end has to show his token again; 0: never. */
struct wall http_until(const struct http_req *r);
/* For httpd_conf.admit: whose the token is, and what he may do. Goes on with the request, or
 * replies 403. */
void http_admit(struct http_req *r, struct span name, enum http_role role, struct wall until);
/* The body as a JSON object; replies 400 or 415 by itself and returns NULL when it is none. The
 * caller owns the result. */
json_t *http_json(struct http_req *r);
/* For the life of the request. */
struct arena *http_arena(struct http_req *r);
/* Runs the route's own fn; for httpd_conf.before. */
void http_handle(struct http_req *r);
/* Called when the client goes away before the reply; the request is gone after it. Without it the
 * request stays until it is replied to. */
void http_on_abort(struct http_req *r, void (*fn)(void *arg), void *arg);

/* body is stolen; NULL sends none. */
void http_reply_json(struct http_req *r, unsigned status, json_t *body);
/* A time as JSON has it here, RFC 3339; null for 0. */
json_t *http_time(struct wall t);
void http_reply_text(struct http_req *r, unsigned status, const char *content_type,
                     struct span body);
/* Before replying; name is not copied. Without a Cache-Control it is no-store. */
void http_reply_header(struct http_req *r, const char *name, const char *value);
/* type is the last segment of the problem's URI ("weak-password"); detail says what to do. */
void http_problem(struct http_req *r, unsigned status, const char *type, const char *title,
                  const char *detail, ...) CS_PRINTF(5, 6);

/* A reply as it was made, for who wants to keep it. */
enum { HTTP_REPLY_HEADERS = 8 };
struct http_reply {
    unsigned status;
    const char *type; /* NULL: none */
    struct span body;
    struct {
        const char *name, *value;
    } header[HTTP_REPLY_HEADERS]; /* that the handler set */
    size_t n_headers;
};
/* fn is shown the reply before the client is, who waits for http_release(). */
void http_hold(struct http_req *r, void (*fn)(void *arg, const struct http_reply *reply),
               void *arg);
void http_release(struct http_req *r);

/* A reply without an end: status 200, and pull() is asked for more whenever the client took what
 * came before. It puts up to n bytes at `to`; 0 means none for now, until http_wake(); negative
 * ends it. A client that takes nothing for the server's deadline is cut off. closed() is the last
 * call, exactly once, and ends the life of the request. */
struct http_feed {
    ptrdiff_t (*pull)(void *arg, char *to, size_t n);
    void (*closed)(void *arg);
    void *arg;
};
void http_reply_feed(struct http_req *r, const char *content_type, const struct http_feed *feed);
void http_wake(struct http_req *r);

#endif
