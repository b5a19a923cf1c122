/* TLS of phones, and to peers: who is accepted, who is believed, and which connection serves
 * (RFC 5922, 7; RFC 5923, 5). */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/pki.h"
#include "unit/siptp/world.h"

static struct world w;
static struct siptp_listener *tls;
static struct pki ca, server_pki, client_pki, narrow_pki;

static int setup(void **state)
{
    const struct addr any = loopback(0);
    (void)state;
    world_open(&w, &(struct siptp_conf){ .max_handshakes = 2, .first_message = DURATION_S(3) });
    return siptp_listen(w.tp, SIP_TLS, &any, SPAN("tls"), SPAN_NULL, &tls);
}

static int teardown(void **state)
{
    (void)state;
    world_close(&w);
    return 0;
}

static struct tls_context *context(struct tls_conf conf)
{
    struct tls_context *c;
    conf.ca_file = ca.certificate;
    conf.sip_names = conf.role == TLS_CLIENT;
    assert_int_equal(tls_context_new(&conf, &c), 0);
    return c;
}

static void serve(const struct pki *pki, bool ask)
{
    struct tls_context *c = context((struct tls_conf){ .role = TLS_SERVER,
                                                       .certificate_file = pki->certificate,
                                                       .key_file = pki->key,
                                                       .ask_certificate = ask });
    siptp_listener_use_tls(tls, c);
    tls_context_unref(&c);
}

static void be_client(const struct pki *own, const struct tls_pin *pin)
{
    struct tls_context *c =
        context((struct tls_conf){ .role = TLS_CLIENT,
                                   .certificate_file = own ? own->certificate : NULL,
                                   .key_file = own ? own->key : NULL,
                                   .pins = pin,
                                   .n_pins = pin ? 1 : 0 });
    siptp_use_tls(w.tp, c);
    tls_context_unref(&c);
}

static struct flow *flow_to(const char *domain)
{
    struct flow *f;
    assert_int_equal(
        siptp_flow_to_domain(w.tp, SIP_TLS, siptp_listener_local(tls), span_str(domain), NULL, &f),
        0);
    return f;
}

/* Whether a request gets through to a server of this domain. */
static bool reaches(const char *domain)
{
    struct flow *f = flow_to(domain);
    size_t before = w.messages;
    assert_int_equal(flow_send(f, request("TLS there;branch=z9hG4bK1", "")), 0);
    for (unsigned i = 0; i < 500 && f->open && w.messages == before; i++)
        run_for(&w.loop, 10);
    bool open = f->open;
    assert_int_equal(open, w.messages > before);
    flow_unref(&f);
    return open;
}

static void test_a_server_is_believed_for_its_own_domain_only(void **state)
{
    (void)state;
    serve(&server_pki, false);
    be_client(NULL, NULL);
    assert_true(reaches("example.com"));
    assert_int_equal(w.flow->transport, SIP_TLS);
    assert_true(flow_is_secure(w.flow));
    assert_false(reaches("other.example.com"));
    assert_false(reaches(NULL)); /* nor for its address */
}

/* G-10 */
static void test_a_pinned_key_is_the_only_one(void **state)
{
    struct tls_pin pin;
    unsigned char *der = NULL;
    unsigned n;
    (void)state;
    FILE *f = fopen(server_pki.certificate, "r");
    X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    assert_int_equal(EVP_Digest(der, (size_t)len, pin.sha256, &n, EVP_sha256(), NULL), 1);
    OPENSSL_free(der);
    X509_free(x);
    serve(&server_pki, false);
    be_client(NULL, &pin);
    assert_true(reaches("example.com"));
    pin.sha256[0] ^= 1;
    be_client(NULL, &pin);
    siptp_close_some(w.tp, 10);
    assert_true(run_until_count(&w.loop, &w.closed, 2, 2000));
    assert_false(reaches("example.com"));
}

static void test_a_connection_serves_its_domain_and_not_who_came_by_it(void **state)
{
    struct flow *back;
    (void)state;
    serve(&server_pki, false);
    be_client(NULL, NULL);
    struct flow *a = flow_to("example.com"), *b = flow_to("EXAMPLE.com"), *c = flow_to("other.com");
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_int_equal(flow_send(a, request("TLS there;branch=z9hG4bK1", "")), 0);
    until_messages(&w, 1);
    const struct addr from = w.flow->remote; /* what was accepted is a way back for answers alone */
    assert_int_equal(siptp_flow_to_domain(w.tp, SIP_TLS, &from, SPAN("example.com"), NULL, &back),
                     0);
    assert_ptr_not_equal(back, w.flow);
    flow_unref(&back);
    assert_int_equal(siptp_flow_to(w.tp, SIP_TCP, siptp_listener_local(tls), NULL, &back), 0);
    assert_ptr_not_equal(back, a); /* nor is TLS a way for what is to go over TCP */
    flow_unref(&back);
    flow_unref(&a);
    flow_unref(&b);
    flow_unref(&c);
}

