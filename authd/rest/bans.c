/* Who is banned, and by whom and why; bans by hand, and lifting. And the networks that failed and
 * never succeeded, for a portal that wants to know whom to ask more. */
#include "authd/defence/defence.h"
#include "authd/defence/tally.h"
#include "authd/rest/op.h"

enum { PAGE = 100, SECONDS_MAX = 365 * 24 * 60 * 60 };

struct ban_op {
    struct op op;
    struct ban ban;
};

static const char *const members[] = { "source", "port", "user", "reason", "seconds" };

/* ---- as the world sees it ---- */

json_t *ban_to_json(const struct ban *b)
{
    char id[BAN_ID_LEN + 1], source[ADDR_STRLEN], since[WALL_STRLEN], until[WALL_STRLEN];
    struct buf s = BUF_INIT(source);
    ban_id(b, id);
    cidr_write(&s, &b->net);
    wall_format(b->since, since);
    wall_format(b->until, until);
    json_t *j =
        json_pack("{s:s, s:o, s:s, s:o, s:s, s:s}", "id", id, "source", json_of(buf_span(&s)), "by",
                  b->class_.p ? "authd" : "operator", "reason",
                  json_of(b->reason.p ? b->reason : SPAN("")), "since", since, "until", until);
    if (b->port)
        json_object_set_new(j, "port", json_integer(b->port));
    if (b->user.p)
        json_object_set_new(j, "user", json_of(b->user));
    if (b->class_.p)
        json_object_set_new(j, "class", json_of(b->class_));
    return j;
}

/* ---- bans ---- */

void rest_bans_list(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    const struct ban *page[PAGE + 1];
    char id[BAN_ID_LEN + 1];
    struct fault f;
    size_t limit;
    if (limit_of(req, PAGE, PAGE, &limit, &f)) {
        http_problem(req, f.status, f.type, f.title, "%s", f.detail);
        return;
    }
    /* One more than asked for tells whether there is a next page. */
    size_t n =
        bans_page(defence_bans(rest->conf.defence), http_query(req, "after"), page, limit + 1);
    json_t *list = json_array(), *body = json_pack("{s:o}", "bans", list);
    for (size_t i = 0; i < CS_MIN(n, limit); i++)
        json_array_append_new(list, ban_to_json(page[i]));
    if (n > limit) {
        ban_id(page[limit - 1], id);
        json_object_set_new(body, "next", json_string(id));
    }
    http_reply_json(req, 200, body);
}

static int wrong(struct fault *f, const char *what)
{
    return fault_set(f, 422, "invalid-ban", "Invalid ban", "%s", what);
}

static bool is_member(const char *name)
{
    for (size_t i = 0; i < CS_LEN(members); i++) {
        if (strcmp(name, members[i]) == 0)
            return true;
    }
    return false;
}

/* Text of at most max bytes; absent: not said. */
static int text_of(const json_t *body, const char *name, size_t max, struct span *out,
                   struct fault *f)
{
    const json_t *j = json_object_get(body, name);
    *out = SPAN_NULL;
    if (!j)
        return 0;
    *out = span_of(json_string_value(j), json_string_length(j));
    return !out->p || !out->n || out->n > max || memchr(out->p, '\0', out->n)
               ? fault_set(f, 422, "invalid-ban", "Invalid ban", "%s is no text of 1 to %zu bytes.",
                           name, max)
               : 0;
}

static int number_of(const json_t *body, const char *name, int64_t max, int64_t *out,
                     struct fault *f)
{
    const json_t *j = json_object_get(body, name);
    if (!j)
        return 0;
    *out = json_is_integer(j) ? json_integer_value(j) : 0;
    return *out < 1 || *out > max ? fault_set(f, 422, "invalid-ban", "Invalid ban",
                                              "%s is no number of 1 to %lld.", name, (long long)max)
                                  : 0;
}

