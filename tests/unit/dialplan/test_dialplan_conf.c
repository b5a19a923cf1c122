/* What is wrong in a dial plan is said with its line, its place and what to write. */
#include <stdio.h>
#include <stdlib.h>

#include "b2bua/dialplan/dialplan_conf.h"
#include "lib/test.h"

struct whole {
    struct dialplan dialplan;
};

static bool is_carrier(const void *arg, struct span name)
{
    (void)arg;
    return span_eq(name, SPAN("carrier"));
}

static void check(struct conf_check *c, void *section)
{
    const struct whole *w = section;
    dialplan_check_trunks(c, "dialplan", &w->dialplan, is_carrier, NULL);
}

static const struct conf_key keys[] = {
    CONF_SECTION("dialplan", struct whole, dialplan, &dialplan_conf_section, "Dial plan."),
    { 0 },
};
static const struct conf_section root = { sizeof(struct whole), keys, check };

static char errors[4096];

static void on_error(void *arg, const char *line)
{
    (void)arg;
    strncat(errors, line, sizeof(errors) - strlen(errors) - 2);
    strcat(errors, "\n");
}

static int parse(const char *text)
{
    struct arena arena;
    struct whole whole;
    arena_init(&arena, NULL, 0, 0);
    errors[0] = '\0';
    int err = conf_parse(span_str(text), "t.yaml", &root, &arena, &whole, on_error, NULL);
    arena_fini(&arena);
    return err;
}

#define ENTRY(text) \
    "dialplan:\n  contexts:\n    - name: a\n      entries:\n        - { " text " }\n"
#define TO       ", to: [{ trunk: carrier }]"
#define IN_ENTRY "t.yaml:5: dialplan.contexts[0].entries[0]"

static const struct {
    const char *yaml, *error;
} table[] = {
    { ENTRY("pattern: 9T1" TO),
      IN_ENTRY ".pattern: \"9T1\" has a T that is not its end; write 9T" },
    { ENTRY("pattern: 9T, callers: [12, 1(]" TO),
      IN_ENTRY ".callers[1]: \"1(\" has a ( without its )" },
    { ENTRY("pattern: 9T, not_callers: [\"%\"]" TO),
      IN_ENTRY ".not_callers[0]: \"%\" has nothing" },
    { ENTRY("pattern: 9T"), IN_ENTRY ".to: is missing and must be set" },
    { ENTRY("pattern: 9T, to: []"), IN_ENTRY ".to: at least 1 needed" },
    { ENTRY("pattern: 9T, to: [{ trunk: carrier, line: x }]"),
      IN_ENTRY ".to[0]: wants one of line, trunk, extension and refuse" },
    { ENTRY("pattern: 9T, to: [{ priority: 1 }]"), IN_ENTRY ".to[0]: wants one of line" },
    { ENTRY("pattern: 9T, to: [{ line: a@b }]"), IN_ENTRY ".to[0].line: is the user part alone" },
    { ENTRY("pattern: 9T, to: [{ refuse: 200 }]"), IN_ENTRY ".to[0].refuse:" },
    { ENTRY("pattern: 9T, to: [{ trunk: carier }]"), IN_ENTRY ".to: there is no trunk \"carier\"" },
    { ENTRY("pattern: 9T, translation: x" TO),
      IN_ENTRY ".translation: there is no translation \"x\"; describe it under translations" },
    { ENTRY("pattern: 9T, to: [{ line: x }, { trunk: carrier, translation: y }]"),
      IN_ENTRY ".to[1].translation: there is no translation \"y\"" },
    { ENTRY("pattern: 9T, during: x" TO), IN_ENTRY ".during: there is no schedule \"x\"" },
    { ENTRY("pattern: 9T, outside: x" TO), IN_ENTRY ".outside: there is no schedule \"x\"" },
    { ENTRY("pattern: 112, emergency: true, callers: [1]" TO),
      IN_ENTRY ".emergency: is for everybody and always" },
    { ENTRY("pattern: 112, emergency: true, to: [{ refuse: 403 }]"),
      IN_ENTRY ".emergency: cannot be refused" },
    { "dialplan: { contexts: [{ name: a, includes: [b] }] }",
      "t.yaml:1: dialplan.contexts[0].includes[0]: there is no context \"b\"" },
    { "dialplan: { contexts: [{ name: a, translation: b }] }",
      "t.yaml:1: dialplan.contexts[0].translation: there is no translation \"b\"" },
    { "dialplan: { contexts: [{ name: a }, { name: a }] }", "is there already" },
    { "dialplan: { inter_digit: 100ms }", "t.yaml:1: dialplan.inter_digit:" },
    { "dialplan: { translations: [{ name: a }] }", "dialplan.translations[0]: changes nothing" },
    { "dialplan: { translations: [{ name: a, called: [x] }] }",
      "dialplan.translations[0].called[0]: does not begin with \"rule\"" },
    { "dialplan: { translations: [{ name: a, calling: [rule 2 /1/ //, rule 1 /2/ //] }] }",
      "dialplan.translations[0].calling[1]: rule 1 stands behind rule 2" },
    { "dialplan: { translations: [{ name: a, e164: { country: \"+49\" } }] }",
      "dialplan.translations[0].e164.country: is written with digits alone" },
    { "dialplan: { translations: [{ name: a, e164: { } }] }", "e164.country: is missing" },
    { "dialplan: { schedules: [{ name: a, open: [Mo] }] }",
      "dialplan.schedules[0].open[0]: \"Mo\" is no time; write days, dates or hours" },
    { "dialplan: { schedules: [{ name: a, closed: [Mo] }] }", "dialplan.schedules[0].closed[0]:" },
    { "dialplan: { schedules: [{ name: a, time_zone: Europe/Nowhere }] }",
      "dialplan.schedules[0].time_zone: \"Europe/Nowhere\" is not to be found" },
    { "dialplan: { schedules: [{ name: a, time_zone: ../../../etc/passwd }] }", "time_zone:" },
    { "dialplan: { schedules: [{ name: a, time_zone: Europe }] }", "time_zone:" },
    { "dialplan: { schedules: [{ name: a, time_zone: \"CET-1CEST,M3\" }] }", "time_zone:" },
    { "dialplan: { contexts: [{ name: a }], schedules: [{ name: a }] }\n", NULL },
    { "dialplan:\n", NULL },
    { "", NULL },
};

static void test_what_is_wrong_is_said_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        int err = parse(table[i].yaml);
        if ((err == 0) != (table[i].error == NULL) ||
            (err &&
             (err != CS_ECONF || !strstr(errors, table[i].error) || strchr(errors, '\n')[1])))
            fail_msg("%s\nis %d, %s", table[i].yaml, err, errors);
    }
}

static void test_a_zone_is_read_from_the_system(void **state)
{
    (void)state;
    FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "r");
    if (!f)
        skip(); /* tzdata is not installed */
    fclose(f);
    assert_int_equal(parse("dialplan: { schedules: [{ name: a, time_zone: Europe/Berlin }] }"), 0);
}

/* The manual shows each key with what it may be; it is a configuration itself. */
static void test_the_manual_names_the_keys(void **state)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    (void)state;
    conf_print(f, &root);
    fclose(f);
    static const char *const names[] = { "inter_digit: 10s",
                                         "international_prefix: ", "huntstop: " };
    for (size_t i = 0; i < CS_LEN(names); i++) {
        if (!strstr(text, names[i]))
            fail_msg("%s is not in\n%s", names[i], text);
    }
    assert_int_equal(parse(text), 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(test_a_zone_is_read_from_the_system),
        cmocka_unit_test(test_the_manual_names_the_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
