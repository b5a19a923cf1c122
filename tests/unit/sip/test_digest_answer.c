/* What is hashed and written, with a hash that shows what it was given. */
#include "sip/digest_answer.h"

#include <stdio.h>

#include "lib/test.h"

#define CHALLENGE "Digest realm=\"r\", nonce=\"n\""

/* (a:b:c): too long for no answer of these. */
static int show(void *arg, enum digest_alg alg, const struct span *parts, size_t n, struct buf *hex)
{
    (void)alg;
    if (arg)
        return *(int *)arg;
    buf_putc(hex, '(');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_putc(hex, ':');
        buf_put(hex, parts[i]);
    }
    buf_putc(hex, ')');
    return 0;
}

static const struct digest_answer usual = {
    .user = SPAN_INIT("u"),
    .password = SPAN_INIT("p"),
    .method = SPAN_INIT("M"),
    .uri = SPAN_INIT("s:x"),
    .body = SPAN_INIT("b"),
    .cnonce = SPAN_INIT("c"),
    .nc = 0x1f,
};

static char text[1024];

static int answer_to(const char *challenge, const struct digest_answer *a, void *fail)
{
    struct buf b = buf_of(text, sizeof(text) - 1);
    struct digest_challenge c;
    assert_int_equal(digest_challenge_parse(span_str(challenge), &c), 0);
    int err = digest_answer_write(&b, &c, a, show, fail);
    text[b.n] = '\0';
    return err;
}

static void test_each_form_hashes_what_the_rfcs_say(void **state)
{
    static const struct {
        const char *more, *want;
    } cases[] = {
        { "", "response=\"((u:r:p):n:(M:s:x))\"" },
        { ",qop=auth",
          "response=\"((u:r:p):n:0000001f:c:auth:(M:s:x))\", cnonce=\"c\", qop=auth, nc=0000001f" },
        { ",qop=\"auth-int\"", "response=\"((u:r:p):n:0000001f:c:auth-int:(M:s:x:(b)))\", "
                               "cnonce=\"c\", qop=auth-int, nc=0000001f" },
        { ",qop=\"auth,auth-int\"",
          "response=\"((u:r:p):n:0000001f:c:auth:(M:s:x))\", cnonce=\"c\", qop=auth, nc=0000001f" },
        { ",qop=\"auth-int , auth\"",
          "response=\"((u:r:p):n:0000001f:c:auth:(M:s:x))\", cnonce=\"c\", qop=auth, nc=0000001f" },
        { ",algorithm=MD5-sess", "response=\"(((u:r:p):n:c):n:(M:s:x))\", algorithm=MD5-sess, "
                                 "cnonce=\"c\"" },
        { ",opaque=\"o\\\"\"", "response=\"((u:r:p):n:(M:s:x))\", opaque=\"o\\\"\"" },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        char challenge[256];
        snprintf(challenge, sizeof(challenge), CHALLENGE "%s", cases[i].more);
        assert_int_equal(answer_to(challenge, &usual, NULL), 0);
        char want[512];
        snprintf(want, sizeof(want),
                 "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"s:x\", %s", cases[i].want);
        assert_string_equal(text, want);
    }
}

/* W-13, I-23, I-25 */
static void test_the_algorithm_is_written_as_it_is_wanted(void **state)
{
    static const struct {
        const char *challenged;
        enum digest_echo echo;
        bool lower;
        const char *want; /* NULL: not at all */
    } cases[] = {
        { NULL, DIGEST_ECHO_AS_CHALLENGED, false, NULL },
        { NULL, DIGEST_ECHO_ALWAYS, false, ", algorithm=MD5" },
        { NULL, DIGEST_ECHO_ALWAYS, true, ", algorithm=md5" },
        { NULL, DIGEST_ECHO_NEVER, false, NULL },
        { "md5", DIGEST_ECHO_AS_CHALLENGED, false, ", algorithm=MD5" },
        { "\"mD5\"", DIGEST_ECHO_AS_CHALLENGED, false, ", algorithm=MD5" },
        { "MD5", DIGEST_ECHO_NEVER, false, NULL },
        { "sha-256", DIGEST_ECHO_AS_CHALLENGED, false, ", algorithm=SHA-256" },
        { "\"SHA-256\"", DIGEST_ECHO_AS_CHALLENGED, true, ", algorithm=sha-256" },
        { "SHA-256", DIGEST_ECHO_NEVER, false, ", algorithm=SHA-256" },
        { "MD5-sess", DIGEST_ECHO_NEVER, false, ", algorithm=MD5-sess" },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        struct digest_answer a = usual;
        char challenge[256];
        a.echo = cases[i].echo;
        a.lower = cases[i].lower;
        snprintf(challenge, sizeof(challenge), CHALLENGE "%s%s",
                 cases[i].challenged ? ", algorithm=" : "",
                 cases[i].challenged ? cases[i].challenged : "");
        assert_int_equal(answer_to(challenge, &a, NULL), 0);
        const char *at = strstr(text, ", algorithm=");
        assert_int_equal(at != NULL, cases[i].want != NULL);
        if (at)
            assert_memory_equal(at, cases[i].want, strlen(cases[i].want));
    }
}

