/* Two good configurations; each case changes one text in them, and has its finding and no other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/tools/csctl/doctor.h"
#include "lib/test.h"
#include "lib/tmp.h"

static const char registrar_yaml[] = "authd: { socket: /run/auth.sock }\n" /* 1 */
                                     "redis: { socket: /run/redis.sock, user: registrar, "
                                     "password_file: /dev/null }\n"           /* 2 */
                                     "http: { listen: \"127.0.0.1:8081\" }\n" /* 3 */
                                     "domains: [example.com]\n"               /* 4 */
                                     "listeners:\n"                           /* 5 */
                                     "  - { name: udp, transport: udp, address: 192.0.2.1:5060 }\n"
                                     "  - { name: tcp, transport: tcp, address: 192.0.2.1:5060 }\n";
static const char authd_yaml[] =
    "listen: { socket: /run/auth.sock, users: [\"0\"] }\n" /* 1 */
    "redis: { socket: /run/redis.sock, user: authd, "
    "password_file: /dev/null }\n"                                /* 2 */
    "nonce_key_file: nonce.key\n"                                 /* 3 */
    "seal_key_file: seal.key\n"                                   /* 4 */
    "http: { listen: \"127.0.0.1:8080\", tokens_file: tokens }\n" /* 5 */
    "realms: [ { name: example.com } ]\n"                         /* 6 */
    "peer_groups:\n"                                              /* 7 */
    "  - name: edge\n"                                            /* 8 */
    "    match: { listener: [tcp], domain: [example.com] }\n"     /* 9 */
    "    digest: { realm: example.com }\n"                        /* 10 */
    "  - name: phones\n"                                          /* 11 */
    "    match: { transport: [udp, tcp] }\n"                      /* 12 */
    "    digest: { realm: example.com }\n";                       /* 13 */

struct lint_case {
    const char *name;
    bool authd; /* else the registrar's is changed */
    const char *text, *instead;
    const char *check; /* NULL: no finding */
    enum level level;
    enum file file;
    unsigned line;
};

static const struct lint_case cases[] = {
    { .name = "good", .text = "example.com", .instead = "example.com" },
    { "default", true, "realms: [ {", "realms: [ { name: default }, {", "realms.name",
      LEVEL_WARNING, FILE_AUTHD, 6 },
    { "asterisk", true, "realms: [ {", "realms: [ { name: Asterisk }, {", "realms.name",
      LEVEL_WARNING, FILE_AUTHD, 6 },
    { "address", true, "realms: [ {", "realms: [ { name: 192.0.2.1 }, {", "realms.name",
      LEVEL_WARNING, FILE_AUTHD, 6 },
    { "hidden", true, "match: { listener: [tcp], domain: [example.com] }", "trusted: true",
      "groups.hidden", LEVEL_WARNING, FILE_AUTHD, 11 },
    { "no verifier", true, "    digest: { realm: example.com }\n  - name: phones",
      "    digest: { realm: example.com, algorithms: [MD5] }\n  - name: phones", .check = NULL },
    { "other socket", false, "/run/auth.sock", "/run/other.sock", "authd.socket", LEVEL_FAULT,
      FILE_REGISTRAR, 1 },
    { "other redis", false, "/run/redis.sock", "/run/other.sock", "redis.same", LEVEL_FAULT,
      FILE_REGISTRAR, 2 },
    { "one redis user", false, "user: registrar", "user: authd", "redis.user", LEVEL_WARNING,
      FILE_REGISTRAR, 2 },
    { "one address", false, "127.0.0.1:8081", "127.0.0.1:8080", "http.same", LEVEL_FAULT,
      FILE_REGISTRAR, 3 },
    { "domain", false, "[example.com]", "[example.com, example.org]", "domains.realm",
      LEVEL_WARNING, FILE_REGISTRAR, 4 },
    { "listener unknown", true, "listener: [tcp]", "listener: [tcp, wan]", "groups.listener",
      LEVEL_FAULT, FILE_AUTHD, 9 },
    { "domain unknown", true, "domain: [example.com]", "domain: [example.com, example.net]",
      "groups.domain", LEVEL_WARNING, FILE_AUTHD, 9 },
    { "budget", false,
      "domains:", "floods: { groups: [ { name: edge, rate: 1 } ] }\ndomains:", .check = NULL },
    { "budget of nobody", false,
      "domains:", "floods: { groups: [ { name: edges, rate: 1 } ] }\ndomains:", "floods.group",
      LEVEL_FAULT, FILE_REGISTRAR, 4 },
    { "no group", true, "transport: [udp, tcp]", "transport: [tcp]", "listeners.group", LEVEL_FAULT,
      FILE_REGISTRAR, 6 },
    { "unused", true, "  - name: edge\n",
      "  - { name: wss, match: { transport: [wss] }, digest: { "
      "realm: example.com } }\n  - name: edge\n",
      "groups.unused", LEVEL_WARNING, FILE_AUTHD, 8 },
    { "md5", true, "transport: [udp, tcp] }\n    digest: { realm: example.com }",
      "transport: [udp, tcp] }\n    digest: { realm: example.com, algorithms: [MD5] }",
      "listeners.md5", LEVEL_WARNING, FILE_AUTHD, 13 },
    { "token in clear", true,
      "    match: { transport: [udp, tcp] }\n    digest: { realm: example.com }\n",
      "    require: { all_of: [token] }\n    digest: { realm: example.com }\n"
      "token_issuers:\n  - { name: idp, issuer: \"https://idp.example.com\", audiences: [sip] }\n",
      "groups.token", LEVEL_FAULT, FILE_AUTHD, 12 },
    { "nobody may", true, ", tokens_file: tokens", "", "http.tokens", LEVEL_WARNING, FILE_AUTHD,
      5 },
    { "nobody can", true, "realms: [ { name: example.com } ]\npeer_groups:\n",
      "realms: [ { name: example.com }, { name: weak.example, verifiers: [SHA-256] } ]\n"
      "peer_groups:\n  - { name: weak, match: { transport: [tcp] }, digest: { realm: "
      "weak.example, algorithms: [MD5] } }\n",
      "groups.algorithms", LEVEL_FAULT, FILE_AUTHD, 8 },
    { "nobody can answer", true, "{ realm: example.com }\n  - name: phones",
      "{ realm: weak.example, algorithms: [MD5] }\n  - name: phones", "config", LEVEL_FAULT,
      FILE_AUTHD, 10 },
    { "uid", true, "users: [\"0\"]", "users: [\"1\"]", .check = NULL },
};

