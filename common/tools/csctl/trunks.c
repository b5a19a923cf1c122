/* The commands for trunks, and for the key their passwords are sealed by. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "csctl.h"

enum { LOOK_US = 200000 };

#define TRUNK "/v1/trunks/%s"

static const struct column trunk_columns[] = {
    { "trunk", "trunk" },
    { "targets", "targets" },
    { "credentials", "credentials" },
    { "algorithm", "algorithm" },
    { "case", "algorithm_case" },
    { "uri", "uri" },
    { "prefer", "prefer" },
    { "certificates", "certificates" },
    { "domains", "domains" },
    { "created", "created" },
    { "changed", "changed" },
    { NULL, NULL },
};

static const struct column list_columns[] = {
    { "TRUNK", "trunk" },
    { "TARGETS", "targets" },
    { "CREDENTIALS", "credentials" },
    { NULL, NULL },
};

static const struct column reseal_columns[] = {
    { "state", "state" },           { "key", "key" },
    { "records", "records" },       { "resealed", "resealed" },
    { "unreadable", "unreadable" }, { "began", "began" },
    { "ended", "ended" },           { NULL, NULL },
};

/* Options of the commands, those of the one that runs are allowed. */
enum { O_FIELDS = 1 << 0, O_WHO = 1 << 1, O_REMOVE = 1 << 2, O_STATUS = 1 << 3 };

static const struct part_option options[] = {
    { { "target", required_argument, NULL, 't' }, O_FIELDS },
    { { "algorithm", required_argument, NULL, 'a' }, O_FIELDS },
    { { "algorithm-case", required_argument, NULL, 'c' }, O_FIELDS },
    { { "uri", required_argument, NULL, 'i' }, O_FIELDS },
    { { "prefer", required_argument, NULL, 'p' }, O_FIELDS },
    { { "certificate", required_argument, NULL, 'C' }, O_FIELDS },
    { { "domain", required_argument, NULL, 'd' }, O_FIELDS },
    { { "realm", required_argument, NULL, 'r' }, O_WHO },
    { { "user", required_argument, NULL, 'u' }, O_WHO },
    { { "route", required_argument, NULL, 'R' }, O_WHO },
    { { "password-file", required_argument, NULL, 'f' }, O_WHO },
    { { "prompt", no_argument, NULL, 'q' }, O_WHO },
    { { "remove", no_argument, NULL, 'x' }, O_REMOVE },
    { { "status", no_argument, NULL, 's' }, O_STATUS },
};

struct said {
    const char *trunk; /* NULL: none */
    const char *user, *route;
    struct secret_options secret;
    bool remove, status;
    json_t *body; /* fields; owned */
};

static int take_option(struct ctl *c, int o, void *arg)
{
    struct said *out = arg;
    switch (o) {
    case 't':
        append_text(out->body, "targets", optarg);
        break;
    case 'a':
        json_object_set_new(out->body, "algorithm", json_string(optarg));
        break;
    case 'c':
        json_object_set_new(out->body, "algorithm_case", json_string(optarg));
        break;
    case 'i':
        json_object_set_new(out->body, "uri", json_string(optarg));
        break;
    case 'p':
        append_text(out->body, "prefer", optarg);
        break;
    case 'C':
        append_text(out->body, "certificates", optarg);
        break;
    case 'd':
        append_text(out->body, "domains", optarg);
        break;
    case 'r':
        c->realm = optarg;
        break;
    case 'u':
        out->user = optarg;
        break;
    case 'R':
        out->route = optarg;
        break;
    case 'f':
        out->secret.password_file = optarg;
        break;
    case 'q':
        out->secret.prompt = true;
        break;
    case 'x':
        out->remove = true;
        break;
    default:
        out->status = true;
        break;
    }
    return EXIT_OK;
}

static int parse(struct ctl *c, int argc, char **argv, unsigned parts, int operands,
                 struct said *out)
{
    *out = (struct said){ .body = json_object() };
    int err = parse_options(c, argc, argv, options, CS_LEN(options), parts, take_option, out,
                            operands ? "trunk" : NULL, &out->trunk);
    if (!err && (c->realm != NULL) != (out->user != NULL))
        err = bad_usage(c, "--realm and --user belong together");
    if (err)
        json_decref(out->body);
    return err;
}

/* The credentials that were said, with their password, as a member of the API. */
static int credential_of(struct ctl *c, struct said *s, json_t **out)
{
    *out = json_pack("{s:s, s:s}", "realm", c->realm, "user", s->user);
    if (*out && s->route)
        json_object_set_new(*out, "route", json_string(s->route));
    int err = *out ? secret_fill(c, &s->secret, *out) : bad_usage(c, "the words are not UTF-8");
    if (err) {
        json_decref(*out);
        *out = NULL;
    }
    return err;
}

