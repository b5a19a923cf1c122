#include "authd/rest/rest.h"

#include <stdlib.h>

#include "authd/check/check.h"
#include "authd/rest/op.h"
#include "authd/rest/stream.h"
#include "authd/store/address_set.h"
#include "authd/store/device.h"
#include "authd/store/trunk.h"
#include "base/metric.h"
#include "http/etag.h"
#include "http/health.h"

static const struct log lg = { .module = "rest" };

static const struct http_route routes[] = {
    { "GET", "/v1/users", rest_users_list, HTTP_READ },
    { "POST", "/v1/users", rest_user_create, HTTP_ADMINISTER },
    { "GET", "/v1/users/{user}", rest_user_get, HTTP_READ },
    { "PATCH", "/v1/users/{user}", rest_user_patch, HTTP_OPERATE },
    { "DELETE", "/v1/users/{user}", rest_user_delete, HTTP_ADMINISTER },
    { "PUT", "/v1/users/{user}/password", rest_user_password, HTTP_ADMINISTER },
    { "GET", "/v1/users/{user}/bindings", rest_user_bindings, HTTP_READ },
    { "DELETE", "/v1/users/{user}/bindings", rest_user_unbind, HTTP_OPERATE },
    { "POST", "/v1/import", rest_import, HTTP_ADMINISTER },
    { "GET", "/v1/bindings", rest_bindings_list, HTTP_READ },
    { "GET", "/v1/bindings/{aor}", rest_bindings_get, HTTP_READ },
    { "DELETE", "/v1/bindings/{aor}", rest_bindings_delete, HTTP_OPERATE },
    { "GET", "/v1/trunks", rest_trunks_list, HTTP_READ },
    { "POST", "/v1/trunks", rest_trunk_create, HTTP_ADMINISTER },
    { "GET", "/v1/trunks/{trunk}", rest_trunk_get, HTTP_READ },
    { "PATCH", "/v1/trunks/{trunk}", rest_trunk_patch, HTTP_ADMINISTER },
    { "DELETE", "/v1/trunks/{trunk}", rest_trunk_delete, HTTP_ADMINISTER },
    { "PUT", "/v1/trunks/{trunk}/credentials", rest_trunk_put_credential, HTTP_ADMINISTER },
    { "DELETE", "/v1/trunks/{trunk}/credentials", rest_trunk_forget_credential, HTTP_ADMINISTER },
    { "GET", "/v1/devices", rest_devices_list, HTTP_READ },
    { "POST", "/v1/devices", rest_device_create, HTTP_ADMINISTER },
    { "GET", "/v1/devices/{device}", rest_device_get, HTTP_READ },
    { "PATCH", "/v1/devices/{device}", rest_device_patch, HTTP_OPERATE },
    { "DELETE", "/v1/devices/{device}", rest_device_delete, HTTP_ADMINISTER },
    { "POST", "/v1/devices/{device}/provisioning-token", rest_device_token, HTTP_OPERATE },
    { "GET", "/v1/certificates", rest_certificates_list, HTTP_READ },
    { "GET", "/v1/address-sets", rest_sets_list, HTTP_READ },
    { "POST", "/v1/address-sets", rest_set_create, HTTP_ADMINISTER },
    { "GET", "/v1/address-sets/{set}", rest_set_get, HTTP_READ },
    { "PATCH", "/v1/address-sets/{set}", rest_set_patch, HTTP_ADMINISTER },
    { "DELETE", "/v1/address-sets/{set}", rest_set_delete, HTTP_ADMINISTER },
    { "GET", "/v1/check", rest_inspect, HTTP_READ },
    { "POST", "/v1/check", rest_repair, HTTP_ADMINISTER },
    { "POST", "/v1/reseal", rest_reseal_start, HTTP_ADMINISTER },
    { "GET", "/v1/reseal", rest_reseal_get, HTTP_READ },
    { "GET", "/v1/decisions", rest_decisions, HTTP_READ },
    { "GET", "/v1/stream", rest_stream, HTTP_READ },
    { "GET", "/v1/trace", rest_trace, HTTP_OPERATE },
    { "POST", "/v1/verify/token", rest_verify_token, HTTP_OPERATE },
    { "POST", "/v1/verify/digest", rest_verify_digest, HTTP_OPERATE },
    { "POST", "/v1/turn", rest_turn, HTTP_PUBLIC }, /* these look at the token themselves */
    { "OPTIONS", "/v1/turn", rest_turn_preflight, HTTP_PUBLIC },
    { "POST", "/v1/exchange", rest_exchange, HTTP_PUBLIC },
    { "GET", "/v1/revocations", rest_revocations_list, HTTP_READ },
    { "POST", "/v1/revocations", rest_revocation_create, HTTP_OPERATE },
    { "DELETE", "/v1/revocations/{revocation}", rest_revocation_delete, HTTP_OPERATE },
    { "POST", "/v1/verify/certificate", rest_verify_certificate, HTTP_OPERATE },
    { "POST", "/v1/tickets", rest_ticket_create, HTTP_OPERATE },
    { "GET", "/v1/bans", rest_bans_list, HTTP_READ },
    { "POST", "/v1/bans", rest_ban_create, HTTP_OPERATE },
    { "DELETE", "/v1/bans/{ban}", rest_ban_delete, HTTP_OPERATE },
    { "GET", "/v1/greylist", rest_greylist, HTTP_READ },
    { "GET", "/v1/clients", rest_clients, HTTP_READ },
    { "GET", "/v1/census", rest_census, HTTP_READ },
    { "GET", "/v1/calls/{name}", rest_calls, HTTP_READ },
    { "GET", "/v1/realms", rest_realms, HTTP_READ },
    { "GET", "/v1/operator", rest_operator, HTTP_READ },
    { "GET", "/v1/nodes", rest_nodes, HTTP_READ },
    { "GET", "/v1/refusals", rest_refusals, HTTP_READ },
    { "GET", "/v1/history", rest_history, HTTP_READ },
    { "GET", "/v1/sign-in", rest_sign_in, HTTP_PUBLIC },
    { "GET", "/console", rest_console_slash, HTTP_PUBLIC },
    { "GET", "/console/", rest_console, HTTP_PUBLIC },
    { "GET", "/console/{file}", rest_console, HTTP_PUBLIC },
    { "GET", "/healthz", health_alive, HTTP_PUBLIC },
    { "GET", "/readyz", rest_readyz, HTTP_PUBLIC },
    { "GET", "/metrics", rest_metrics, HTTP_PUBLIC },
    { NULL },
};

