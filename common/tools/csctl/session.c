/* What a token is good for besides registering: csctl exchange, csctl turn. */
#include "csctl.h"

static const struct column exchange_columns[] = {
    { "username", "username" }, { "realm", "realm" }, { "password", "password" },
    { "aor", "aor" },           { "until", "until" }, { NULL, NULL },
};

static const struct column turn_columns[] = {
    { "username", "username" },
    { "password", "password" },
    { "ttl", "ttl" },
    { "uris", "uris" },
    { NULL, NULL },
};

static int get(struct ctl *c, int argc, char **argv, const char *path, const struct column *columns)
{
    json_t *answer = NULL;
    if (argc > 1)
        return bad_usage(c, "%s is too much", argv[1]);
    int err = ctl_call(c, "POST", NULL, &answer, path, "");
    if (err)
        return err;
    if (c->json)
        print_json(answer);
    else
        print_object(answer, columns);
    json_decref(answer);
    return EXIT_OK;
}

int exchange(struct ctl *c, int argc, char **argv)
{
    return get(c, argc, argv, "/v1/exchange%s", exchange_columns);
}

int turn(struct ctl *c, int argc, char **argv)
{
    return get(c, argc, argv, "/v1/turn%s", turn_columns);
}
