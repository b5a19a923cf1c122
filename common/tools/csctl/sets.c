/* The commands for address sets. */
#include "csctl.h"

#define SET "/v1/address-sets/%s"

static const struct column set_columns[] = {
    { "set", "set" },         { "networks", "networks" }, { "owner", "owner" },
    { "renewal", "renewal" }, { "state", "state" },       { "note", "note" },
    { "created", "created" }, { "changed", "changed" },   { NULL, NULL },
};

static const struct column list_columns[] = {
    { "SET", "set" },     { "STATE", "state" },       { "RENEWAL", "renewal" },
    { "OWNER", "owner" }, { "NETWORKS", "networks" }, { "NOTE", "note" },
    { NULL, NULL },
};

enum { O_FIELDS = 1 };

static const struct part_option options[] = {
    { { "network", required_argument, NULL, 'n' }, O_FIELDS },
    { { "owner", required_argument, NULL, 'o' }, O_FIELDS },
    { { "renewal", required_argument, NULL, 'r' }, O_FIELDS },
    { { "note", required_argument, NULL, 't' }, O_FIELDS },
};

/* Into the body. */
static int take_option(struct ctl *c, int o, void *arg)
{
    static const char *const members[128] = { ['o'] = "owner", ['r'] = "renewal", ['t'] = "note" };
    (void)c;
    if (members[o])
        json_object_set_new(arg, members[o], json_string(optarg));
    else
        append_text(arg, "networks", optarg);
    return EXIT_OK;
}

/* body gets what the options say, and is the caller's if EXIT_OK is returned. */
static int parse(struct ctl *c, int argc, char **argv, unsigned parts, const char **name,
                 json_t **body)
{
    *body = json_object();
    int err = parse_options(c, argc, argv, options, CS_LEN(options), parts, take_option, *body,
                            name ? "address set" : NULL, name);
    if (err)
        json_decref(*body);
    return err;
}

int set_add(struct ctl *c, int argc, char **argv)
{
    const char *name = NULL;
    json_t *body, *set = NULL;
    int err = parse(c, argc, argv, O_FIELDS, &name, &body);
    if (err)
        return err;
    json_object_set_new(body, "set", json_string(name));
    err = ctl_call(c, "POST", body, &set, "/v1/address-sets", "");
    return print_one(c, err, set, set_columns);
}

int set_change(struct ctl *c, int argc, char **argv)
{
    const char *name = NULL;
    json_t *body, *set = NULL;
    int err = parse(c, argc, argv, O_FIELDS, &name, &body);
    if (err)
        return err;
    if (json_object_size(body) == 0) {
        json_decref(body);
        return bad_usage(c, "say what to change");
    }
    err = ctl_change(c, SET, "PATCH", body, &set, SET, name);
    return print_one(c, err, set, set_columns);
}

int set_show(struct ctl *c, int argc, char **argv)
{
    const char *name = NULL;
    json_t *body, *set = NULL;
    int err = parse(c, argc, argv, 0, &name, &body);
    if (err)
        return err;
    json_decref(body);
    err = ctl_call(c, "GET", NULL, &set, SET, name);
    return print_one(c, err, set, set_columns);
}

int set_rm(struct ctl *c, int argc, char **argv)
{
    const char *name = NULL;
    json_t *body, *nothing = NULL;
    int err = parse(c, argc, argv, 0, &name, &body);
    if (err)
        return err;
    json_decref(body);
    err = ctl_change(c, SET, "DELETE", NULL, &nothing, SET, name);
    json_decref(nothing);
    return err;
}

int set_list(struct ctl *c, int argc, char **argv)
{
    json_t *body;
    int err = parse(c, argc, argv, 0, NULL, &body);
    if (err)
        return err;
    json_decref(body);
    return print_list(c, 0, "/v1/address-sets", "sets", list_columns);
}
