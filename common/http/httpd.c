/* libmicrohttpd without threads: its epoll descriptor is polled by our loop. A request whose
 * handler has not replied when it returns is suspended, and resumed by the reply. */
#include "http/httpd.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "http/route.h"

enum {
    MAX_BODY = 1024 * 1024,
    MAX_CONNECTIONS = 64,
    MAX_HEADER = 16 * 1024, /* memory of a connection: its request line and headers */
    DEADLINE_MS = 30 * 1000,
    HEAD_MS = 5 * 1000,
    RUNS_PER_TURN = 16,
    SWALLOW = 4, /* times max_body that are read and dropped before a refusal */
};

struct httpd {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    struct turn turn;   /* a request was resumed, or a place became free: nobody else tells it */
    struct timer again; /* it has more to do than one turn should take */
    const struct http_route *routes;
    void *arg;
    struct httpd_conf conf;
    struct addr local;
    struct list open;  /* requests that a handler has */
    struct list conns; /* that may have to make room, the one waiting longest first */
    unsigned n_conns;
    bool closing;
};

/* A connection has so long to send a whole request, idle or not, and again to take the reply: one
 * byte now and then is no life sign. */
struct conn {
    struct list link; /* in httpd.conns until it has sent a whole request, or showed the token */
    struct httpd *h;
    struct timer deadline;
    int fd;
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
    enum { REQ_HEAD, REQ_BODY, REQ_HANDLER } stage;
    char *body;
    size_t body_n, body_cap, swallowed;
    struct {
        const char *name, *value;
    } header[4]; /* of the reply */
    size_t n_headers;
    struct MHD_Response *response;
    unsigned status;
    bool suspended, gone;
    struct hangup *hangup;
    void (*on_abort)(void *arg);
    void *abort_arg;
};

static const struct log lg = { .module = "http" };

/* Bodies and replies may hold passwords, so everything that jansson or we allocated for them is
 * wiped when it goes. */
static void wipe_free(void *p)
{
    if (p)
        ct_wipe(p, malloc_usable_size(p));
    free(p);
}

/* ---- what a request says ---- */

struct span http_param(struct http_req *r, const char *name)
{
    return route_pair_get(&r->params, span_str(name));
}

struct span http_query(struct http_req *r, const char *name)
{
    return route_pair_get(&r->query, span_str(name));
}

struct span http_header(struct http_req *r, const char *name)
{
    return span_str(MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, name));
}

struct span http_body(struct http_req *r)
{
    return span_of(r->body ? r->body : "", r->body_n);
}

struct arena *http_arena(struct http_req *r)
{
    return &r->arena;
}

json_t *http_json(struct http_req *r)
{
    json_error_t err;
    struct span type = http_header(r, "Content-Type");
    if (!type.p || !(route_media_is(type, SPAN("application/json")) ||
                     route_media_is(type, SPAN("application/merge-patch+json")))) {
        http_problem(r, 415, "not-json", "Unsupported media type",
                     "Send the body as Content-Type: application/json.");
        return NULL;
    }
    json_t *j = json_loadb(r->body_n ? r->body : "", r->body_n, JSON_REJECT_DUPLICATES, &err);
    if (json_is_object(j))
        return j;
    if (j)
        http_problem(r, 400, "malformed", "Malformed body", "The body must be a JSON object.");
    else
        http_problem(r, 400, "malformed", "Malformed body",
                     "The body is not JSON: %s (line %d, column %d).", err.text, err.line,
                     err.column);
    json_decref(j);
    return NULL;
}

/* ---- replying ---- */

void http_on_abort(struct http_req *r, void (*fn)(void *arg), void *arg)
{
    r->on_abort = fn;
    r->abort_arg = arg;
}

static void on_hangup_closed(uv_handle_t *h)
{
    free(container_of(h, struct hangup, poll));
}

static void unwatch(struct http_req *r)
{
    if (!r->hangup)
        return;
    r->hangup->req = NULL;
    uv_close((uv_handle_t *)&r->hangup->poll, on_hangup_closed);
    r->hangup = NULL;
}

static void resume(struct http_req *r)
{
    unwatch(r);
    list_remove(&r->link);
    if (!r->suspended)
        return;
    r->suspended = false;
    MHD_resume_connection(r->mhd); /* on_request() is called again at the end of this turn */
    turn_queue(r->h->loop, &r->h->turn);
}

