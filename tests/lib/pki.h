/* Authorities and certificates of a test's own, made by the openssl command as PEM files in the
 * temporary directory. Where it is not installed the process says so and exits with TEST_SKIPPED.
 */
#ifndef CS_TESTS_PKI_H
#define CS_TESTS_PKI_H

struct pki { /* paths */
    const char *certificate, *key;
};

/* An authority: name.crt and name.key. */
struct pki pki_authority(const char *name);
/* A certificate by this authority. names is its subjectAltName ("DNS:a.example,IP:127.0.0.1"), its
 * subject is CN=name. */
struct pki pki_certificate(const struct pki *authority, const char *name, const char *names);

#endif
