/* Destination patterns: which numbers they fit, how exactly, and which patterns are refused. */
#include <time.h>

#include "b2bua/dialplan/number.h"
#include "b2bua/dialplan/pattern.h"
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

static struct pattern compiled(const char *text)
{
    char words[256];
    struct buf why = BUF_INIT(words);
    struct pattern p;
    if (pattern_compile(guard_span(span_str(text)), &arena, &p, &why))
        fail_msg("%s: " SPAN_FMT, text, SPAN_ARG(buf_span(&why)));
    return p;
}

#define NONE PATTERN_NONE
#define PART PATTERN_PARTIAL
#define FULL PATTERN_FULL
#define MORE PATTERN_FULL_OR_MORE

static const struct {
    const char *pattern, *number;
    enum pattern_fit fit;
} fits[] = {
    /* W-04 */
    { "9*.T", "", PART },
    { "9*.T", "9", PART },
    { "9*.T", "9*", PART },
    { "9*.T", "9*1", MORE },
    { "9*.T", "9*18001234567", MORE },
    { "9*.T", "918001234567", NONE },
    { "9*.T", "9*1800#", NONE },
    { "9*1T", "9*1", MORE },
    { "T", "", MORE },
    { ".T", "", PART },
    { ".T", "*", MORE },
    { ".T", "+49", NONE },
    /* written */
    { "112", "11", PART },
    { "112", "112", FULL },
    { "112", "1123", NONE },
    { "112", "113", NONE },
    { "*72#", "*72#", FULL },
    { "A.D", "ABD", FULL },
    { "A.D", "AbD", NONE },
    /* dots and ranges */
    { "1...", "1234", FULL },
    { "1...", "1*34", FULL },
    { "1...", "123", PART },
    { "1...", "12345", NONE },
    { "[2-9]1", "21", FULL },
    { "[2-9]1", "11", NONE },
    { "[13,57-9]", "5", FULL },
    { "[13,57-9]", "6", NONE },
    { "[13,57-9]", ",", NONE },
    { "[^1-3]22", "422", FULL },
    { "[^1-3]22", "*22", FULL },
    { "[^1-3]22", "122", NONE },
    { "[^1-3]22", "#22", NONE },
    { "[#*]1", "#1", FULL },
    /* repeating */
    { "5+23", "23", NONE },
    { "5+23", "523", FULL },
    { "5+23", "55523", FULL },
    { "5+", "55", MORE },
    { "74%", "7", MORE },
    { "74%", "7444", MORE },
    { "74%", "745", NONE },
    { "56?1", "51", FULL },
    { "56?1", "561", FULL },
    { "56?1", "5661", NONE },
    { "(61)+", "6161", MORE },
    { "(61)+", "616", PART },
    { "333(123)%", "333", MORE },
    { "333(123)%", "333123123", MORE },
    { "408(555)", "408555", FULL },
    { "(0(11)?)?5", "5", FULL },
    { "(0(11)?)?5", "05", FULL },
    { "(0(11)?)?5", "0115", FULL },
    { "(0(11)?)?5", "015", NONE },
    { "[1-3]%9", "1239", FULL },
    { "3+[123]", "3331", FULL },
    { ".+", "123", MORE },
    /* E.164, pauses, anchors and escapes */
    { "+49T", "+4930", MORE },
    { "+49T", "4930", NONE },
    { "\\+1...", "+1234", FULL },
    { "1\\+", "1+", FULL },
    { "9,,1..", "9122", FULL },
    { "^123$", "123", FULL },
    /* names */
    { "user alice", "alice", FULL },
    { "user alice", "alicea", NONE },
    { "user alice", "alic", NONE },
    { "user sales-*", "sales-emea", FULL },
    { "user sales-*", "sale", NONE },
    { "user *", "bob", FULL },
    { "user *", "123", NONE },
    { "user *", "+49123", NONE },
    { "user *", "", NONE },
    { ".T", "alice", NONE },
};

