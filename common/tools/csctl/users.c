/* The commands for one user, and the list of all. */
#include <stdlib.h>
#include <string.h>

#include "csctl.h"

static const struct column user_columns[] = {
    { "user", "user" },
    { "realm", "realm" },
    { "enabled", "enabled" },
    { "aors", "aors" },
    { "algorithms", "algorithms" },
    { "max contacts", "max_contacts" },
    { "max calls", "max_calls" },
    { "display name", "display_name" },
    { "also called", "auth_ids" },
    { "old until", "old_until" },
    { "created", "created" },
    { "changed", "changed" },
    { "password", "password" },
    { NULL, NULL },
};

static const struct column list_columns[] = {
    { "USER", "user" }, { "REALM", "realm" },           { "ENABLED", "enabled" },
    { "AORS", "aors" }, { "ALGORITHMS", "algorithms" }, { "DISPLAY NAME", "display_name" },
    { NULL, NULL },
};

/* Options of the commands, those of the one that runs are allowed. */
enum {
    O_REALM = 1 << 0,
    O_SECRET = 1 << 1,
    O_FIELDS = 1 << 2,
    O_LIST = 1 << 3,
    O_DISABLED = 1 << 4,
    O_OVERLAP = 1 << 5,
    O_NO_SECRET = 1 << 6,
};

static const struct part_option options[] = {
    { { "realm", required_argument, NULL, 'r' }, O_REALM },
    { { "generate", no_argument, NULL, 'g' }, O_SECRET },
    { { "prompt", no_argument, NULL, 'p' }, O_SECRET },
    { { "password-file", required_argument, NULL, 'f' }, O_SECRET },
    { { "verifier", required_argument, NULL, 'v' }, O_SECRET },
    { { "no-password", no_argument, NULL, 'n' }, O_NO_SECRET },
    { { "allow-weak", no_argument, NULL, 'w' }, O_SECRET },
    { { "keep-old-until", required_argument, NULL, 'k' }, O_OVERLAP },
    { { "aor", required_argument, NULL, 'a' }, O_FIELDS },
    { { "display-name", required_argument, NULL, 'd' }, O_FIELDS },
    { { "max-contacts", required_argument, NULL, 'm' }, O_FIELDS },
    { { "max-calls", required_argument, NULL, 'c' }, O_FIELDS },
    { { "disabled", no_argument, NULL, 'x' }, O_DISABLED },
    { { "limit", required_argument, NULL, 'l' }, O_LIST },
    { { "after", required_argument, NULL, 'A' }, O_LIST },
};

struct said {
    const char *user; /* NULL: none */
    struct secret_options secret;
    json_t *body; /* fields; owned */
    const char *after;
    unsigned long limit;
};

static int take_number(struct ctl *c, const char *text, unsigned long *out)
{
    char *end;
    *out = strtoul(text, &end, 10);
    if (end == text || *end || *text == '-')
        return bad_usage(c, "\"%s\" is not a number", text);
    return EXIT_OK;
}

/* A day, a time, or a span of time from now: 30d, 12h. */
static int take_date(struct ctl *c, const char *text, json_t *body, const char *member)
{
    char date[WALL_STRLEN], *end;
    struct wall t;
    const unsigned long n = strtoul(text, &end, 10);
    const int64_t unit = !strcmp(end, "d")   ? 86400
                         : !strcmp(end, "h") ? 3600
                         : !strcmp(end, "m") ? 60
                         : !strcmp(end, "s") ? 1
                                             : 0;
    if (*text >= '0' && *text <= '9' && unit && n <= 400 * 86400) {
        wall_format((struct wall){ clock_wall().ms + (int64_t)n * unit * 1000 }, date);
        memcpy(date + sizeof("2026-12-24T06:00:00") - 1, "Z", 2);
        json_object_set_new(body, member, json_string(date));
        return EXIT_OK;
    }
    if (wall_parse(span_str(text), &t))
        return bad_usage(c, "\"%s\" is no date; write 2026-12-24, 2026-12-24T06:00:00Z or 30d",
                         text);
    json_object_set_new(body, member, json_string(text));
    return EXIT_OK;
}

static int take_option(struct ctl *c, int o, void *arg)
{
    struct said *out = arg;
    unsigned long n;
    int err;
    switch (o) {
    case 'r':
        c->realm = optarg;
        return EXIT_OK;
    case 'g':
        out->secret.generate = true;
        return EXIT_OK;
    case 'p':
        out->secret.prompt = true;
        return EXIT_OK;
    case 'f':
        out->secret.password_file = optarg;
        return EXIT_OK;
    case 'v':
        return secret_add_verifier(c, &out->secret, optarg);
    case 'n':
        out->secret.no_password = true;
        return EXIT_OK;
    case 'w':
        out->secret.allow_weak = true;
        return EXIT_OK;
    case 'k':
        return take_date(c, optarg, out->body, "keep_old_until");
    case 'a':
        append_text(out->body, "aors", optarg);
        return EXIT_OK;
    case 'd':
        json_object_set_new(out->body, "display_name", *optarg ? json_string(optarg) : json_null());
        return EXIT_OK;
    case 'm':
        err = take_number(c, optarg, &n);
        json_object_set_new(out->body, "max_contacts", json_integer((json_int_t)n));
        return err;
    case 'c':
        err = take_number(c, optarg, &n);
        json_object_set_new(out->body, "max_calls", json_integer((json_int_t)n));
        return err;
    case 'x':
        json_object_set_new(out->body, "enabled", json_false());
        return EXIT_OK;
    case 'l':
        return take_number(c, optarg, &out->limit);
    case 'A':
        out->after = optarg;
        return EXIT_OK;
    default:
        return bad_usage(c, "unknown option");
    }
}

