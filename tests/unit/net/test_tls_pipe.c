#include "net/tls_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "lib/pki.h"
#include "lib/test.h"
#include "lib/wire.h"
#include "net/stream.h"

enum { BIG = 3 * 1024 * 1024, HANDSHAKE_MS = 300, MAX_HANDSHAKES = 3 };

static struct pki ca, server;

struct fixture {
    struct loop loop;
    struct tls_context *server, *client;
    struct tls_pipes *pipes;
    struct addr at;
    int fd; /* the plain end of what came last; -1: none */
    unsigned n_opened;
    struct stream *stream;
    bool opened, closed;
    int reason;
    size_t heard;
};

static void on_pipe(void *arg, int fd, const struct addr *peer, X509 *x, X509 *issuer)
{
    (void)issuer;
    assert_null(x); /* no client is asked for one here */
    struct fixture *f = arg;
    assert_true(addr_is_loopback(peer));
    if (f->fd >= 0)
        close(f->fd);
    f->fd = fd;
    f->n_opened++;
}

static void on_opened(struct stream *s, void *arg)
{
    (void)s;
    ((struct fixture *)arg)->opened = true;
}

static ptrdiff_t on_data(struct stream *s, void *arg, struct span in)
{
    (void)s;
    ((struct fixture *)arg)->heard += in.n;
    return (ptrdiff_t)in.n;
}

static void on_closed(struct stream *s, void *arg, int reason)
{
    struct fixture *f = arg;
    (void)s;
    f->stream = NULL;
    f->closed = true;
    f->reason = reason;
}

static const struct stream_events events = { on_opened, on_data, on_closed };