static void test_a_token_of_a_connection_we_made_asks_for_the_domain_again(void **state)
{
    char text[FLOW_TOKEN_MAX];
    struct flow_token t;
    struct flow *f;
    (void)state;
    serve(&server_pki, false);
    be_client(NULL, NULL);
    assert_true(reaches("example.com"));
    struct flow *a = flow_to("example.com");
    struct buf b = buf_of(text, sizeof(text));
    flow_token(a, &b);
    assert_int_equal(flow_token_read(w.tp, buf_span(&b), &t), 0);
    assert_int_equal(t.transport, SIP_TLS);
    assert_int_equal(siptp_flow_by_token(w.tp, buf_span(&b), &f), 0);
    assert_ptr_equal(f, a);
    flow_unref(&f);
    flow_close(a);
    assert_int_equal(siptp_flow_by_token(w.tp, buf_span(&b), &f), 0);
    assert_ptr_not_equal(f, a);
    assert_true(reaches("example.com"));
    assert_true(f->open);
    flow_close(f);
    flow_unref(&f);
    serve(&client_pki, false); /* somebody else has the address now */
    assert_int_equal(siptp_flow_by_token(w.tp, buf_span(&b), &f), 0);
    for (unsigned i = 0; i < 200 && f->open; i++)
        run_for(&w.loop, 5);
    assert_false(f->open);
    flow_unref(&f);
    flow_unref(&a);
}

/* Whether what is sent to this domain at this port goes by the connection of w.flow. */
static bool leads_back(uint16_t port, const char *domain)
{
    struct flow *f;
    struct addr to = w.flow->remote;
    addr_set_port(&to, port);
    assert_int_equal(siptp_flow_to_domain(w.tp, SIP_TLS, &to, span_str(domain), NULL, &f), 0);
    bool back = f == w.flow;
    if (!back)
        flow_close(f);
    flow_unref(&f);
    return back;
}

static struct flow *come(const struct pki *own, const char *via)
{
    be_client(own, NULL);
    struct flow *f = flow_to("example.com");
    size_t before = w.messages;
    assert_int_equal(flow_send(f, request(via, "")), 0);
    until_messages(&w, before + 1);
    return f;
}

/* RFC 5923, 8.2 and 9.2 */
static void test_who_proves_a_domain_has_its_requests_by_his_connection(void **state)
{
    static const struct {
        const struct pki *own;
        const char *via;
        uint16_t port;
        bool leads;
    } t[] = {
        { &client_pki, "TLS there:7777;alias;branch=z9hG4bK1", 7777, true },
        { &client_pki, "TLS there;branch=z9hG4bK1;ALIAS", 5061, true },
        { &client_pki, "TLS there:7777;branch=z9hG4bK1", 7777, false },
        { &client_pki, "TLS there:7777;alias;branch=z9hG4bK1", 7778, false },
        { &narrow_pki, "TLS there:7777;alias;branch=z9hG4bK1", 7777, false },
        { NULL, "TLS there:7777;alias;branch=z9hG4bK1", 7777, false },
    };
    (void)state;
    serve(&server_pki, true);
    for (size_t i = 0; i < CS_LEN(t); i++) {
        struct flow *f = come(t[i].own, t[i].via);
        assert_false(leads_back(t[i].port, "client.example.com")); /* nobody has accepted him */
        flow_accepted(w.flow);
        assert_int_equal(leads_back(t[i].port, "client.example.com"), t[i].leads);
        assert_false(leads_back(t[i].port, "example.com"));
        assert_false(leads_back(t[i].port, NULL));
        struct flow *gone = flow_ref(w.flow);
        flow_close(gone);
        assert_false(leads_back(t[i].port, "client.example.com"));
        flow_unref(&gone);
        flow_close(f);
        flow_unref(&f);
    }
}

static bool offers_alias(const struct flow *f)
{
    char via[256];
    struct buf b = BUF_INIT(via);
    flow_write_via(&b, f, SPAN("z9hG4bK1"));
    buf_putc(&b, 0);
    return strstr(via, ";alias;") != NULL;
}

static void test_we_offer_what_we_make_with_the_certificate_of_its_listener(void **state)
{
    (void)state;
    serve(&server_pki, false);
    const struct pki *const own[] = { NULL, &client_pki, &server_pki };
    for (size_t i = 0; i < CS_LEN(own); i++) {
        be_client(own[i], NULL);
        struct flow *f = flow_to("example.com");
        assert_int_equal(offers_alias(f), own[i] == &server_pki);
        flow_close(f);
        flow_unref(&f);
    }
    assert_true(reaches("example.com"));
    assert_false(offers_alias(w.flow)); /* what was accepted is its client's to offer */
}

static void test_a_token_has_room_for_the_longest_domain(void **state)
{
    char domain[256], text[FLOW_TOKEN_MAX];
    struct flow *a, *f;
    (void)state;
    be_client(NULL, NULL);
    for (size_t n = 253; n < 255; n++) {
        struct buf b = BUF_INIT(text);
        memset(domain, 'd', n);
        domain[n] = 0;
        a = flow_to(domain);
        flow_token(a, &b);
        assert_true(buf_ok(&b));
        assert_int_equal(siptp_flow_by_token(w.tp, buf_span(&b), &f), 0);
        assert_ptr_equal(f, a);
        flow_unref(&f);
        flow_unref(&a);
    }
}

