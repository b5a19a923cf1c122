#include "lib/pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "lib/redis_server.h"
#include "lib/tmp.h"

static const char *path_of(const char *name, const char *ending)
{
    char file[128];
    snprintf(file, sizeof(file), "%s%s", name, ending);
    return tmp_path(file);
}

static struct pki make(const char *name, const char *more)
{
    struct pki p = { path_of(name, ".crt"), path_of(name, ".key") };
    char command[2048];
    snprintf(command, sizeof(command),
             "umask 077; echo '[req]\ndistinguished_name=dn\n[dn]' >%s/req.cnf; "
             "openssl req -x509 -config %s/req.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
             "-nodes -days 30 -subj /CN=%s -out %s -keyout %s %s 2>/dev/null",
             tmp_dir(), tmp_dir(), name, p.certificate, p.key, more);
    int status = system(command); /* NOLINT(cert-env33-c): a test's own words */
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        puts("skipped: the openssl command is not installed");
        exit(TEST_SKIPPED);
    }
    if (status) {
        fprintf(stderr, "openssl makes no certificate: %s\n", command);
        exit(1);
    }
    return p;
}

struct pki pki_authority(const char *name)
{
    return make(name, "-addext basicConstraints=critical,CA:TRUE "
                      "-addext keyUsage=critical,keyCertSign,cRLSign");
}

struct pki pki_certificate(const struct pki *authority, const char *name, const char *names)
{
    char more[1024];
    snprintf(more, sizeof(more),
             "-CA %s -CAkey %s -addext basicConstraints=CA:FALSE -addext subjectAltName=%s",
             authority->certificate, authority->key, names);
    return make(name, more);
}