static const char *path_of(const char *name)
{
    static char path[2][4096];
    static unsigned i;
    i ^= 1;
    snprintf(path[i], sizeof(path[i]), "%s/%s", tmp_dir(), name);
    return path[i];
}

static void write_file(const char *path, const char *text, const char *old, const char *instead)
{
    const char *at = old ? strstr(text, old) : text;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_non_null(at);
    fprintf(f, "%.*s%s%s", (int)(at - text), text, old ? instead : "",
            at + (old ? strlen(old) : 0));
    assert_int_equal(fclose(f), 0);
}

static void check(const struct lint_case *c)
{
    struct doctor d;
    struct ctl ctl = { .command = "lint" };
    char registrar[4096], authd[4096];
    snprintf(registrar, sizeof(registrar), "%s", path_of("registrar.yaml"));
    snprintf(authd, sizeof(authd), "%s", path_of("authd.yaml"));
    write_file(registrar, registrar_yaml, c->authd ? NULL : c->text, c->instead);
    write_file(authd, authd_yaml, c->authd ? c->text : NULL, c->instead);
    doctor_begin(&d, &ctl);
    d.registrar = doctor_load(&d, FILE_REGISTRAR, registrar);
    d.authd = doctor_load(&d, FILE_AUTHD, authd);
    lint_judge(&d);
    const json_t *found = NULL;
    size_t i;
    json_t *f;
    json_array_foreach(d.findings, i, f)
    {
        if (strcmp(json_string_value(json_object_get(f, "level")), "fine") == 0)
            continue;
        if (!c->check || found)
            fail_msg("%s: %s", c->name, json_dumps(f, 0));
        found = f;
    }
    if (c->check) {
        if (!found)
            fail_msg("%s: nothing was found", c->name);
        assert_string_equal(json_string_value(json_object_get(found, "check")), c->check);
        assert_int_equal(d.count[c->level], 1);
        assert_string_equal(json_string_value(json_object_get(found, "file")),
                            c->file == FILE_AUTHD ? authd : registrar);
        assert_int_equal(json_integer_value(json_object_get(found, "line")), c->line);
        assert_true(json_string_length(json_object_get(found, "remedy")) > 10);
    }
    json_decref(d.findings);
    arena_fini(&d.arena);
}

static void test_each_fault_is_found_where_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++)
        check(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_each_fault_is_found_where_it_is) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
