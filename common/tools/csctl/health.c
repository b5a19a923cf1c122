/* `csctl health`: is a daemon alive and ready? Monitors ask it, and so do containers of
 * themselves. */
#include <getopt.h>
#include <string.h>

#include "base/log.h"
#include "csctl.h"
#include "greet.h"

enum { WITHIN_S = 3 }; /* monitors give up after a few seconds */

/* Members of both answers; the registrar says what it lacks, authd that its Redis does. */
static const struct column columns[] = { { "status", "status" }, { "version", "version" },
                                         { "ready", "ready" },   { "authd", "authd" },
                                         { "redis", "redis" },   { "what to do", "detail" },
                                         { NULL, NULL } };

static int tell(const struct ctl *c, json_t *seen, bool ok)
{
    if (c->json)
        print_json(seen);
    else
        print_object(seen, columns);
    json_decref(seen);
    return ok ? EXIT_OK : EXIT_REFUSED;
}

static int ask_http(struct ctl *c, struct client *client, bool live)
{
    json_t *alive = NULL, *ready = NULL;
    unsigned status = 0;
    client_set_timeout(client, DURATION_S(WITHIN_S));
    int err = client_call(client, "GET", NULL, &status, &alive, "/healthz");
    bool ok = !err && status == 200 && json_is_object(alive);
    if (!ok) {
        if (!err)
            complain("no daemon of Countersign answers there (%u)", status);
        json_decref(alive);
        return EXIT_REFUSED;
    }
    if (!live) {
        ok = !client_call(client, "GET", NULL, &status, &ready, "/readyz") && status == 200;
        json_object_update_missing(alive, ready);
        json_object_set_new(alive, "ready", json_boolean(ok));
    }
    json_decref(ready);
    return tell(c, alive, ok);
}

static int ask_socket(struct ctl *c, const char *path)
{
    log_setup(LOG_ERROR, LOG_TEXT);
    int err = greet(path, DURATION_S(WITHIN_S));
    if (err)
        complain("%s: %s", path,
                 err == CS_EDENIED ? "authd does not take questions of this user"
                                   : cs_strerror(err));
    return err ? EXIT_REFUSED : tell(c, json_pack("{s:s}", "status", "ok"), true);
}

int health(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = { { "live", no_argument, NULL, 'l' },
                                             { NULL, 0, NULL, 0 } };
    bool live = false;
    optind = 0;
    opterr = 0;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == '?')
            return bad_usage(c, "%s is not an option here", argv[optind - 1]);
        live = true;
    }
    if (argc - optind > 1)
        return bad_usage(c, "say one URL or socket");
    const char *where = argc > optind ? argv[optind] : NULL;
    if (where && where[0] == '/')
        return ask_socket(c, where);
    struct client *other = NULL;
    int err = where ? client_new(where, NULL, &other) : EXIT_OK;
    if (other)
        client_set_tls(other, &c->tls);
    if (!err)
        err = ask_http(c, where ? other : c->client, live);
    client_free(&other);
    return err;
}
