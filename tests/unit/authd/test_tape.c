#include "authd/rest/tape.h"

#include <stdio.h>

#include "authd/rest/once.h"
#include "lib/test.h"

static const struct tape_filter any = { 0 };

static void add(struct tape *t, const char *user, const char *text)
{
    struct facts facts = { 0 };
    struct decision d = { .user = span_str(user),
                          .realm = SPAN("example.com"),
                          .cause = CAUSE(WRONG_RESPONSE),
                          .facts = &facts };
    assert_int_equal(addr_parse(SPAN("192.0.2.7:5060"), 0, &facts.source), 0);
    const struct audit_line line = { .decision = &d, .text = span_str(text) };
    tape_add(t, &line);
}

static void add_change(struct tape *t, const char *user, const char *text)
{
    struct deed c = { .what = SPAN("user created"),
                      .user = span_str(user),
                      .realm = SPAN("example.com") };
    const struct audit_line line = { .deed = &c, .text = span_str(text) };
    tape_add(t, &line);
}

static void add_ban(struct tape *t, const char *net, const char *user, const char *text)
{
    struct ban b = { .user = span_str(user) };
    const struct audit_line line = { .ban = &b, .text = span_str(text) };
    assert_int_equal(cidr_parse(span_str(net), &b.net), 0);
    tape_add(t, &line);
}

static struct span id_of(struct tape *t, uint64_t number, char text[64])
{
    struct buf b = buf_of(text, 64);
    tape_write_id(t, number, &b);
    assert_true(buf_ok(&b) && b.n <= TAPE_ID_LEN);
    return buf_span(&b);
}

static void test_who_comes_back_goes_on(void **state)
{
    struct tape *t, *other;
    const struct tape_line *l;
    char text[64], end[64];
    uint64_t at = 0, n;
    (void)state;
    assert_int_equal(tape_new(&t), 0);
    assert_int_equal(tape_new(&other), 0);
    at = tape_end(t);
    add(t, "a", "one");
    add(t, "b", "two");
    assert_int_equal(tape_next(t, &any, &at, &l), 0);
    assert_span(l->text, "one");
    struct span id = id_of(t, l->number, text);
    assert_int_equal(tape_place(t, id, &n), 0);
    assert_int_equal(tape_next(t, &any, &n, &l), 0);
    assert_span(l->text, "two");
    assert_int_equal(tape_next(t, &any, &n, &l), 0);
    assert_null(l);
    assert_int_equal(n, tape_end(t));
    /* Another process's, one that is to come, one from before all was forgotten. */
    assert_int_equal(tape_place(other, id, &n), CS_ENOENT);
    assert_int_equal(tape_place(t, id_of(t, tape_end(t), end), &n), CS_ENOENT);
    id = id_of(t, tape_end(t) - 1, end);
    tape_clear(t);
    assert_int_equal(tape_place(t, id, &n), CS_ENOENT);
    assert_int_equal(n, tape_end(t));
    tape_free(&t);
    tape_free(&other);
}

static void test_names_that_are_none(void **state)
{
    static const char *const bad[] = { "",
                                       "1",
                                       "-",
                                       "0123456789abcdef",
                                       "0123456789abcdef-",
                                       "0123456789abcdef-x",
                                       "0123456789abcde-1",
                                       "0123456789abcdeg-1",
                                       "0123456789abcdef-1-1",
                                       "0123456789abcdef-18446744073709551615",
                                       "0123456789abcdef-99999999999999999999" };
    struct tape *t;
    uint64_t n;
    (void)state;
    assert_int_equal(tape_new(&t), 0);
    for (size_t i = 0; i < CS_LEN(bad); i++)
        assert_int_equal(tape_place(t, span_str(bad[i]), &n), CS_EPROTO);
    tape_free(&t);
}

