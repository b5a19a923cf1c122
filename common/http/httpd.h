/* The HTTP face of a daemon: libmicrohttpd in our loop, a table of routes, JSON, problem documents
 * (RFC 9457). libmicrohttpd is known to httpd.c alone. */
#ifndef CS_HTTP_HTTPD_H
#define CS_HTTP_HTTPD_H

#include <jansson.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/ct.h"
#include "base/util.h"
#include "net/loop.h"

struct httpd;
struct http_req;
typedef void http_fn(struct http_req *req, void *arg);

enum http_access { HTTP_ADMIN, HTTP_PUBLIC }; /* ADMIN wants Authorization: Bearer <admin token> */

struct http_route {
    const char *method;
    const char *path; /* "/v1/users/{user}": a segment in braces matches one segment */
    http_fn *fn;
    enum http_access access;
};

struct httpd_conf {
    struct addr listen;               /* loopback only, until TLS is there: else CS_EDENIED */
    const struct secret *admin_token; /* NULL: ADMIN routes answer 401 always */
    size_t max_body;                  /* 0 means 1 MiB */
    const char *name;         /* a Host it answers to besides addresses and localhost, or NULL */
    unsigned max_connections; /* 0 means 64 */
    struct duration deadline; /* to send a request, and to take its answer; 0 means 30 s. The head
                               * of a connection's first request has 5 s of it. */
    void (*answered)(void *arg, unsigned status); /* after each reply; may be NULL */
};

/* When every place is taken, the connection that has been longest without sending a whole request
 * makes room; one that showed the admin token does not.
 * routes ends with a NULL method; it and arg outlive the server. A known path with another method
 * is 405 with Allow; HEAD is served by GET; an unknown path is 404. */
CS_CHECK int httpd_open(struct loop *l, const struct httpd_conf *conf,
                        const struct http_route *routes, void *arg, struct httpd **out);
/* Open requests are dropped: their handlers must have been cancelled before. */
void httpd_close(struct httpd **h);
const struct addr *httpd_local(const struct httpd *h);

/* ---- a request: valid until one of the http_reply functions is called, which may be later ---- */
struct span http_param(struct http_req *r, const char *name); /* of the path, percent-decoded */
struct span http_query(struct http_req *r, const char *name); /* absent when not given */
struct span http_header(struct http_req *r, const char *name);
struct span http_body(struct http_req *r);
/* The body as a JSON object; replies 400 or 415 by itself and returns NULL when it is none. The
 * caller owns the result. */
json_t *http_json(struct http_req *r);
/* For the life of the request. */
struct arena *http_arena(struct http_req *r);
/* Called when the client goes away before the reply; the request is gone after it. Without it the
 * request stays until it is replied to. */
void http_on_abort(struct http_req *r, void (*fn)(void *arg), void *arg);

/* body is stolen; NULL sends none. */
void http_reply_json(struct http_req *r, unsigned status, json_t *body);
void http_reply_text(struct http_req *r, unsigned status, const char *content_type,
                     struct span body);
void http_reply_header(struct http_req *r, const char *name,
                       const char *value); /* before replying */
/* type is the last segment of the problem's URI ("weak-password"); detail says what to do. */
void http_problem(struct http_req *r, unsigned status, const char *type, const char *title,
                  const char *detail, ...) CS_PRINTF(5, 6);

#endif
