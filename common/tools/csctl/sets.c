/* The commands for address sets. */
#include <getopt.h>

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

/* Fields of the API by option; NULL: a list of networks. */
static const struct option options[] = {
    { "network", required_argument, NULL, 'n' },
    { "owner", required_argument, NULL, 'o' },
    { "renewal", required_argument, NULL, 'r' },
    { "note", required_argument, NULL, 't' },
    { NULL, 0, NULL, 0 },
};
static const struct option no_options[] = { { NULL, 0, NULL, 0 } };

static void take_option(int o, json_t *body)
{
    static const char *const members[128] = { ['o'] = "owner", ['r'] = "renewal", ['t'] = "note" };
    if (members[o]) {
        json_object_set_new(body, members[o], json_string(optarg));
        return;
    }
    if (!json_object_get(body, "networks"))
        json_object_set_new(body, "networks", json_array());
    json_array_append_new(json_object_get(body, "networks"), json_string(optarg));
}

/* body gets what the options say, and is the caller's if EXIT_OK is returned. */
static int parse(struct ctl *c, int argc, char **argv, const struct option *allowed, int operands,
                 const char **name, json_t **body)
{
    int o, err = EXIT_OK;
    *body = json_object();
    optind = 0;
    opterr = 0;
    while (!err && (o = getopt_long(argc, argv, "", allowed, NULL)) != -1) {
        if (o == '?' || o == ':')
            err = bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        else
            take_option(o, *body);
    }
    if (!err && argc - optind != operands)
        err = bad_usage(c, operands ? "say one address set" : "too many operands");
    if (!err && operands)
        *name = argv[optind];
    if (err)
        json_decref(*body);
    return err;
}

static int print_set(struct ctl *c, int err, json_t *set)
{
    if (!err && c->json)
        print_json(set);
    else if (!err)
        print_object(set, set_columns);
    json_decref(set);
    return err;
}

int set_add(struct ctl *c, int argc, char **argv)
{
    const char *name = NULL;
    json_t *body, *set = NULL;
    int err = parse(c, argc, argv, options, 1, &name, &body);
    if (err)
        return err;
    json_object_set_new(body, "set", json_string(name));
    err = ctl_call(c, "POST", body, &set, "/v1/address-sets", "");
    return print_set(c, err, set);
}

int set_change(struct ctl *c, int argc, char **argv)
{
    const char *name = NULL;
    json_t *body, *set = NULL;
    int err = parse(c, argc, argv, options, 1, &name, &body);
    if (err)
        return err;
    if (json_object_size(body) == 0) {
        json_decref(body);
        return bad_usage(c, "say what to change");
    }
    err = ctl_change(c, SET, "PATCH", body, &set, SET, name);
    return print_set(c, err, set);
}

int set_show(struct ctl *c, int argc, char **argv)
{
    const char *name = NULL;
    json_t *body, *set = NULL;
    int err = parse(c, argc, argv, no_options, 1, &name, &body);
    if (err)
        return err;
    json_decref(body);
    err = ctl_call(c, "GET", NULL, &set, SET, name);
    return print_set(c, err, set);
}

int set_rm(struct ctl *c, int argc, char **argv)
{
    const char *name = NULL;
    json_t *body, *nothing = NULL;
    int err = parse(c, argc, argv, no_options, 1, &name, &body);
    if (err)
        return err;
    json_decref(body);
    err = ctl_change(c, SET, "DELETE", NULL, &nothing, SET, name);
    json_decref(nothing);
    return err;
}

int set_list(struct ctl *c, int argc, char **argv)
{
    char after[1024] = "";
    json_t *body, *all, *page = NULL;
    int err = parse(c, argc, argv, no_options, 0, NULL, &body);
    bool more = true;
    if (err)
        return err;
    json_decref(body);
    all = json_array();
    while (!err && more) {
        err = ctl_call(c, "GET", NULL, &page,
                       after[0] ? "/v1/address-sets?limit=1000&after=%s"
                                : "/v1/address-sets?limit=1000",
                       after);
        if (err)
            break;
        json_array_extend(all, json_object_get(page, "sets"));
        more = json_object_get(page, "next") != NULL;
        text_of(page, "next", after, sizeof(after));
        json_decref(page);
        page = NULL;
    }
    if (!err && c->json)
        print_json(all);
    else if (!err)
        print_table(all, list_columns);
    json_decref(all);
    return err;
}