static void on_hangup(uv_poll_t *p, int status, int events)
{
    struct http_req *r = container_of(p, struct hangup, poll)->req;
    (void)events;
    (void)status;
    if (!r->on_abort) {
        unwatch(r); /* the handler still holds it: its reply will find nobody */
        return;
    }
    r->gone = true;
    r->on_abort(r->abort_arg);
    resume(r);
}

static void watch(struct http_req *r)
{
    struct hangup *w = calloc(1, sizeof(*w));
    if (!w)
        return; /* then only the reply will tell */
    if (uv_poll_init(&r->h->loop->uv, &w->poll, r->conn->fd)) {
        free(w);
        return;
    }
    w->req = r;
    r->hangup = w;
    if (uv_poll_start(&w->poll, UV_DISCONNECT, on_hangup))
        unwatch(r);
}

void http_reply_header(struct http_req *r, const char *name, const char *value)
{
    assert(r->n_headers < CS_LEN(r->header));
    char *copy = arena_str(&r->arena, span_str(value));
    if (!copy)
        return;
    r->header[r->n_headers].name = name;
    r->header[r->n_headers++].value = copy;
}

/* Steals body, which came from malloc. */
static void reply(struct http_req *r, unsigned status, const char *type, void *body, size_t n)
{
    assert(!r->response);
    r->response = MHD_create_response_from_buffer_with_free_callback(n, body, wipe_free);
    r->status = status;
    if (!r->response) {
        wipe_free(body);
        r->gone = true; /* out of memory: all we can say is good-bye */
    } else {
        if (type)
            MHD_add_response_header(r->response, "Content-Type", type);
        MHD_add_response_header(r->response, "Cache-Control", "no-store");
        MHD_add_response_header(r->response, "X-Content-Type-Options", "nosniff");
        for (size_t i = 0; i < r->n_headers; i++)
            MHD_add_response_header(r->response, r->header[i].name, r->header[i].value);
    }
    if (r->h->conf.answered)
        r->h->conf.answered(r->h->arg, status);
    resume(r);
}

void http_reply_text(struct http_req *r, unsigned status, const char *content_type,
                     struct span body)
{
    char *copy = body.n ? malloc(body.n) : NULL;
    if (copy)
        memcpy(copy, body.p, body.n);
    else if (body.n)
        status = 503;
    reply(r, status, content_type, copy, copy ? body.n : 0);
}

static void reply_json(struct http_req *r, unsigned status, const char *type, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (text)
        reply(r, status, type, text, strlen(text));
    else
        reply(r, 503, NULL, NULL, 0); /* out of memory */
}

void http_reply_json(struct http_req *r, unsigned status, json_t *body)
{
    if (body)
        reply_json(r, status, "application/json", body);
    else
        reply(r, status, NULL, NULL, 0);
}

void http_problem(struct http_req *r, unsigned status, const char *type, const char *title,
                  const char *detail, ...)
{
    va_list ap;
    va_start(ap, detail);
    json_t *text = json_vsprintf(detail, ap);
    va_end(ap);
    json_t *body = json_object();
    json_object_set_new(body, "type", json_sprintf("/problems/%s", type));
    json_object_set_new(body, "title", json_string(title));
    json_object_set_new(body, "status", json_integer(status));
    json_object_set_new(body, "detail", text ? text : json_string("")); /* not UTF-8 */
    reply_json(r, status, "application/problem+json", body);
}

/* ---- before the handler ---- */

/* RFC 6750, 2.1. */
static bool is_admin(struct http_req *r)
{
    static const struct span scheme = SPAN_INIT("Bearer ");
    struct span value = http_header(r, "Authorization");
    const struct secret *token = r->h->conf.admin_token;
    return token && token->n && value.p && span_casestarts(value, scheme) &&
           ct_eq(span_trim(span_skip(value, scheme.n)), secret_span(token));
}

static bool method_is(const struct http_route *route, struct span method)
{
    struct span m = span_str(route->method);
    return span_eq(m, method) || (span_eq(method, SPAN("HEAD")) && span_eq(m, SPAN("GET")));
}

