/* Rules as IOS writes them, the E.164 form, and the two together. */
#include <time.h>

#include "b2bua/dialplan/number.h"
#include "b2bua/dialplan/translation.h"
#include "lib/guard.h"
#include "lib/test.h"

static struct arena arena;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_fini(&arena);
    guard_release();
    return 0;
}

static struct rule compiled(const char *text)
{
    char words[256];
    struct buf why = BUF_INIT(words);
    struct rule r;
    if (rule_compile(guard_span(span_str(text)), &arena, &r, &why))
        fail_msg("%s: " SPAN_FMT, text, SPAN_ARG(buf_span(&why)));
    return r;
}

#define MISSES   "-"
#define REJECTED "x"

static const struct {
    const char *rule, *number, *result;
} rules[] = {
    /* W-05: what the provider insists on; what is E.164 already is left alone */
    { "rule 1 /^9\\*\\(.*\\)/ /+\\1/", "9*18001234567", "+18001234567" },
    { "rule 1 /^9\\*\\(.*\\)/ /+\\1/", "+18001234567", MISSES },
    /* the examples that everybody learns from */
    { "rule 1 /123/ /456/", "123", "456" },
    { "rule 1 /123/ /456/", "1234", "4564" },
    { "rule 1 /123/ /456/", "6123123", "6456123" },
    { "rule 1 /^123/ /456/", "6123", MISSES },
    { "rule 1 /^123/ /456/", "1234", "4564" },
    { "rule 1 /123$/ /456/", "6123", "6456" },
    { "rule 1 /123$/ /456/", "1234", MISSES },
    { "rule 1 /^123$/ /456/", "123", "456" },
    { "rule 1 /^\\(12\\)3\\(45\\)$/ /6\\1\\2/", "12345", "61245" },
    { "rule 1 /\\(^...\\)456\\(...\\)/ /\\1555\\2/", "123456789", "123555789" },
    { "rule 1 /^\\(555\\)+\\(.*\\)/ /444\\2/", "5551212", "4441212" },
    { "rule 1 /90/ /0/", "1904", "104" },
    { "rule 1 /^\\(5\\)\\(.*\\)/ /\\2/", "5123", "123" },
    { "rule 1 /.*/ /8208/", "31415", "8208" },
    { "rule 1 /.*/ /8208/", "alice", "8208" },
    { "rule 1 /^\\(.*\\)/ /7\\1/", "31415", "731415" },
    { "rule 1 /.*\\(..\\)$/ /\\1/", "31415", "15" },
    { "rule 1 // /9/", "123", "9123" },
    { "rule 1 /^$/ /5550100/", "", "5550100" },
    { "rule 1 /^$/ /5550100/", "1", MISSES },
    { "rule 1 /^9/ //", "9123", "123" },
    { "rule 1 /^[2-9]......$/ /212&/", "5551234", "2125551234" },
    { "rule 1 /^[^0].*/ /0\\0/", "123", "0123" },
    { "rule 1 /^[^0].*/ /0\\0/", "0123", MISSES },
    { "rule 1 /^0?49+/ /\\+49/", "04999", "+49" },
    { "rule 1 /^0?49+/ /\\+49/", "4930", "+4930" },
    { "rule 1 /^\\+49/ /0/", "+4930", "030" },
    { "rule 1 /^+49/ /0/", "+4930", "030" },
    { "rule 1 /*/ /0/", "1*2", "102" },
    { "rule 1 /\\/\\(1\\)/ /\\/\\1/", "2/1", "2/1" },
    { "rule 1 /^alice$/ /1001/", "alice", "1001" },
    { "rule 1 /\\(1\\)?2/ /3\\1/", "2", "3" },
    { "rule 1 /\\(\\(1\\)2\\)/ /\\2\\1/", "12", "112" },
    { "rule 1 /\\(1*\\)*2/ /\\1/", "112", "11" },
    { "rule 7 reject /^1900/", "19005551234", REJECTED },
    { "rule 7 reject /^1900/", "18005551234", MISSES },
};