static void test_which_numbers_a_pattern_fits(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(fits); i++) {
        struct pattern p = compiled(fits[i].pattern);
        struct precision precision;
        enum pattern_fit fit = pattern_fit(&p, guard_span(span_str(fits[i].number)), &precision);
        if (fit != fits[i].fit)
            fail_msg("%s of %s is %d, not %d", fits[i].number, fits[i].pattern, fit, fits[i].fit);
        assert_int_equal(pattern_matches(&p, span_str(fits[i].number)), fit >= PATTERN_FULL);
    }
}

/* Each fits the number more exactly than the next. */
static const struct {
    const char *number, *patterns[8];
} orders[] = {
    { "5551234",
      {
          "5551234",
          "555123[0-9]",
          "555123.",
          "555[1-9]...",
          "555....",
          "55T",
          "[5]T",
          ".......",
      } },
    { "9*18001234567", { "9*1800T", "9*1[2-9]..T", "9*1...T", "9*1T", "9*.T", "9*T", ".T", "T" } },
    { "5555", { "5+", "555.", "55[5-6]+", "55..", "[5-6]+", ".+", "T" } },
    { "sales-emea", { "user sales-emea", "user sales-*", "user s*", "user *" } },
};

static void test_the_more_exact_pattern_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(orders); i++) {
        uint32_t before = UINT32_MAX;
        for (size_t k = 0; k < 8 && orders[i].patterns[k]; k++) {
            struct pattern p = compiled(orders[i].patterns[k]);
            struct precision precision;
            assert_true(pattern_fit(&p, span_str(orders[i].number), &precision) >= PATTERN_FULL);
            if (precision.all >= before)
                fail_msg("%s is not less exact", orders[i].patterns[k]);
            before = precision.all;
        }
    }
}

static void test_what_counts_for_how_exact_a_pattern_is(void **state)
{
    static const struct {
        const char *pattern, *number;
        unsigned written, ranged, dots;
    } counts[] = {
        { "9*1[2-9]..T", "9*18001234567", 3, 1, 2 },
        { "9*1[2-9]..T", "9*18", 3, 1, 0 },
        { "[5]1[*]", "51*", 3, 0, 0 },
        { "[^5]1", "41", 1, 1, 0 },
        /* of several ways to read a number the most exact one */
        { "1?.?T", "12", 1, 0, 1 },
        { "1?[1-3]?.?T", "1119", 1, 1, 1 },
        { ".?1?T", "12", 1, 0, 0 },
        { "T", "123", 0, 0, 0 },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(counts); i++) {
        struct pattern p = compiled(counts[i].pattern);
        struct precision is;
        (void)pattern_fit(&p, span_str(counts[i].number), &is);
        if (precision_written(is) != counts[i].written ||
            precision_ranged(is) != counts[i].ranged || precision_dots(is) != counts[i].dots)
            fail_msg("%s of %s: %u, %u, %u", counts[i].number, counts[i].pattern,
                     precision_written(is), precision_ranged(is), precision_dots(is));
    }
}

static void test_what_is_no_pattern_is_refused_with_a_remedy(void **state)
{
    static const struct {
        const char *pattern, *why;
    } bad[] = {
        { "", "matches nothing" },
        { ",", "matches nothing" },
        { "9T1", "T that is not its end" },
        { "(9T)", "T that is not its end" },
        { "9x", "has x that nobody can dial" },
        { "90 55", "has a character that nobody can dial" },
        { "1^2", "has ^ that" },
        { "[2-9", "without its ]" },
        { "[]", "names no digits" },
        { "[9-2]", "names no digits" },
        { "[a]", "names no digits" },
        { "[^]", "names no digits" },
        { "%1", "nothing before %" },
        { "1++", "nothing before +" },
        { "(12", "a ( without" },
        { "12)", "a ) without" },
        { "()", "nothing in it" },
        { "((((((((((1))))))))))", "more than 8 groups" },
        { "1\\", "has \\ that" },
        { "\\x", "has x that" },
        { "user ", "names nobody" },
        { "user a*b", "at its end alone" },
        { "user 123", "names a number" },
        { "11111111111111111111111111111111111111111111111111111111111111111111111111111111111",
          "longer than 80" },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        char words[256];
        struct buf why = BUF_INIT(words);
        struct pattern p;
        int err = pattern_compile(guard_span(span_str(bad[i].pattern)), &arena, &p, &why);
        if (err != CS_EPROTO || !why.n || !memmem(words, why.n, bad[i].why, strlen(bad[i].why)))
            fail_msg("\"%s\": %d, " SPAN_FMT, bad[i].pattern, err, SPAN_ARG(buf_span(&why)));
        assert_null(p.nfa.inst);
    }
}