/* accept() is called until nobody is left, so it must not wait. */
static int listen_here(struct addr *at)
{
    int fd = wire_tcp_listening(at);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static int setup(void **state)
{
    struct fixture *f = *state = calloc(1, sizeof(*f));
    const struct tls_conf us = { .role = TLS_SERVER,
                                 .certificate_file = server.certificate,
                                 .key_file = server.key,
                                 .handshake = DURATION_MS(HANDSHAKE_MS) };
    const struct tls_conf them = { .role = TLS_CLIENT, .ca_file = ca.certificate };
    f->fd = -1;
    assert_int_equal(loop_init(&f->loop), 0);
    assert_int_equal(tls_context_new(&us, &f->server), 0);
    assert_int_equal(tls_context_new(&them, &f->client), 0);
    const struct tls_pipes_conf conf = { .tls = f->server,
                                         .max_handshakes = MAX_HANDSHAKES,
                                         .linger = DURATION_MS(HANDSHAKE_MS),
                                         .opened = on_pipe,
                                         .arg = f };
    assert_int_equal(tls_pipes_open(&f->loop, listen_here(&f->at), &conf, &f->pipes), 0);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    if (f->stream)
        stream_close(f->stream, 0);
    tls_pipes_close(&f->pipes);
    if (f->fd >= 0)
        close(f->fd);
    tls_context_unref(&f->server);
    tls_context_unref(&f->client);
    loop_run(&f->loop);
    assert_int_equal(loop_fini(&f->loop), 0);
    free(f);
    return 0;
}

static void turn(struct fixture *f)
{
    loop_run_once(&f->loop);
    usleep(200);
}

#define UNTIL(f, happened)                                     \
    do {                                                       \
        for (unsigned i_ = 0; i_ < 20000 && !(happened); i_++) \
            turn(f);                                           \
        assert_true(happened);                                 \
    } while (0)

static void meet(struct fixture *f)
{
    static const struct stream_limits limits = { .max_unread = 65536, .max_unsent = 2 * BIG };
    assert_int_equal(stream_connect_tcp(&f->loop, &f->at, NULL, &limits, &events, f, &f->stream),
                     0);
    assert_int_equal(stream_start_tls(f->stream, f->client, NULL), 0);
    UNTIL(f, f->opened && f->fd >= 0);
}

static ssize_t take(struct fixture *f, char *to, size_t n)
{
    ssize_t got = recv(f->fd, to, n, MSG_DONTWAIT);
    assert_true(got >= 0 || errno == EAGAIN);
    return got;
}

static void test_much_passes_both_ways_however_slowly_it_is_taken(void **state)
{
    struct fixture *f = *state;
    static char page[7001];
    char *big = calloc(1, BIG);
    size_t n = 0, sent = 0;
    meet(f);
    stream_write(f->stream, span_of(big, BIG));
    for (unsigned i = 0; i < 200; i++)
        turn(f); /* nobody takes it yet: it waits at the client */
    for (unsigned i = 0; i < 100000 && n < BIG; i++) {
        ssize_t got = take(f, page, sizeof(page));
        n += got > 0 ? (size_t)got : 0;
        loop_run_once(&f->loop);
    }
    assert_int_equal(n, BIG);
    for (unsigned i = 0; i < 100000 && f->heard < BIG; i++) {
        ssize_t took = send(f->fd, big + sent, BIG - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += took > 0 ? (size_t)took : 0;
        loop_run_once(&f->loop);
    }
    assert_int_equal(f->heard, BIG);
    free(big);
}

static void test_an_end_of_the_owner_ends_the_client_and_loses_nothing(void **state)
{
    struct fixture *f = *state;
    meet(f);
    assert_int_equal(send(f->fd, "last", 4, MSG_NOSIGNAL), 4);
    close(f->fd);
    f->fd = -1;
    UNTIL(f, f->closed);
    assert_int_equal(f->heard, 4);
    assert_int_equal(f->reason, UV_EOF); /* with a close_notify, so nothing was cut off */
}

static void test_an_end_of_the_client_ends_the_owner(void **state)
{
    struct fixture *f = *state;
    char c;
    meet(f);
    stream_close(f->stream, 0);
    UNTIL(f, take(f, &c, 1) == 0);
}

static int dial(struct fixture *f, const char *text)
{
    int fd = wire_tcp(&f->at);
    if (*text)
        wire_send(fd, span_str(text));
    return fd;
}

static bool is_over(int fd)
{
    char text[64];
    ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT); /* an alert may come first */
    return n == 0 || (n < 0 && errno != EAGAIN);
}

static void test_who_speaks_no_tls_or_nothing_is_sent_away(void **state)
{
    struct fixture *f = *state;
    int plain = dial(f, "GET / HTTP/1.1\r\n\r\n"), silent = dial(f, "");
    UNTIL(f, is_over(plain));
    UNTIL(f, is_over(silent)); /* at the deadline */
    assert_int_equal(f->n_opened, 0);
    close(plain);
    close(silent);
}

static void test_the_oldest_handshake_makes_room(void **state)
{
    struct fixture *f = *state;
    int fd[MAX_HANDSHAKES + 1];
    for (size_t i = 0; i < CS_LEN(fd); i++) {
        fd[i] = dial(f, "");
        for (unsigned k = 0; k < 5; k++)
            turn(f);
    }
    UNTIL(f, is_over(fd[0]));
    for (size_t i = 1; i < CS_LEN(fd); i++)
        assert_false(is_over(fd[i]));
    meet(f); /* in the place of another */
    for (size_t i = 0; i < CS_LEN(fd); i++)
        close(fd[i]);
}

static void test_a_close_ends_what_is_open(void **state)
{
    struct fixture *f = *state;
    char c;
    meet(f);
    tls_pipes_close(&f->pipes);
    assert_int_equal(take(f, &c, 1), 0);
    UNTIL(f, f->closed);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_much_passes_both_ways_however_slowly_it_is_taken),
        TEST(test_an_end_of_the_owner_ends_the_client_and_loses_nothing),
        TEST(test_an_end_of_the_client_ends_the_owner),
        TEST(test_who_speaks_no_tls_or_nothing_is_sent_away),
        TEST(test_the_oldest_handshake_makes_room),
        TEST(test_a_close_ends_what_is_open),
    };
    ca = pki_authority("ca");
    server = pki_certificate(&ca, "server", "IP:127.0.0.1");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
