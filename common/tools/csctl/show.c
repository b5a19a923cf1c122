/* The commands that look at what goes on: bindings, explain, clients, realms. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "csctl.h"

static const struct column binding_columns[] = {
    { "AOR", "aor" },         { "CONTACT", "contact" },
    { "EXPIRES", "expires" }, { "SOURCE", "source" },
    { "USER", "user" },       { "REGISTRAR", "registrar" },
    { "SINCE", "since" },     { "USER-AGENT", "user_agent" },
    { NULL, NULL },
};

static const struct column decision_columns[] = {
    { "time", "time" },
    { "decision", "id" },
    { "verdict", "verdict" },
    { "status", "status" },
    { "cause", "cause" },
    { "because", "because" },
    { "why", "text" },
    { "revoked", "revoked" },
    { "limit", "limit" },
    { "what to do", "remedy" },
    { "user", "user" },
    { "realm", "realm" },
    { "aor", "aor" },
    { "from", "from" },
    { "method", "method" },
    { "group", "group" },
    { "trunk", "trunk" },
    { "device", "device" },
    { "source", "source" },
    { "country", "country" },
    { "transport", "transport" },
    { "algorithm", "algorithm" },
    { "call-id", "call_id" },
    { "user-agent", "user_agent" },
    { NULL, NULL },
};

static const struct column client_columns[] = {
    { "KIND", "kind" },
    { "CLIENT", "name" },
    { "NARROWED", "narrowed" },
    { "ACCEPTED", "accepted" },
    { "LAST USER", "user" },
    { "SEEN", "seen" },
    { NULL, NULL },
};

static const struct column realm_columns[] = {
    { "REALM", "realm" },       { "CONFIGURED", "configured" },
    { "OFFERED", "offered" },   { "ENABLED USERS THAT LACK IT", "lacking" },
    { "FORMERLY", "formerly" }, { NULL, NULL },
};

/* Prints the array under a name of an answer, which it releases. */
static void print_answer(struct ctl *c, json_t *answer, const char *name,
                         const struct column *columns)
{
    if (c->json)
        print_json(json_object_get(answer, name));
    else
        print_table(json_object_get(answer, name), columns);
    json_decref(answer);
}

/* ---- bindings ---- */

static int all_bindings(struct ctl *c)
{
    char after[1024] = "";
    json_t *all = json_array(), *page = NULL;
    int err;
    for (;;) {
        char path[64] = "/v1/bindings?limit=100";
        strcat(path, after[0] ? "&after=%s" : "&%s");
        strcat(path, c->realm ? "&realm=%s" : "");
        err = ctl_call(c, "GET", NULL, &page, path, after);
        if (err)
            break;
        json_array_extend(all, json_object_get(page, "bindings"));
        bool more = json_object_get(page, "next") != NULL;
        text_of(page, "next", after, sizeof(after));
        json_decref(page);
        if (!more)
            break;
    }
    json_t *answer = json_pack("{s:o}", "bindings", all);
    if (err)
        json_decref(answer);
    else
        print_answer(c, answer, "bindings", binding_columns);
    return err;
}

int bindings(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = { { "realm", required_argument, NULL, 'r' },
                                             { "remove", no_argument, NULL, 'x' },
                                             { NULL, 0, NULL, 0 } };
    bool removing = false;
    int o;
    optind = 0;
    opterr = 0;
    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?')
            return bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        if (o == 'r')
            c->realm = optarg;
        else
            removing = true;
    }
    if (argc - optind > 1 || (removing && argc == optind))
        return bad_usage(c, "say one user or address of record");
    if (argc == optind)
        return all_bindings(c);
    const char *path = strchr(argv[optind], '@') ? "/v1/bindings/%s"
                       : c->realm                ? "/v1/users/%s/bindings?realm=%s"
                                                 : "/v1/users/%s/bindings";
    json_t *answer = NULL;
    int err = ctl_call(c, removing ? "DELETE" : "GET", NULL, &answer, path, argv[optind]);
    if (!err && !removing)
        print_answer(c, answer, "bindings", binding_columns);
    else
        json_decref(answer);
    return err;
}

/* ---- explain ---- */

/* What is not heard at all leaves no refusal. */
static void print_bans(const json_t *bans)
{
    for (size_t i = 0; i < json_array_size(bans); i++) {
        print_object(json_array_get(bans, i), ban_columns);
        putchar('\n');
    }
}

int explain(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = { { "limit", required_argument, NULL, 'l' },
                                             { NULL, 0, NULL, 0 } };
    unsigned long limit = 20;
    char path[64], *end;
    json_t *answer = NULL;
    int o;
    optind = 0;
    opterr = 0;
    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?')
            return bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        limit = strtoul(optarg, &end, 10);
        if (*end || limit == 0 || limit > 1000)
            return bad_usage(c, "--limit is 1 to 1000");
    }
    if (argc - optind > 1)
        return bad_usage(c, "say one Call-ID, user, address or decision id");
    snprintf(path, sizeof(path), "/v1/decisions?limit=%lu%s", limit, argc > optind ? "&q=%s" : "");
    int err = ctl_call(c, "GET", NULL, &answer, path, argv[optind]);
    if (err)
        return err;
    json_t *list = json_object_get(answer, "decisions");
    size_t n = json_array_size(list);
    if (c->json)
        print_json(list);
    else
        print_bans(json_object_get(answer, "bans"));
    if (!c->json && n == 0 && json_array_size(json_object_get(answer, "bans")) == 0)
        fputs("No refusal of that is held in memory. What is older stands in the audit log.\n",
              stdout);
    for (size_t i = 0; !c->json && i < n; i++) {
        if (i)
            putchar('\n');
        print_object(json_array_get(list, i), decision_columns);
    }
    json_decref(answer);
    return EXIT_OK;
}

/* ---- clients, realms ---- */

static int show_all(struct ctl *c, int argc, const char *path, const char *name,
                    const struct column *columns)
{
    json_t *answer = NULL;
    if (argc > 1)
        return bad_usage(c, "too many operands");
    int err = ctl_call(c, "GET", NULL, &answer, path, "");
    if (!err)
        print_answer(c, answer, name, columns);
    return err;
}

int calls(struct ctl *c, int argc, char **argv)
{
    static const struct column columns[] = { { "DECISION", "decision" },
                                             { "UNTIL", "until" },
                                             { NULL, NULL } };
    json_t *answer = NULL;
    if (argc != 2)
        return bad_usage(c, "say one of user:NAME@REALM, tenant:DOMAIN and trunk:NAME");
    int err = ctl_call(c, "GET", NULL, &answer, "/v1/calls/%s", argv[1]);
    if (!err)
        print_answer(c, answer, "calls", columns);
    return err;
}

int clients(struct ctl *c, int argc, char **argv)
{
    (void)argv;
    return show_all(c, argc, "/v1/clients", "clients", client_columns);
}

int realms(struct ctl *c, int argc, char **argv)
{
    (void)argv;
    return show_all(c, argc, "/v1/realms", "realms", realm_columns);
}
