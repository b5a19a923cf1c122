/* csctl trunk test: what is wrong with a trunk, as the b2bua finds out itself: it has the
 * listeners, the certificates and authd's signature that its calls have. */
#include <getopt.h>
#include <string.h>

#include "csctl.h"

enum { WITHIN_S = 40 }; /* the b2bua gives up before */

static const char *verdict(const json_t *answer)
{
    if (json_is_true(json_object_get(answer, "good")))
        return "calls go through";
    return json_is_true(json_object_get(json_object_get(answer, "request"), "rang"))
               ? "calls ring there, but not all is well"
               : "calls do not go through";
}

static void print_words(const json_t *answer)
{
    static const struct column target[] = { { "TARGET", "uri" },      { "STATE", "state" },
                                            { "ADDRESS", "address" }, { "STATUS", "status" },
                                            { "MS", "took_ms" },      { NULL, NULL } };
    static const struct column registration[] = { { "registered as", "aor" }, { "state", "state" },
                                                  { "status", "status" },     { "at", "address" },
                                                  { "until", "expires" },     { NULL, NULL } };
    static const struct column request[] = { { "asked with", "method" },
                                             { "answer", "status" },
                                             { NULL, NULL } };
    const json_t *registered = json_object_get(answer, "registration");
    const json_t *findings = json_object_get(answer, "findings"), *x;
    size_t i;
    print_table(json_object_get(answer, "targets"), target);
    printf("\n");
    if (json_is_object(registered))
        print_object(registered, registration);
    print_object(json_object_get(answer, "request"), request);
    printf("\n");
    json_array_foreach(findings, i, x) printf("%s\n", json_string_value(x));
    printf("%s\n", verdict(answer));
}

int trunk_test(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = { { "b2bua", required_argument, NULL, 'b' },
                                             { NULL, 0, NULL, 0 } };
    const char *url = "http://127.0.0.1:8082";
    struct client *b2bua = NULL;
    json_t *answer = NULL, *shown = NULL;
    unsigned status = 0;
    optind = 0;
    opterr = 0;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == '?')
            return bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        url = optarg;
    }
    if (argc - optind != 1)
        return bad_usage(c, "say one trunk");
    int err = client_new(url, NULL, &b2bua);
    if (err)
        return err;
    client_set_timeout(b2bua, DURATION_S(WITHIN_S));
    err = client_call(b2bua, "POST", NULL, &status, &answer, "/trunks/%s/test", argv[optind]);
    client_free(&b2bua);
    if (!err)
        err = ctl_answer(c, status, answer, &shown);
    if (err)
        return err;
    if (c->json)
        print_json(shown);
    else
        print_words(shown);
    err = json_is_true(json_object_get(shown, "good")) ? EXIT_OK : EXIT_REFUSED;
    json_decref(shown);
    return err;
}
