#include "b2bua/provisioning/dial_rules.h"

#include <stdio.h>

#include "lib/test.h"

static struct arena arena;

/* What is written of a context with these patterns, between its first and its last lines. */
static const char *rules_of(const char *const *patterns, size_t n)
{
    static char file[8192];
    struct dialplan_entry entries[16] = { { .huntstop = false } };
    struct dialplan_context context = { .entries = entries, .n_entries = n };
    const struct dialplan_context *search[] = { &context };
    const struct dialplan plan = { .inter_digit = DURATION_MS(3500) };
    struct buf b = BUF_INIT(file);
    char why[200];
    context.search = search;
    context.n_search = 1;
    for (size_t i = 0; i < n; i++) {
        struct buf w = BUF_INIT(why);
        entries[i].text = span_str(patterns[i]);
        assert_int_equal(pattern_compile(entries[i].text, &arena, &entries[i].pattern, &w), 0);
    }
    dial_rules_write(&b, &plan, &context);
    assert_true(buf_ok(&b));
    assert_true(span_starts(buf_span(&b),
                            SPAN("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DIALTEMPLATE>\n")));
    assert_true(
        span_ends(buf_span(&b), SPAN("<TEMPLATE MATCH=\"*\" Timeout=\"4\"/>\n</DIALTEMPLATE>\n")));
    buf_putc(&b, 0);
    return file;
}

static void expect(const char *pattern, const char *rule)
{
    char line[200];
    const char *text = rules_of(&pattern, 1);
    if (rule) {
        (void)snprintf(line, sizeof(line), "<TEMPLATE MATCH=\"%s\"/>\n", rule);
        assert_non_null(strstr(text, line));
    } else {
        assert_string_equal(strchr(strstr(text, "MATCH=") + 7, '\n'), "\n</DIALTEMPLATE>\n");
    }
}

static void test_patterns_become_rules(void **state)
{
    (void)state;
    expect("1...", "1...\" Timeout=\"0");
    expect("0[28]..", "02..\" Timeout=\"0");
    expect("0[28]..", "08..\" Timeout=\"0");
    expect("0[^1]..[1-3]", "0\\*...\" Timeout=\"0");
    expect("9T", "9*\" Timeout=\"4");
    expect("*43", "\\*43\" Timeout=\"0");
    expect("+49T", "+49*\" Timeout=\"4");
    expect("00,[1-9]%", "00*\" Timeout=\"4");
    expect("1(23)?4", "1*\" Timeout=\"4");
    expect("1(23)4", "1234\" Timeout=\"0");
    expect("8*+5", "8*\" Timeout=\"4");
    expect("user alice", NULL);
    expect("user sales-*", NULL);
    expect("12A4", NULL);
}

static void test_a_number_that_may_go_on_is_waited_for(void **state)
{
    static const char *const patterns[] = { "11", "112.", "2..", "25*", "3", "[3-4]T", "11" };
    (void)state;
    const char *text = rules_of(patterns, CS_LEN(patterns));
    assert_non_null(strstr(text, "<TEMPLATE MATCH=\"11\" Timeout=\"4\"/>\n"));
    assert_non_null(strstr(text, "<TEMPLATE MATCH=\"112.\" Timeout=\"0\"/>\n"));
    assert_non_null(strstr(text, "<TEMPLATE MATCH=\"2..\" Timeout=\"0\"/>\n"));
    assert_non_null(strstr(text, "<TEMPLATE MATCH=\"25\\*\" Timeout=\"0\"/>\n"));
    assert_non_null(strstr(text, "<TEMPLATE MATCH=\"3\" Timeout=\"4\"/>\n"));
    assert_null(strstr(strstr(text, "MATCH=\"11\"") + 1, "MATCH=\"11\"")); /* twice says no more */
}

static int fini(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static int init(void **state)
{
    (void)state;
    arena_init_small(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns_become_rules),
        cmocka_unit_test(test_a_number_that_may_go_on_is_waited_for),
    };
    return cmocka_run_group_tests(tests, init, fini);
}
