#include "base/log.h"
#include "lib/test.h"
#include "lib/tmp.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static char line[65536];

/* Runs fn with stderr in a file, and gives what it wrote. */
static const char *logged(void (*fn)(void))
{
    const char *path = tmp_path("log");
    int saved = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDERR_FILENO);
    fn();
    dup2(saved, STDERR_FILENO);
    ssize_t n = pread(fd, line, sizeof(line) - 1, 0);
    close(saved);
    close(fd);
    line[n > 0 ? n : 0] = '\0';
    return line;
}

/* ---- a JSON reader just strict enough to refuse what is not ---- */

static const char *skip_string(const char *p)
{
    if (*p++ != '"')
        return NULL;
    for (; *p != '"'; p++) {
        if ((unsigned char)*p < 0x20)
            return NULL;
        if (*p == '\\' && *++p != '"' && *p != '\\' && *p != 'u')
            return NULL;
    }
    return p + 1;
}

static const char *skip_value(const char *p)
{
    static const char *const words[] = { "true", "false", "null" };
    if (*p == '"')
        return skip_string(p);
    for (size_t i = 0; i < CS_LEN(words); i++) {
        if (!strncmp(p, words[i], strlen(words[i])))
            return p + strlen(words[i]);
    }
    size_t n = strspn(p, "-0123456789");
    return n ? p + n : NULL;
}

static bool is_json_line(const char *p)
{
    if (*p++ != '{')
        return false;
    for (;;) {
        p = skip_string(p);
        if (!p || *p != ':')
            return false;
        p = skip_value(p + 1);
        if (!p)
            return false;
        if (*p == '}')
            return !strcmp(p, "}\n");
        if (*p++ != ',')
            return false;
    }
}

static void say_all_kinds(void)
{
    struct addr a = { 0 };
    if (addr_parse(SPAN("[::1]:5060"), 0, &a))
        abort();
    struct log log = { .module = "reg", .ctx = { kv_s("call_id", SPAN("a\"b\n\xff")) } };
    log_info(&log, "binding added", kv_s("aor", SPAN("sip:bob@example.com")), kv_u("u", UINT64_MAX),
             kv_i("i", -5), kv_b("b", true), kv_addr("peer", &a), kv_s("none", SPAN_NULL),
             kv_err(CS_ETIMEOUT));
}

static void test_a_json_line_holds_every_field(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_JSON);
    const char *text = logged(say_all_kinds);
    assert_true(is_json_line(text));
    assert_non_null(strstr(text, "\"level\":\"info\",\"module\":\"reg\",\"msg\":\"binding added\","
                                 "\"call_id\":\"a\\\"b\\u000a\xef\xbf\xbd\","
                                 "\"aor\":\"sip:bob@example.com\",\"u\":18446744073709551615,"
                                 "\"i\":-5,\"b\":true,\"peer\":\"[::1]:5060\",\"none\":null,"
                                 "\"error\":\"timed out\"}"));
}

static void test_a_text_line_is_one_line(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_TEXT);
    const char *text = logged(say_all_kinds);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_non_null(strstr(text, "Z info reg: binding added call_id=\"a\\\"b\\u000a"));
    assert_non_null(strstr(text, " i=-5 b=true peer=\"[::1]:5060\" none=null "));
}

static char hostile[4000];

static void say_hostile(void)
{
    log_warn(NULL, "refused", kv_s("a", span_of(hostile, sizeof(hostile))),
             kv_s("b", span_of(hostile, sizeof(hostile))),
             kv_s("c", span_of(hostile, sizeof(hostile))),
             kv_s("d", span_of(hostile, sizeof(hostile))),
             kv_s("e", span_of(hostile, sizeof(hostile))), kv_str("peer", "kept"));
}

static void test_long_values_are_cut_and_crowd_nothing_out(void **state)
{
    (void)state;
    static const char fills[] = { 'x', '\x01', '\xff', '"' };
    log_setup(LOG_INFO, LOG_JSON);
    for (size_t i = 0; i < CS_LEN(fills); i++) {
        memset(hostile, fills[i], sizeof(hostile));
        const char *text = logged(say_hostile);
        assert_true(is_json_line(text));
        assert_true(strlen(text) < 3000);
        assert_non_null(strstr(text, "\"peer\":\"kept\""));
    }
}

static void say_levels(void)
{
    log_debug(NULL, "d");
    log_info(NULL, "i");
    log_warn(NULL, "w");
    log_error(NULL, "e");
}

static void test_levels_below_the_threshold_are_silent(void **state)
{
    (void)state;
    log_setup(LOG_WARN, LOG_TEXT);
    const char *text = logged(say_levels);
    assert_null(strstr(text, "main: d"));
    assert_null(strstr(text, "main: i"));
    assert_non_null(strstr(text, " warn main: w\n"));
    assert_non_null(strstr(text, " error main: e\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_json_line_holds_every_field),
        cmocka_unit_test(test_a_text_line_is_one_line),
        cmocka_unit_test(test_long_values_are_cut_and_crowd_nothing_out),
        cmocka_unit_test(test_levels_below_the_threshold_are_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