/* ---- operations ---- */

static void op_end(struct op *op)
{
    list_remove(&op->link);
    if (op->call)
        store_cancel(op->call);
    if (op->redis)
        redis_cancel(op->redis);
    if (op->record)
        record_cancel(op->record);
    if (op->location)
        location_cancel(op->location);
    if (op->removal)
        location_remove_cancel(op->removal);
    op->call = NULL;
    op->redis = NULL;
    op->record = NULL;
    op->location = NULL;
    op->removal = NULL;
    if (op->drop)
        op->drop(op);
    json_decref(op->body);
    op->body = NULL;
}

static void op_abort(void *arg)
{
    op_end(arg);
}

void *op_new(struct rest *rest, struct http_req *req, size_t size)
{
    struct op *op = arena_zalloc(http_arena(req), size);
    if (!op) {
        http_problem(req, 503, "overloaded", "Out of memory", "Try again later.");
        return NULL;
    }
    op->rest = rest;
    op->req = req;
    op_adopt(op);
    return op;
}

void op_adopt(struct op *op)
{
    list_push_back(&op->rest->ops, &op->link);
    http_on_abort(op->req, op_abort, op);
}

bool op_body(struct op *op)
{
    op->body = http_json(op->req);
    if (!op->body)
        list_remove(&op->link);
    return op->body != NULL;
}