static void test_the_oldest_make_room(void **state)
{
    static char big[100 * 1024 + 1];
    const struct tape_line *l;
    struct tape *t;
    uint64_t first, at;
    unsigned n = 0;
    (void)state;
    assert_int_equal(tape_new(&t), 0);
    first = at = tape_end(t);
    for (unsigned i = 0; i < TAPE_LINES + 1; i++)
        add(t, "a", "x");
    assert_int_equal(tape_next(t, &any, &at, &l), CS_ENOENT); /* overtaken */
    at = first + 1;
    assert_int_equal(tape_next(t, &any, &at, &l), 0);
    memset(big, 'x', sizeof(big) - 1);
    at = tape_end(t);
    for (unsigned i = 0; i < 100; i++)
        add(t, "a", big);
    while (tape_next(t, &any, &at, &l) == CS_ENOENT)
        at++;
    while (l) {
        n++;
        assert_int_equal(tape_next(t, &any, &at, &l), 0);
    }
    assert_in_range(n, 15, TAPE_BYTES / (100 * 1024));
    tape_free(&t);
}

static void test_filters(void **state)
{
    static const struct {
        const char *user, *address, *cause;
        unsigned kinds;
        const char *passes;
    } cases[] = {
        { .passes = "abcde" },
        { .user = "alice", .passes = "ace" },
        { .user = "alice@example.com", .passes = "ace" },
        { .user = "alice@example.org", .passes = "" },
        { .user = "alice@", .passes = "" },
        { .address = "192.0.2.7", .passes = "abd" },
        { .address = "192.0.2.8", .passes = "d" },
        { .cause = "wrong_response", .passes = "ab" },
        { .cause = "banned", .passes = "" },
        { .kinds = 1 << TAPE_CHANGE, .passes = "c" },
        { .kinds = 1 << TAPE_BAN, .passes = "de" },
        { .kinds = 1 << TAPE_DECISION, .user = "alice", .passes = "a" },
    };
    struct tape *t;
    (void)state;
    assert_int_equal(tape_new(&t), 0);
    const uint64_t first = tape_end(t);
    add(t, "alice", "a");
    add(t, "bob", "b");
    add_change(t, "alice", "c");
    add_ban(t, "192.0.2.0/24", NULL, "d");
    add_ban(t, "198.51.100.1", "alice@example.com", "e");
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        struct tape_filter f = { .user = span_str(cases[i].user),
                                 .cause = span_str(cases[i].cause),
                                 .kinds = cases[i].kinds };
        const struct tape_line *l;
        char seen[8] = "";
        uint64_t at = first;
        if (cases[i].address)
            assert_int_equal(addr_parse(span_str(cases[i].address), 0, &f.source), 0);
        while (tape_next(t, &f, &at, &l) == 0 && l)
            strncat(seen, l->text.p, 1);
        assert_string_equal(seen, cases[i].passes);
    }
    tape_free(&t);
}

static void test_idempotency_keys(void **state)
{
    static const struct {
        const char *text, *key;
    } cases[] = {
        { "abc", "abc" },     { "\"abc\"", "abc" }, { " x ", "x" },       { "\"", NULL },
        { "", NULL },         { "\"\"", NULL },     { "a b", NULL },      { "a\"b", NULL },
        { "\"a\\b\"", NULL }, { "\x7f", NULL },     { "\xc3\xa4", NULL },
    };
    char longest[ONCE_KEY_MAX + 2];
    struct span key;
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        assert_int_equal(once_key(span_str(cases[i].text), &key), cases[i].key ? 0 : CS_EPROTO);
        if (cases[i].key)
            assert_span(key, cases[i].key);
        else
            assert_null(key.p);
    }
    memset(longest, 'k', sizeof(longest));
    assert_int_equal(once_key(span_of(longest, ONCE_KEY_MAX), &key), 0);
    assert_int_equal(once_key(span_of(longest, ONCE_KEY_MAX + 1), &key), CS_EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_comes_back_goes_on), cmocka_unit_test(test_names_that_are_none),
        cmocka_unit_test(test_the_oldest_make_room),   cmocka_unit_test(test_filters),
        cmocka_unit_test(test_idempotency_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
