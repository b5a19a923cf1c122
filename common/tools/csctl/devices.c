/* The commands for devices, and for the certificates that are in use. */
#include <stdlib.h>
#include <string.h>

#include "csctl.h"

#define DEVICE "/v1/devices/%s"

static const struct column device_columns[] = {
    { "device", "device" },   { "enabled", "enabled" }, { "security", "security" },
    { "lines", "lines" },     { "pins", "pins" },       { "note", "note" },
    { "created", "created" }, { "changed", "changed" }, { NULL, NULL },
};

static const struct column list_columns[] = {
    { "DEVICE", "device" }, { "ENABLED", "enabled" }, { "SECURITY", "security" },
    { "LINES", "lines" },   { "NOTE", "note" },       { NULL, NULL },
};

static const struct column certificate_columns[] = {
    { "HOLDER", "holder" },       { "EXPIRES", "expires" }, { "SOON", "expires_soon" },
    { "LAST SEEN", "last_seen" }, { "SUBJECT", "subject" }, { "SERIAL", "serial" },
    { "SHA256", "sha256" },       { NULL, NULL },
};

/* Options of the commands, those of the one that runs are allowed. */
enum { O_FIELDS = 1 << 0, O_CHANGE = 1 << 1, O_LIMIT = 1 << 2 };

static const struct part_option options[] = {
    { { "security", required_argument, NULL, 's' }, O_FIELDS },
    { { "line", required_argument, NULL, 'l' }, O_FIELDS },
    { { "pin", required_argument, NULL, 'p' }, O_FIELDS },
    { { "note", required_argument, NULL, 'n' }, O_FIELDS },
    { { "disable", no_argument, NULL, 'd' }, O_FIELDS },
    { { "enable", no_argument, NULL, 'e' }, O_CHANGE },
    { { "no-lines", no_argument, NULL, 'L' }, O_CHANGE },
    { { "no-pins", no_argument, NULL, 'P' }, O_CHANGE },
    { { "limit", required_argument, NULL, 'm' }, O_LIMIT },
};

struct said {
    const char *device; /* NULL: none */
    size_t limit;       /* 0: none */
    json_t *body;       /* fields; owned */
};

static int take_option(struct ctl *c, int o, void *arg)
{
    struct said *out = arg;
    uint64_t limit;
    switch (o) {
    case 's':
        json_object_set_new(out->body, "security", json_string(optarg));
        break;
    case 'l':
        append_text(out->body, "lines", optarg);
        break;
    case 'p':
        append_text(out->body, "pins", optarg);
        break;
    case 'n':
        json_object_set_new(out->body, "note", json_string(optarg));
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

int device_list(struct ctl *c, int argc, char **argv)
{
    struct said s;
    int err = parse(c, argc, argv, 0, 0, &s);
    if (err)
        return err;
    json_decref(s.body);
    return print_list(c, 0, "/v1/devices", "devices", list_columns);
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
