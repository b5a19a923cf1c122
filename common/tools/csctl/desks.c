/* Devices, desk phones as the b2bua sees them, and the messages they speak by. */
#include <getopt.h>
#include <string.h>

#include "b2bua/sccp/print.h"
#include "csctl.h"

static const struct option options[] = { { "b2bua", required_argument, NULL, 'b' },
                                         { "reset", no_argument, NULL, 'r' },
                                         { "version", required_argument, NULL, 'v' },
                                         { NULL, 0, NULL, 0 } };

struct wanted {
    const char *url;
    bool named, reset;
    uint64_t version;
};

static int read_options(struct ctl *c, int argc, char **argv, int operands, struct wanted *out)
{
    *out = (struct wanted){ .url = "http://127.0.0.1:8082", .version = SCCP_NEWEST };
    optind = 0;
    opterr = 0;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == 'b')
            out->url = optarg, out->named = true;
        else if (o == 'r')
            out->reset = true;
        else if (o != 'v' || span_u64(span_str(optarg), SCCP_NEWEST, &out->version))
            return bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
    }
    return argc - optind == operands ? 0
                                     : bad_usage(c, operands ? "say one device" : "say no more");
}

static int call_b2bua(struct ctl *c, const struct wanted *w, const char *method, json_t **shown,
                      const char *path, const char *operand, bool quiet)
{
    struct client *b2bua = NULL;
    json_t *answer = NULL;
    unsigned status = 0;
    int err = client_new(w->url, NULL, &b2bua);
    if (err)
        return err;
    if (quiet)
        client_set_quiet(b2bua);
    err = client_call(b2bua, method, NULL, &status, &answer, path, operand);
    client_free(&b2bua);
    return err ? err : ctl_answer(c, status, answer, shown);
}

/* How far a device has come there; "away": it is not connected. */
static const char *state_of(json_t *there, const char *device)
{
    size_t i;
    json_t *one;
    json_array_foreach(there, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "device"));
        if (name && device && !strcmp(name, device))
            return json_string_value(json_object_get(one, "state"));
    }
    return "away";
}

/* Where no b2bua is named and none is here, states are left out. */
static int add_states(struct ctl *c, const struct wanted *w, json_t *devices)
{
    json_t *shown = NULL, *one;
    size_t i;
    int err = call_b2bua(c, w, "GET", &shown, "/devices%s", "", !w->named);
    if (err)
        return w->named ? err : EXIT_OK;
    json_array_foreach(devices, i, one) json_object_set_new(
        one, "state",
        json_string(state_of(json_object_get(shown, "devices"),
                             json_string_value(json_object_get(one, "device")))));
    json_decref(shown);
    return EXIT_OK;
}

int device_list(struct ctl *c, int argc, char **argv)
{
    static const struct column columns[] = {
        { "DEVICE", "device" },   { "STATE", "state" },
        { "ENABLED", "enabled" }, { "SECURITY", "security" },
        { "LINES", "lines" },     { "NOTE", "note" },
        { NULL, NULL },
    };
    struct wanted w;
    json_t *devices = NULL;
    int err = read_options(c, argc, argv, 0, &w);
    if (!err)
        err = read_list(c, 0, "/v1/devices", "devices", &devices);
    if (!err)
        err = add_states(c, &w, devices);
    if (!err && c->json)
        print_json(devices);
    else if (!err)
        print_table(devices, columns);
    json_decref(devices);
    return err;
}

int device_state(struct ctl *c, int argc, char **argv)
{
    static const struct column columns[] = {
        { "DEVICE", "device" },   { "STATE", "state" },           { "LINES", "lines" },
        { "ADDRESS", "address" }, { "MEDIA", "media" },           { "MODEL", "model" },
        { "VERSION", "version" }, { "REGISTERED", "registered" }, { NULL, NULL },
    };
    struct wanted w;
    json_t *shown = NULL;
    int err = read_options(c, argc, argv, 0, &w);
    if (!err)
        err = call_b2bua(c, &w, "GET", &shown, "/devices%s", "", false);
    if (err)
        return err;
    if (c->json)
        print_json(json_object_get(shown, "devices"));
    else
        print_table(json_object_get(shown, "devices"), columns);
    json_decref(shown);
    return EXIT_OK;
}

int device_restart(struct ctl *c, int argc, char **argv)
{
    struct wanted w;
    json_t *shown = NULL;
    int err = read_options(c, argc, argv, 1, &w);
    if (!err)
        err = call_b2bua(c, &w, "POST", &shown,
                         w.reset ? "/devices/%s/restart?how=reset" : "/devices/%s/restart",
                         argv[optind], false);
    json_decref(shown);
    return err;
}

int sccp_messages(struct ctl *c, int argc, char **argv)
{
    struct wanted w;
    int err = read_options(c, argc, argv, 0, &w);
    if (!err)
        sccp_describe(stdout, (unsigned)w.version);
    return err;
}
