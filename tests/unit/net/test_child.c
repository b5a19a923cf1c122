#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/run.h"
#include "lib/test.h"
#include "net/bind.h"
#include "net/child.h"

struct ended {
    bool done;
    int status, signum;
};

static void on_end(void *arg, int status, int signum)
{
    *(struct ended *)arg = (struct ended){ true, status, signum };
}

static struct ended run(struct loop *l, char *script, char *variable, const int *fds, size_t n,
                        int signum)
{
    static char shell[] = "/bin/sh", c[] = "-c";
    char *const argv[] = { shell, c, script, NULL };
    struct ended e = { 0 };
    struct child *child;
    assert_int_equal(child_start(l, argv, variable, fds, n, on_end, &e, &child), 0);
    assert_true(child_pid(child) > 0);
    if (signum)
        child_signal(child, signum);
    assert_true(run_until(l, &e.done, 5000));
    return e;
}

static void test_how_it_ended_is_told(void **state)
{
    struct loop l;
    char seven[] = "exit 7", sleeping[] = "exec sleep 60", variable[] = "X=1";
    (void)state;
    assert_int_equal(loop_init(&l), 0);
    struct ended e = run(&l, seven, variable, NULL, 0, 0);
    assert_int_equal(e.status, 7);
    assert_int_equal(e.signum, 0);
    e = run(&l, sleeping, variable, NULL, 0, SIGKILL);
    assert_int_equal(e.signum, SIGKILL);
    assert_true(run_down(&l));
}

static void test_it_has_its_variable_and_its_descriptors(void **state)
{
    struct loop l;
    char script[] = "echo \"$PLACE $HOME\" >&4", variable[] = "PLACE=two";
    char read_back[256] = "";
    int ends[2];
    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    int fds[] = { ends[0], ends[1] };
    setenv("HOME", "/nowhere", 1);
    assert_int_equal(loop_init(&l), 0);
    assert_int_equal(run(&l, script, variable, fds, 2, 0).status, 0);
    assert_true(read(ends[0], read_back, sizeof(read_back) - 1) > 0);
    assert_string_equal(read_back, "two /nowhere\n");
    close(ends[0]);
    close(ends[1]);
    assert_true(run_down(&l));
}

static void test_what_cannot_be_started_is_an_error(void **state)
{
    struct loop l;
    char nothing[] = "/nonexistent/program", variable[] = "X=1";
    char *const argv[] = { nothing, NULL };
    struct ended e = { 0 };
    struct child *child;
    (void)state;
    assert_int_equal(loop_init(&l), 0);
    assert_true(child_start(&l, argv, variable, NULL, 0, on_end, &e, &child) < 0);
    assert_null(child);
    assert_true(run_down(&l));
}

static void test_sockets_share_an_address_only_when_they_say_so(void **state)
{
    struct addr any, at, again;
    int a, b, c;
    (void)state;
    for (enum bind_kind kind = BIND_UDP; kind <= BIND_TCP; kind++) {
        assert_int_equal(addr_parse(SPAN("127.0.0.1"), 0, &any), 0);
        assert_int_equal(bind_socket(kind, &any, true, &a, &at), 0);
        assert_int_not_equal(addr_port(&at), 0);
        assert_int_equal(bind_socket(kind, &at, true, &b, &again), 0);
        assert_true(addr_eq(&at, &again));
        assert_int_equal(bind_socket(kind, &at, false, &c, NULL), -EADDRINUSE);
        assert_int_equal(c, -1);
        close(a);
        close(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_how_it_ended_is_told),
        cmocka_unit_test(test_it_has_its_variable_and_its_descriptors),
        cmocka_unit_test(test_what_cannot_be_started_is_an_error),
        cmocka_unit_test(test_sockets_share_an_address_only_when_they_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