/* Sets r->route, or replies 404 or 405. */
static void find_route(struct http_req *r, struct span method, struct span path)
{
    char allow[128];
    struct buf b = BUF_INIT(allow);
    for (const struct http_route *route = r->h->routes; route->method; route++) {
        if (!route_match(route->path, path))
            continue;
        if (method_is(route, method)) {
            r->route = route;
            return;
        }
        buf_printf(&b, "%s%s%s", b.n ? ", " : "", route->method,
                   span_eq(span_str(route->method), SPAN("GET")) ? ", HEAD" : "");
    }
    if (b.n == 0) {
        http_problem(r, 404, "no-such-path", "Not found", "There is nothing at this path.");
        return;
    }
    allow[CS_MIN(b.n, sizeof(allow) - 1)] = '\0';
    http_reply_header(r, "Allow", allow); /* RFC 9110, 15.5.6 */
    http_problem(r, 405, "method", "Method not allowed", "This path takes %s.", allow);
}

static enum MHD_Result count_host(void *arg, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    (void)value;
    *(unsigned *)arg += span_caseeq(span_str(name), SPAN("Host"));
    return MHD_YES;
}

/* Replies when the request is refused for what its head says. */
static void judge_head(struct http_req *r, const char *method, const char *version)
{
    struct span query = r->target, path = span_cut(&query, '?');
    unsigned hosts = 0;
    MHD_get_connection_values(r->mhd, MHD_HEADER_KIND, count_host, &hosts);
    /* RFC 9112, 3.2; before HTTP/1.1 there was none, and no browser of today leaves it out. */
    const bool may_lack = strcmp(version, MHD_HTTP_VERSION_1_0) == 0;
    if (hosts > 1 || (hosts == 0 && !may_lack)) {
        http_problem(r, 400, "host", "Bad request", "Send one Host header.");
    } else if (hosts && !route_host_is_ours(http_header(r, "Host"), r->h->conf.name)) {
        http_problem(r, 421, "host", "Misdirected request",
                     "This Host is not known here. Use an address or localhost.");
    } else if (path.n == 0 || path.p[0] != '/') {
        http_problem(r, 400, "target", "Bad request", "The request target must begin with /.");
    } else {
        find_route(r, span_str(method), path);
    }
    if (!r->route)
        return;
    if (r->route->access != HTTP_PUBLIC && !is_admin(r)) {
        r->route = NULL;
        http_reply_header(r, "WWW-Authenticate", "Bearer realm=\"countersign\"");
        http_problem(r, 401, "unauthorized", "Not authorized",
                     "Send the admin token: Authorization: Bearer <token>.");
    } else if (route_params(r->route->path, path, &r->arena, &r->params) ||
               route_query(query, &r->arena, &r->query)) {
        r->route = NULL;
        http_problem(r, 400, "target", "Bad request",
                     "The path or query has a broken escape or says a parameter twice.");
    } else if (r->route->access != HTTP_PUBLIC) {
        list_remove(&r->conn->link);
    }
}

static void reply_too_large(struct http_req *r)
{
    http_problem(r, 413, "too-large", "Body too large", "A body may have up to %zu bytes.",
                 r->h->conf.max_body);
}

static bool declares_more_than(struct http_req *r, size_t max)
{
    uint64_t n;
    struct span length = http_header(r, "Content-Length");
    return length.p && span_u64(length, max, &n);
}

static void drop_body(struct http_req *r)
{
    wipe_free(r->body);
    r->body = NULL;
    r->body_n = r->body_cap = 0;
}

/* Not realloc(), which would leave copies of secrets behind. */
static bool reserve_body(struct http_req *r, size_t n)
{
    if (n <= r->body_cap)
        return true;
    size_t cap = CS_MIN(CS_MAX(CS_MAX(2 * r->body_cap, n), 4096), r->h->conf.max_body);
    char *p = malloc(cap);
    if (!p)
        return false;
    size_t kept = r->body_n;
    if (kept)
        memcpy(p, r->body, kept);
    drop_body(r);
    r->body = p;
    r->body_n = kept;
    r->body_cap = cap;
    return true;
}

/* False: so much came that the connection is better closed. */
static bool take_body(struct http_req *r, const char *data, size_t n)
{
    size_t max = r->h->conf.max_body;
    if (!r->response && n > max - r->body_n) {
        drop_body(r);
        reply_too_large(r);
    }
    if (r->response) {
        r->swallowed += n;
        return r->swallowed <= SWALLOW * max;
    }
    if (!reserve_body(r, r->body_n + n))
        return false;
    memcpy(r->body + r->body_n, data, n);
    r->body_n += n;
    return true;
}