void op_leave(struct op *op)
{
    op_end(op);
}

void op_reply(struct op *op, unsigned status, json_t *body)
{
    op_end(op);
    http_reply_json(op->req, status, body);
}

void op_fault(struct op *op, const struct fault *f)
{
    op_end(op);
    if (f->status == 503)
        http_reply_header(op->req, "Retry-After", "1");
    http_problem(op->req, f->status, f->type, f->title, "%s", f->detail);
}

void op_no_memory(struct op *op)
{
    op_store_error(op, CS_ENOMEM);
}

void store_fault(int err, struct fault *f)
{
    switch (err) {
    case CS_ENOENT:
        fault_set(f, 404, "no-such-user", "No such user", "There is no such user.");
        break;
    case CS_ECONFLICT:
        fault_set(f, 409, "conflict", "Conflict",
                  "Somebody else changed it at the same time. Read it again.");
        break;
    case CS_ECLOSED:
    case CS_ETIMEOUT:
        fault_set(f, 503, "store-unavailable", "Store unavailable",
                  "Redis does not answer. Whether a change was made is unknown; repeat it.");
        break;
    case CS_ENOMEM:
        fault_no_memory(f);
        break;
    default:
        fault_set(f, 500, "store-corrupt", "Unreadable record",
                  "What Redis holds there is not of this version: %s.", cs_strerror(err));
        break;
    }
}

void op_store_error(struct op *op, int err)
{
    struct fault f;
    store_fault(err, &f);
    op_fault(op, &f);
}

/* ---- what requests say ---- */

int op_check_match(const struct op *op, struct span record, const char *what, struct fault *f)
{
    char tag[ETAG_LEN + 1];
    bool matches;
    struct span wanted = http_header(op->req, "If-Match");
    if (!wanted.p && op->rest->conf.require_if_match) /* RFC 6585, 3 */
        return fault_set(f, 428, "if-match", "Precondition required",
                         "Read the %s, and send its ETag as If-Match.", what);
    if (!wanted.p)
        return 0;
    etag_of(record, tag);
    if (etag_match(wanted, span_str(tag), &matches))
        return fault_set(f, 400, "if-match", "Malformed If-Match",
                         "If-Match is a list of entity tags in quotes, or *.");
    if (!matches)
        return fault_set(f, 412, "changed", "Precondition failed",
                         "The %s is not as it was when you read it. Read it again.", what);
    return 0;
}

void op_tag(struct op *op, struct span record)
{
    char tag[ETAG_LEN + 1];
    etag_of(record, tag);
    http_reply_header(op->req, "ETag", tag);
}

void op_locate(struct op *op, const char *path, struct span name)
{
    char text[512];
    struct buf b = BUF_INIT(text);
    buf_put(&b, span_str(path));
    buf_put(&b, name);
    buf_putc(&b, '\0');
    if (buf_ok(&b))
        http_reply_header(op->req, "Location", text);
}

const struct realm_conf *realm_of(const struct rest *rest, struct span name, struct fault *f)
{
    for (size_t i = 0; i < rest->conf.n_realms; i++) {
        const struct realm_conf *realm = &rest->conf.realms[i];
        if (!name.p || span_eq(realm->name, name) ||
            (realm->formerly && span_eq(realm->formerly->name, name)))
            return realm;
    }
    fault_set(f, 422, "unknown-realm", "Unknown realm",
              "The configuration has no realm \"" SPAN_FMT "\"; see GET /v1/realms.",
              SPAN_ARG(span_head(name, 100)));
    return NULL;
}

struct wish_realm wish_realm_of(const struct rest *rest, const struct realm_conf *realm)
{
    const struct former_conf *f = realm->formerly;
    return (struct wish_realm){
        .algorithms = realm->verifiers,
        .also = { .forms = realm->forms,
                  .former = config_former(f, loop_wall(rest->loop)),
                  .until = f ? f->until : (struct wall){ 0 } },
    };
}