static int read_ban(const struct rest *rest, json_t *body, struct ban *out, struct fault *f)
{
    struct span source;
    int64_t port = 0, seconds = 45 * 60;
    struct ban b = { .since = loop_wall(rest->loop) };
    const char *name;
    json_t *value;
    json_object_foreach(body, name, value)
    {
        if (!is_member(name))
            return wrong(f, "Members are source, port, user, reason and seconds.");
    }
    int err = text_of(body, "source", 64, &source, f);
    if (!err)
        err = text_of(body, "user", BAN_USER_MAX, &b.user, f);
    if (!err)
        err = text_of(body, "reason", BAN_REASON_MAX, &b.reason, f);
    if (!err)
        err = number_of(body, "port", 65535, &port, f);
    if (!err)
        err = number_of(body, "seconds", SECONDS_MAX, &seconds, f);
    if (err)
        return err;
    if (!source.p || cidr_parse(source, &b.net))
        return wrong(f, "source is no address or network; write 192.0.2.1 or 2001:db8::/64.");
    if (port && (b.net.bits != addr_host_bytes(&b.net.net).n * 8 || b.user.p))
        return wrong(f, "port belongs to one address, and to no user.");
    if (b.user.p && span_find(b.user, '@') < 0)
        return wrong(f, "user is written name@realm.");
    b.port = (uint16_t)port;
    b.until = wall_add(b.since, DURATION_S(seconds));
    *out = b;
    err = defence_may_ban(rest->conf.defence, &b.net);
    if (err == CS_EDENIED)
        return fault_set(f, 422, "exempt", "Exempt source",
                         "It holds an exempt network (defence.exempt) or the source of a peer "
                         "group that is trusted.");
    return err ? fault_set(f, 503, "bans-full", "No room",
                           "As many bans stand as defence.bans allows. Lift some, or raise it.")
               : 0;
}

static bool refused(struct op *op, const struct redis_reply *reply)
{
    op->redis = NULL;
    if (reply && reply->type != REDIS_ERROR)
        return false;
    op_store_error(op, CS_ECLOSED);
    return true;
}

/* The audit log tells of the ban itself where it takes effect; here, of who wanted it. */
static void log_ban(struct ban_op *b, struct span what)
{
    char text[ADDR_STRLEN + BAN_USER_MAX + 8];
    struct buf target = BUF_INIT(text);
    ban_write_source(&target, &b->ban);
    if (b->ban.user.p)
        buf_printf(&target, " " SPAN_FMT, SPAN_ARG(b->ban.user));
    log_action(&b->op, what, buf_span(&target), b->ban.reason);
}

static void on_banned(void *arg, const struct redis_reply *reply)
{
    struct ban_op *b = arg;
    if (refused(&b->op, reply))
        return;
    log_ban(b, SPAN("ban put"));
    op_reply(&b->op, 201, ban_to_json(&b->ban));
}

void rest_ban_create(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct fault f;
    struct ban_op *b = op_new(rest, req, sizeof(*b));
    if (!b)
        return;
    if (!op_body(&b->op))
        return;
    if (read_ban(rest, b->op.body, &b->ban, &f)) {
        op_fault(&b->op, &f);
        return;
    }
    b->op.redis = defence_ban(rest->conf.defence, &b->ban, on_banned, b);
    if (!b->op.redis)
        op_no_memory(&b->op);
}

static void on_lifted(void *arg, const struct redis_reply *reply)
{
    struct ban_op *b = arg;
    if (refused(&b->op, reply))
        return;
    log_ban(b, SPAN("ban lifted"));
    op_reply(&b->op, 204, NULL);
}

void rest_ban_delete(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    const struct ban *b = bans_by_id(defence_bans(rest->conf.defence), http_param(req, "ban"));
    if (!b) {
        http_problem(req, 404, "no-such-ban", "No such ban",
                     "No ban of this id stands; it may have ended.");
        return;
    }
    struct ban_op *op = op_new(rest, req, sizeof(*op));
    if (!op)
        return;
    op->ban = *b;
    op->ban.user = arena_dup(http_arena(req), b->user); /* it may be gone when it is lifted */
    op->ban.reason = SPAN_NULL;
    op->op.redis = defence_lift(rest->conf.defence, b, on_lifted, op);
    if (!op->op.redis)
        op_no_memory(&op->op);
}

