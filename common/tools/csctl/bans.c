/* The commands about bans: list, add, lift. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "csctl.h"

static const struct column list_columns[] = {
    { "ID", "id" },       { "SOURCE", "source" }, { "PORT", "port" },     { "USER", "user" },
    { "BY", "by" },       { "CLASS", "class" },   { "REASON", "reason" }, { "SINCE", "since" },
    { "UNTIL", "until" }, { NULL, NULL },
};

const struct column ban_columns[] = {
    { "banned", "source" }, { "port", "port" },     { "user", "user" },   { "by", "by" },
    { "class", "class" },   { "reason", "reason" }, { "since", "since" }, { "until", "until" },
    { "ban", "id" },        { NULL, NULL },
};

/* Whether what is banned holds the address. */
static bool holds(const json_t *ban, const struct addr *a)
{
    struct cidr net;
    const char *source = json_string_value(json_object_get(ban, "source"));
    return cidr_parse(span_str(source), &net) == 0 && cidr_contains(&net, a);
}

/* All, or those that hold the address; the caller owns them. */
static int get_bans(struct ctl *c, const struct addr *a, json_t **out)
{
    char after[64] = "";
    json_t *all = json_array(), *page = NULL, *ban;
    size_t i;
    for (bool more = true; more;) {
        int err =
            ctl_call(c, "GET", NULL, &page, after[0] ? "/v1/bans?after=%s" : "/v1/bans%s", after);
        if (err) {
            json_decref(all);
            return err;
        }
        json_array_foreach(json_object_get(page, "bans"), i, ban)
        {
            if (!a || holds(ban, a))
                json_array_append(all, ban);
        }
        more = json_object_get(page, "next") != NULL;
        text_of(page, "next", after, sizeof(after));
        json_decref(page);
    }
    *out = all;
    return EXIT_OK;
}

int ban_list(struct ctl *c, int argc, char **argv)
{
    struct addr a;
    json_t *bans;
    if (argc > 2)
        return bad_usage(c, "too many operands");
    if (argc == 2 && addr_parse(span_str(argv[1]), 0, &a))
        return bad_usage(c, "\"%s\" is no address", argv[1]);
    int err = get_bans(c, argc == 2 ? &a : NULL, &bans);
    if (err)
        return err;
    if (c->json)
        print_json(bans);
    else
        print_table(bans, list_columns);
    json_decref(bans);
    return EXIT_OK;
}

/* "45m" in seconds; 0 when it cannot be read. */
static long long take_seconds(const char *text)
{
    static const struct {
        char unit;
        long long seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    char *end;
    long long n = strtoll(text, &end, 10);
    for (size_t i = 0; i < CS_LEN(units); i++) {
        if (end != text && end[0] == units[i].unit && !end[1] && n > 0 && n <= 31536000)
            return n * units[i].seconds;
    }
    return 0;
}

int ban_add(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = { { "for", required_argument, NULL, 'f' },
                                             { "reason", required_argument, NULL, 'r' },
                                             { "port", required_argument, NULL, 'p' },
                                             { "user", required_argument, NULL, 'u' },
                                             { NULL, 0, NULL, 0 } };
    json_t *body = json_object(), *ban = NULL;
    int o, err = EXIT_OK;
    optind = 0;
    opterr = 0;
    while (!err && (o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?')
            err = bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        else if (o == 'f' && !take_seconds(optarg))
            err = bad_usage(c, "--for is as 30s, 10m, 2h or 7d");
        else if (o == 'f')
            json_object_set_new(body, "seconds", json_integer(take_seconds(optarg)));
        else if (o == 'p')
            json_object_set_new(body, "port", json_integer(strtoll(optarg, NULL, 10)));
        else
            json_object_set_new(body, o == 'r' ? "reason" : "user", json_string(optarg));
    }
    if (!err && argc - optind != 1)
        err = bad_usage(c, "say one address or network");
    if (err) {
        json_decref(body);
        return err;
    }
    json_object_set_new(body, "source", json_string(argv[optind]));
    err = ctl_call(c, "POST", body, &ban, "/v1/bans%s", "");
    if (err)
        return err;
    if (c->json)
        print_json(ban);
    else
        print_object(ban, ban_columns);
    json_decref(ban);
    return EXIT_OK;
}

int ban_lift(struct ctl *c, int argc, char **argv)
{
    struct addr a;
    json_t *bans, *ban, *none = NULL;
    size_t i;
    if (argc != 2)
        return bad_usage(c, "say one address or id");
    if (addr_parse(span_str(argv[1]), 0, &a))
        return ctl_call(c, "DELETE", NULL, &none, "/v1/bans/%s", argv[1]);
    int err = get_bans(c, &a, &bans);
    if (err)
        return err;
    if (json_array_size(bans) == 0) {
        complain("nothing shuts out %s", argv[1]);
        err = EXIT_REFUSED;
    }
    json_array_foreach(bans, i, ban)
    {
        const char *id = json_string_value(json_object_get(ban, "id"));
        if (!err)
            err = ctl_call(c, "DELETE", NULL, &none, "/v1/bans/%s", id);
        if (!err && !c->json)
            print_object(ban, ban_columns);
    }
    json_decref(bans);
    return err;
}
