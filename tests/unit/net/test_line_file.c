#include "net/line_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "lib/run.h"
#include "lib/test.h"
#include "lib/tmp.h"

enum { ROOM = 32, DELAY_MS = 1000 };

static const struct log lg = { .module = "test" };
static struct loop loop;
static struct line_file file;

static void begin(unsigned delay_ms)
{
    const struct line_file_conf conf = {
        .delay = DURATION_MS(delay_ms), .room = ROOM, .mode = 0600, .log = &lg, .what = "a test"
    };
    assert_int_equal(loop_init(&loop), 0);
    assert_int_equal(line_file_init(&file, &loop, &conf), 0);
}

static void end(void)
{
    line_file_close(&file);
    assert_true(run_down(&loop));
}

static void check(const char *name, const char *want)
{
    char text[256];
    FILE *f = fopen(tmp_path(name), "r");
    assert_non_null(f);
    const size_t n = fread(text, 1, sizeof(text), f);
    fclose(f);
    assert_span(span_of(text, n), want);
}

static void test_lines_of_a_turn_leave_at_its_end(void **state)
{
    struct stat st;
    (void)state;
    begin(0);
    line_file_add(&file, SPAN("nowhere\n"));
    assert_int_equal(line_file_open(&file, tmp_path("turn")), 0);
    line_file_add(&file, SPAN("one\n"));
    line_file_add(&file, SPAN("two\n"));
    check("turn", "");
    loop_run_once(&loop);
    check("turn", "one\ntwo\n");
    assert_int_equal(stat(tmp_path("turn"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    end();
}

static void test_lines_wait_for_others_as_long_as_is_said(void **state)
{
    (void)state;
    begin(DELAY_MS);
    assert_int_equal(line_file_open(&file, tmp_path("delay")), 0);
    line_file_add(&file, SPAN("one\n"));
    loop_skip(&loop, DURATION_MS(DELAY_MS / 2));
    line_file_add(&file, SPAN("two\n"));
    loop_run_once(&loop);
    check("delay", "");
    loop_skip(&loop, DURATION_MS(DELAY_MS / 2 + 1)); /* of the first */
    check("delay", "one\ntwo\n");
    line_file_add(&file, SPAN("three\n"));
    end();
    check("delay", "one\ntwo\nthree\n");
}

static void test_what_does_not_fit_makes_room(void **state)
{
    char line[ROOM + 1];
    (void)state;
    begin(DELAY_MS);
    assert_int_equal(line_file_open(&file, tmp_path("room")), 0);
    for (unsigned i = 0; i < 5; i++)
        line_file_add(&file, SPAN("ten bytes\n"));
    check("room", "ten bytes\nten bytes\nten bytes\n");
    memset(line, 'x', sizeof(line));
    line_file_add(&file, span_of(line, sizeof(line))); /* too long for any room */
    check("room", "ten bytes\nten bytes\nten bytes\nten bytes\nten bytes\n");
    struct buf b = line_file_begin(&file);
    buf_put(&b, span_of(line, ROOM - 4));
    assert_true(line_file_keep(&file, &b));
    b = line_file_begin(&file);
    buf_lit(&b, "after");
    assert_false(line_file_keep(&file, &b));
    b = line_file_begin(&file);
    buf_lit(&b, "after");
    assert_true(line_file_keep(&file, &b));
    assert_int_equal(file.n, 5);
    end();
}

static void test_a_file_that_was_moved_has_what_came_before(void **state)
{
    (void)state;
    begin(DELAY_MS);
    assert_int_equal(line_file_open(&file, tmp_path("new")), 0);
    line_file_add(&file, SPAN("before\n"));
    assert_int_equal(rename(tmp_path("new"), tmp_path("old")), 0);
    assert_int_not_equal(line_file_open(&file, tmp_path("none/new")), 0); /* nothing has changed */
    assert_int_equal(line_file_open(&file, tmp_path("new")), 0);
    line_file_add(&file, SPAN("after\n"));
    assert_int_equal(line_file_open(&file, NULL), 0);
    line_file_add(&file, SPAN("nowhere\n"));
    end();
    check("old", "before\n");
    check("new", "after\n");
}

static void test_what_is_lent_stays_open_and_what_is_full_loses_lines(void **state)
{
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    (void)state;
    begin(DELAY_MS);
    line_file_use(&file, full);
    line_file_add(&file, SPAN("lost\n"));
    line_file_flush(&file);
    assert_true(file.failing);
    assert_int_equal(file.n, 0);
    end();
    assert_int_equal(close(full), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_of_a_turn_leave_at_its_end),
        cmocka_unit_test(test_lines_wait_for_others_as_long_as_is_said),
        cmocka_unit_test(test_what_does_not_fit_makes_room),
        cmocka_unit_test(test_a_file_that_was_moved_has_what_came_before),
        cmocka_unit_test(test_what_is_lent_stays_open_and_what_is_full_loses_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
