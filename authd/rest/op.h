/* A REST request that is being worked on, and what its files share. */
#ifndef CS_AUTHD_REST_OP_H
#define CS_AUTHD_REST_OP_H

#include "authd/rest/rest.h"
#include "authd/rest/wish.h"
#include "authd/store/records.h"
#include "base/list.h"
#include "base/log.h"
#include "http/httpd.h"
#include "location/location.h"

struct rest {
    struct loop *loop;
    struct rest_conf conf;
    struct httpd *httpd;
    struct records trunks, devices, sets;
    struct locations *locations; /* remembers none: what it shows is what Redis holds */
    struct list ops;
    struct stream_hub *hub;
};

/* First member of what a handler keeps while it waits. Lives in the request's arena: after a reply
 * it is gone. */
struct op {
    struct list link; /* in rest.ops */
    struct rest *rest;
    struct http_req *req;
    struct store_call *call;          /* under way, or NULL */
    struct redis_call *redis;         /* the same */
    struct record_call *record;       /* the same */
    struct location_call *location;   /* the same */
    struct location_removal *removal; /* the same */
    json_t *body;                     /* owned */
    void (*drop)(struct op *op);      /* releases what else it holds; may be NULL */
};

/* Cleared, size bytes of which the first are struct op. NULL: it replied. */
void *op_new(struct rest *rest, struct http_req *req, size_t size);
/* Counts it, which op_new() does by itself, among those that end when the client goes. */
void op_adopt(struct op *op);
/* Reads the JSON body into op->body; false: it replied and ended the operation. */
CS_CHECK bool op_body(struct op *op);
/* Ends it without a reply, which the handler is going to give. */
void op_leave(struct op *op);
/* Each of these replies and ends the operation. */
void op_reply(struct op *op, unsigned status, json_t *body);
void op_fault(struct op *op, const struct fault *f);
void op_no_memory(struct op *op);
/* What an error of the store means to the one who asked. */
void op_store_error(struct op *op, int err);
void store_fault(int err, struct fault *f);

/* Does the client mean what (its name) as it stands in this record (If-Match; RFC 9110, 13.1.1)? */
CS_CHECK int op_check_match(const struct op *op, struct span record, const char *what,
                            struct fault *f);
/* The answer says which record it tells of (ETag). */
void op_tag(struct op *op, struct span record);
/* Where what was created is (Location; RFC 9110, 10.2.2): path with the name behind it, whose
 * characters a path may hold. */
void op_locate(struct op *op, const char *path, struct span name);

/* One record as it is shown; NULL if it cannot be read. */
typedef json_t *record_show_fn(struct op *op, struct span bytes);
/* Answers with a page of the records, as the member of that name. member is constant. */
void rest_list_records(struct http_req *req, struct rest *rest, struct records *records,
                       const char *member, record_show_fn *show);

/* The realm of that name, or that had it before, of the configuration; absent: the first. NULL and
 * a fault if there is none. */
const struct realm_conf *realm_of(const struct rest *rest, struct span name, struct fault *f);
/* What verifiers its users have, now. */
struct wish_realm wish_realm_of(const struct rest *rest, const struct realm_conf *realm);
/* ?limit=, or the default. */
CS_CHECK int limit_of(struct http_req *req, size_t standard, size_t max, size_t *out,
                      struct fault *f);
/* What an operator did, for the log, the audit log and who follows it. what is constant; note may
 * be absent. */
void log_change(struct op *op, struct span what, const struct user *u, bool weak);
void log_action(struct op *op, struct span what, struct span target, struct span note);

struct ban;
json_t *ban_to_json(const struct ban *b);

/* ---- the handlers ---- */
http_fn rest_users_list, rest_user_create, rest_user_get, rest_user_patch, rest_user_delete,
    rest_user_password;
http_fn rest_import;
http_fn rest_user_bindings, rest_user_unbind, rest_bindings_list, rest_bindings_get,
    rest_bindings_delete;
http_fn rest_decisions, rest_clients;
http_fn rest_verify_token, rest_verify_digest, rest_verify_certificate;
http_fn rest_turn, rest_exchange;
http_fn rest_revocations_list, rest_revocation_create, rest_revocation_delete;
http_fn rest_ticket_create;
http_fn rest_bans_list, rest_ban_create, rest_ban_delete, rest_greylist;
http_fn rest_trunks_list, rest_trunk_create, rest_trunk_get, rest_trunk_patch, rest_trunk_delete,
    rest_trunk_put_credential, rest_trunk_forget_credential;
http_fn rest_devices_list, rest_device_create, rest_device_get, rest_device_token,
    rest_device_patch, rest_device_delete;
http_fn rest_certificates_list;
http_fn rest_sets_list, rest_set_create, rest_set_get, rest_set_patch, rest_set_delete;
http_fn rest_inspect, rest_repair;
http_fn rest_reseal_start, rest_reseal_get;
http_fn rest_realms, rest_census;
http_fn rest_calls;
http_fn rest_readyz, rest_metrics;
http_fn rest_stream, rest_trace;
http_fn rest_operator, rest_nodes, rest_history, rest_refusals;
http_fn rest_sign_in;
http_fn rest_turn_preflight;
http_fn rest_console, rest_console_slash;
/* httpd_conf.admit: whose a token is that is no operator's own. */
http_fn rest_admit;
/* httpd_conf.before: what stands before a handler. */
http_fn rest_before;

#endif
