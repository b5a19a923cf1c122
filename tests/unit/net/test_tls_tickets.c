#include "net/tls_tickets.h"

#include <openssl/ssl.h>

#include "base/ct.h"
#include "lib/pki.h"
#include "lib/test.h"
#include "net/tls_context.h"

static const struct duration period = { 3600 * 1000 };

/* The keys of a process that began with this seed so many periods ago. */
static struct tls_tickets *tickets(unsigned char seed, unsigned periods)
{
    struct tls_ticket_seed s = { .begun = { clock_mono().ns - periods * period.ms * 1000000 } };
    struct tls_tickets *t;
    memset(s.key, seed, sizeof(s.key));
    assert_int_equal(tls_tickets_new(&s, period, &t), 0);
    return t;
}

static struct span name_of(struct tls_tickets *t)
{
    return span_of(tls_tickets_current(t)->name, TLS_TICKET_NAME);
}

static void test_one_seed_makes_the_same_keys_everywhere(void **state)
{
    struct tls_tickets *a = tickets(1, 5), *b = tickets(1, 5), *c = tickets(2, 5), *later;
    struct tls_ticket_seed seed;
    (void)state;
    assert_true(span_eq(name_of(a), name_of(b)));
    assert_memory_equal(tls_tickets_current(a), tls_tickets_current(b),
                        sizeof(struct tls_ticket_key));
    assert_false(span_eq(name_of(a), name_of(c)));
    tls_tickets_seed(a, &seed); /* of a worker that is started later */
    assert_int_equal(tls_tickets_new(&seed, period, &later), 0);
    assert_true(span_eq(name_of(a), name_of(later)));
    for (struct tls_tickets **t = (struct tls_tickets *[]){ a, b, c, later, NULL }; *t;) {
        struct tls_tickets *one = *t++;
        tls_tickets_unref(&one);
    }
}

static void test_a_key_is_accepted_for_one_period_more(void **state)
{
    struct tls_tickets *made = tickets(1, 0), *same = tickets(1, 0), *next = tickets(1, 1),
                       *last = tickets(1, 2);
    const unsigned char *name = tls_tickets_current(made)->name;
    bool old;
    (void)state;
    assert_non_null(tls_tickets_find(same, name, &old));
    assert_false(old);
    const struct tls_ticket_key *k = tls_tickets_find(next, name, &old);
    assert_true(k && old);
    assert_memory_equal(k, tls_tickets_current(made), sizeof(*k));
    assert_null(tls_tickets_find(last, name, &old));
    assert_false(old);
    tls_tickets_unref(&made);
    tls_tickets_unref(&same);
    tls_tickets_unref(&next);
    tls_tickets_unref(&last);
}

/* ---- sessions ---- */

static SSL_SESSION *ticket;

static int on_ticket(SSL *ssl, SSL_SESSION *s)
{
    (void)ssl;
    SSL_SESSION_free(ticket);
    ticket = s;
    return 1;
}

/* A handshake between a server with these keys and a client with the ticket that it has; whether
 * the session was resumed. What the server gave instead is the ticket then. */
static bool resumes(const struct pki *pki, struct tls_tickets *t, int version)
{
    struct tls_context *c;
    char one;
    assert_int_equal(tls_context_new(&(struct tls_conf){ .role = TLS_SERVER,
                                                         .certificate_file = pki->certificate,
                                                         .key_file = pki->key,
                                                         .id = SPAN("here"),
                                                         .tickets = t },
                                     &c),
                     0);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_ticket);
    SSL *server = SSL_new(c->ctx), *client = SSL_new(ctx);
    BIO *a, *b;
    assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
    SSL_set_bio(server, a, a);
    SSL_set_bio(client, b, b);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    if (ticket)
        SSL_set_session(client, ticket);
    for (int i = 0; i < 8; i++) {
        SSL_do_handshake(client);
        SSL_do_handshake(server);
    }
    assert_true(SSL_is_init_finished(client) && SSL_is_init_finished(server));
    assert_int_equal(SSL_read(client, &one, 1), -1); /* takes the ticket of TLS 1.3 */
    bool resumed = SSL_session_reused(client);
    SSL_shutdown(server);
    SSL_shutdown(client);
    SSL_free(server);
    SSL_free(client);
    SSL_CTX_free(ctx);
    tls_context_unref(&c);
    return resumed;
}

static void test_tickets_are_good_at_each_process_until_their_key_is_forgotten(void **state)
{
    const struct pki ca = pki_authority("ca"), pki = pki_certificate(&ca, "server", "DNS:here");
    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct tls_tickets *made = tickets(1, 0), *other = tickets(1, 0), *next = tickets(1, 1),
                           *last = tickets(1, 3), *foreign = tickets(9, 0);
        assert_false(resumes(&pki, made, version));
        assert_true(resumes(&pki, other, version));
        assert_true(resumes(&pki, next, version)); /* and gives a ticket of its own key */
        assert_false(resumes(&pki, foreign, version));
        assert_false(resumes(&pki, next, version));
        assert_false(resumes(&pki, last, version));
        SSL_SESSION_free(ticket);
        ticket = NULL;
        tls_tickets_unref(&made);
        tls_tickets_unref(&other);
        tls_tickets_unref(&next);
        tls_tickets_unref(&last);
        tls_tickets_unref(&foreign);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_seed_makes_the_same_keys_everywhere),
        cmocka_unit_test(test_a_key_is_accepted_for_one_period_more),
        cmocka_unit_test(test_tickets_are_good_at_each_process_until_their_key_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
