/* The commands about revocations. */
#include <getopt.h>
#include <string.h>

#include "csctl.h"

static const struct column list_columns[] = {
    { "ID", "id" },
    { "KIND", "kind" },
    { "VALUE", "value" },
    { "ISSUER", "issuer" },
    { "BEFORE", "issued_before" },
    { "SINCE", "since" },
    { "UNTIL", "until" },
    { "BY", "by" },
    { "REASON", "reason" },
    { NULL, NULL },
};

static const struct column one_columns[] = {
    { "revoked", "kind" },    { "value", "value" },
    { "issuer", "issuer" },   { "issued before", "issued_before" },
    { "enabled", "enabled" }, { "since", "since" },
    { "until", "until" },     { "by", "by" },
    { "reason", "reason" },   { "id", "id" },
    { NULL, NULL },
};

/* Options of the commands, those of the one that runs are allowed. */
enum { O_TOKEN = 1 << 0, O_ISSUER = 1 << 1, O_SERIAL = 1 << 2, O_USER = 1 << 3, O_UNTIL = 1 << 4 };

static const struct {
    struct option option;
    const char *member;
    unsigned part; /* 0: of all */
} options[] = {
    { { "jti", required_argument, NULL, 'j' }, "jti", O_TOKEN },
    { { "sub", required_argument, NULL, 's' }, "sub", O_TOKEN },
    { { "sid", required_argument, NULL, 'S' }, "sid", O_TOKEN },
    { { "issued-before", required_argument, NULL, 'b' }, "issued_before", O_TOKEN },
    { { "issuer", required_argument, NULL, 'i' }, "issuer", O_ISSUER },
    { { "serial", required_argument, NULL, 'n' }, "serial", O_SERIAL },
    { { "disable", no_argument, NULL, 'd' }, "disable", O_USER },
    { { "realm", required_argument, NULL, 'r' }, "realm", O_USER },
    { { "until", required_argument, NULL, 'u' }, "until", O_UNTIL },
    { { "reason", required_argument, NULL, 't' }, "reason", 0 },
};

static void take_option(struct ctl *c, int o, json_t *body)
{
    for (size_t i = 0; i < CS_LEN(options); i++) {
        if (options[i].option.val == o)
            json_object_set_new(body, options[i].member,
                                options[i].option.has_arg ? json_string(optarg) : json_true());
    }
    if (o == 'r')
        c->realm = optarg;
}

/* Of the operands the first goes to *operand; there may be one if it is not NULL. */
static int parse(struct ctl *c, int argc, char **argv, unsigned parts, const char **operand,
                 json_t **out)
{
    struct option allowed[CS_LEN(options) + 1] = { { NULL, 0, NULL, 0 } };
    json_t *body = json_object();
    size_t n = 0;
    int o, err = EXIT_OK;
    for (size_t i = 0; i < CS_LEN(options); i++) {
        if (!options[i].part || (options[i].part & parts))
            allowed[n++] = options[i].option;
    }
    optind = 0;
    opterr = 0;
    while (!err && (o = getopt_long(argc, argv, "", allowed, NULL)) != -1) {
        if (o == '?')
            err = bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        else
            take_option(c, o, body);
    }
    if (!err && argc - optind > (operand ? 1 : 0))
        err = bad_usage(c, "too many operands");
    if (operand)
        *operand = argc > optind ? argv[optind] : NULL;
    if (err)
        json_decref(body);
    else
        *out = body;
    return err;
}

static int revoke(struct ctl *c, json_t *body)
{
    json_t *answer = NULL;
    int err = ctl_call(c, "POST", body, &answer, "/v1/revocations%s", "");
    if (err)
        return err;
    if (c->json)
        print_json(answer);
    else
        print_object(answer, one_columns);
    json_decref(answer);
    return EXIT_OK;
}

int revoke_token(struct ctl *c, int argc, char **argv)
{
    json_t *body;
    int err = parse(c, argc, argv, O_TOKEN | O_ISSUER | O_UNTIL, NULL, &body);
    return err ? err : revoke(c, body);
}

int revoke_user(struct ctl *c, int argc, char **argv)
{
    const char *name;
    json_t *body;
    int err = parse(c, argc, argv, O_USER, &name, &body);
    if (err)
        return err;
    if (!name) {
        json_decref(body);
        return bad_usage(c, "say one user");
    }
    const char *at = c->realm ? NULL : strrchr(name, '@'); /* a realm has none */
    json_object_set_new(body, "user",
                        at ? json_stringn(name, (size_t)(at - name)) : json_string(name));
    if (at)
        json_object_set_new(body, "realm", json_string(at + 1));
    return revoke(c, body);
}

static int revoke_named(struct ctl *c, int argc, char **argv, unsigned parts, const char *member)
{
    const char *name;
    json_t *body;
    int err = parse(c, argc, argv, parts, &name, &body);
    if (err)
        return err;
    if (name)
        json_object_set_new(body, member, json_string(name));
    return revoke(c, body);
}

int revoke_certificate(struct ctl *c, int argc, char **argv)
{
    return revoke_named(c, argc, argv, O_SERIAL | O_ISSUER | O_UNTIL, "certificate");
}

int revoke_device(struct ctl *c, int argc, char **argv)
{
    return revoke_named(c, argc, argv, O_UNTIL, "device");
}

int revoke_list(struct ctl *c, int argc, char **argv)
{
    char after[64] = "";
    json_t *all = json_array(), *page = NULL;
    int err = argc > 1 ? bad_usage(c, "%s is too much", argv[1]) : EXIT_OK;
    for (bool more = true; !err && more;) {
        err = ctl_call(c, "GET", NULL, &page,
                       after[0] ? "/v1/revocations?after=%s" : "/v1/revocations%s", after);
        if (err)
            break;
        json_array_extend(all, json_object_get(page, "revocations"));
        more = json_object_get(page, "next") != NULL;
        text_of(page, "next", after, sizeof(after));
        json_decref(page);
    }
    if (!err && c->json)
        print_json(all);
    else if (!err)
        print_table(all, list_columns);
    json_decref(all);
    return err;
}

int revoke_lift(struct ctl *c, int argc, char **argv)
{
    json_t *none = NULL;
    if (argc != 2)
        return bad_usage(c, "say one id, as csctl revoke list shows it");
    return ctl_call(c, "DELETE", NULL, &none, "/v1/revocations/%s", argv[1]);
}
