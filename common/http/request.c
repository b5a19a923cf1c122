#include <assert.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "http/impl.h"

enum {
    SWALLOW = 4, /* times max_body that are read and dropped before a refusal */
    FEED_BLOCK = 4096,
    FEED_UNSENT = 64 * 1024,
};

void http_wipe_free(void *p)
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

struct span http_method(const struct http_req *r)
{
    return span_str(r->route->method);
}

struct span http_target(const struct http_req *r)
{
    return r->target;
}

X509 *http_certificate(const struct http_req *r, X509 **issuer)
{
    *issuer = r->conn->issuer;
    return r->conn->certificate;
}

void http_peer(const struct http_req *r, struct addr *out)
{
    const union MHD_ConnectionInfo *i =
        MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *out = (struct addr){ 0 };
    if (i && i->client_addr)
        addr_from_sockaddr(i->client_addr, out);
}

struct span http_who(const struct http_req *r)
{
    return r->who.name[0] ? span_str(r->who.name) : SPAN_NULL;
}

enum http_role http_role(const struct http_req *r)
{
    return r->who.name[0] ? r->who.role : HTTP_PUBLIC;
}

struct wall http_until(const struct http_req *r)
{
    return r->until;
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

void request_resume(struct http_req *r)
{
    unwatch(r);
    list_remove(&r->link);
    if (!r->suspended)
        return;
    r->suspended = false;
    MHD_resume_connection(r->mhd); /* request_step() is called again at the end of this turn */
    turn_queue(r->h->loop, &r->h->turn);
}

static void on_hangup(uv_poll_t *p, int status, int events)
{
    struct http_req *r = container_of(p, struct hangup, poll)->req;
    (void)events;
    (void)status;
    if (!r->on_abort && !r->feed.pull) {
        unwatch(r); /* the handler still holds it: its reply will find nobody */
        return;
    }
    r->gone = true;
    if (r->on_abort)
        r->on_abort(r->abort_arg);
    request_resume(r);
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
    struct http_reply *y = &r->reply;
    assert(y->n_headers < CS_LEN(y->header));
    char *copy = arena_str(&r->arena, span_str(value));
    if (!copy)
        return;
    y->header[y->n_headers].name = name;
    y->header[y->n_headers++].value = copy;
}

static void set_headers(struct http_req *r)
{
    const struct http_reply *y = &r->reply;
    bool kept = false;
    if (y->type)
        MHD_add_response_header(r->response, "Content-Type", y->type);
    for (size_t i = 0; i < y->n_headers; i++)
        kept = kept || strcmp(y->header[i].name, "Cache-Control") == 0;
    if (!kept)
        MHD_add_response_header(r->response, "Cache-Control", "no-store");
    MHD_add_response_header(r->response, "X-Content-Type-Options", "nosniff");
    for (size_t i = 0; i < y->n_headers; i++)
        MHD_add_response_header(r->response, y->header[i].name, y->header[i].value);
}

/* The response was made, or could not be. */
static void replied(struct http_req *r)
{
    if (r->response)
        set_headers(r);
    else
        r->gone = true; /* out of memory: all we can say is good-bye */
    if (r->h->conf.answered)
        r->h->conf.answered(r->h->arg, r->reply.status);
    if (r->on_reply && r->response) {
        r->held = true;
        r->on_reply(r->on_reply_arg, &r->reply);
    } else {
        request_resume(r);
    }
}

/* Steals body, which came from malloc. */
static void reply(struct http_req *r, unsigned status, const char *type, void *body, size_t n)
{
    assert(!r->response);
    r->response = MHD_create_response_from_buffer_with_free_callback(n, body, http_wipe_free);
    if (!r->response)
        http_wipe_free(body);
    r->reply.status = status;
    r->reply.type = type;
    r->reply.body = span_of(body ? body : "", n);
    replied(r);
}

void http_hold(struct http_req *r, void (*fn)(void *arg, const struct http_reply *reply), void *arg)
{
    r->on_reply = fn;
    r->on_reply_arg = arg;
}

void http_release(struct http_req *r)
{
    r->held = false;
    request_resume(r);
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

json_t *http_time(struct wall t)
{
    char text[WALL_STRLEN];
    if (!t.ms)
        return json_null();
    wall_format(t, text);
    return json_string(text);
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

/* ---- a reply without an end ---- */

static ssize_t on_pull(void *arg, uint64_t at, char *to, size_t n)
{
    struct http_req *r = arg;
    (void)at;
    if (r->gone)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    ptrdiff_t got = r->feed.pull(r->feed.arg, to, n);
    if (got < 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (got > 0) { /* from now on it has so long to take this */
        timer_start(r->h->loop, &r->conn->deadline, r->h->conf.deadline);
        return got;
    }
    timer_stop(r->h->loop, &r->conn->deadline);
    list_push_back(&r->h->open, &r->link);
    r->suspended = true;
    MHD_suspend_connection(r->mhd);
    watch(r);
    return 0;
}

void http_reply_feed(struct http_req *r, const char *content_type, const struct http_feed *feed)
{
    const int room = FEED_UNSENT; /* what the kernel holds for a client who does not read */
    assert(!r->response);
    setsockopt(r->conn->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    r->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, FEED_BLOCK, on_pull, r, NULL);
    r->reply.status = 200;
    r->reply.type = content_type;
    r->on_abort = NULL;
    r->on_reply = NULL; /* it cannot be kept */
    r->feed = *feed;
    replied(r);
}

void http_wake(struct http_req *r)
{
    if (r->suspended)
        request_resume(r);
}

/* ---- before the handler ---- */

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

static bool looks_foreign(struct span token)
{
    size_t dots = 0;
    for (size_t i = 0; i < token.n; i++)
        dots += token.p[i] == '.';
    return dots == 2;
}

/* Replies when he is not allowed this. */
static bool may_do(struct http_req *r, const struct bearer *who)
{
    const enum http_role role = r->route->role;
    if (who->role <= role) {
        r->who = *who;
        return true;
    }
    http_problem(r, 403, "role", "Not allowed",
                 "This needs the role %s; the token of %s has the role %s.", role_name(role).p,
                 who->name, role_name(who->role).p);
    return false;
}

/* Sets r->who, or r->foreign; or replies, and is false. */
static bool may_come(struct http_req *r)
{
    const struct bearers *all = r->h->conf.bearers;
    const struct span token = bearer_token(http_header(r, "Authorization"));
    if (r->route->role == HTTP_PUBLIC)
        return true;
    const struct bearer *who = all ? bearers_find(all, token) : NULL;
    if (who)
        return may_do(r, who);
    r->foreign = r->h->conf.admit && looks_foreign(token);
    if (r->foreign)
        return true;
    http_reply_header(r, "WWW-Authenticate", "Bearer realm=\"countersign\"");
    http_problem(r, 401, "unauthorized", "Not authorized",
                 "Send an operator's token: Authorization: Bearer <token>.");
    return false;
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
    } else if (hosts && !r->h->conf.tls && !r->h->conf.in_the_clear &&
               !route_host_is_ours(http_header(r, "Host"), r->h->conf.name)) {
        http_problem(r, 421, "host", "Misdirected request",
                     "This Host is not known here. Use an address or localhost.");
    } else if (path.n == 0 || path.p[0] != '/') {
        http_problem(r, 400, "target", "Bad request", "The request target must begin with /.");
    } else {
        find_route(r, span_str(method), path);
    }
    if (!r->route || !may_come(r))
        return;
    if (route_params(r->route->path, path, &r->arena, &r->params) ||
        route_query(query, &r->arena, &r->query))
        http_problem(r, 400, "target", "Bad request",
                     "The path or query has a broken escape or says a parameter twice.");
    else if (r->who.name[0])
        list_remove(&r->conn->link);
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
    http_wipe_free(r->body);
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

void http_handle(struct http_req *r)
{
    r->route->fn(r, r->h->arg);
}

static void begin(struct http_req *r)
{
    if (r->h->conf.before)
        r->h->conf.before(r, r->h->arg);
    else
        http_handle(r);
}

void http_admit(struct http_req *r, struct span name, enum http_role role, struct wall until)
{
    struct bearer who = { .role = role };
    if (name.n > BEARER_NAME_MAX) { /* cut, it would be another's */
        http_problem(r, 403, "name", "Not allowed", "The operator's name is longer than %d bytes.",
                     BEARER_NAME_MAX);
        return;
    }
    span_copy(who.name, sizeof(who.name), name);
    r->until = until;
    if (may_do(r, &who))
        begin(r);
}

static enum MHD_Result send_reply(struct http_req *r)
{
    timer_start(r->h->loop, &r->conn->deadline, r->h->conf.deadline);
    return r->gone ? MHD_NO : MHD_queue_response(r->mhd, r->reply.status, r->response);
}

/* Called for the head, for each part of the body, at its end, and again when resumed. */
enum MHD_Result request_step(void *arg, struct MHD_Connection *mhd, const char *url,
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
        if (r->foreign)
            h->conf.admit(r, h->arg);
        else
            begin(r);
    }
    if ((r->response && !r->held) || r->gone)
        return send_reply(r);
    r->suspended = true;
    MHD_suspend_connection(r->mhd);
    watch(r);
    return MHD_YES;
}
/* ---- life ---- */

void *request_new(void *arg, const char *target, struct MHD_Connection *mhd)
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

void request_free(struct http_req *r)
{
    unwatch(r);
    list_remove(&r->link);
    if (r->feed.pull)
        r->feed.closed(r->feed.arg);
    if (r->response)
        MHD_destroy_response(r->response);
    drop_body(r);
    arena_fini(&r->arena);
    free(r);
}