int limit_of(struct http_req *req, size_t standard, size_t max, size_t *out, struct fault *f)
{
    struct span text = http_query(req, "limit");
    uint64_t n = standard;
    if (text.p && (span_u64(text, max, &n) || n == 0))
        return fault_set(f, 400, "limit", "Invalid limit", "limit must be 1 to %zu.", max);
    *out = (size_t)n;
    return 0;
}

/* ---- what operators did ---- */

static void tell(struct op *op, struct deed *c)
{
    c->time = loop_wall(op->rest->loop);
    c->by = http_who(op->req);
    audit_deed(op->rest->conf.audit, c);
}

void log_change(struct op *op, struct span what, const struct user *u, bool weak)
{
    struct deed c = { .what = what,
                      .user = u->name,
                      .realm = u->realm,
                      .note = weak         ? SPAN("a weak password was allowed")
                              : u->enabled ? SPAN_NULL
                                           : SPAN("disabled") };
    log_at(weak ? LOG_WARN : LOG_INFO, &lg, what.p, kv_s("user", u->name), kv_s("realm", u->realm),
           kv_b("enabled", u->enabled), kv_b("weak_password_allowed", weak),
           kv_s("by", http_who(op->req)));
    tell(op, &c);
}

void log_action(struct op *op, struct span what, struct span target, struct span note)
{
    struct deed c = { .what = what, .target = target, .note = note };
    log_info(&lg, what.p, kv_s("target", target), kv_s("note", note),
             kv_s("by", http_who(op->req)));
    tell(op, &c);
}

/* ---- the server ---- */

static void on_answered(void *arg, unsigned status)
{
    (void)arg;
    metric_inc(M_AUTHD_HTTP, status / 100 - 1);
}

int rest_open(struct loop *l, const struct rest_conf *conf, struct rest **out)
{
    struct httpd_conf http = {
        .listen = conf->listen,
        .tls = conf->tls,
        .bearers = conf->bearers,
        .name = conf->name,
        .admit = conf->checker->conf->http.operators.n_issuers ? rest_admit : NULL,
        .before = rest_before,
        .answered = on_answered,
    };
    struct rest *r = calloc(1, sizeof(*r));
    if (!r)
        return CS_ENOMEM;
    r->loop = l;
    r->conf = *conf;
    list_init(&r->ops);
    records_init(&r->trunks, conf->redis, SPAN(TRUNK_PREFIX), SPAN(TRUNK_INDEX));
    records_init(&r->devices, conf->redis, SPAN(DEVICE_PREFIX), SPAN(DEVICE_INDEX));
    records_init(&r->sets, conf->redis, SPAN(ADDRESS_SET_PREFIX), SPAN(ADDRESS_SET_INDEX));
    int err = locations_open(l, conf->redis, 0, DURATION_MS(0), &r->locations);
    if (!err)
        err = stream_hub_new(l, conf->audit, &r->hub);
    if (!err)
        err = httpd_open(l, &http, routes, r, &r->httpd);
    if (err) {
        stream_hub_free(&r->hub);
        locations_close(&r->locations);
        free(r);
        return err;
    }
    *out = r;
    return 0;
}

void rest_close(struct rest **rp)
{
    struct rest *r = *rp;
    if (!r)
        return;
    *rp = NULL;
    while (!list_empty(&r->ops))
        op_end(container_of(r->ops.next, struct op, link));
    httpd_close(&r->httpd);
    stream_hub_free(&r->hub); /* its followers are gone now */
    locations_close(&r->locations);
    free(r);
}

void rest_use_tls(struct rest *r, struct tls_context *tls)
{
    httpd_use_tls(r->httpd, tls);
}

const struct addr *rest_local(const struct rest *r)
{
    return httpd_local(r->httpd);
}
