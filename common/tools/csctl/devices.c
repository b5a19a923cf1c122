/* The commands for devices, and for the certificates that are in use. */
#include <getopt.h>
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

static const struct {
    struct option option;
    unsigned part;
} options[] = {
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

static void append(json_t *body, const char *name, const char *text)
{
    if (!json_object_get(body, name))
        json_object_set_new(body, name, json_array());
    json_array_append_new(json_object_get(body, name), json_string(text));
}

static int take_option(struct ctl *c, int o, struct said *out)
{
    uint64_t limit;
    switch (o) {
    case 's':
        json_object_set_new(out->body, "security", json_string(optarg));
        break;
    case 'l':
        append(out->body, "lines", optarg);
        break;
    case 'p':
        append(out->body, "pins", optarg);
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
    struct option allowed[CS_LEN(options) + 1] = { { NULL, 0, NULL, 0 } };
    size_t n = 0;
    int o, err = EXIT_OK;
    *out = (struct said){ .body = json_object() };
    for (size_t i = 0; i < CS_LEN(options); i++) {
        if (options[i].part & parts)
            allowed[n++] = options[i].option;
    }
    optind = 0;
    opterr = 0;
    while (!err && (o = getopt_long(argc, argv, "", allowed, NULL)) != -1) {
        if (o == '?' || o == ':')
            err = bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        else
            err = take_option(c, o, out);
    }
    if (!err && argc - optind != operands)
        err = bad_usage(c, operands ? "say one device" : "too many operands");
    if (!err && operands)
        out->device = argv[optind];
    if (err)
        json_decref(out->body);
    return err;
}

static int print_device(struct ctl *c, int err, json_t *device)
{
    if (!err && c->json)
        print_json(device);
    else if (!err)
        print_object(device, device_columns);
    json_decref(device);
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
    return print_device(c, err, device);
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
    return print_device(c, err, device);
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
    return print_device(c, err, device);
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

/* All pages of a list, or until there are limit. */
static int list(struct ctl *c, size_t limit, const char *first, const char *next,
                const char *member, const struct column *columns)
{
    char after[1024] = "";
    json_t *all = json_array(), *page = NULL;
    int err = EXIT_OK;
    bool more = true;
    while (!err && more) {
        err = ctl_call(c, "GET", NULL, &page, after[0] ? next : first, after);
        if (err)
            break;
        json_array_extend(all, json_object_get(page, member));
        more = json_object_get(page, "next") != NULL;
        text_of(page, "next", after, sizeof(after));
        json_decref(page);
        while (limit && json_array_size(all) > limit)
            json_array_remove(all, json_array_size(all) - 1);
        more = more && (!limit || json_array_size(all) < limit);
    }
    if (!err && c->json)
        print_json(all);
    else if (!err)
        print_table(all, columns);
    json_decref(all);
    return err;
}

int device_list(struct ctl *c, int argc, char **argv)
{
    struct said s;
    int err = parse(c, argc, argv, 0, 0, &s);
    if (err)
        return err;
    json_decref(s.body);
    return list(c, 0, "/v1/devices?limit=1000", "/v1/devices?limit=1000&after=%s", "devices",
                list_columns);
}

int certificate_list(struct ctl *c, int argc, char **argv)
{
    struct said s;
    int err = parse(c, argc, argv, O_LIMIT, 0, &s);
    if (err)
        return err;
    json_decref(s.body);
    return list(c, s.limit, "/v1/certificates?limit=1000", "/v1/certificates?limit=1000&after=%s",
                "certificates", certificate_columns);
}
