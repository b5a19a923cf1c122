/* Is what Redis holds whole? A portion a request, so that each is short, nothing is kept between
 * them, and whoever asks sees how far it is. */
#include "authd/inspect/inspect.h"

#include "authd/check/check.h"
#include "authd/rest/op.h"

struct inspect_op {
    struct op op;
    struct inspection *inspection; /* NULL: done */
};

static void drop(struct op *op)
{
    struct inspect_op *o = container_of(op, struct inspect_op, op);
    if (o->inspection)
        inspect_cancel(o->inspection);
    o->inspection = NULL;
}

static json_t *finding_to_json(const struct finding *f)
{
    json_t *j = json_object();
    json_object_set_new(j, "what", json_of(flaw_name(f->flaw)));
    json_object_set_new(j, "key", json_of(f->key));
    if (f->entry.p)
        json_object_set_new(j, "entry", json_of(f->entry));
    if (f->detail.p)
        json_object_set_new(j, "detail", json_of(f->detail));
    json_object_set_new(j, "meaning", json_of(flaw_meaning(f->flaw)));
    json_object_set_new(j, "remedy", json_of(flaw_remedy(f->flaw)));
    json_object_set_new(j, "repairable", json_boolean(flaw_is_repairable(f->flaw)));
    json_object_set_new(j, "repaired", json_boolean(f->repaired));
    return j;
}

static void fail(struct inspect_op *o, int err)
{
    struct fault f;
    if (err == CS_EPROTO)
        fault_set(&f, 400, "after", "Invalid place",
                  "after is not what a page of this authd said was next.");
    else if (err == CS_ECONFLICT)
        fault_set(&f, 409, "other-redis", "Another Redis",
                  "Another Redis serves than when this was begun. Begin again.");
    else
        store_fault(err, &f);
    op_fault(&o->op, &f);
}

static void log_repair(struct inspect_op *o, const struct finding *f)
{
    char note[1024];
    struct buf b = BUF_INIT(note);
    buf_put(&b, flaw_name(f->flaw));
    buf_lit(&b, ": ");
    buf_put(&b, span_head(f->entry, sizeof(note) - 64));
    log_action(&o->op, SPAN("repaired"), f->key, buf_span(&b));
}

static void on_page(void *arg, int err, const struct inspect_page *page)
{
    struct inspect_op *o = arg;
    o->inspection = NULL;
    if (err) {
        fail(o, err);
        return;
    }
    json_t *body = json_object(), *list = json_array();
    for (const struct finding *f = page->findings; f; f = f->next) {
        json_array_append_new(list, finding_to_json(f));
        if (f->repaired)
            log_repair(o, f);
    }
    json_object_set_new(body, "seen", json_integer((json_int_t)page->seen));
    json_object_set_new(body, "findings", list);
    if (page->next[0])
        json_object_set_new(body, "next", json_of(span_str(page->next)));
    op_reply(&o->op, 200, body);
}

static void begin(struct http_req *req, struct rest *rest, bool repair)
{
    const struct rest_conf *conf = &rest->conf;
    struct inspect_op *o = op_new(rest, req, sizeof(*o));
    if (!o)
        return;
    const struct inspect_env env = { .loop = rest->loop,
                                     .redis = conf->redis,
                                     .vault = conf->vault,
                                     .trunk_vault = conf->trunk_vault,
                                     .conf = conf->checker->conf };
    o->op.drop = drop;

    int err = redis_is_ready(conf->redis)
                  ? inspect_begin(&env, http_query(req, "after"), repair, http_arena(req), on_page,
                                  o, &o->inspection)
                  : CS_ECLOSED;
    if (err) {
        o->inspection = NULL;
        fail(o, err);
    }
}

void rest_inspect(struct http_req *req, void *arg)
{
    begin(req, arg, false);
}

void rest_repair(struct http_req *req, void *arg)
{
    begin(req, arg, true);
}
