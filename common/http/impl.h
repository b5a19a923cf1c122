/* What the files of http share. libmicrohttpd is known to them alone. */
#ifndef CS_HTTP_IMPL_H
#define CS_HTTP_IMPL_H

#include <microhttpd.h>

#include "base/list.h"
#include "http/httpd.h"
#include "http/route.h"
#include "net/tls_pipe.h"

struct httpd {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    struct turn turn;   /* a request was resumed, or a place became free: nobody else tells it */
    struct timer again; /* it has more to do than one turn should take */
    const struct http_route *routes;
    void *arg;
    struct httpd_conf conf;
    struct tls_pipes *pipes; /* NULL: libmicrohttpd accepts connections itself */
    struct addr local;
    struct list open;  /* requests that a handler has */
    struct list conns; /* that may have to make room, the one waiting longest first */
    unsigned n_conns;
    struct list joining; /* certificates of connections that libmicrohttpd has not told of yet */
    bool closing;
};

/* A connection has so long to send a whole request, idle or not, and again to take the reply: one
 * byte now and then is no life sign. */
struct conn {
    struct list link; /* in httpd.conns until it has sent a whole request, or showed a token */
    struct httpd *h;
    struct timer deadline;
    int fd;
    X509 *certificate, *issuer; /* of its client, held; NULL: none */
};

/* Tells that the client of a suspended request went away; libmicrohttpd does not look. */
struct hangup {
    uv_poll_t poll;
    struct http_req *req; /* NULL: closing */
};

struct http_req {
    struct list link; /* in httpd.open */
    struct httpd *h;
    struct conn *conn;
    struct MHD_Connection *mhd;
    struct arena arena;
    struct span target; /* as sent */
    struct route_pairs params, query;
    const struct http_route *route;
    struct bearer who; /* a copy: the table may change; no name where no token was needed */
    struct wall until; /* who holds; 0: always */
    bool foreign;      /* httpd_conf.admit is to be asked who it is */
    enum { REQ_HEAD, REQ_BODY, REQ_HANDLER } stage;
    char *body;
    size_t body_n, body_cap, swallowed;
    struct http_reply reply;
    struct MHD_Response *response;
    void (*on_reply)(void *arg, const struct http_reply *reply); /* NULL: nobody wants to see it */
    void *on_reply_arg;
    bool held;             /* until http_release() */
    struct http_feed feed; /* pull NULL: an ordinary reply */
    bool suspended, gone;
    struct hangup *hangup;
    void (*on_abort)(void *arg);
    void *abort_arg;
};

/* ---- request.c: one request, from its head to its reply ---- */

/* Of MHD_OPTION_URI_LOG_CALLBACK: makes the request, or returns NULL. */
void *request_new(void *arg, const char *target, struct MHD_Connection *mhd);
/* MHD_AccessHandlerCallback. */
enum MHD_Result request_step(void *arg, struct MHD_Connection *mhd, const char *url,
                             const char *method, const char *version, const char *upload,
                             size_t *n_upload, void **ctx);
void request_free(struct http_req *r);
/* libmicrohttpd asks for the reply, or for more of it, again. */
void request_resume(struct http_req *r);
/* Frees what may have held a secret. */
void http_wipe_free(void *p);

#endif
