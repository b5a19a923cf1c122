/* One device: created, read, changed, removed; and lists of them. A change reads the record, puts
 * the new one in its place if nobody was faster, and begins again if somebody was. */
#include <stdlib.h>

#include "authd/check/check.h"
#include "authd/rest/device_wish.h"
#include "authd/rest/op.h"
#include "authd/store/directory.h"
#include "http/etag.h"

enum { TRIES = 4 };

struct device_op {
    struct op op;
    struct span name;
    struct device_wish wish;
    struct device device;
    enum { READ, CREATE, PATCH, DELETE } what;
    unsigned tries;
    char tag[ETAG_LEN + 1]; /* of what is being written */
};

static const struct span messages[] = { [CREATE] = SPAN_INIT("device created"),
                                        [PATCH] = SPAN_INIT("device changed"),
                                        [DELETE] = SPAN_INIT("device removed") };

static struct device_op *device_op_new(struct http_req *req, struct rest *rest, int what)
{
    struct device_op *d = op_new(rest, req, sizeof(*d));
    if (!d)
        return NULL;
    d->what = what;
    d->name = http_param(req, "device");
    return d;
}

/* Reads the body into the wish; false: it replied. */
/* Of lines that name none. */
static struct span first_realm(const struct rest *rest)
{
    return rest->conf.n_realms ? rest->conf.realms[0].name : SPAN_NULL;
}

static bool read_wish(struct device_op *d)
{
    struct fault f;
    struct op *op = &d->op;
    if (!op_body(op))
        return false;
    if (device_wish_parse(op->body, d->what == CREATE, first_realm(op->rest), http_arena(op->req),
                          &d->wish, &f) == 0)
        return true;
    op_fault(op, &f);
    return false;
}

static void no_such(struct op *op)
{
    struct fault f;
    fault_set(&f, 404, "no-such-device", "No such device", "There is no such device.");
    op_fault(op, &f);
}

/* ---- writing ---- */

static void begin(struct device_op *d);

static void on_done(void *arg, int err)
{
    struct device_op *d = arg;
    d->op.record = NULL;
    if (err == CS_ECONFLICT && d->what == CREATE) {
        struct fault f;
        fault_set(&f, 409, "device-exists", "Device exists",
                  "There is a device of this name already.");
        op_fault(&d->op, &f);
    } else if (err == CS_ECONFLICT && ++d->tries < TRIES) {
        begin(d);
    } else if (err) {
        op_store_error(&d->op, err);
    } else {
        log_action(&d->op, messages[d->what], d->device.name,
                   d->device.enabled ? SPAN_NULL : SPAN("disabled"));
        if (d->what == DELETE) {
            op_reply(&d->op, 204, NULL);
            return;
        }
        http_reply_header(d->op.req, "ETag", d->tag);
        op_reply(&d->op, d->what == CREATE ? 201 : 200, device_to_json(&d->device));
    }
}

/* False: what it says of its lines does not fit them; it replied. */
static bool is_whole(struct device_op *d)
{
    struct fault f;
    const char *member, *why = device_fault(&d->device, &member);
    if (!why)
        return true;
    fault_member(&f, member, why);
    op_fault(&d->op, &f);
    return false;
}

static void put(struct device_op *d)
{
    if (!is_whole(d))
        return;
    struct rest *rest = d->op.rest;
    char *space = malloc(DEVICE_MAX_RECORD);
    struct buf b = buf_of(space, space ? DEVICE_MAX_RECORD : 0);
    d->device.changed = loop_wall(rest->loop);
    if (space && device_encode(&d->device, &b) == 0) {
        d->op.record =
            record_put(&rest->devices, d->device.name, d->device.record, buf_span(&b), on_done, d);
        etag_of(buf_span(&b), d->tag);
    }
    free(space);
    if (!d->op.record)
        op_no_memory(&d->op);
    else if (d->what == CREATE)
        op_locate(&d->op, "/v1/devices/", d->device.name);
}

static void on_device(void *arg, int err, struct span bytes)
{
    struct device_op *d = arg;
    struct fault f;
    d->op.record = NULL;
    if (!err)
        err = device_decode(bytes, http_arena(d->op.req), &d->device);
    if (err == CS_ENOENT) {
        no_such(&d->op);
    } else if (err) {
        op_store_error(&d->op, err);
    } else if (d->what == READ) {
        op_tag(&d->op, d->device.record);
        op_reply(&d->op, 200, device_to_json(&d->device));
    } else if (op_check_match(&d->op, d->device.record, "device", &f)) {
        op_fault(&d->op, &f);
    } else if (d->what == DELETE) {
        d->op.record =
            record_remove(&d->op.rest->devices, d->device.name, d->device.record, on_done, d);
        if (!d->op.record)
            op_no_memory(&d->op);
    } else {
        device_wish_apply(&d->wish, &d->device);
        put(d);
    }
}

static void begin(struct device_op *d)
{
    if (device_name_fault(d->name)) {
        no_such(&d->op);
        return;
    }
    d->op.record = record_get(&d->op.rest->devices, d->name, on_device, d);
    if (!d->op.record)
        op_no_memory(&d->op);
}

/* ---- the routes ---- */

void rest_device_get(struct http_req *req, void *arg)
{
    struct device_op *d = device_op_new(req, arg, READ);
    if (d)
        begin(d);
}

void rest_device_patch(struct http_req *req, void *arg)
{
    struct device_op *d = device_op_new(req, arg, PATCH);
    if (d && read_wish(d))
        begin(d);
}

void rest_device_delete(struct http_req *req, void *arg)
{
    struct device_op *d = device_op_new(req, arg, DELETE);
    if (d)
        begin(d);
}

void rest_device_create(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct fault f;
    struct device_op *d = op_new(rest, req, sizeof(*d));
    if (!d)
        return;
    d->what = CREATE;
    if (!read_wish(d))
        return;
    d->device.name = d->wish.said.name;
    d->device.enabled = true;
    d->device.created = loop_wall(rest->loop);
    device_wish_apply(&d->wish, &d->device);
    if (directory_is_full(rest->conf.checker->directory)) {
        fault_set(&f, 409, "too-many-devices", "Too many devices",
                  "There are as many as limits.devices of authd's configuration allows.");
        op_fault(&d->op, &f);
    } else {
        put(d);
    }
}

/* ---- lists ---- */

static json_t *show(struct op *op, struct span bytes)
{
    struct device d;
    if (device_decode(bytes, http_arena(op->req), &d))
        return NULL;
    return device_to_json(&d);
}

void rest_devices_list(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    rest_list_records(req, rest, &rest->devices, "devices", show);
}
