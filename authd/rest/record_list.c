/* Pages of what is kept as records: devices, trunks, address sets. */
#include "authd/rest/op.h"

enum { PAGE = 100 };

struct list_op {
    struct op op;
    const char *member;
    record_show_fn *show;
};

static const struct log lg = { .module = "rest" };

static void on_list(void *arg, int err, const struct record *list, size_t n, struct span next)
{
    struct list_op *l = arg;
    struct op *op = &l->op;
    op->record = NULL;
    if (err) {
        op_store_error(op, err);
        return;
    }
    json_t *body = json_object(), *all = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *one = l->show(op, list[i].bytes);
        if (one)
            json_array_append_new(all, one);
        else
            log_error(&lg, "a record cannot be read", kv_s("of", span_str(l->member)),
                      kv_s("name", list[i].name));
    }
    json_object_set_new(body, l->member, all);
    if (next.p)
        json_object_set_new(body, "next", json_of(next));
    op_reply(op, 200, body);
}

void rest_list_records(struct http_req *req, struct rest *rest, struct records *records,
                       const char *member, record_show_fn *show)
{
    struct fault f;
    size_t limit;
    struct list_op *l = op_new(rest, req, sizeof(*l));
    if (!l)
        return;
    l->member = member;
    l->show = show;
    if (limit_of(req, PAGE, RECORDS_PAGE_MAX, &limit, &f)) {
        op_fault(&l->op, &f);
        return;
    }
    l->op.record = record_list(records, http_query(req, "after"), limit, on_list, l);
    if (!l->op.record)
        op_no_memory(&l->op);
}
