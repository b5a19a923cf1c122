#include "net/tls.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/pki.h"
#include "lib/run.h"
#include "lib/test.h"
#include "lib/tmp.h"
#include "lib/wire.h"
#include "net/stream.h"

enum { SOON = 5000 };

/* One side of a connection: counts what it is told. */
struct side {
    struct stream *stream;
    bool opened, closed, echo;
    int reason;
    size_t got, least; /* least: leaves data unread until there is so much */
    uint32_t sum;      /* of what it got, in order */
};

static struct loop loop;
static struct listener *listener;
static struct side client, server;
static struct pki ca, other_ca, server_pki, client_pki, stranger_pki;

static const struct stream_limits limits = { .max_unread = 4 << 20, .max_unsent = 8 << 20 };

static void on_opened(struct stream *s, void *arg)
{
    struct side *side = arg;
    assert_true(stream_is_open(s));
    side->opened = true;
}

static ptrdiff_t on_data(struct stream *s, void *arg, struct span in)
{
    struct side *side = arg;
    if (in.n < side->least)
        return 0;
    for (size_t i = 0; i < in.n; i++)
        side->sum = side->sum * 31 + (unsigned char)in.p[i];
    side->got += in.n;
    if (side->echo)
        stream_write(s, in);
    return (ptrdiff_t)in.n;
}

static void on_closed(struct stream *s, void *arg, int reason)
{
    struct side *side = arg;
    (void)s;
    side->stream = NULL;
    side->closed = true;
    side->reason = reason;
}

static const struct stream_events events = { on_opened, on_data, on_closed };

static int on_accept(void *listener_arg, struct stream *s, void **arg)
{
    (void)listener_arg;
    assert_false(stream_is_open(s)); /* before the handshake */
    server.stream = s;
    *arg = &server;
    return 0;
}

static struct tls_context *context(const struct tls_conf *conf)
{
    struct tls_context *c;
    assert_int_equal(tls_context_new(conf, &c), 0);
    return c;
}

static struct tls_context *server_context(bool require)
{
    return context(&(struct tls_conf){ .role = TLS_SERVER,
                                       .certificate_file = server_pki.certificate,
                                       .key_file = server_pki.key,
                                       .ca_file = ca.certificate,
                                       .require_certificate = require });
}

static struct tls_context *client_context(const struct pki *own, const struct pki *trusted)
{
    return context(&(struct tls_conf){ .role = TLS_CLIENT,
                                       .certificate_file = own ? own->certificate : NULL,
                                       .key_file = own ? own->key : NULL,
                                       .ca_file = trusted->certificate });
}

static void listen_tls(struct tls_context *tls)
{
    struct addr any;
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), 0, &any), 0);
    assert_int_equal(listener_open_tcp(&loop, &any, &limits, &events, on_accept, NULL, &listener),
                     0);
    listener_start_tls(listener, tls);
    tls_context_unref(&tls);
}

static void connect_tls(struct tls_context *tls, const char *name)
{
    assert_int_equal(stream_connect_tcp(&loop, listener_local(listener), NULL, &limits, &events,
                                        &client, &client.stream),
                     0);
    assert_int_equal(stream_start_tls(client.stream, tls, name), 0);
    tls_context_unref(&tls);
}

static int setup(void **state)
{
    (void)state;
    client = server = (struct side){ 0 };
    return loop_init(&loop);
}

static int teardown(void **state)
{
    (void)state;
    if (client.stream)
        stream_close(client.stream, 0);
    if (server.stream)
        stream_close(server.stream, 0);
    listener_close(&listener);
    return run_down(&loop) ? 0 : -1;
}

