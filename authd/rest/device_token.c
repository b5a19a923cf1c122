/* One-time tokens by which a desk phone fetches its file over HTTPS before it has a certificate. */
#include "authd/check/check.h"
#include "authd/rest/device_wish.h"
#include "authd/rest/op.h"

struct token_op {
    struct op op;
    struct span name;
};

static void give(struct token_op *t, const struct device *d)
{
    const struct checker *k = t->op.rest->conf.checker;
    const int64_t until = loop_wall(k->loop).ms / 1000 + k->conf->tickets.files.ms / 1000;
    struct ticket ticket = {
        .aor = d->name, .issuer = SPAN(TICKET_OF_FILES), .use_until = until, .until = until
    };
    struct span text;
    if (ticket_mint(k->tickets, &ticket, http_arena(t->op.req), &text)) {
        op_no_memory(&t->op);
        return;
    }
    log_action(&t->op, SPAN("token for a device's file given"), d->name, SPAN_NULL);
    json_t *j = json_object();
    json_object_set_new(j, "device", json_of(d->name));
    json_object_set_new(j, "token", json_of(text));
    json_object_set_new(j, "use_until", http_time((struct wall){ until * 1000 }));
    op_reply(&t->op, 201, j);
}

static void on_device(void *arg, int err, struct span bytes)
{
    struct token_op *t = arg;
    struct device d;
    struct fault f;
    t->op.record = NULL;
    if (!err)
        err = device_decode(bytes, http_arena(t->op.req), &d);
    if (!err && d.enabled) {
        give(t, &d);
        return;
    }
    if (!err)
        fault_set(&f, 409, "disabled", "Disabled", "This device is disabled. Enable it first.");
    else if (err == CS_ENOENT)
        fault_set(&f, 404, "no-such-device", "No such device", "There is no such device.");
    else
        store_fault(err, &f);
    op_fault(&t->op, &f);
}

void rest_device_token(struct http_req *req, void *arg)
{
    struct fault f;
    struct token_op *t = op_new(arg, req, sizeof(*t));
    if (!t)
        return;
    t->name = http_param(req, "device");
    if (device_name_fault(t->name)) {
        fault_set(&f, 404, "no-such-device", "No such device", "There is no such device.");
        op_fault(&t->op, &f);
        return;
    }
    t->op.record = record_get(&t->op.rest->devices, t->name, on_device, t);
    if (!t->op.record)
        op_no_memory(&t->op);
}