static void test_what_cannot_be_answered_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(answer_to(CHALLENGE ", qop=\"token\"", &usual, NULL), CS_ENOTSUP);
    assert_string_equal(text, "");
    assert_int_equal(answer_to(CHALLENGE ", qop=\"\"", &usual, NULL), CS_ENOTSUP);
    assert_int_equal(answer_to(CHALLENGE ", algorithm=SHA-1", &usual, NULL), CS_ENOTSUP);
    int fail = CS_ENOMEM;
    assert_int_equal(answer_to(CHALLENGE, &usual, &fail), CS_ENOMEM);
    assert_string_equal(text, "");
    char longest[1200];
    memset(longest, 'n', sizeof(longest));
    struct digest_challenge c = { .realm = SPAN("r"), .nonce = span_of(longest, sizeof(longest)) };
    struct buf b = BUF_INIT(text);
    assert_int_equal(digest_answer_write(&b, &c, &usual, show, NULL), CS_ELIMIT);
    assert_int_equal(b.n, 0);
    c.nonce.n = 10;
    b = buf_of(text, 20);
    assert_int_equal(digest_answer_write(&b, &c, &usual, show, NULL), CS_ELIMIT);
}

static unsigned rank(const char *challenge, const enum digest_alg *prefer, size_t n)
{
    struct digest_challenge c;
    assert_int_equal(digest_challenge_parse(span_str(challenge), &c), 0);
    return digest_rank(&c, prefer, n);
}

static void test_the_strongest_comes_first_unless_another_is_preferred(void **state)
{
    static const enum digest_alg md5[] = { DIGEST_MD5 },
                                 odd[] = { DIGEST_SHA256, DIGEST_SHA512_256 };
    const char *one = CHALLENGE ", algorithm=MD5", *two = CHALLENGE ", algorithm=SHA-256",
               *three = CHALLENGE ", algorithm=SHA-512-256";
    (void)state;
    assert_true(rank(one, NULL, 0) > 0);
    assert_true(rank(two, NULL, 0) > rank(one, NULL, 0));
    assert_true(rank(three, NULL, 0) > rank(two, NULL, 0));
    assert_true(rank(one, md5, 1) > rank(three, md5, 1));
    assert_true(rank(three, md5, 1) > rank(two, md5, 1));
    assert_true(rank(two, odd, 2) > rank(three, odd, 2));
    assert_true(rank(three, odd, 2) > rank(one, odd, 2));
    assert_true(rank(one, odd, 2) > 0);
    assert_int_equal(rank(CHALLENGE ", algorithm=SHA3", odd, 2), 0);
}

static void test_escapes_say_what_they_hide(void **state)
{
    (void)state;
    assert_true(digest_says(SPAN("plain"), SPAN("plain")));
    assert_true(digest_says(SPAN("a\\\"b\\\\"), SPAN("a\"b\\")));
    assert_true(digest_says(SPAN("\\p\\l\\ain"), SPAN("plain")));
    assert_true(digest_says(SPAN(""), SPAN("")));
    assert_false(digest_says(SPAN("plain"), SPAN("plai")));
    assert_false(digest_says(SPAN("plai"), SPAN("plain")));
    assert_false(digest_says(SPAN("plaIn"), SPAN("plain")));
    assert_false(digest_says(SPAN("a\\"), SPAN("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_form_hashes_what_the_rfcs_say),
        cmocka_unit_test(test_the_algorithm_is_written_as_it_is_wanted),
        cmocka_unit_test(test_what_cannot_be_answered_leaves_nothing),
        cmocka_unit_test(test_the_strongest_comes_first_unless_another_is_preferred),
        cmocka_unit_test(test_escapes_say_what_they_hide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