static void test_what_a_rule_makes_of_a_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(rules); i++) {
        char text[NUMBER_MAX];
        struct buf b = BUF_INIT(text);
        struct rule r = compiled(rules[i].rule);
        enum rule_effect effect = rule_apply(&r, guard_span(span_str(rules[i].number)), &b);
        const struct span result = effect == RULE_NONE       ? SPAN(MISSES)
                                   : effect == RULE_REJECTED ? SPAN(REJECTED)
                                                             : buf_span(&b);
        if (!span_eq(result, span_str(rules[i].result)))
            fail_msg("%s of %s is " SPAN_FMT ", not %s", rules[i].rule, rules[i].number,
                     SPAN_ARG(result), rules[i].result);
    }
}

static void test_what_is_no_rule_is_refused_with_a_remedy(void **state)
{
    static const struct {
        const char *rule, *why;
    } bad[] = {
        { "", "does not begin with \"rule\"" },
        { "/1/ /2/", "does not begin with \"rule\"" },
        { "rule 0 /1/ /2/", "does not begin with \"rule\"" },
        { "rule 101 /1/ /2/", "does not begin with \"rule\"" },
        { "rule 1", "between slashes" },
        { "rule 1 /1/", "between slashes" },
        { "rule 1 /1/ /2", "between slashes" },
        { "rule 1 /1\\/ /2", "between slashes" },
        { "rule 1 reject 1900", "between slashes" },
        { "rule 1 /1/ /2/ type national unknown", "ISDN" },
        { "rule 1 /(1)/ /\\1/", "groups are written" },
        { "rule 1 /1|2/ /3/", "means nothing" },
        { "rule 1 /1**/ /3/", "" },
        { "rule 1 /[1/ /3/", "has a [" },
        { "rule 1 /[2-1]/ /3/", "has a [" },
        { "rule 1 /\\(1/ /3/", "\\( without its \\)" },
        { "rule 1 /1\\)/ /3/", "\\) without its \\(" },
        { "rule 1 /1/ /\\1/", "only 0 \\( \\)" },
        { "rule 1 /1/ /a@b/", "puts in what" },
        { "rule 1 /1/ /a\\b c/", "puts in what" },
        { "rule 1 /\\(\\)\\(\\)\\(\\)\\(\\)\\(\\)\\(\\)\\(\\)\\(\\)\\(\\)\\(\\)/ //",
          "more than nine" },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        char words[256];
        struct buf why = BUF_INIT(words);
        struct rule r;
        int err = rule_compile(guard_span(span_str(bad[i].rule)), &arena, &r, &why);
        if (!*bad[i].why) {
            assert_int_equal(err, 0);
            continue;
        }
        if (err != CS_EPROTO || !memmem(words, why.n, bad[i].why, strlen(bad[i].why)))
            fail_msg("\"%s\": %d, " SPAN_FMT, bad[i].rule, err, SPAN_ARG(buf_span(&why)));
        assert_null(r.match.inst);
    }
}

static void test_no_rule_takes_long_and_no_number_gets_too_long(void **state)
{
    char ones[NUMBER_MAX], text[NUMBER_MAX];
    (void)state;
    memset(ones, '1', sizeof(ones));
    struct rule r = compiled("rule 1 /\\(\\(\\(\\(1*\\)*\\)*\\)*1*1*1*1*1*1*1*1*\\)*2/ /3/");
    struct buf b = BUF_INIT(text);
    const clock_t start = clock();
    assert_int_equal(rule_apply(&r, span_of(ones, sizeof(ones)), &b), RULE_NONE);
    assert_true(clock() - start < CLOCKS_PER_SEC / 10);
    r = compiled("rule 1 /1/ /11/");
    assert_int_equal(rule_apply(&r, span_of(ones, sizeof(ones)), &b), RULE_REJECTED);
}

#define COUNTRY(c, i, n, a, x)                                                            \
    {                                                                                     \
        .country = SPAN_INIT(c), .international = SPAN_INIT(i), .national = SPAN_INIT(n), \
        .area = SPAN_INIT(a), .access = SPAN_INIT(x), .shortest = 7,                      \
        .numbers = 1u << TRANSLATION_CALLED                                               \
    }
