#include "b2bua/session/webrtc.h"

#include <stdio.h>

#include "lib/test.h"

#define HEAD        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define MEDIA       "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n"
#define WORDS       "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
#define RESTART     "a=ice-ufrag:efgh\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
#define EIGHT       "AB:AB:AB:AB:AB:AB:AB:AB"
#define PRINT       "a=fingerprint:sha-256 " EIGHT ":" EIGHT ":" EIGHT ":" EIGHT "\r\n"
#define OTHER       "a=fingerprint:SHA-256 00:AB:AB:AB:AB:AB:AB:AB:" EIGHT ":" EIGHT ":" EIGHT "\r\n"
#define MUX         "a=rtcp-mux\r\n"
#define SETUP(role) "a=setup:" role "\r\n"

static struct arena arena;
static const unsigned char ours[DTLS_SHA256] = { 0xc0, 0xff, 0xee };
static const struct webrtc_at here = { ours, SPAN_INIT("203.0.113.1"), 20000 };

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
    return 0;
}

static struct sdp parse(const char *text)
{
    struct sdp s;
    assert_int_equal(sdp_parse(span_str(text), &arena, &s), 0);
    return s;
}

static int accept_offer(struct webrtc *w, const char *text, struct sdp_attrs *lines)
{
    const struct sdp s = parse(text);
    return webrtc_accept(w, &s, &s.media[0], &here, &arena, lines);
}

static struct span line(const struct sdp_attrs *lines, const char *name)
{
    const struct sdp_attr *a = sdp_attr(lines, span_str(name));
    return a ? a->value : SPAN_NULL;
}

static void test_the_answer_has_what_a_browser_needs(void **state)
{
    struct webrtc w = { 0 };
    struct sdp_attrs lines;
    struct side_conf c = { 0 };
    (void)state;
    assert_int_equal(
        accept_offer(&w, HEAD MEDIA WORDS PRINT MUX SETUP("actpass") "a=mid:audio\r\n", &lines), 0);
    assert_span(line(&lines, "setup"), "passive");
    assert_span(line(&lines, "mid"), "audio");
    assert_span(line(&lines, "candidate"), "1 1 udp 2130706431 203.0.113.1 20000 typ host");
    assert_true(span_starts(line(&lines, "fingerprint"), SPAN("sha-256 C0:FF:EE:00:")));
    assert_true(sdp_attr(&lines, SPAN("rtcp-mux")) && !sdp_attr(&lines, SPAN("crypto")));
    webrtc_set(&w, &c);
    assert_true(c.mux && !c.dtls.active && c.dtls.n == 32 && c.dtls.fingerprint[31] == 0xab);
    assert_string_equal(c.ice.peer, "abcd");
    assert_span(line(&lines, "ice-ufrag"), c.ice.ufrag);
    assert_span(line(&lines, "ice-pwd"), c.ice.pwd);
    webrtc_fini(&w);
}

static void test_what_proves_nothing_is_refused(void **state)
{
    static const char *const offers[] = {
        HEAD MEDIA WORDS MUX SETUP("actpass"),
        HEAD MEDIA WORDS PRINT SETUP("actpass"),
        HEAD MEDIA WORDS PRINT MUX,
        HEAD MEDIA WORDS PRINT MUX SETUP("holdconn"),
        HEAD MEDIA "a=ice-ufrag:abcd\r\n" PRINT MUX SETUP("actpass"),
        HEAD MEDIA
        "a=ice-ufrag:abc\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n" PRINT MUX SETUP("actpass"),
        HEAD MEDIA
        "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstu\r\n" PRINT MUX SETUP("actpass"),
        HEAD MEDIA WORDS "a=fingerprint:md5 AB\r\n" MUX SETUP("actpass"),
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(offers); i++) {
        struct webrtc w = { 0 };
        struct sdp_attrs lines;
        assert_int_equal(accept_offer(&w, offers[i], &lines), CS_EDENIED);
        assert_false(w.agreed);
    }
}

