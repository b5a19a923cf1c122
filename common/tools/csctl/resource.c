/* What the commands for users, devices, trunks and address sets share. */
#include "csctl.h"

enum { OPTIONS = 32 };

int parse_options(struct ctl *c, int argc, char **argv, const struct part_option *options, size_t n,
                  unsigned parts, take_option_fn *take, void *arg, const char *what,
                  const char **operand)
{
    struct option allowed[OPTIONS + 1] = { { NULL, 0, NULL, 0 } };
    const int operands = what ? 1 : 0;
    size_t n_allowed = 0;
    int o, err = EXIT_OK;
    for (size_t i = 0; i < n && n_allowed < OPTIONS; i++) {
        if (options[i].part & parts)
            allowed[n_allowed++] = options[i].option;
    }
    optind = 0;
    opterr = 0;
    while (!err && (o = getopt_long(argc, argv, "", allowed, NULL)) != -1) {
        if (o == '?' || o == ':')
            err = bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        else
            err = take(c, o, arg);
    }
    if (!err && argc - optind != operands)
        err = what ? bad_usage(c, "say one %s", what) : bad_usage(c, "too many operands");
    if (!err && what)
        *operand = argv[optind];
    return err;
}

void append_text(json_t *body, const char *name, const char *text)
{
    if (!json_object_get(body, name))
        json_object_set_new(body, name, json_array());
    json_array_append_new(json_object_get(body, name), json_string(text));
}

int print_one(struct ctl *c, int err, json_t *answer, const struct column *columns)
{
    if (!err && c->json)
        print_json(answer);
    else if (!err)
        print_object(answer, columns);
    json_decref(answer);
    return err;
}

int read_list(struct ctl *c, size_t limit, const char *path, const char *member, json_t **out)
{
    char first[128], next[128], after[1024] = "";
    json_t *all = json_array(), *page = NULL;
    int err = EXIT_OK;
    bool more = true;
    snprintf(first, sizeof(first), "%s?limit=1000", path);
    snprintf(next, sizeof(next), "%s?limit=1000&after=%%s", path);
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
    if (err) {
        json_decref(all);
        return err;
    }
    *out = all;
    return EXIT_OK;
}

int print_list(struct ctl *c, size_t limit, const char *path, const char *member,
               const struct column *columns)
{
    json_t *all = NULL;
    int err = read_list(c, limit, path, member, &all);
    if (!err && c->json)
        print_json(all);
    else if (!err)
        print_table(all, columns);
    json_decref(all);
    return err;
}