static int parse(struct ctl *c, int argc, char **argv, unsigned parts, int operands,
                 struct said *out)
{
    *out = (struct said){ .body = json_object() };
    int err = parse_options(c, argc, argv, options, CS_LEN(options), parts, take_option, out,
                            operands ? "user" : NULL, &out->user);
    if (err) {
        json_decref(out->body);
        json_decref(out->secret.verifiers);
        out->body = NULL;
    }
    return err;
}

static const char *user_path(const struct ctl *c)
{
    return c->realm ? "/v1/users/%s?realm=%s" : "/v1/users/%s";
}

static int print_user(struct ctl *c, int err, json_t *user)
{
    const json_t *warnings = err ? NULL : json_object_get(user, "warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++)
        complain("warning: %s", json_string_value(json_array_get(warnings, i)));
    return print_one(c, err, user, user_columns);
}

int user_add(struct ctl *c, int argc, char **argv)
{
    struct said s;
    json_t *user = NULL;
    int err = parse(c, argc, argv, O_REALM | O_SECRET | O_NO_SECRET | O_FIELDS | O_DISABLED, 1, &s);
    if (err)
        return err;
    if (!s.secret.prompt && !s.secret.password_file && !s.secret.verifiers && !s.secret.no_password)
        s.secret.generate = true;
    json_object_set_new(s.body, "user", json_string(s.user));
    if (c->realm)
        json_object_set_new(s.body, "realm", json_string(c->realm));
    err = secret_fill(c, &s.secret, s.body);
    if (err)
        json_decref(s.body);
    else
        err = ctl_call(c, "POST", s.body, &user, "/v1/users", "");
    return print_user(c, err, user);
}

int user_passwd(struct ctl *c, int argc, char **argv)
{
    struct said s;
    json_t *user = NULL;
    int err = parse(c, argc, argv, O_REALM | O_SECRET | O_OVERLAP, 1, &s);
    if (err)
        return err;
    err = secret_fill(c, &s.secret, s.body);
    if (err)
        json_decref(s.body);
    else
        err = ctl_change(c, user_path(c), "PUT", s.body, &user,
                         c->realm ? "/v1/users/%s/password?realm=%s" : "/v1/users/%s/password",
                         s.user);
    return print_user(c, err, user);
}

static int change(struct ctl *c, struct said *s)
{
    json_t *user = NULL;
    int err = ctl_change(c, user_path(c), "PATCH", s->body, &user, user_path(c), s->user);
    return print_user(c, err, user);
}

int user_change(struct ctl *c, int argc, char **argv)
{
    struct said s;
    int err = parse(c, argc, argv, O_REALM | O_FIELDS, 1, &s);
    if (!err && json_object_size(s.body) == 0) {
        json_decref(s.body);
        return bad_usage(c, "say what to change");
    }
    return err ? err : change(c, &s);
}

static int set_enabled(struct ctl *c, int argc, char **argv, bool enabled)
{
    struct said s;
    int err = parse(c, argc, argv, O_REALM, 1, &s);
    if (err)
        return err;
    json_object_set_new(s.body, "enabled", json_boolean(enabled));
    return change(c, &s);
}

int user_disable(struct ctl *c, int argc, char **argv)
{
    return set_enabled(c, argc, argv, false);
}

int user_enable(struct ctl *c, int argc, char **argv)
{
    return set_enabled(c, argc, argv, true);
}

int user_show(struct ctl *c, int argc, char **argv)
{
    struct said s;
    json_t *user = NULL;
    int err = parse(c, argc, argv, O_REALM, 1, &s);
    if (err)
        return err;
    json_decref(s.body);
    err = ctl_call(c, "GET", NULL, &user, user_path(c), s.user);
    return print_user(c, err, user);
}

int user_rm(struct ctl *c, int argc, char **argv)
{
    struct said s;
    json_t *nothing = NULL;
    int err = parse(c, argc, argv, O_REALM, 1, &s);
    if (err)
        return err;
    json_decref(s.body);
    err = ctl_change(c, user_path(c), "DELETE", NULL, &nothing, user_path(c), s.user);
    json_decref(nothing);
    return err;
}

int user_list(struct ctl *c, int argc, char **argv)
{
    struct said s;
    char after[1024] = "";
    json_t *all = json_array(), *page = NULL;
    int err = parse(c, argc, argv, O_REALM | O_LIST, 0, &s);
    if (!err)
        json_decref(s.body);
    if (!err && s.after)
        snprintf(after, sizeof(after), "%s", s.after);
    while (!err && (!s.limit || json_array_size(all) < s.limit)) {
        char path[64] = "/v1/users?limit=1000";
        strcat(path, after[0] ? "&after=%s" : "&%s");
        strcat(path, c->realm ? "&realm=%s" : "");
        err = ctl_call(c, "GET", NULL, &page, path, after);
        if (err)
            break;
        json_array_extend(all, json_object_get(page, "users"));
        bool more = json_object_get(page, "next") != NULL;
        text_of(page, "next", after, sizeof(after));
        json_decref(page);
        if (!more)
            break;
    }
    while (!err && s.limit && json_array_size(all) > s.limit)
        json_array_remove(all, json_array_size(all) - 1);
    if (!err && c->json)
        print_json(all);
    else if (!err)
        print_table(all, list_columns);
    json_decref(all);
    return err;
}
