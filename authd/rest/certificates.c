/* Client certificates in use, those that expire first before others. */
#include "authd/check/check.h"
#include "authd/rest/op.h"
#include "authd/store/seen.h"

enum { PAGE = 100, OFFSET_MAX = 10000000 };

struct certificates_op {
    struct op op;
    struct seen_list *list;
    size_t offset;
};

static const struct log lg = { .module = "rest" };

static void drop(struct op *op)
{
    struct certificates_op *c = container_of(op, struct certificates_op, op);
    if (c->list)
        seen_list_cancel(c->list);
    c->list = NULL;
}

static void set_text(json_t *j, const char *name, struct span text)
{
    if (text.p)
        json_object_set_new(j, name, json_of(text));
}

static void set_hash(json_t *j, const char *name, struct span hash)
{
    char text[64];
    struct buf b = BUF_INIT(text);
    buf_hex(&b, hash.p, hash.n);
    if (hash.p)
        json_object_set_new(j, name, json_of(buf_span(&b)));
}

static json_t *to_json(const struct seen_certificate *c, struct wall now)
{
    char expires[WALL_STRLEN], seen[WALL_STRLEN];
    json_t *j = json_object();
    wall_format(c->expires, expires);
    wall_format(c->seen, seen);
    set_hash(j, "sha256", c->sha256);
    set_hash(j, "spki_sha256", c->spki);
    set_text(j, "holder", c->holder);
    set_text(j, "subject", c->subject);
    set_text(j, "issuer", c->issuer);
    set_text(j, "serial", c->serial);
    json_object_set_new(j, "expires", json_string(expires));
    json_object_set_new(j, "expires_soon",
                        json_boolean(c->expires.ms - now.ms < SEEN_WARN_DAYS * INT64_C(86400000)));
    json_object_set_new(j, "last_seen", json_string(seen));
    return j;
}

static void on_list(void *arg, int err, const struct redis_reply *records, size_t n, bool more)
{
    struct certificates_op *c = arg;
    struct http_req *req = c->op.req;
    c->list = NULL;
    if (err) {
        op_store_error(&c->op, err);
        return;
    }
    json_t *body = json_object(), *list = json_array();
    for (size_t i = 0; i < n; i++) {
        struct seen_certificate s;
        if (records[i].type != REDIS_STRING)
            continue; /* it expired meanwhile */
        if (seen_decode(records[i].str, http_arena(req), &s) == 0)
            json_array_append_new(list, to_json(&s, loop_wall(c->op.rest->loop)));
        else
            log_error(&lg, "the record of a certificate cannot be read");
    }
    json_object_set_new(body, "certificates", list);
    if (more) {
        char next[24];
        struct buf b = BUF_INIT(next);
        buf_u64(&b, c->offset + n);
        json_object_set_new(body, "next", json_of(buf_span(&b)));
    }
    op_reply(&c->op, 200, body);
}

void rest_certificates_list(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct fault f;
    size_t limit;
    uint64_t offset = 0;
    struct certificates_op *c = op_new(rest, req, sizeof(*c));
    if (!c)
        return;
    c->op.drop = drop;
    int err = limit_of(req, PAGE, SEEN_PAGE_MAX, &limit, &f);
    if (!err && http_query(req, "after").p &&
        span_u64(http_query(req, "after"), OFFSET_MAX, &offset))
        err = fault_set(&f, 400, "after", "Invalid after", "after is what next said.");
    if (err) {
        op_fault(&c->op, &f);
        return;
    }
    c->offset = (size_t)offset;
    c->list = seen_list(rest->conf.checker->seen, c->offset, limit, on_list, c);
    if (!c->list)
        op_no_memory(&c->op);
}
