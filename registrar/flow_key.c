#include "registrar/flow_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/rand.h"

enum { KEY_LEN = 32, LINE_MAX_LEN = 64 };

static int write_key(int fd)
{
    unsigned char key[KEY_LEN];
    char line[LINE_MAX_LEN];
    struct buf b = BUF_INIT(line);
    rand_bytes(key, sizeof(key));
    buf_base64url(&b, key, sizeof(key));
    buf_putc(&b, '\n');
    ssize_t n = write(fd, b.p, b.n);
    int err = n == (ssize_t)b.n && fsync(fd) == 0 ? 0 : n < 0 ? -errno : -EIO;
    ct_wipe(key, sizeof(key));
    ct_wipe(line, sizeof(line));
    return err;
}

/* Under a name of its own first: nobody is to find half a key, and of several who make one at the
 * same time the first wins. */
static int make_file(const char *path)
{
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof(temporary), "%s.%d", path, (int)getpid()) >= PATH_MAX)
        return -ENAMETOOLONG;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int err = write_key(fd);
    close(fd);
    if (!err && link(temporary, path))
        err = -errno;
    unlink(temporary);
    return err;
}

int flow_key_load(const char *path, struct secret *out)
{
    if (!path) {
        unsigned char key[KEY_LEN];
        rand_bytes(key, sizeof(key));
        int err = secret_set(out, span_of(key, sizeof(key)));
        ct_wipe(key, sizeof(key));
        return err;
    }
    int err = secret_read_file(out, path);
    if (err == -ENOENT) {
        err = make_file(path);
        if (!err || err == -EEXIST)
            err = secret_read_file(out, path);
    }
    if (!err && out->n < KEY_LEN) {
        secret_fini(out);
        err = CS_EPROTO;
    }
    return err;
}

int flow_key_derive(const struct secret *key, struct route_key *out)
{
    const struct span label = SPAN("countersign route");
    unsigned char derived[HMAC_LEN];
    struct hmac *h;
    *out = (struct route_key){ 0 };
    int err = hmac_new(secret_span(key), &h);
    if (!err)
        err = hmac_of(h, &label, 1, derived);
    if (!err)
        err = route_key_init(out, span_of(derived, sizeof(derived)));
    hmac_free(&h);
    ct_wipe(derived, sizeof(derived));
    return err;
}