static enum MHD_Result send_reply(struct http_req *r)
{
    timer_start(r->h->loop, &r->conn->deadline, r->h->conf.deadline);
    return r->gone ? MHD_NO : MHD_queue_response(r->mhd, r->status, r->response);
}

/* Called for the head, for each part of the body, at its end, and again when resumed. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *n_upload, void **ctx)
{
    struct httpd *h = arg;
    struct http_req *r = *ctx;
    (void)mhd;
    (void)url;
    if (!r)
        return MHD_NO;
    if (r->stage == REQ_HEAD) {
        timer_start(h->loop, &r->conn->deadline, h->conf.deadline);
        judge_head(r, method, version);
        r->stage = REQ_BODY;
        if (!r->response && declares_more_than(r, h->conf.max_body))
            reply_too_large(r);
        if (!r->response)
            return MHD_YES;
        /* Many clients read only when they have sent all: a refusal waits for the end of a body
         * that is on its way, unless that is very long. */
        bool now = http_header(r, "Expect").p || declares_more_than(r, SWALLOW * h->conf.max_body);
        return now ? send_reply(r) : MHD_YES;
    }
    if (r->stage == REQ_BODY && *n_upload) {
        bool go_on = take_body(r, upload, *n_upload);
        *n_upload = 0;
        return go_on ? MHD_YES : MHD_NO;
    }
    if (r->stage == REQ_BODY) {
        r->stage = REQ_HANDLER;
        timer_stop(h->loop, &r->conn->deadline);
        list_remove(&r->conn->link);
        if (r->response)
            return send_reply(r);
        list_push_back(&h->open, &r->link);
        r->route->fn(r, h->arg);
    }
    if (r->response || r->gone)
        return send_reply(r);
    r->suspended = true;
    MHD_suspend_connection(r->mhd);
    watch(r);
    return MHD_YES;
}

/* So that who sends half a request and waits cannot lock others out. The connection that came last
 * is not pushed out before it could say anything. */
static void make_room(struct httpd *h, const struct conn *newcomer)
{
    if (h->n_conns < h->conf.max_connections || list_empty(&h->conns))
        return;
    struct conn *oldest = container_of(h->conns.next, struct conn, link);
    if (oldest == newcomer)
        return;
    list_remove(&oldest->link);
    shutdown(oldest->fd, SHUT_RDWR); /* libmicrohttpd finds it so and closes it */
}

static void *on_target(void *arg, const char *target, struct MHD_Connection *mhd)
{
    struct httpd *h = arg;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_req *r = info && info->socket_context ? calloc(1, sizeof(*r)) : NULL;
    if (!r)
        return NULL;
    r->h = h;
    r->mhd = mhd;
    r->conn = info->socket_context;
    list_init(&r->link);
    arena_init(&r->arena, NULL, 0, 4 * h->conf.max_body + 64 * 1024);
    r->target = arena_dup(&r->arena, span_str(target));
    return r;
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **ctx,
                         enum MHD_RequestTerminationCode why)
{
    struct http_req *r = *ctx;
    (void)arg;
    (void)mhd;
    if (!r)
        return;
    *ctx = NULL;
    unwatch(r);
    list_remove(&r->link);
    if (!r->h->closing)
        timer_start(r->h->loop, &r->conn->deadline, r->h->conf.deadline);
    if (!r->h->closing && why == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        list_remove(&r->conn->link);
        list_push_back(&r->h->conns, &r->conn->link);
        make_room(r->h, NULL);
    }
    if (r->response)
        MHD_destroy_response(r->response);
    drop_body(r);
    arena_fini(&r->arena);
    free(r);
}

/* ---- connections ---- */

static void on_deadline(struct timer *t)
{
    struct conn *c = container_of(t, struct conn, deadline);
    list_remove(&c->link);
    shutdown(c->fd, SHUT_RDWR);
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **ctx,
                          enum MHD_ConnectionNotificationCode code)
{
    struct httpd *h = arg;
    struct conn *c = *ctx;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (c) {
            timer_stop(h->loop, &c->deadline);
            list_remove(&c->link);
            h->n_conns--;
        }
        free(c);
        *ctx = NULL;
        if (!h->closing)
            turn_queue(h->loop, &h->turn);
        return;
    }
    int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    c = *ctx = malloc(sizeof(*c));
    if (!c) {
        shutdown(fd, SHUT_RDWR);
        return;
    }
    c->h = h;
    c->fd = fd;
    timer_init(&c->deadline, on_deadline);
    timer_start(h->loop, &c->deadline, DURATION_MS(CS_MIN(h->conf.deadline.ms, HEAD_MS)));
    list_push_back(&h->conns, &c->link);
    h->n_conns++;
    make_room(h, c);
}