/* ---- the greylist ---- */

struct grey_op {
    struct op op;
    size_t limit;
    struct span address; /* only this one; absent: all */
};

static json_t *grey_to_json(struct span source, struct span score)
{
    char seen[WALL_STRLEN];
    uint64_t ms = 0;
    if (span_u64(score, INT64_MAX, &ms))
        ms = 0;
    wall_format((struct wall){ (int64_t)ms }, seen);
    return json_pack("{s:o, s:s}", "source", json_of(source), "seen", seen);
}

/* [network, score, ...], the last failure first */
static void on_grey(void *arg, const struct redis_reply *r)
{
    struct grey_op *g = arg;
    if (refused(&g->op, r))
        return;
    json_t *list = json_array(), *body = json_pack("{s:o}", "greylist", list);
    size_t n = r->type == REDIS_ARRAY ? r->n / 2 : 0;
    for (size_t i = 0; i < CS_MIN(n, g->limit); i++)
        json_array_append_new(list, grey_to_json(r->element[2 * i].str, r->element[2 * i + 1].str));
    if (n > g->limit)
        json_object_set_new(body, "next", json_of(r->element[2 * (g->limit - 1)].str));
    op_reply(&g->op, 200, body);
}

static void ask_grey(struct grey_op *g, int64_t from)
{
    char first[24], last[24];
    struct buf f = BUF_INIT(first), l = BUF_INIT(last);
    buf_i64(&f, from);
    buf_i64(&l, from + (int64_t)g->limit);
    g->op.redis = redis_do(g->op.rest->conf.redis, on_grey, g, SPAN("ZREVRANGE"), TALLY_GREY,
                           buf_span(&f), buf_span(&l), SPAN("WITHSCORES"));
    if (!g->op.redis)
        op_no_memory(&g->op);
}

/* Where the last page ended; what is gone since, or failed once more, has no place there. */
static void on_rank(void *arg, const struct redis_reply *r)
{
    struct grey_op *g = arg;
    struct fault f;
    if (refused(&g->op, r))
        return;
    if (r->type == REDIS_INTEGER) {
        ask_grey(g, r->integer + 1);
        return;
    }
    fault_set(&f, 400, "after", "The list has changed", "Begin again without after.");
    op_fault(&g->op, &f);
}

static void on_score(void *arg, const struct redis_reply *r)
{
    struct grey_op *g = arg;
    if (refused(&g->op, r))
        return;
    json_t *list = json_array();
    if (r->type == REDIS_STRING)
        json_array_append_new(list, grey_to_json(g->address, r->str));
    op_reply(&g->op, 200, json_pack("{s:o}", "greylist", list));
}

void rest_greylist(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct fault f;
    struct addr a;
    struct span after = http_query(req, "after"), address = http_query(req, "address");
    struct grey_op *g = op_new(rest, req, sizeof(*g));
    if (!g)
        return;
    if (limit_of(req, PAGE, PAGE, &g->limit, &f)) {
        op_fault(&g->op, &f);
    } else if (address.p) {
        if (addr_parse(address, 0, &a)) {
            fault_set(&f, 400, "address", "Invalid address", "address is no IP address.");
            op_fault(&g->op, &f);
            return;
        }
        const struct cidr net = cidr_of_subscriber(&a);
        char *text = arena_alloc(http_arena(req), ADDR_STRLEN);
        struct buf b = buf_of(text, text ? ADDR_STRLEN : 0);
        cidr_write(&b, &net);
        g->address = buf_span(&b);
        g->op.redis =
            text ? redis_do(rest->conf.redis, on_score, g, SPAN("ZSCORE"), TALLY_GREY, g->address)
                 : NULL;
        if (!g->op.redis)
            op_no_memory(&g->op);
    } else if (after.p) {
        g->op.redis = redis_do(rest->conf.redis, on_rank, g, SPAN("ZREVRANK"), TALLY_GREY, after);
        if (!g->op.redis)
            op_no_memory(&g->op);
    } else {
        ask_grey(g, 0);
    }
}
