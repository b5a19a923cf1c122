/* The command about tickets. */
#include <getopt.h>

#include "csctl.h"

static const struct column columns[] = {
    { "ticket", "ticket" },    { "aor", "aor" }, { "use until", "use_until" },
    { "good until", "until" }, { NULL, NULL },
};

int ticket_add(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = { { "realm", required_argument, NULL, 'r' },
                                             { "aor", required_argument, NULL, 'a' },
                                             { NULL, 0, NULL, 0 } };
    json_t *body = json_object(), *ticket = NULL;
    int o, err = EXIT_OK;
    optind = 0;
    opterr = 0;
    while (!err && (o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?')
            err = bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        else
            json_object_set_new(body, o == 'r' ? "realm" : "aor", json_string(optarg));
    }
    if (!err && argc - optind != 1)
        err = bad_usage(c, "say one user");
    if (err) {
        json_decref(body);
        return err;
    }
    json_object_set_new(body, "user", json_string(argv[optind]));
    err = ctl_call(c, "POST", body, &ticket, "/v1/tickets%s", "");
    if (err)
        return err;
    if (c->json)
        print_json(ticket);
    else
        print_object(ticket, columns);
    json_decref(ticket);
    return EXIT_OK;
}
