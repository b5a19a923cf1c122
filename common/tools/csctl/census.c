/* The command census: users that are still where they should not stay. */
#include <getopt.h>
#include <string.h>

#include "csctl.h"

static const struct column md5_columns[] = {
    { "USER", "user" }, { "REALM", "realm" }, { "ALGORITHMS", "algorithms" },
    { "WHY", "why" },   { "LAST", "last" },   { NULL, NULL },
};
static const struct column old_columns[] = {
    { "USER", "user" },     { "REALM", "realm" },       { "WHY", "why" }, { "UNTIL", "old_until" },
    { "USES", "old_uses" }, { "LAST USE", "old_last" }, { NULL, NULL },
};
static const struct column former_columns[] = {
    { "USER", "user" },     { "FORMER REALM", "realm" }, { "ENABLED", "enabled" },
    { "USES", "old_uses" }, { "LAST USE", "old_last" },  { NULL, NULL },
};

static const struct {
    const char *name, *path;
    const struct column *columns;
} questions[] = {
    { "md5", "/v1/census?of=md5&limit=500", md5_columns },
    { "old", "/v1/census?of=old&limit=500", old_columns },
    { "former", "/v1/census?of=former&limit=500", former_columns },
};

static int ask(struct ctl *c, const char *first, json_t *all)
{
    char after[1024] = "";
    for (;;) {
        char path[96];
        json_t *page = NULL;
        snprintf(path, sizeof(path), "%s&%s%s", first, after[0] ? "after=%s" : "%s",
                 c->realm ? "&realm=%s" : "");
        int err = ctl_call(c, "GET", NULL, &page, path, after);
        if (err)
            return err;
        json_array_extend(all, json_object_get(page, "users"));
        bool more = json_object_get(page, "next") != NULL;
        text_of(page, "next", after, sizeof(after));
        json_decref(page);
        if (!more)
            return EXIT_OK;
    }
}

int census(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = { { "realm", required_argument, NULL, 'r' },
                                             { NULL, 0, NULL, 0 } };
    size_t i = 0;
    int o;
    optind = 0;
    opterr = 0;
    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?')
            return bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        c->realm = optarg;
    }
    while (argc - optind == 1 && i < CS_LEN(questions) && strcmp(questions[i].name, argv[optind]))
        i++;
    if (argc - optind != 1 || i == CS_LEN(questions))
        return bad_usage(c, "say md5, old or former");
    json_t *all = json_array();
    int err = ask(c, questions[i].path, all);
    if (!err && c->json)
        print_json(all);
    else if (!err)
        print_table(all, questions[i].columns);
    json_decref(all);
    return err;
}
