/* Media with two threads, at ports of loopback (below those of tests/e2e/lib/ports.py), and sockets
 * that speak to it. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "b2bua/media/relay.h"
#include "lib/test.h"

enum { ROOM = 512, SOON_MS = 10000 };

static struct ports *ports;
static struct media *media;

static int open_all(void **state)
{
    struct addr loopback;
    (void)state;
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), 0, &loopback), 0);
    const struct ports_conf conf = { &loopback, 1, 8500, 9499 };
    if (ports_new(&conf, &ports))
        return -1;
    const struct media_conf media_conf = { .threads = 2, .ports = ports };
    return media_open(&media_conf, &media);
}

static int close_all(void **state)
{
    (void)state;
    media_close(&media);
    assert_int_equal(ports_taken(ports), 0);
    ports_free(&ports);
    return 0;
}

static int socket_at(struct addr *at)
{
    socklen_t n = sizeof(*at);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), 0, at), 0);
    assert_int_equal(bind(fd, &at->sa, addr_len(at)), 0);
    assert_int_equal(getsockname(fd, &at->sa, &n), 0);
    return fd;
}

static inline struct relay *relay_between(void)
{
    static const size_t address[RELAY_SIDES];
    struct relay *r;
    assert_int_equal(relay_new(media, address, &r), 0);
    return r;
}

static void send_from(int fd, const struct addr *to, const char *p, size_t n)
{
    assert_int_equal(sendto(fd, p, n, 0, &to->sa, addr_len(to)), n);
}

static bool can_read(int fd, int ms)
{
    struct pollfd f = { .fd = fd, .events = POLLIN };
    return poll(&f, 1, ms) == 1;
}

/* Until it is in force. */
static inline void set_side(struct relay *r, unsigned side, const struct side_conf *c)
{
    struct side_stats s;
    relay_stats(r, side, &s);
    const uint64_t want = s.set + 1;
    assert_int_equal(relay_set(r, (const struct side_conf *[]){ side ? NULL : c, side ? c : NULL }),
                     0);
    for (int i = 0; i < SOON_MS && s.set < want; i++) {
        (void)poll(NULL, 0, 1);
        relay_stats(r, side, &s);
    }
    assert_int_equal(s.set, want);
}