static struct e164 germany = COUNTRY("49", "00", "0", "30", "");
static struct e164 germany_by_0 = COUNTRY("49", "00", "0", "", "0");
static struct e164 america = COUNTRY("1", "011", "1", "", "9*");
static struct e164 spain = COUNTRY("34", "00", "", "", "");

static void test_numbers_become_e164(void **state)
{
    static const struct {
        struct e164 *e;
        const char *number, *result;
    } table[] = {
        { &america, "9*18001234567", "+18001234567" }, /* W-05 */
        { &america, "9*011493012345678", "+493012345678" },
        { &america, "9*+493012345678", "+493012345678" },
        { &america, "+18001234567", NULL },
        { &america, "911", NULL },
        { &america, "9*911", NULL },
        { &america, "5551234", NULL }, /* which area? */
        { &germany, "03012345678", "+493012345678" },
        { &germany, "0018001234567", "+18001234567" },
        { &germany, "12345678", "+493012345678" },
        { &germany, "112", NULL },
        { &germany, "0110", NULL },
        { &germany, "*43", NULL },
        { &germany, "alice", NULL },
        { &germany, "0012345678901234567890", NULL }, /* sixteen digits and more are none */
        { &germany_by_0, "003012345678", "+493012345678" },
        { &germany_by_0, "00018001234567", "+18001234567" },
        { &germany_by_0, "4711", NULL },
        { &spain, "912345678", "+34912345678" },
        { &spain, "0049301234567", "+49301234567" },
        { &spain, "112", NULL },
        { &spain, "+34912345678", NULL },
        { &spain, "alice.smith", NULL },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        char text[E164_MAX + 1];
        struct buf b = BUF_INIT(text);
        const bool changed = e164_from(table[i].e, guard_span(span_str(table[i].number)), &b);
        if (changed != (table[i].result != NULL) ||
            (changed && !span_eq(buf_span(&b), span_str(table[i].result))))
            fail_msg("%s became " SPAN_FMT, table[i].number, SPAN_ARG(buf_span(&b)));
        assert_true(buf_ok(&b) && (changed || b.n == 0));
    }
}

static void test_the_first_rule_that_matches_counts_then_the_form(void **state)
{
    struct rule called[] = { compiled("rule 1 reject /^0900/"), compiled("rule 5 /^8/ /0/"),
                             compiled("rule 6 /^8/ /1/") };
    struct rule calling[] = { compiled("rule 1 /.*/ /03012345678/") };
    struct translation t = {
        .n_called = 3, .n_calling = 1, .rules = { called, calling }, .e164 = &germany
    };
    struct translated out;
    (void)state;
    assert_int_equal(translation_apply(&t, TRANSLATION_CALLED, SPAN("83012345678"), &arena, &out),
                     0);
    assert_span(out.number, "+493012345678");
    assert_true(out.rule == &called[1] && out.e164 && !out.rejected);
    assert_int_equal(translation_apply(&t, TRANSLATION_CALLED, SPAN("0900123456"), &arena, &out),
                     0);
    assert_span(out.number, "0900123456");
    assert_true(out.rule == &called[0] && out.rejected && !out.e164);
    /* its form is for the called number alone */
    assert_int_equal(translation_apply(&t, TRANSLATION_CALLING, SPAN("alice"), &arena, &out), 0);
    assert_span(out.number, "03012345678");
    assert_int_equal(translation_apply(NULL, TRANSLATION_CALLED, SPAN("1"), &arena, &out), 0);
    assert_span(out.number, "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_a_rule_makes_of_a_number, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_no_rule_is_refused_with_a_remedy, begin, end),
        cmocka_unit_test_setup_teardown(test_no_rule_takes_long_and_no_number_gets_too_long, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_numbers_become_e164, begin, end),
        cmocka_unit_test_setup_teardown(test_the_first_rule_that_matches_counts_then_the_form,
                                        begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
