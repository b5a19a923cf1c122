#include "authd/vault/make_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "authd/vault/keyring.h"
#include "base/buf.h"
#include "base/ct.h"
#include "base/rand.h"

static const struct {
    const char *name;
    struct span head; /* before the key */
} files[] = {
    { "nonce.key", SPAN_INIT("1:") },
    { "seal.key", SPAN_INIT("1:") },
    { "admin.token", SPAN_INIT("") },
};

static int write_key(int fd, struct span head)
{
    unsigned char key[KEYRING_KEY_LEN];
    char line[128];
    struct buf b = BUF_INIT(line);
    rand_bytes(key, sizeof(key));
    buf_put(&b, head);
    buf_base64url(&b, key, sizeof(key));
    buf_putc(&b, '\n');
    ssize_t n = write(fd, b.p, b.n);
    int err = n == (ssize_t)b.n && fsync(fd) == 0 ? 0 : n < 0 ? -errno : -EIO;
    ct_wipe(key, sizeof(key));
    ct_wipe(line, sizeof(line));
    return err;
}

int make_keys(const char *folder)
{
    for (size_t i = 0; i < CS_LEN(files); i++) {
        char path[4096];
        if (snprintf(path, sizeof(path), "%s/%s", folder, files[i].name) >= (int)sizeof(path))
            return -ENAMETOOLONG;
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EEXIST) {
            printf("kept %s\n", path);
            continue;
        }
        int err = fd < 0 ? -errno : write_key(fd, files[i].head);
        if (fd >= 0)
            close(fd);
        if (err && fd >= 0)
            unlink(path); /* half a key must not be kept next time */
        if (err) {
            fprintf(stderr, "authd: %s: %s\n", path, cs_strerror(err));
            return err;
        }
        printf("made %s\n", path);
    }
    return 0;
}