/* A backtracking matcher would need 2^30 steps and more. */
static void test_no_pattern_takes_long(void **state)
{
    static const char *const patterns[] = { "((((1+)+)+)+)+2",
                                            "(1?1?1?1?1?1?1?1?1?1?1?1?1?1?1?1?)+2",
                                            "(.%.%.%.%.%.%)%2" };
    char ones[NUMBER_MAX];
    (void)state;
    memset(ones, '1', sizeof(ones));
    for (size_t i = 0; i < CS_LEN(patterns); i++) {
        struct pattern p = compiled(patterns[i]);
        struct precision precision;
        const clock_t start = clock();
        assert_int_equal(pattern_fit(&p, span_of(ones, sizeof(ones)), &precision), PATTERN_PARTIAL);
        assert_true(clock() - start < CLOCKS_PER_SEC / 10);
    }
    struct pattern p = compiled("T");
    struct precision precision;
    assert_int_equal(pattern_fit(&p, span_of(ones, sizeof(ones)), &precision),
                     PATTERN_FULL_OR_MORE);
    char longer[NUMBER_MAX + 1];
    memset(longer, '1', sizeof(longer));
    assert_int_equal(pattern_fit(&p, span_of(longer, sizeof(longer)), &precision), PATTERN_NONE);
}

static void test_what_is_a_number(void **state)
{
    static const struct {
        const char *user, *plain;
        bool number;
    } users[] = {
        { "+1-800-555-1234", "+18005551234", true },
        { "(030)1234.5",
          "030"
          "12345",
          true },
        { "1234;phone-context=x", "1234", true },
        { "*43", "*43", true },
        { "BAD", "BAD", false },
        { "BAD1", "BAD1", true },
        { "alice.b-c", "alice.b-c", false },
        { "", "", false },
        { "+", "+", false },
        { "12+", "12+", false },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(users); i++) {
        char text[NUMBER_MAX];
        struct buf b = BUF_INIT(text);
        assert_int_equal(number_plain(guard_span(span_str(users[i].user)), &b), 0);
        assert_span(buf_span(&b), users[i].plain);
        assert_int_equal(number_is(buf_span(&b)), users[i].number);
    }
    char text[NUMBER_MAX], longer[NUMBER_MAX + 1];
    struct buf b = BUF_INIT(text);
    memset(longer, '1', sizeof(longer));
    assert_int_equal(number_plain(span_of(longer, sizeof(longer)), &b), CS_ELIMIT);
    static const char *const bad[] = { "a b", "a\nb", "a@b", "a<b", "1 2", "a#", "a%", "\xc3\xbc" };
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        assert_int_equal(number_plain(guard_span(span_str(bad[i])), &b), CS_EPROTO);
        assert_int_equal(b.n, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_which_numbers_a_pattern_fits, begin, end),
        cmocka_unit_test_setup_teardown(test_the_more_exact_pattern_is_known, begin, end),
        cmocka_unit_test_setup_teardown(test_what_counts_for_how_exact_a_pattern_is, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_no_pattern_is_refused_with_a_remedy, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_no_pattern_takes_long, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_a_number, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