/* Targets are decoded by route.c, after they were taken apart. */
static size_t leave_escaped(void *arg, struct MHD_Connection *mhd, char *s)
{
    (void)arg;
    (void)mhd;
    return strlen(s);
}

/* ---- the loop ---- */

static void run(struct httpd *h)
{
    unsigned long long wait;
    unsigned n = 0;
    do {
        MHD_run(h->daemon);
        if (MHD_get_timeout(h->daemon, &wait) != MHD_YES || wait != 0)
            return; /* the rest comes by descriptors; deadlines are ours */
    } while (++n < RUNS_PER_TURN);
    timer_start(h->loop, &h->again, DURATION_MS(0));
}

static void on_turn(struct turn *t)
{
    run(container_of(t, struct httpd, turn));
}

static void on_again(struct timer *t)
{
    run(container_of(t, struct httpd, again));
}

static void on_poll(uv_poll_t *p, int status, int events)
{
    (void)status;
    (void)events;
    run(container_of(p, struct httpd, poll));
}

static void on_poll_closed(uv_handle_t *handle)
{
    free(container_of(handle, struct httpd, poll));
}

static int listen_on(struct addr *local, int *out)
{
    struct sockaddr_storage bound;
    socklen_t n = sizeof(bound);
    int on = 1;
    int fd = socket(local->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); /* only of connections gone by */
    if (bind(fd, &local->sa, addr_len(local)) || listen(fd, 128) ||
        getsockname(fd, (struct sockaddr *)&bound, &n)) {
        int err = -errno;
        close(fd);
        return err;
    }
    addr_from_sockaddr((struct sockaddr *)&bound, local);
    *out = fd;
    return 0;
}

int httpd_open(struct loop *l, const struct httpd_conf *conf, const struct http_route *routes,
               void *arg, struct httpd **out)
{
    if (!addr_is_loopback(&conf->listen)) {
        log_error(&lg, "plain HTTP is served on loopback only", kv_addr("listen", &conf->listen));
        return CS_EDENIED;
    }
    struct httpd *h = calloc(1, sizeof(*h));
    if (!h)
        return CS_ENOMEM;
    json_set_alloc_funcs(malloc, wipe_free);
    h->loop = l;
    h->routes = routes;
    h->arg = arg;
    h->conf = *conf;
    h->local = conf->listen;
    h->conf.max_body = conf->max_body ? conf->max_body : MAX_BODY;
    h->conf.max_connections = conf->max_connections ? conf->max_connections : MAX_CONNECTIONS;
    h->conf.deadline = conf->deadline.ms ? conf->deadline : DURATION_MS(DEADLINE_MS);
    list_init(&h->open);
    list_init(&h->conns);
    turn_init(&h->turn, on_turn);
    timer_init(&h->again, on_again);
    int fd = -1, err = listen_on(&h->local, &fd);
    if (err) {
        free(h);
        return err;
    }
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, h,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, h->conf.max_connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MAX_HEADER, MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_END);
    if (!h->daemon) { /* it took the socket */
        free(h);
        return CS_ENOMEM;
    }
    int epoll_fd = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    err = uv_poll_init(&l->uv, &h->poll, epoll_fd);
    if (err) {
        MHD_stop_daemon(h->daemon);
        free(h);
        return err;
    }
    uv_poll_start(&h->poll, UV_READABLE, on_poll);
    *out = h;
    return 0;
}

void httpd_close(struct httpd **hp)
{
    struct httpd *h = *hp;
    struct list *it;
    if (!h)
        return;
    *hp = NULL;
    h->closing = true;
    timer_stop(h->loop, &h->again);
    while ((it = list_pop(&h->open))) {
        struct http_req *r = container_of(it, struct http_req, link);
        r->gone = true;
        resume(r); /* libmicrohttpd stops only when none is suspended */
    }
    turn_cancel(&h->turn);
    uv_close((uv_handle_t *)&h->poll, on_poll_closed);
    MHD_stop_daemon(h->daemon); /* calls on_completed() and on_connection() for each */
}

const struct addr *httpd_local(const struct httpd *h)
{
    return &h->local;
}
