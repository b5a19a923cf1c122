/* The sealing key was changed: everything is sealed anew, and how far that is. */
#include "authd/vault/reseal.h"

#include "authd/rest/op.h"

static void set_time(json_t *j, const char *name, struct wall t)
{
    char text[WALL_STRLEN];
    if (t.ms == 0)
        return;
    wall_format(t, text);
    json_object_set_new(j, name, json_string(text));
}

static json_t *progress(const struct rest *rest)
{
    static const char *const states[] = { [RESEAL_IDLE] = "idle",
                                          [RESEAL_RUNNING] = "running",
                                          [RESEAL_DONE] = "done",
                                          [RESEAL_BROKEN] = "broken" };
    const struct reseal_progress *p = reseal_progress(rest->conf.reseal);
    json_t *j = json_object();
    json_object_set_new(j, "state", json_string(states[p->state]));
    json_object_set_new(j, "key", json_integer(vault_key_id(rest->conf.vault)));
    json_object_set_new(j, "records", json_integer((json_int_t)p->seen));
    json_object_set_new(j, "resealed", json_integer((json_int_t)p->resealed));
    json_object_set_new(j, "unreadable", json_integer((json_int_t)p->unreadable));
    set_time(j, "began", p->began);
    if (p->state != RESEAL_RUNNING)
        set_time(j, "ended", p->ended);
    return j;
}

void rest_reseal_start(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct op *op = op_new(rest, req, sizeof(*op));
    if (!op)
        return;
    reseal_start(rest->conf.reseal);
    log_action(op, SPAN("resealing begun"), SPAN("sealing key"), SPAN_NULL);
    op_reply(op, 202, progress(rest));
}

void rest_reseal_get(struct http_req *req, void *arg)
{
    http_reply_json(req, 200, progress(arg));
}
