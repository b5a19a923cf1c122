/* What is served of an authority's file: its certificates as they stand there now, and no key. */
#include "registrar/authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/pki.h"
#include "lib/run.h"
#include "lib/test.h"
#include "lib/tmp.h"
#include "lib/wire.h"

static struct loop loop;
static struct pki ca, other, leaf;
static const char *file;
static struct registrar_conf conf;
static struct authority *authority;

/* Puts these files together, as one that takes the place of the one before. */
static void put(const char *first, const char *second)
{
    char command[1024];
    snprintf(command, sizeof(command), "cat %s %s > %s.new && mv %s.new %s", first, second, file,
             file, file);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own words */
}

static int setup(void **state)
{
    (void)state;
    file = tmp_path("served.crt");
    put(ca.certificate, "");
    conf = (struct registrar_conf){ .ca.file = file };
    assert_int_equal(addr_parse(SPAN("0.0.0.0"), 0, &conf.ca.listen), 0);
    return loop_init(&loop);
}

static int teardown(void **state)
{
    (void)state;
    authority_close(&authority);
    return run_down(&loop) ? 0 : -1;
}

/* The body of GET /ca.crt under any Host, good until the next call. */
static struct span fetch(void)
{
    static char text[65536];
    struct buf b = BUF_INIT(text);
    struct addr to = *authority_local(authority);
    to.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = wire_tcp(&to);
    wire_send(fd, SPAN("GET /ca.crt HTTP/1.1\r\nHost: sip.example.com:5080\r\n"
                       "Connection: close\r\n\r\n"));
    for (struct span got; (got = wire_recv(&loop, fd, 2000)).n;)
        buf_put(&b, got);
    close(fd);
    assert_true(buf_ok(&b) && span_starts(buf_span(&b), SPAN("HTTP/1.1 200 ")));
    assert_non_null(memmem(b.p, b.n, "Content-Type: application/x-x509-ca-cert\r\n", 42));
    const char *end = memmem(b.p, b.n, "\r\n\r\n", 4);
    assert_non_null(end);
    return span_skip(buf_span(&b), (size_t)(end + 4 - b.p));
}

static bool is_file(struct span got, const char *path)
{
    char text[65536];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof(text), f);
    fclose(f);
    return span_eq(got, span_of(text, n));
}

static void test_the_certificate_is_served_as_it_stands_there(void **state)
{
    char before[AUTHORITY_SHA256];
    (void)state;
    assert_int_equal(authority_open(&loop, &conf, &authority), 0);
    assert_true(is_file(fetch(), ca.certificate));
    assert_int_equal(strlen(authority_sha256(authority)), AUTHORITY_SHA256 - 1);
    memcpy(before, authority_sha256(authority), sizeof(before));
    put(other.certificate, "");
    for (unsigned i = 0; i < 300 && !is_file(fetch(), other.certificate); i++)
        run_for(&loop, 10);
    assert_true(is_file(fetch(), other.certificate)); /* without being told */
    assert_string_not_equal(before, authority_sha256(authority));
}

static void test_a_key_beside_it_stays_there(void **state)
{
    (void)state;
    put(ca.key, ca.certificate);
    assert_int_equal(authority_open(&loop, &conf, &authority), 0);
    assert_true(is_file(fetch(), ca.certificate));
    put(ca.certificate, ca.key);
    authority_reload(authority);
    assert_true(is_file(fetch(), ca.certificate));
}

static void test_what_is_no_authority_is_not_served(void **state)
{
    (void)state;
    assert_int_equal(authority_open(&loop, &conf, &authority), 0);
    put(leaf.certificate, "");
    authority_reload(authority);
    put(ca.key, "");
    authority_reload(authority);
    assert_int_equal(unlink(file), 0);
    authority_reload(authority);
    assert_true(is_file(fetch(), ca.certificate)); /* what was there before */
    authority_close(&authority);
    assert_int_equal(authority_open(&loop, &conf, &authority), CS_ECONF);
    put(other.certificate, leaf.certificate);
    assert_int_equal(authority_open(&loop, &conf, &authority), CS_ECONF);
    assert_null(authority);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_certificate_is_served_as_it_stands_there, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_key_beside_it_stays_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_authority_is_not_served, setup, teardown),
    };
    ca = pki_authority("ca");
    other = pki_authority("other");
    leaf = pki_certificate(&ca, "leaf", "DNS:leaf.example");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