static void test_each_side_reads_what_the_other_shows(void **state)
{
    struct tls_peer peer;
    struct arena a;
    (void)state;
    arena_init(&a, NULL, 0, 0);
    listen_tls(server_context(true));
    connect_tls(client_context(&client_pki, &ca), "sip.example");
    assert_false(stream_is_open(client.stream));
    assert_true(run_until(&loop, &client.opened, SOON));
    assert_true(run_until(&loop, &server.opened, SOON));
    assert_int_equal(stream_peer_certificate(server.stream, &a, &peer), 0);
    assert_true(peer.verified);
    assert_span(peer.subject, "CN=registrar-1");
    assert_int_equal(peer.n_dns, 2);
    assert_span(peer.dns[0], "r1.example");
    assert_span(peer.dns[1], "r1.alias.example");
    assert_int_equal(stream_peer_certificate(client.stream, &a, &peer), 0);
    assert_true(peer.verified);
    assert_span(peer.subject, "CN=server");
    arena_fini(&a);
}

static void test_a_client_without_certificate_is_good_where_none_is_required(void **state)
{
    struct tls_peer peer;
    struct arena a;
    (void)state;
    arena_init(&a, NULL, 0, 0);
    listen_tls(server_context(false));
    connect_tls(client_context(NULL, &ca), NULL); /* by address */
    assert_true(run_until(&loop, &server.opened, SOON));
    assert_int_equal(stream_peer_certificate(server.stream, &a, &peer), CS_ENOENT);
    arena_fini(&a);
}

static void test_megabytes_arrive_whole_and_in_order(void **state)
{
    size_t n = (3 << 20) + 17;
    char *data = malloc(n);
    uint32_t sum = 0;
    (void)state;
    for (size_t i = 0; i < n; i++) {
        data[i] = (char)(i * i >> 7);
        sum = sum * 31 + (unsigned char)data[i];
    }
    server.echo = true;
    listen_tls(server_context(false));
    connect_tls(client_context(NULL, &ca), "sip.example");
    client.least = 100000; /* keeps much unread for a while */
    for (size_t at = 0, step = 1; at < n; at += step, step = step * 3 % 70001 + 1)
        stream_write(client.stream, span_of(data + at, CS_MIN(step, n - at)));
    free(data);
    assert_true(run_until_count(&loop, &server.got, n, SOON));
    assert_int_equal(server.sum, sum);
    for (client.least = 1; client.got < n && !client.closed;) {
        stream_write(client.stream, SPAN(".")); /* asks for what was left unread */
        n++;
        sum = sum * 31 + '.';
        assert_true(run_until_count(&loop, &client.got, n, SOON));
    }
    assert_int_equal(client.sum, sum);
}

static void test_an_end_is_told_as_an_end(void **state)
{
    (void)state;
    listen_tls(server_context(false));
    connect_tls(client_context(NULL, &ca), "sip.example");
    assert_true(run_until(&loop, &server.opened, SOON));
    stream_write(client.stream, SPAN("last words"));
    stream_close(client.stream, 0);
    assert_true(run_until(&loop, &server.closed, SOON));
    assert_int_equal(server.got, 10);
    assert_int_equal(server.reason, UV_EOF);
}

/* Neither side comes to data; the server's reason, and the client's. */
static void refused(int by_server, int by_client)
{
    assert_true(run_until(&loop, &server.closed, SOON));
    assert_true(run_until(&loop, &client.closed, SOON));
    assert_int_equal(server.reason, by_server);
    assert_int_equal(client.reason, by_client);
    assert_false(server.opened);
    assert_int_equal(server.got, 0);
}

static void test_a_server_of_another_authority_is_refused(void **state)
{
    (void)state;
    listen_tls(server_context(false));
    connect_tls(client_context(NULL, &other_ca), "sip.example");
    stream_write(client.stream, SPAN("secret"));
    refused(CS_EDENIED, CS_EDENIED);
    assert_false(client.opened);
}

static void test_a_server_of_another_name_is_refused(void **state)
{
    static const char *const names[] = { "example", "sip.example.org", "10.1.2.3", "server" };
    (void)state;
    listen_tls(server_context(false));
    for (size_t i = 0; i < CS_LEN(names); i++) {
        client = server = (struct side){ 0 };
        connect_tls(client_context(NULL, &ca), names[i]);
        refused(CS_EDENIED, CS_EDENIED);
        assert_false(client.opened);
    }
}

