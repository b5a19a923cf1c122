#include "net/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/run.h"
#include "lib/test.h"
#include "lib/tmp.h"
#include "net/stream.h"

/* We play systemd: what it passes lies from descriptor 3 on. */
enum { PASSED = 3, SOON = 5000 };

static struct loop loop;
static struct systemd systemd;
static size_t accepted, told;
static char last[64];
static int heard = -1;

static void set_number(const char *name, long long value)
{
    char text[32];
    snprintf(text, sizeof(text), "%lld", value);
    assert_int_equal(setenv(name, text, 1), 0);
}

static struct sockaddr_un name_of(const char *path)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    return name;
}

static int setup(void **state)
{
    (void)state;
    accepted = told = 0;
    if (fcntl(PASSED, F_GETFD) < 0) /* else the loop would take it */
        assert_int_equal(open("/dev/null", O_RDONLY | O_CLOEXEC), PASSED);
    return loop_init(&loop);
}

static int teardown(void **state)
{
    static const char *const variables[] = { "LISTEN_PID", "LISTEN_FDS", "NOTIFY_SOCKET",
                                             "WATCHDOG_USEC", "WATCHDOG_PID" };
    (void)state;
    for (size_t i = 0; i < CS_LEN(variables); i++)
        unsetenv(variables[i]);
    if (heard >= 0)
        close(heard);
    heard = -1;
    return run_down(&loop) ? 0 : -1;
}

/* ---- sockets ---- */

static void pass(const char *path)
{
    struct sockaddr_un name = name_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(dup2(fd, PASSED), PASSED);
    close(fd);
    set_number("LISTEN_PID", getpid());
    set_number("LISTEN_FDS", 1);
}

static int on_accept(void *arg, struct stream *s, void **stream_arg)
{
    (void)s;
    *(size_t *)arg += 1;
    *stream_arg = arg;
    return CS_EDENIED; /* it is enough to have been asked */
}

static const struct stream_limits limits = { .max_unread = 1024, .max_unsent = 1024 };
static const struct stream_events events = { 0 };

static int listen_at(const char *path, struct listener **out)
{
    return listener_open_unix(&loop, path, 0600, &limits, &events, on_accept, &accepted, out);
}

static void test_a_passed_socket_is_served_and_stays(void **state)
{
    const char *path = tmp_path("passed.sock");
    struct sockaddr_un name = name_of(path);
    struct listener *ls;
    (void)state;
    pass(path);
    int early = socket(AF_UNIX, SOCK_STREAM, 0); /* before anybody serves */
    assert_int_equal(connect(early, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen_at(path, &ls), 0);
    assert_true(run_until_count(&loop, &accepted, 1, SOON));
    listener_close(&ls);
    close(early);
    run_for(&loop, 10);
    assert_int_equal(access(path, F_OK), 0);
}

static void test_a_socket_of_another_path_is_a_mistake(void **state)
{
    struct listener *ls = NULL;
    (void)state;
    pass(tmp_path("theirs.sock"));
    assert_int_equal(listen_at(tmp_path("ours.sock"), &ls), CS_ECONF);
    assert_null(ls);
}

static void test_what_is_passed_to_another_process_is_not_ours(void **state)
{
    const char *path = tmp_path("own.sock");
    struct listener *ls;
    int fd;
    (void)state;
    set_number("LISTEN_PID", getppid());
    set_number("LISTEN_FDS", 1);
    assert_int_equal(systemd_socket(path, &fd), CS_ENOENT);
    assert_int_equal(listen_at(path, &ls), 0);
    assert_int_equal(access(path, F_OK), 0);
    listener_close(&ls);
}

/* ---- news ---- */

static void hear(const struct sockaddr_un *name, socklen_t len)
{
    heard = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(heard, (const struct sockaddr *)name, len), 0);
}

static bool heard_next(const char *what)
{
    ssize_t n = recv(heard, last, sizeof(last) - 1, 0);
    last[n > 0 ? n : 0] = '\0';
    return strcmp(last, what) == 0;
}

static void test_it_is_told_that_we_serve_that_we_turn_and_that_we_stop(void **state)
{
    const char *path = tmp_path("notify.sock");
    struct sockaddr_un name = name_of(path);
    (void)state;
    hear(&name, sizeof(name));
    setenv("NOTIFY_SOCKET", path, 1);
    set_number("WATCHDOG_USEC", 60 * 1000000LL);
    set_number("WATCHDOG_PID", getpid());
    systemd_ready(&systemd, &loop);
    assert_true(heard_next("READY=1"));
    loop_skip(&loop, DURATION_MS(29999));
    assert_true(heard_next(""));
    for (int i = 0; i < 3; i++) {
        loop_skip(&loop, DURATION_MS(30001));
        assert_true(heard_next("WATCHDOG=1"));
    }
    systemd_stopping(&systemd);
    assert_true(heard_next("STOPPING=1"));
    systemd_stopping(&systemd);
    assert_true(heard_next(""));
}

static void test_its_socket_may_have_no_place_in_the_file_system(void **state)
{
    char path[64];
    struct sockaddr_un name;
    (void)state;
    snprintf(path, sizeof(path), "@countersign-test-%d", getpid());
    name = name_of(path);
    name.sun_path[0] = '\0';
    hear(&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
    setenv("NOTIFY_SOCKET", path, 1);
    set_number("WATCHDOG_USEC", 1000000);
    set_number("WATCHDOG_PID", getppid()); /* another is watched */
    systemd_ready(&systemd, &loop);
    assert_true(heard_next("READY=1"));
    loop_skip(&loop, DURATION_MS(10000));
    assert_true(heard_next(""));
    systemd_stopping(&systemd);
}

static void test_nobody_is_told_where_nobody_asked(void **state)
{
    (void)state;
    systemd_stopping(&systemd); /* never begun, or ended */
    systemd_ready(&systemd, &loop);
    assert_false(timer_is_running(&systemd.timer));
    systemd_stopping(&systemd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_passed_socket_is_served_and_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_socket_of_another_path_is_a_mistake, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_is_passed_to_another_process_is_not_ours, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_it_is_told_that_we_serve_that_we_turn_and_that_we_stop,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_its_socket_may_have_no_place_in_the_file_system, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_nobody_is_told_where_nobody_asked, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
