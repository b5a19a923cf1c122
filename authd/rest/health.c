/* What monitors ask: ready, metrics. And the realms. */
#include "http/health.h"
#include "authd/check/check.h"
#include "authd/rest/op.h"
#include "authd/store/directory.h"
#include "authd/store/sets.h"
#include "base/metric.h"

static void on_pong(void *arg, const struct redis_reply *reply)
{
    struct op *op = arg;
    const struct rest_conf *conf = &op->rest->conf;
    struct fault f;
    op->redis = NULL;
    if (!reply || reply->type != REDIS_STATUS) {
        op_store_error(op, CS_ECLOSED);
    } else if (!revoker_is_current(conf->revoker) || !epoch_is_known(conf->epoch) ||
               !directory_is_known(conf->checker->directory) || !sets_are_known(conf->sets)) {
        fault_set(&f, 503, "catching-up", "Catching up",
                  "What was changed or revoked meanwhile is not known here yet.");
        op_fault(op, &f);
    } else {
        op_reply(op, 200, json_pack("{s:s}", "status", "ready"));
    }
}

void rest_readyz(struct http_req *req, void *arg)
{
    struct rest *rest = arg;
    struct op *op = op_new(rest, req, sizeof(*op));
    if (!op)
        return;
    op->redis = redis_do(rest->conf.redis, on_pong, op, SPAN("PING"));
    if (!op->redis)
        op_no_memory(op);
}

void rest_metrics(struct http_req *req, void *arg)
{
    (void)arg;
    health_metrics(req, METRIC_PROCESS | METRIC_REDIS | METRIC_AUTHD);
}

/* ---- realms ---- */

struct realms_op {
    struct op op;
    size_t i;
    json_t *list;
};

static void drop_realms(struct op *op)
{
    json_decref(container_of(op, struct realms_op, op)->list);
}

static void next_realm(struct realms_op *r);

static void on_lacking(void *arg, int err, const uint64_t *n)
{
    struct realms_op *r = arg;
    const struct realm_conf *realm = &r->op.rest->conf.realms[r->i];
    r->op.call = NULL;
    if (err) {
        op_store_error(&r->op, err);
        return;
    }
    json_t *lacking = json_object();
    unsigned offered = realm->verifiers;
    for (enum algorithm alg = 0; alg < ALG_COUNT; alg++) {
        if (!(realm->verifiers & ALG_BIT(alg)))
            continue;
        json_object_set_new(lacking, algorithm_name(alg).p, json_integer((json_int_t)n[alg]));
        if (n[alg])
            offered &= ~ALG_BIT(alg);
    }
    json_t *j = json_pack("{s:o, s:o, s:o, s:o}", "realm", json_of(realm->name), "configured",
                          algorithms_to_json(realm->verifiers), "offered",
                          algorithms_to_json(offered), "lacking", lacking);
    if (realm->formerly) {
        char until[WALL_STRLEN];
        wall_format(realm->formerly->until, until);
        json_object_set_new(
            j, "formerly",
            json_pack("{s:o, s:s}", "realm", json_of(realm->formerly->name), "until", until));
    }
    json_array_append_new(r->list, j);
    r->i++;
    next_realm(r);
}

static void next_realm(struct realms_op *r)
{
    const struct rest_conf *conf = &r->op.rest->conf;
    if (r->i >= conf->n_realms) {
        json_t *body = json_pack("{s:O}", "realms", r->list);
        op_reply(&r->op, 200, body);
        return;
    }
    r->op.call = store_count_lacking(conf->store, conf->realms[r->i].name, on_lacking, r);
    if (!r->op.call)
        op_no_memory(&r->op);
}

void rest_realms(struct http_req *req, void *arg)
{
    struct realms_op *r = op_new(arg, req, sizeof(*r));
    if (!r)
        return;
    r->op.drop = drop_realms;
    r->list = json_array();
    next_realm(r);
}