/* Who answers us by "actpass" has not said who begins (RFC 5763, 5). */
static void test_an_answer_says_who_begins(void **state)
{
    static const struct {
        const char *answer;
        int err;
        bool active;
    } table[] = {
        { HEAD MEDIA WORDS PRINT MUX SETUP("active"), 0, false },
        { HEAD MEDIA WORDS PRINT MUX SETUP("passive"), 0, true },
        { HEAD MEDIA WORDS PRINT MUX SETUP("actpass"), CS_EDENIED, false },
        { HEAD MEDIA WORDS PRINT MUX, CS_EDENIED, false },
        { HEAD MEDIA WORDS MUX SETUP("active"), CS_EDENIED, false },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        struct webrtc w = { 0 };
        struct sdp_attrs lines;
        const struct sdp s = parse(table[i].answer);
        assert_int_equal(webrtc_offer(&w, &here, 0, &arena, &lines), 0);
        assert_span(line(&lines, "setup"), "actpass");
        assert_int_equal(webrtc_answered(&w, &s, &s.media[0]), table[i].err);
        assert_int_equal(w.dtls.active, table[i].active);
        webrtc_fini(&w);
    }
}

/* RFC 8842, 4 and 5.3; RFC 8839, 4.4.3.1.1 */
static void test_what_makes_another_association(void **state)
{
    static const struct {
        const char *offer;
        const char *setup;
        bool another, words; /* association; our words of ICE */
    } table[] = {
        { HEAD MEDIA WORDS PRINT MUX SETUP("actpass"), "active", false, false },
        { HEAD MEDIA WORDS PRINT MUX SETUP("passive"), "active", false, false },
        { HEAD MEDIA RESTART PRINT MUX SETUP("actpass"), "active", false, true },
        { HEAD MEDIA WORDS PRINT MUX SETUP("active"), "passive", true, false },
        { HEAD MEDIA WORDS PRINT MUX SETUP("actpass") "a=tls-id:new\r\n", "passive", true, false },
        { HEAD MEDIA RESTART OTHER MUX SETUP("actpass"), "passive", true, true },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        struct webrtc w = { 0 };
        struct sdp_attrs lines;
        assert_int_equal(accept_offer(&w, HEAD MEDIA WORDS PRINT MUX SETUP("passive"), &lines), 0);
        const struct webrtc before = w;
        assert_int_equal(accept_offer(&w, table[i].offer, &lines), 0);
        assert_span(line(&lines, "setup"), table[i].setup);
        assert_int_equal(dtls_conf_eq(&w.dtls, &before.dtls), !table[i].another);
        assert_int_equal(strcmp(w.ice.ufrag, before.ice.ufrag) != 0, table[i].words);
        assert_int_equal(strcmp(w.ice.pwd, before.ice.pwd) != 0, table[i].words);
        webrtc_fini(&w);
    }
}

static void test_who_does_not_check_is_where_the_description_says(void **state)
{
    static const char *const offers[] = {
        HEAD MEDIA PRINT MUX SETUP("actpass"),
        HEAD "a=ice-lite\r\n" MEDIA WORDS PRINT MUX SETUP("actpass"),
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(offers); i++) {
        struct webrtc w = { 0 };
        struct sdp_attrs lines;
        struct side_conf c = { 0 };
        assert_int_equal(accept_offer(&w, offers[i], &lines), 0);
        webrtc_set(&w, &c);
        assert_true(c.dtls.n && !c.ice.ufrag[0]);
        assert_int_equal(sdp_attr(&lines, SPAN("ice-ufrag")) != NULL, i == 1);
        webrtc_fini(&w);
    }
}

static void test_the_first_stream_alone_is_bundled(void **state)
{
    static const struct {
        const char *group; /* of the offer; NULL: ours is one */
        const char *told;
    } table[] = {
        { "a=group:LS 0 1\r\na=group:BUNDLE 1 0\r\n", "BUNDLE 0" },
        { "a=group:BUNDLE 1 2\r\n", NULL },
        { "", NULL },
        { NULL, "BUNDLE 0" },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(table); i++) {
        const struct webrtc w = { .mid = "0" };
        char text[512];
        struct sdp_attrs lines;
        snprintf(text, sizeof(text), "%s%s%s", HEAD, table[i].group ? table[i].group : "", MEDIA);
        const struct sdp s = parse(text);
        assert_int_equal(webrtc_session_lines(&w, table[i].group ? &s : NULL, &arena, &lines), 0);
        assert_non_null(sdp_attr(&lines, SPAN("ice-lite")));
        if (table[i].told)
            assert_span(line(&lines, "group"), table[i].told);
        else
            assert_null(sdp_attr(&lines, SPAN("group")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_answer_has_what_a_browser_needs, begin, end),
        cmocka_unit_test_setup_teardown(test_what_proves_nothing_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_an_answer_says_who_begins, begin, end),
        cmocka_unit_test_setup_teardown(test_what_makes_another_association, begin, end),
        cmocka_unit_test_setup_teardown(test_who_does_not_check_is_where_the_description_says,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_the_first_stream_alone_is_bundled, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
