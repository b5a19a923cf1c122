/* Certificates of listeners are read again and again: what is good is used, what is not changes
 * nothing, and nothing grows (I-45). */
#include "certs/certs.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/metric.h"
#include "lib/pki.h"
#include "lib/run.h"
#include "lib/test.h"
#include "lib/tmp.h"

#if defined(__SANITIZE_ADDRESS__)
enum { RELOADS = 3000 }; /* each costs ten times as much, and each byte is seen */
size_t __sanitizer_get_current_allocated_bytes(void); /* GCC has no header for it */
static size_t allocated(void)
{
    return __sanitizer_get_current_allocated_bytes();
}
#else
enum { RELOADS = 10000 };
static size_t allocated(void)
{
    return mallinfo2().uordblks;
}
#endif

enum { WARM = 50, SOME_BYTES = 16 * 1024 };

static struct loop loop;
static struct siptp *tp;
static struct siptp_listener *ls;
static struct certs *certs;
static struct pki ca, pki, other;
static struct listener_certificate_conf files;
static struct listener_tls_conf tls;
static struct certs_listener listener;
static struct tls_settings settings;
static struct certs_conf conf;

static void on_message(void *arg, struct flow *f, struct sip_msg *m)
{
    (void)arg, (void)f, (void)m;
}

static void on_closed(void *arg, struct flow *f)
{
    (void)arg, (void)f;
}

static void copy(const char *from, const char *to)
{
    char command[1024];
    snprintf(command, sizeof(command), "cp %s %s.new && chmod 600 %s.new && mv %s.new %s", from, to,
             to, to, to);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own words */
}

static int setup(void **state)
{
    static const struct siptp_events events = { on_message, on_closed };
    struct addr any;
    (void)state;
    files =
        (struct listener_certificate_conf){ tmp_path("used.crt"), tmp_path("used.key"), NULL, 0 };
    copy(pki.certificate, files.certificate_file);
    copy(pki.key, files.key_file);
    tls = (struct listener_tls_conf){ .certificates = &files, .n_certificates = 1 };
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), 0, &any), 0);
    listener = (struct certs_listener){ SPAN("tls"), &tls };
    settings.tickets = DURATION_S(3600);
    conf = (struct certs_conf){ .tls = &settings, .listeners = &listener, .n_listeners = 1 };
    assert_int_equal(loop_init(&loop), 0);
    assert_int_equal(siptp_new(&loop, &(struct siptp_conf){ 0 }, &events, NULL, &tp), 0);
    assert_int_equal(siptp_listen(tp, SIP_TLS, &any, SPAN("tls"), SPAN_NULL, &ls), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    certs_close(&certs);
    siptp_free(&tp);
    return run_down(&loop) ? 0 : -1;
}

static void open_certs(void)
{
    assert_int_equal(certs_open(&loop, &conf, tp, NULL, &certs), 0);
    certs_serve(certs, 0, ls);
}

static struct cert_state state_of(size_t i)
{
    struct cert_state s;
    assert_true(certs_state(certs, i, &s));
    return s;
}

static void test_thousands_of_reloads_leave_nothing_behind(void **state)
{
    size_t before = 0;
    (void)state;
    log_setup(LOG_ERROR, LOG_TEXT);
    open_certs();
    for (int i = 0; i < RELOADS; i++) {
        if (i == WARM)
            before = allocated();
        certs_reload(certs);
    }
    size_t after = allocated();
    if (after > before + SOME_BYTES)
        fail_msg("%zu bytes before, %zu after", before, after);
    assert_false(state_of(0).refused);
}

static void test_what_cannot_be_used_changes_nothing(void **state)
{
    (void)state;
    open_certs();
    int64_t used = metric_get(M_TLS_LOADS, 0), refused = metric_get(M_TLS_LOADS, 1);
    assert_false(certs_look(certs)); /* nothing is new */
    copy(other.certificate, files.certificate_file);
    assert_true(certs_look(certs));
    assert_true(state_of(0).refused); /* the key is of another one */
    assert_true(state_of(0).expiry.certificate.ms > 0);
    assert_int_equal(metric_get(M_TLS_LOADS, 1), refused + 1);
    copy(other.key, files.key_file);
    assert_true(certs_look(certs));
    assert_false(state_of(0).refused);
    assert_int_equal(metric_get(M_TLS_LOADS, 0), used + 1);
    unlink(files.key_file);
    assert_true(certs_look(certs));
    assert_true(state_of(0).refused);
}

static void test_files_that_change_are_read_again(void **state)
{
    (void)state;
    open_certs();
    int64_t used = metric_get(M_TLS_LOADS, 0);
    copy(other.key, files.key_file);
    copy(other.certificate, files.certificate_file);
    for (unsigned i = 0; i < 500 && metric_get(M_TLS_LOADS, 0) == used; i++)
        run_for(&loop, 10);
    assert_int_equal(metric_get(M_TLS_LOADS, 0), used + 1);
    assert_false(state_of(0).refused);
}

static void test_what_expires_soon_is_told(void **state)
{
    (void)state;
    open_certs(); /* of 30 days */
    int64_t expires = metric_get(M_TLS_EXPIRES, 0);
    assert_in_range(expires, clock_wall().ms / 1000 + 29 * 86400,
                    clock_wall().ms / 1000 + 31 * 86400);
    assert_int_equal(metric_get(M_TLS_EXPIRING, 0), 0);
    loop_skip(&loop, DURATION_S(17 * 86400));
    assert_int_equal(metric_get(M_TLS_EXPIRING, 0), 1);
    assert_int_equal(metric_get(M_TLS_EXPIRES, 0), expires);
    assert_int_equal(metric_get(M_TLS_EXPIRES, 1), 0);
}

static void test_a_start_wants_what_it_names(void **state)
{
    (void)state;
    unlink(files.certificate_file);
    assert_int_equal(certs_open(&loop, &conf, tp, NULL, &certs), CS_ECONF);
    assert_null(certs);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_thousands_of_reloads_leave_nothing_behind),
        T(test_what_cannot_be_used_changes_nothing),
        T(test_files_that_change_are_read_again),
        T(test_what_expires_soon_is_told),
        T(test_a_start_wants_what_it_names),
    };
    ca = pki_authority("ca");
    pki = pki_certificate(&ca, "one", "DNS:one.example.com");
    other = pki_certificate(&ca, "two", "DNS:two.example.com");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
