/* csctl token make: a new token for an operator, and the line that lets authd know it. */
#include <getopt.h>

#include "base/ct.h"
#include "csctl.h"
#include "http/bearer.h"

int token_make(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = { { "role", required_argument, NULL, 'r' },
                                             { NULL, 0, NULL, 0 } };
    char token[BEARER_TOKEN_LEN + 1], hash[64 + 1], line[256], reason[128];
    struct buf why = BUF_INIT(reason);
    const char *role = NULL;
    struct bearers table = { 0 };
    unsigned at;
    int o;
    optind = 0;
    opterr = 0;
    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?')
            return bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        role = optarg;
    }
    if (argc - optind > 1 || !role)
        return bad_usage(c, "say --role read, operate or administer, and at most one name");
    const char *name = optind < argc ? argv[optind] : role;
    bearer_make(token, hash);
    snprintf(line, sizeof(line), "%s %s sha256:%s", name, role, hash);
    int err = bearers_parse(&table, span_str(line), &why, &at); /* authd's own reading of it */
    if (!err && table.n == 1 && c->json) {
        json_t *j = json_pack("{s:s, s:s, s:s, s:s}", "name", name, "role", role, "token", token,
                              "line", line);
        print_json(j);
        json_decref(j);
    } else if (!err && table.n == 1) {
        printf("token         %s\nline          %s\n", token, line);
    }
    const bool made = !err && table.n == 1;
    bearers_fini(&table);
    ct_wipe(token, sizeof(token));
    return made ? EXIT_OK
                : bad_usage(c, SPAN_FMT, SPAN_ARG(err ? buf_span(&why) : SPAN("no name")));
}
