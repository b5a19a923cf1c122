/* The commands for devices, and for the certificates that are in use. */
#include <stdlib.h>
#include <string.h>

#include "csctl.h"

#define DEVICE "/v1/devices/%s"

static const struct column device_columns[] = {
    { "device", "device" },
    { "enabled", "enabled" },
    { "security", "security" },
    { "address-set", "address_set" },
    { "pins", "pins" },
    { "lines", "lines" },
    { "buttons", "buttons" },
    { "forwards", "forwards" },
    { "dnd", "do_not_disturb" },
    { "model", "model" },
    { "softkeys", "softkeys" },
    { "time-zone", "time_zone" },
    { "date-format", "date_format" },
    { "locale", "locale" },
    { "protocol", "protocol" },
    { "note", "note" },
    { "created", "created" },
    { "changed", "changed" },
    { NULL, NULL },
};

static const struct column certificate_columns[] = {
    { "HOLDER", "holder" },       { "EXPIRES", "expires" }, { "SOON", "expires_soon" },
    { "LAST SEEN", "last_seen" }, { "SUBJECT", "subject" }, { "SERIAL", "serial" },
    { "SHA256", "sha256" },       { NULL, NULL },
};

/* Options of the commands, those of the one that runs are allowed. */
enum { CERTIFICATE_MAX = 8192 };
enum { O_FIELDS = 1 << 0, O_CHANGE = 1 << 1, O_LIMIT = 1 << 2 };

static const struct part_option options[] = {
    { { "security", required_argument, NULL, 's' }, O_FIELDS },
    { { "line", required_argument, NULL, 'l' }, O_FIELDS },
    { { "pin", required_argument, NULL, 'p' }, O_FIELDS },
    { { "note", required_argument, NULL, 'n' }, O_FIELDS },
    { { "address-set", required_argument, NULL, 'a' }, O_FIELDS },
    { { "button", required_argument, NULL, 'b' }, O_FIELDS },
    { { "forward", required_argument, NULL, 'f' }, O_FIELDS },
    { { "dnd", required_argument, NULL, 'D' }, O_FIELDS },
    { { "model", required_argument, NULL, 'M' }, O_FIELDS },
    { { "softkeys", required_argument, NULL, 'S' }, O_FIELDS },
    { { "time-zone", required_argument, NULL, 'z' }, O_FIELDS },
    { { "date-format", required_argument, NULL, 'F' }, O_FIELDS },
    { { "locale", required_argument, NULL, 'o' }, O_FIELDS },
    { { "certificate", required_argument, NULL, 'c' }, O_FIELDS },
    { { "protocol", required_argument, NULL, 'r' }, O_FIELDS },
    { { "disable", no_argument, NULL, 'd' }, O_FIELDS },
    { { "enable", no_argument, NULL, 'e' }, O_CHANGE },
    { { "no-lines", no_argument, NULL, 'L' }, O_CHANGE },
    { { "no-pins", no_argument, NULL, 'P' }, O_CHANGE },
    { { "no-buttons", no_argument, NULL, 'B' }, O_CHANGE },
    { { "no-forwards", no_argument, NULL, 'W' }, O_CHANGE },
    { { "limit", required_argument, NULL, 'm' }, O_LIMIT },
};

struct said {
    const char *device; /* NULL: none */
    size_t limit;       /* 0: none */
    json_t *body;       /* fields; owned */
};

static json_t *array_of(json_t *body, const char *name)
{
    if (!json_object_get(body, name))
        json_object_set_new(body, name, json_array());
    return json_object_get(body, name);
}

static json_t *json_text(struct span s)
{
    return json_stringn(s.p ? s.p : "", s.n);
}

/* KIND[:VALUE[,LABEL]] */
static void add_button(json_t *body, struct span said)
{
    struct span kind = span_cut(&said, ':'), value = span_cut(&said, ',');
    json_t *j = json_object();
    json_object_set_new(j, "kind", json_text(kind));
    if (value.n)
        json_object_set_new(j, span_eq(kind, SPAN("line")) ? "user" : "number", json_text(value));
    if (said.n)
        json_object_set_new(j, "label", json_text(said));
    json_array_append_new(array_of(body, "buttons"), j);
}

/* USER,WHEN,NUMBER: those of one user are one object. */
static int add_forward(struct ctl *c, json_t *body, struct span said)
{
    struct span user = span_cut(&said, ','), when = span_cut(&said, ',');
    json_t *all = array_of(body, "forwards"), *j = NULL;
    const char *member = span_eq(when, SPAN("all"))         ? "all"
                         : span_eq(when, SPAN("busy"))      ? "busy"
                         : span_eq(when, SPAN("no-answer")) ? "no_answer"
                                                            : NULL;
    if (!member || !said.n)
        return bad_usage(c, "--forward is USER,WHEN,NUMBER; WHEN is all, busy or no-answer");
    for (size_t i = 0; i < json_array_size(all) && !j; i++) {
        json_t *at = json_array_get(all, i);
        if (span_eq(span_str(json_string_value(json_object_get(at, "user"))), user))
            j = at;
    }
    if (!j) {
        j = json_object();
        json_object_set_new(j, "user", json_text(user));
        json_array_append_new(all, j);
    }
    json_object_set_new(j, member, json_text(said));
    return EXIT_OK;
}