static void test_a_client_without_certificate_is_refused_where_one_is_required(void **state)
{
    (void)state;
    listen_tls(server_context(true));
    connect_tls(client_context(NULL, &ca), "sip.example");
    stream_write(client.stream, SPAN("hello"));
    refused(CS_EDENIED, CS_EDENIED);
}

static void test_a_client_of_another_authority_is_refused(void **state)
{
    (void)state;
    listen_tls(server_context(true));
    connect_tls(client_context(&stranger_pki, &ca), "sip.example");
    stream_write(client.stream, SPAN("hello"));
    refused(CS_EDENIED, CS_EDENIED);
}

static void test_plaintext_to_a_tls_port_is_refused(void **state)
{
    static const struct span said[] = { SPAN_INIT("REGISTER sip:example SIP/2.0\r\n\r\n"),
                                        SPAN_INIT("GET / HTTP/1.1\r\n\r\n"),
                                        SPAN_INIT("\x16\x03\x01\xff\xff\x01\x00\x00\x00\x00") };
    (void)state;
    listen_tls(server_context(true));
    for (size_t i = 0; i < CS_LEN(said); i++) {
        server = (struct side){ 0 };
        int fd = wire_tcp(listener_local(listener));
        wire_send(fd, said[i]);
        assert_true(run_until(&loop, &server.closed, SOON));
        assert_int_equal(server.reason, CS_EPROTO);
        assert_false(server.opened);
        close(fd);
    }
}

static void test_a_server_that_speaks_plaintext_is_refused(void **state)
{
    struct addr at;
    int fd = wire_tcp_listening(&at);
    struct tls_context *tls = client_context(NULL, &ca);
    (void)state;
    assert_int_equal(
        stream_connect_tcp(&loop, &at, NULL, &limits, &events, &client, &client.stream), 0);
    assert_int_equal(stream_start_tls(client.stream, tls, "sip.example"), 0);
    tls_context_unref(&tls);
    int peer = wire_accept(&loop, fd);
    wire_send(peer, SPAN("-ERR unknown command\r\n"));
    assert_true(run_until(&loop, &client.closed, SOON));
    assert_int_equal(client.reason, CS_EPROTO);
    close(peer);
    close(fd);
}

static void test_a_peer_that_stalls_in_the_handshake_is_given_up(void **state)
{
    (void)state;
    listen_tls(server_context(true));
    int silent = wire_tcp(listener_local(listener));
    while (!server.stream)
        loop_run_once(&loop);
    loop_skip(&loop, DURATION_MS(4900));
    loop_run_once(&loop);
    assert_false(server.closed);
    loop_skip(&loop, DURATION_MS(200));
    assert_true(run_until(&loop, &server.closed, SOON));
    assert_int_equal(server.reason, CS_ETIMEOUT);
    close(silent);
}

static void test_a_peer_that_leaves_in_the_handshake_is_no_regular_end(void **state)
{
    (void)state;
    listen_tls(server_context(true));
    int leaver = wire_tcp(listener_local(listener));
    wire_send(leaver, SPAN("\x16\x03\x01\x00\x80\x01\x00"));
    while (!server.stream)
        loop_run_once(&loop);
    close(leaver);
    assert_true(run_until(&loop, &server.closed, SOON));
    assert_int_equal(server.reason, UV_ECONNRESET);
}

/* A relay between client and server: whoever sits on the wire. */
static int relay_in, relay_out;

static void pass_on(int from, int to, size_t step)
{
    char b[1000];
    ssize_t n = recv(from, b, step, MSG_DONTWAIT);
    if (n > 0)
        assert_int_equal(send(to, b, (size_t)n, MSG_NOSIGNAL), n);
}

/* At most step bytes in each direction. */
static void relay(size_t step)
{
    pass_on(relay_in, relay_out, step);
    pass_on(relay_out, relay_in, step);
    loop_run_once(&loop);
}

