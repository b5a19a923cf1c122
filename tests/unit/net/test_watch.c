#include "net/watch.h"

#include <stdio.h>
#include <unistd.h>

#include "base/util.h"
#include "lib/run.h"
#include "lib/test.h"
#include "lib/tmp.h"

enum { SOON = 5000, SETTLE = 20, LONG_SETTLE = 250 }; /* milliseconds */

static struct loop loop;
static struct watch *watch;
static size_t told;

static void on_change(void *arg)
{
    assert_ptr_equal(arg, &loop);
    told++;
}

static int setup(void **state)
{
    (void)state;
    told = 0;
    return loop_init(&loop);
}

static int teardown(void **state)
{
    (void)state;
    watch_close(&watch);
    return run_down(&loop) ? 0 : -1;
}

static void begin_with(const char *const *files, size_t n, unsigned settle)
{
    assert_int_equal(watch_open(&loop, files, n, DURATION_MS(settle), on_change, &loop, &watch), 0);
}

static void begin(const char *const *files, size_t n)
{
    begin_with(files, n, SETTLE);
}

static void put(const char *name, const char *text)
{
    tmp_file(name, text, strlen(text));
}

static void test_what_changes_is_told(void **state)
{
    const char *const files[] = { tmp_path("a"), tmp_path("b"), tmp_path("a") };
    (void)state;
    put("a", "1");
    put("b", "1");
    begin(files, CS_LEN(files));
    put("a", "22");
    assert_true(run_until_count(&loop, &told, 1, SOON));
    put("new", "333"); /* as renewals do: another file takes the name */
    assert_int_equal(rename(tmp_path("new"), files[1]), 0);
    assert_true(run_until_count(&loop, &told, 2, SOON));
    unlink(files[1]);
    assert_true(run_until_count(&loop, &told, 3, SOON));
    put("b", "1");
    assert_true(run_until_count(&loop, &told, 4, SOON));
}

static void test_a_link_that_leads_elsewhere_is_told(void **state)
{
    const char *const files[] = { tmp_path("link") };
    (void)state;
    put("one", "1");
    put("two", "1");
    assert_int_equal(symlink("one", files[0]), 0);
    begin(files, 1);
    assert_int_equal(symlink("two", tmp_path("link.new")), 0);
    assert_int_equal(rename(tmp_path("link.new"), files[0]), 0);
    assert_true(run_until_count(&loop, &told, 1, SOON));
}

static void test_what_goes_on_changing_is_told_when_it_is_done(void **state)
{
    const char *const files[] = { tmp_path("c") };
    char text[64] = "";
    (void)state;
    put("c", "1");
    begin_with(files, 1,
               LONG_SETTLE); /* so that a machine under load does not make a pause of it */
    for (size_t i = 0; i < 10; i++) {
        text[i] = 'x';
        put("c", text);
        run_for(&loop, LONG_SETTLE / 10);
        assert_int_equal(told, 0);
    }
    assert_true(run_until_count(&loop, &told, 1, SOON));
    run_for(&loop, 2 * LONG_SETTLE);
    assert_int_equal(told, 1);
}

static void test_other_files_of_the_folder_are_nobodys_business(void **state)
{
    const char *const files[] = { tmp_path("d") };
    (void)state;
    put("d", "1");
    begin(files, 1);
    put("log", "many words");
    run_for(&loop, 4 * SETTLE);
    assert_int_equal(told, 0);
}

static void test_without_news_from_the_system_they_are_looked_at_now_and_then(void **state)
{
    const char *const files[] = { "/nowhere/at/all", tmp_path("e") };
    (void)state;
    put("e", "1");
    begin(files, CS_LEN(files));
    assert_false(watch_look(watch));
    put("e", "22");
    assert_true(watch_look(watch)); /* who looks himself is not told */
    assert_false(watch_look(watch));
    put("e", "333");
    loop_skip(&loop,
              DURATION_MS(10 * 1000 + 1)); /* timers fire at whole milliseconds, none early */
    loop_skip(&loop, DURATION_MS(SETTLE + 1));
    assert_int_equal(told, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_what_changes_is_told),
        T(test_a_link_that_leads_elsewhere_is_told),
        T(test_what_goes_on_changing_is_told_when_it_is_done),
        T(test_other_files_of_the_folder_are_nobodys_business),
        T(test_without_news_from_the_system_they_are_looked_at_now_and_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