int trunk_add(struct ctl *c, int argc, char **argv)
{
    struct said s;
    json_t *trunk = NULL, *credential = NULL;
    int err = parse(c, argc, argv, O_FIELDS | O_WHO, 1, &s);
    if (err)
        return err;
    json_object_set_new(s.body, "trunk", json_string(s.trunk));
    if (s.user)
        err = credential_of(c, &s, &credential);
    if (credential)
        json_object_set_new(s.body, "credentials", json_pack("[o]", credential));
    if (err)
        json_decref(s.body);
    else
        err = ctl_call(c, "POST", s.body, &trunk, "/v1/trunks", "");
    return print_one(c, err, trunk, trunk_columns);
}

int trunk_change(struct ctl *c, int argc, char **argv)
{
    struct said s;
    json_t *trunk = NULL;
    int err = parse(c, argc, argv, O_FIELDS, 1, &s);
    if (err)
        return err;
    if (json_object_size(s.body) == 0) {
        json_decref(s.body);
        return bad_usage(c, "say what to change");
    }
    err = ctl_change(c, TRUNK, "PATCH", s.body, &trunk, TRUNK, s.trunk);
    return print_one(c, err, trunk, trunk_columns);
}

/* What is escaped has no %s in it. */
static void put_query(struct ctl *c, struct buf *b, const char *name, const char *value)
{
    buf_put(b, span_str(name));
    client_escape(c->client, b, value);
}

static int forget(struct ctl *c, const struct said *s)
{
    char path[4096];
    struct buf b = buf_of(path, sizeof(path) - 1);
    json_t *nothing = NULL;
    put_query(c, &b, "/v1/trunks/%s/credentials?realm=", c->realm);
    put_query(c, &b, "&user=", s->user);
    if (s->route)
        put_query(c, &b, "&route=", s->route);
    path[b.n] = '\0';
    if (!buf_ok(&b))
        return bad_usage(c, "these words are too long");
    int err = ctl_change(c, TRUNK, "DELETE", NULL, &nothing, path, s->trunk);
    json_decref(nothing);
    return err;
}

int trunk_passwd(struct ctl *c, int argc, char **argv)
{
    struct said s;
    json_t *trunk = NULL, *credential = NULL;
    int err = parse(c, argc, argv, O_WHO | O_REMOVE, 1, &s);
    if (err)
        return err;
    json_decref(s.body);
    if (!s.user)
        return bad_usage(c, "say --realm and --user");
    if (s.remove)
        return forget(c, &s);
    err = credential_of(c, &s, &credential);
    if (!err)
        err = ctl_change(c, TRUNK, "PUT", credential, &trunk, TRUNK "/credentials", s.trunk);
    return print_one(c, err, trunk, trunk_columns);
}

int trunk_show(struct ctl *c, int argc, char **argv)
{
    struct said s;
    json_t *trunk = NULL;
    int err = parse(c, argc, argv, 0, 1, &s);
    if (err)
        return err;
    json_decref(s.body);
    err = ctl_call(c, "GET", NULL, &trunk, "/v1/trunks/%s", s.trunk);
    return print_one(c, err, trunk, trunk_columns);
}

int trunk_rm(struct ctl *c, int argc, char **argv)
{
    struct said s;
    json_t *nothing = NULL;
    int err = parse(c, argc, argv, 0, 1, &s);
    if (err)
        return err;
    json_decref(s.body);
    err = ctl_change(c, TRUNK, "DELETE", NULL, &nothing, TRUNK, s.trunk);
    json_decref(nothing);
    return err;
}

int trunk_list(struct ctl *c, int argc, char **argv)
{
    struct said s;
    int err = parse(c, argc, argv, 0, 0, &s);
    if (err)
        return err;
    json_decref(s.body);
    return print_list(c, 0, "/v1/trunks", "trunks", list_columns);
}

/* ---- the key ---- */

static bool is_state(const json_t *progress, const char *state)
{
    const char *text = json_string_value(json_object_get(progress, "state"));
    return text && strcmp(text, state) == 0;
}

int reseal(struct ctl *c, int argc, char **argv)
{
    struct said s;
    json_t *progress = NULL;
    int err = parse(c, argc, argv, O_STATUS, 0, &s);
    if (err)
        return err;
    json_decref(s.body);
    err = ctl_call(c, s.status ? "GET" : "POST", NULL, &progress, "/v1/reseal", "");
    while (!err && !s.status && is_state(progress, "running")) {
        usleep(LOOK_US);
        json_decref(progress);
        progress = NULL;
        err = ctl_call(c, "GET", NULL, &progress, "/v1/reseal", "");
    }
    if (!err && c->json)
        print_json(progress);
    else if (!err)
        print_object(progress, reseal_columns);
    if (!err && !s.status &&
        (!is_state(progress, "done") ||
         json_integer_value(json_object_get(progress, "unreadable")) > 0)) {
        complain("not everything is sealed by this key; authd's log says why");
        err = EXIT_REFUSED;
    }
    json_decref(progress);
    return err;
}