static void connect_relayed(void)
{
    struct addr at;
    int fd = wire_tcp_listening(&at);
    struct tls_context *tls = client_context(&client_pki, &ca);
    listen_tls(server_context(true));
    assert_int_equal(
        stream_connect_tcp(&loop, &at, NULL, &limits, &events, &client, &client.stream), 0);
    assert_int_equal(stream_start_tls(client.stream, tls, "sip.example"), 0);
    tls_context_unref(&tls);
    relay_in = wire_accept(&loop, fd);
    relay_out = wire_tcp(listener_local(listener));
    close(fd);
    static const int on = 1; /* each piece in a segment of its own */
    setsockopt(relay_in, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(relay_out, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void test_records_may_be_split_anywhere(void **state)
{
    (void)state;
    server.echo = true;
    connect_relayed();
    for (int i = 0; i < 5000 && !server.opened; i++)
        relay(1 + (size_t)i % 7);
    assert_true(server.opened && client.opened);
    stream_write(client.stream, SPAN("split me, please"));
    for (int i = 0; i < 1000 && client.got < 16; i++)
        relay(1);
    assert_int_equal(client.got, 16);
    assert_int_equal(client.sum, server.sum);
    close(relay_in);
    close(relay_out);
}

static void test_what_is_written_in_a_turn_is_one_record(void **state)
{
    unsigned char b[1000];
    (void)state;
    connect_relayed();
    for (int i = 0; i < 5000 && !server.opened; i++)
        relay(1000);
    for (int i = 0; i < 3; i++)
        stream_write(client.stream, SPAN("xyz"));
    loop_run_once(&loop);
    ssize_t n = recv(relay_in, b, sizeof(b), 0);
    assert_in_range(n, 5 + 9, 5 + 9 + 40);
    assert_int_equal(b[3] << 8 | b[4], n - 5); /* RFC 8446, 5.1: the length of the only record */
    close(relay_in);
    close(relay_out);
}

static void test_a_connection_cut_in_the_middle_is_no_regular_end(void **state)
{
    (void)state;
    connect_relayed();
    for (int i = 0; i < 5000 && !server.opened; i++)
        relay(1000);
    stream_write(client.stream, SPAN("to be cut"));
    loop_run_once(&loop);
    char b[14]; /* a part of the record */
    assert_int_equal(recv(relay_in, b, sizeof(b), 0), sizeof(b));
    assert_int_equal(send(relay_out, b, sizeof(b), MSG_NOSIGNAL), sizeof(b));
    close(relay_out);
    close(relay_in);
    assert_true(run_until(&loop, &server.closed, SOON));
    assert_int_equal(server.reason, UV_ECONNRESET);
    assert_int_equal(server.got, 0);
}

static void test_a_changed_byte_on_the_wire_ends_one_stream_and_no_other(void **state)
{
    struct side second = { 0 };
    (void)state;
    connect_relayed();
    for (int i = 0; i < 5000 && !server.opened; i++)
        relay(1000);
    struct side first = server;
    stream_set_arg(server.stream, &first);
    server = (struct side){ 0 };
    struct tls_context *tls = client_context(&client_pki, &ca);
    assert_int_equal(stream_connect_tcp(&loop, listener_local(listener), NULL, &limits, &events,
                                        &second, &second.stream),
                     0);
    assert_int_equal(stream_start_tls(second.stream, tls, "sip.example"), 0);
    tls_context_unref(&tls);
    assert_true(run_until(&loop, &server.opened, SOON));

    char b[64];
    stream_write(client.stream, SPAN("to be changed"));
    loop_run_once(&loop);
    ssize_t n = recv(relay_in, b, sizeof(b), 0);
    assert_true(n > 20);
    b[n - 1] ^= 1;
    assert_int_equal(send(relay_out, b, (size_t)n, MSG_NOSIGNAL), n);
    assert_true(run_until(&loop, &first.closed, SOON));
    assert_int_equal(first.reason, CS_EPROTO);
    assert_int_equal(first.got, 0);

    stream_write(second.stream, SPAN("unharmed"));
    assert_true(run_until_count(&loop, &server.got, 8, SOON));
    stream_close(second.stream, 0);
    assert_true(run_until(&loop, &second.closed, SOON));
    close(relay_in);
    close(relay_out);
}

static void test_closing_in_the_handshake_leaks_nothing(void **state)
{
    (void)state;
    listen_tls(server_context(true));
    connect_tls(client_context(&client_pki, &ca), "sip.example");
    stream_write(client.stream, SPAN("never sent"));
    while (!server.stream)
        loop_run_once(&loop);
    stream_close(client.stream, CS_ECLOSED);
    assert_true(run_until(&loop, &client.closed, SOON));
    assert_int_equal(client.reason, CS_ECLOSED);
    assert_true(run_until(&loop, &server.closed, SOON));
    assert_int_equal(server.got, 0);
}

static void test_a_server_must_be_known_by_some_name(void **state)
{
    struct tls_context *tls = client_context(NULL, &ca);
    (void)state;
    assert_int_equal(
        stream_connect_unix(&loop, tmp_path("no.sock"), &limits, &events, &client, &client.stream),
        0);
    assert_int_equal(stream_start_tls(client.stream, tls, NULL), CS_ECONF);
    assert_int_equal(stream_start_tls(client.stream, tls, ""), CS_ECONF);
    tls_context_unref(&tls);
}

static void test_files_that_cannot_be_used_are_refused(void **state)
{
    const char *text = tmp_file("text.pem", "no PEM", 6);
    const struct tls_conf bad[] = {
        { .role = TLS_CLIENT },
        { .role = TLS_CLIENT, .ca_file = "/nonexistent" },
        { .role = TLS_CLIENT, .ca_file = text },
        { .role = TLS_CLIENT, .ca_file = ca.certificate, .certificate_file = ca.certificate },
        { .role = TLS_SERVER },
        { .role = TLS_SERVER, .certificate_file = text, .key_file = server_pki.key },
        { .role = TLS_SERVER, .certificate_file = server_pki.certificate, .key_file = text },
        { .role = TLS_SERVER, .certificate_file = server_pki.certificate, .key_file = ca.key },
        { .role = TLS_SERVER,
          .certificate_file = server_pki.certificate,
          .key_file = server_pki.key,
          .require_certificate = true },
    };
    (void)state;
    for (size_t i = 0; i < CS_LEN(bad); i++) {
        struct tls_context *c;
        assert_int_equal(tls_context_new(&bad[i], &c), CS_ECONF);
        assert_null(c);
    }
}

int main(void)
{
    ca = pki_authority("ca");
    other_ca = pki_authority("other-ca");
    server_pki = pki_certificate(&ca, "server", "DNS:sip.example,IP:127.0.0.1");
    client_pki = pki_certificate(&ca, "registrar-1", "DNS:r1.example,DNS:r1.alias.example");
    stranger_pki = pki_certificate(&other_ca, "stranger", "DNS:r1.example");
    const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
        TEST(test_each_side_reads_what_the_other_shows),
        TEST(test_a_client_without_certificate_is_good_where_none_is_required),
        TEST(test_megabytes_arrive_whole_and_in_order),
        TEST(test_what_is_written_in_a_turn_is_one_record),
        TEST(test_an_end_is_told_as_an_end),
        TEST(test_a_server_of_another_authority_is_refused),
        TEST(test_a_server_of_another_name_is_refused),
        TEST(test_a_client_without_certificate_is_refused_where_one_is_required),
        TEST(test_a_client_of_another_authority_is_refused),
        TEST(test_plaintext_to_a_tls_port_is_refused),
        TEST(test_a_server_that_speaks_plaintext_is_refused),
        TEST(test_a_peer_that_stalls_in_the_handshake_is_given_up),
        TEST(test_a_peer_that_leaves_in_the_handshake_is_no_regular_end),
        TEST(test_records_may_be_split_anywhere),
        TEST(test_a_connection_cut_in_the_middle_is_no_regular_end),
        TEST(test_a_changed_byte_on_the_wire_ends_one_stream_and_no_other),
        TEST(test_closing_in_the_handshake_leaks_nothing),
        TEST(test_a_server_must_be_known_by_some_name),
        TEST(test_files_that_cannot_be_used_are_refused),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