static void test_what_a_client_has_shown_stays_with_its_flow(void **state)
{
    X509 *issuer, *x;
    (void)state;
    serve(&server_pki, true);
    be_client(&client_pki, NULL);
    assert_true(reaches("example.com"));
    x = flow_certificate(w.flow, &issuer);
    assert_non_null(x);
    assert_int_equal(X509_check_host(x, "client.example.com", 0, 0, NULL), 1);
    assert_int_equal(X509_check_issued(issuer, x), X509_V_OK);
    flow_close(w.flow);
    assert_ptr_equal(flow_certificate(w.flow, &issuer), x);
    struct flow *ours = flow_to("example.com"); /* a server's is none of a client */
    assert_null(flow_certificate(ours, &issuer));
    flow_unref(&ours);
}

static void test_who_has_shown_nothing_has_nothing(void **state)
{
    X509 *issuer;
    (void)state;
    serve(&server_pki, true);
    be_client(NULL, NULL);
    assert_true(reaches("example.com"));
    assert_null(flow_certificate(w.flow, &issuer));
    assert_null(issuer);
}

static void test_nothing_is_accepted_before_there_is_a_certificate(void **state)
{
    char byte;
    struct flow *f;
    (void)state;
    int fd = wire_tcp(siptp_listener_local(tls));
    run_for(&w.loop, 50);
    assert_true(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
    assert_int_equal(siptp_flow_to(w.tp, SIP_TLS, siptp_listener_local(tls), NULL, &f), CS_ENOTSUP);
}

static void test_of_handshakes_at_once_the_oldest_makes_room(void **state)
{
    int fds[3];
    char byte;
    int64_t before = metric_get(M_SIP_REFUSED, REFUSED_HANDSHAKE);
    (void)state;
    serve(&server_pki, false);
    be_client(NULL, NULL);
    for (size_t i = 0; i < CS_LEN(fds); i++)
        fds[i] = wire_tcp(siptp_listener_local(tls));
    for (unsigned i = 0; i < 200 && metric_get(M_SIP_REFUSED, REFUSED_HANDSHAKE) == before; i++)
        run_for(&w.loop, 5);
    assert_int_equal(metric_get(M_SIP_REFUSED, REFUSED_HANDSHAKE), before + 1);
    assert_int_equal(recv(fds[0], &byte, 1, 0), 0);
    assert_int_equal(recv(fds[2], &byte, 1, MSG_DONTWAIT), -1);
    assert_true(reaches("example.com"));
    for (size_t i = 0; i < CS_LEN(fds); i++)
        close(fds[i]);
    assert_true(run_until_count(&w.loop, &w.closed, 3, 2000));
}

static void test_who_never_begins_his_handshake_is_counted_once(void **state)
{
    char byte;
    int64_t shakes = metric_get(M_SIP_REFUSED, REFUSED_HANDSHAKE);
    int64_t late = metric_get(M_SIP_REFUSED, REFUSED_TIMEOUT);
    (void)state;
    serve(&server_pki, false);
    int fd = wire_tcp(siptp_listener_local(tls));
    int64_t flows = metric_get(M_SIP_FLOWS, SIP_TLS);
    for (unsigned i = 0; i < 200 && metric_get(M_SIP_FLOWS, SIP_TLS) == flows; i++)
        run_for(&w.loop, 5);
    loop_skip(&w.loop, DURATION_S(4));
    assert_true(run_until_count(&w.loop, &w.closed, 1, 2000));
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    assert_int_equal(metric_get(M_SIP_REFUSED, REFUSED_HANDSHAKE), shakes + 1);
    assert_int_equal(metric_get(M_SIP_REFUSED, REFUSED_TIMEOUT), late);
    close(fd);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_server_is_believed_for_its_own_domain_only),
        T(test_a_pinned_key_is_the_only_one),
        T(test_a_connection_serves_its_domain_and_not_who_came_by_it),
        T(test_a_token_of_a_connection_we_made_asks_for_the_domain_again),
        T(test_who_proves_a_domain_has_its_requests_by_his_connection),
        T(test_we_offer_what_we_make_with_the_certificate_of_its_listener),
        T(test_a_token_has_room_for_the_longest_domain),
        T(test_what_a_client_has_shown_stays_with_its_flow),
        T(test_who_has_shown_nothing_has_nothing),
        T(test_nothing_is_accepted_before_there_is_a_certificate),
        T(test_of_handshakes_at_once_the_oldest_makes_room),
        T(test_who_never_begins_his_handshake_is_counted_once),
    };
    ca = pki_authority("ca");
    server_pki = pki_certificate(&ca, "server", "URI:sip:example.com,DNS:other.example.com");
    client_pki = pki_certificate(&ca, "client", "DNS:client.example.com");
    narrow_pki = pki_certificate(&ca, "narrow", "URI:sip:alice@client.example.com"); /* a user */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
