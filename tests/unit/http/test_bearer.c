#include "http/bearer.h"

#include <stdio.h>

#include "base/util.h"
#include "lib/test.h"

#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B32 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int parse(struct bearers *b, const char *text, unsigned *line)
{
    static char reason[160];
    struct buf why = BUF_INIT(reason);
    int err = bearers_parse(b, span_str(text), &why, line);
    assert_true((err != 0) == (why.n > 0));
    return err;
}

static void test_a_table_tells_whose_a_token_is(void **state)
{
    struct bearers b = { 0 };
    char token[BEARER_TOKEN_LEN + 1], hash[64 + 1], text[512];
    unsigned line;
    (void)state;
    bearer_make(token, hash);
    snprintf(text, sizeof(text), "# operators\r\n\n  rita\tread  %s \r\nmake@x operate sha256:%s\n",
             A32, hash);
    assert_int_equal(parse(&b, text, &line), 0);
    assert_int_equal(b.n, 2);
    const struct bearer *rita = bearers_find(&b, SPAN(A32)),
                        *made = bearers_find(&b, span_str(token));
    assert_non_null(rita);
    assert_string_equal(rita->name, "rita");
    assert_int_equal(rita->role, HTTP_READ);
    assert_non_null(made);
    assert_int_equal(made->role, HTTP_OPERATE);
    assert_null(bearers_find(&b, SPAN(A32 "a")));
    assert_null(bearers_find(&b, SPAN("aaaa")));
    assert_null(bearers_find(&b, SPAN("")));
    assert_null(bearers_find(&b, SPAN_NULL));
    assert_null(bearers_find(&b, span_str(hash))); /* the hash opens nothing */
    bearers_fini(&b);
    assert_null(bearers_find(&b, SPAN(A32)));
}

static void test_lines_that_are_refused(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
        int err;
    } cases[] = {
        { "a", 1, CS_EPROTO },
        { "a read", 1, CS_EPROTO },
        { "a read " A32 " more", 1, CS_EPROTO },
        { "\na root " A32, 2, CS_EPROTO },
        { "a Read " A32, 1, CS_EPROTO },
        { "a none " A32, 1, CS_EPROTO },
        { "a read aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1, CS_ELIMIT },
        { "a read " A32 "!", 1, CS_EPROTO },
        { "a read sha256:00", 1, CS_EPROTO },
        { "a read sha256:" A32 A32 "x", 1, CS_EPROTO },
        { "a/b read " A32, 1, CS_EPROTO },
        { "a read " A32 "\na read " B32, 2, CS_ECONFLICT },
        { "a read " A32 "\nb administer " A32, 2, CS_ECONFLICT },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        struct bearers b = { 0 };
        unsigned line = 0;
        assert_int_equal(parse(&b, cases[i].text, &line), cases[i].err);
        assert_int_equal(line, cases[i].line);
        bearers_fini(&b);
    }
}

static void test_there_is_a_bound(void **state)
{
    struct bearers b = { 0 };
    char reason[160], name[16], token[64];
    (void)state;
    for (unsigned i = 0; i <= BEARER_MAX; i++) {
        struct buf why = BUF_INIT(reason);
        snprintf(name, sizeof(name), "n%u", i);
        snprintf(token, sizeof(token), A32 "%u", i);
        assert_int_equal(bearers_add(&b, span_str(name), HTTP_READ, span_str(token), &why),
                         i < BEARER_MAX ? 0 : CS_ELIMIT);
    }
    bearers_fini(&b);
}

static void test_the_scheme_is_bearer(void **state)
{
    (void)state;
    assert_span(bearer_token(SPAN("bEARER   x ")), "x");
    assert_null(bearer_token(SPAN("Basic eA==")).p);
    assert_null(bearer_token(SPAN("Bearer")).p);
    assert_null(bearer_token(SPAN_NULL).p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_table_tells_whose_a_token_is),
        cmocka_unit_test(test_lines_that_are_refused),
        cmocka_unit_test(test_there_is_a_bound),
        cmocka_unit_test(test_the_scheme_is_bearer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
