/* The generator of media must notice what is wrong, or its numbers mean nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "stream.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d"
#define KEY_B "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d"
#define CM    " AES_CM_128_HMAC_SHA1_80 "
#define CLEAR "127.0.0.1:1000 - - - 127.0.0.2:1002 - - -\n"
/* With nobody in between, what one end seals by the other opens by. */
#define SEALED                                            \
    "127.0.0.1:1000" CM KEY_A " " KEY_B " 127.0.0.2:1002" \
    "" CM KEY_B " " KEY_A "\n"

enum { FIRST = 100 };

static int setup(void **state)
{
    (void)state;
    return crypt_setup();
}

static struct streams streams_of(const char *text)
{
    struct streams s;
    char path[] = "/tmp/mediaload-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    assert_int_equal(streams_read(&s, path, SIZE_MAX, FIRST), 0);
    unlink(path);
    return s;
}

struct packet {
    _Alignas(16) char p[STREAM_ROOM];
    size_t n;
};

static struct packet written(struct streams *s, unsigned end, int64_t now)
{
    struct packet p;
    p.n = stream_write(s, 0, end, now, p.p);
    return p;
}

/* At the other end, from where the server is for that. */
static enum verdict check(struct streams *s, unsigned side, struct packet p)
{
    int64_t sent;
    return stream_check(s, side, &s->s[0].end[side].server, p.p, p.n, &sent);
}

static void test_what_was_sent_is_good_once(void **state)
{
    static const char *const texts[] = { CLEAR, SEALED };
    (void)state;
    for (size_t i = 0; i < CS_LEN(texts); i++) {
        struct streams s = streams_of(texts[i]);
        int64_t sent = 0;
        struct packet p = written(&s, 0, 4711), later = written(&s, 0, 4712);
        struct packet again = later;
        assert_int_equal(p.n, STREAM_PACKET + (i ? 10 : 0));
        assert_int_equal(check(&s, 1, later), STREAM_GOOD);
        assert_int_equal(stream_check(&s, 1, &s.s[0].end[1].server, p.p, p.n, &sent), STREAM_GOOD);
        assert_int_equal(sent, 4711);
        assert_int_equal(check(&s, 1, again), i ? STREAM_FORGED : STREAM_DUPLICATE);
        assert_int_equal(check(&s, 0, written(&s, 1, 1)), STREAM_GOOD);
        streams_fini(&s);
    }
}

static void test_any_octet_that_changed_is_noticed(void **state)
{
    (void)state;
    struct streams s = streams_of(CLEAR);
    for (size_t i = 0; i < STREAM_PACKET; i++) {
        struct packet p = written(&s, 0, INT64_MAX);
        p.p[i] ^= 1;
        if (i < 12 || i >= 20) /* the time itself cannot be checked */
            assert_int_not_equal(check(&s, 1, p), STREAM_GOOD);
    }
    streams_fini(&s);
}

static void test_what_the_key_does_not_open_is_forged(void **state)
{
    (void)state;
    struct streams s = streams_of(SEALED);
    struct packet p = written(&s, 0, 0);
    p.p[p.n - 1] ^= 1;
    assert_int_equal(check(&s, 1, p), STREAM_FORGED);
    streams_fini(&s);
}

static void test_another_source_or_side_is_noticed(void **state)
{
    (void)state;
    struct streams s = streams_of(CLEAR);
    struct packet p = written(&s, 0, 0);
    int64_t sent;
    assert_int_equal(check(&s, 0, p), STREAM_SOURCE);
    assert_int_equal(stream_check(&s, 1, &s.s[0].end[0].server, p.p, p.n, &sent), STREAM_SOURCE);
    assert_int_equal(check(&s, 1, p), STREAM_GOOD);
    p.n--;
    assert_int_equal(check(&s, 1, p), STREAM_MALFORMED);
    streams_fini(&s);
}

static void test_what_the_run_before_left_is_neither_good_nor_wrong(void **state)
{
    (void)state;
    struct streams s = streams_of(CLEAR), before = streams_of(CLEAR);
    before.s[0].end[0].next = FIRST - 1;
    (void)written(&s, 0, 0);
    assert_int_equal(check(&s, 1, written(&before, 0, 0)), STREAM_LATE);
    streams_fini(&s);
    streams_fini(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_sent_is_good_once),
        cmocka_unit_test(test_any_octet_that_changed_is_noticed),
        cmocka_unit_test(test_what_the_key_does_not_open_is_forged),
        cmocka_unit_test(test_another_source_or_side_is_noticed),
        cmocka_unit_test(test_what_the_run_before_left_is_neither_good_nor_wrong),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
