#include "base/ct.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool ct_eq(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

void ct_wipe(void *p, size_t n)
{
    if (n)
        OPENSSL_cleanse(p, n);
}

void secret_fini(struct secret *s)
{
    if (s->p) {
        ct_wipe(s->p, s->n);
        free(s->p);
    }
    *s = (struct secret){ 0 };
}

int secret_set(struct secret *s, struct span value)
{
    unsigned char *p = malloc(value.n + 1);
    if (!p)
        return CS_ENOMEM;
    if (value.n)
        memcpy(p, value.p, value.n);
    p[value.n] = '\0';
    secret_fini(s);
    *s = (struct secret){ p, value.n };
    return 0;
}

int secret_read_file(struct secret *s, const char *path)
{
    char data[65536 + 1];
    struct stat st;
    int err = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = 0;
    if (fstat(fd, &st) < 0)
        err = -errno;
    else if (st.st_mode & 07)
        err = CS_EDENIED;
    else if ((n = read(fd, data, sizeof(data))) < 0)
        err = -errno;
    else if (n > 65536)
        err = CS_ELIMIT;
    close(fd);
    if (!err) {
        struct span value = span_of(data, (size_t)n);
        while (value.n && (value.p[value.n - 1] == '\n' || value.p[value.n - 1] == '\r'))
            value.n--;
        err = secret_set(s, value);
    }
    ct_wipe(data, sizeof(data));
    return err;
}

int secret_take_env(struct secret *s, const char *name)
{
    char *value = getenv(name);
    if (!value)
        return CS_ENOENT;
    int err = secret_set(s, span_str(value));
    ct_wipe(value, strlen(value));
    unsetenv(name);
    return err;
}