/* Options that are a text of the device, by their letters. */
static const char *text_member(int o)
{
    switch (o) {
    case 's':
        return "security";
    case 'a':
        return "address_set";
    case 'D':
        return "do_not_disturb";
    case 'M':
        return "model";
    case 'S':
        return "softkeys";
    case 'z':
        return "time_zone";
    case 'F':
        return "date_format";
    case 'o':
        return "locale";
    case 'r':
        return "protocol";
    case 'n':
        return "note";
    default:
        return NULL;
    }
}

/* "": it is taken away. */
static int take_certificate(struct ctl *c, json_t *body, const char *path)
{
    char text[CERTIFICATE_MAX];
    FILE *f = *path ? fopen(path, "re") : NULL;
    if (*path && !f)
        return bad_usage(c, "%s cannot be read", path);
    const size_t n = f ? fread(text, 1, sizeof(text), f) : 0;
    if (f)
        fclose(f);
    json_object_set_new(body, "certificate", json_stringn(text, n));
    return EXIT_OK;
}

static int take_option(struct ctl *c, int o, void *arg)
{
    struct said *out = arg;
    uint64_t limit;
    if (text_member(o)) {
        json_object_set_new(out->body, text_member(o), json_string(optarg));
        return EXIT_OK;
    }
    switch (o) {
    case 'c':
        return take_certificate(c, out->body, optarg);
    case 'b':
        add_button(out->body, span_str(optarg));
        break;
    case 'f':
        return add_forward(c, out->body, span_str(optarg));
    case 'l':
        append_text(out->body, "lines", optarg);
        break;
    case 'p':
        append_text(out->body, "pins", optarg);
        break;
    case 'd':
    case 'e':
        json_object_set_new(out->body, "enabled", json_boolean(o == 'e'));
        break;
    case 'L':
        json_object_set_new(out->body, "lines", json_array());
        break;
    case 'P':
        json_object_set_new(out->body, "pins", json_array());
        break;
    case 'B':
        json_object_set_new(out->body, "buttons", json_array());
        break;
    case 'W':
        json_object_set_new(out->body, "forwards", json_array());
        break;
    default:
        if (span_u64(span_str(optarg), 1000000000, &limit) || limit == 0)
            return bad_usage(c, "--limit is a number");
        out->limit = (size_t)limit;
        break;
    }
    return EXIT_OK;
}

static int parse(struct ctl *c, int argc, char **argv, unsigned parts, int operands,
                 struct said *out)
{
    *out = (struct said){ .body = json_object() };
    int err = parse_options(c, argc, argv, options, CS_LEN(options), parts, take_option, out,
                            operands ? "device" : NULL, &out->device);
    if (err)
        json_decref(out->body);
    return err;
}

int device_add(struct ctl *c, int argc, char **argv)
{
    struct said s;
    json_t *device = NULL;
    int err = parse(c, argc, argv, O_FIELDS, 1, &s);
    if (err)
        return err;
    json_object_set_new(s.body, "device", json_string(s.device));
    err = ctl_call(c, "POST", s.body, &device, "/v1/devices", "");
    return print_one(c, err, device, device_columns);
}

int device_set(struct ctl *c, int argc, char **argv)
{
    struct said s;
    json_t *device = NULL;
    int err = parse(c, argc, argv, O_FIELDS | O_CHANGE, 1, &s);
    if (err)
        return err;
    if (json_object_size(s.body) == 0) {
        json_decref(s.body);
        return bad_usage(c, "say what to change");
    }
    err = ctl_change(c, DEVICE, "PATCH", s.body, &device, DEVICE, s.device);
    return print_one(c, err, device, device_columns);
}

int device_show(struct ctl *c, int argc, char **argv)
{
    struct said s;
    json_t *device = NULL;
    int err = parse(c, argc, argv, 0, 1, &s);
    if (err)
        return err;
    json_decref(s.body);
    err = ctl_call(c, "GET", NULL, &device, DEVICE, s.device);
    return print_one(c, err, device, device_columns);
}

int device_rm(struct ctl *c, int argc, char **argv)
{
    struct said s;
    json_t *nothing = NULL;
    int err = parse(c, argc, argv, 0, 1, &s);
    if (err)
        return err;
    json_decref(s.body);
    err = ctl_change(c, DEVICE, "DELETE", NULL, &nothing, DEVICE, s.device);
    json_decref(nothing);
    return err;
}

int device_token(struct ctl *c, int argc, char **argv)
{
    static const struct column columns[] = {
        { "device", "device" }, { "token", "token" }, { "use until", "use_until" }, { NULL, NULL }
    };
    struct said s;
    json_t *token = NULL;
    int err = parse(c, argc, argv, 0, 1, &s);
    if (err)
        return err;
    json_decref(s.body);
    err = ctl_call(c, "POST", NULL, &token, DEVICE "/provisioning-token", s.device);
    return print_one(c, err, token, columns);
}

int certificate_list(struct ctl *c, int argc, char **argv)
{
    struct said s;
    int err = parse(c, argc, argv, O_LIMIT, 0, &s);
    if (err)
        return err;
    json_decref(s.body);
    return print_list(c, s.limit, "/v1/certificates", "certificates", certificate_columns);
}
