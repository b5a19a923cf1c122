#include "lib/tmp.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[] = "/tmp/cs-test-XXXXXX";
static pid_t owner; /* a forked child must not remove it */

struct name {
    struct name *next;
    char path[256];
};
static struct name *names;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void clean(void)
{
    while (names) {
        struct name *next = names->next;
        free(names);
        names = next;
    }
    if (getpid() == owner)
        nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *tmp_dir(void)
{
    if (owner)
        return dir;
    if (!mkdtemp(dir)) {
        perror(dir);
        exit(1);
    }
    owner = getpid();
    atexit(clean);
    return dir;
}

const char *tmp_path(const char *name)
{
    struct name *n = malloc(sizeof(*n));
    if (!n)
        abort();
    snprintf(n->path, sizeof(n->path), "%s/%s", tmp_dir(), name);
    n->next = names;
    names = n;
    return n->path;
}

const char *tmp_file(const char *name, const void *data, size_t n)
{
    const char *path = tmp_path(name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f)) {
        perror(path);
        exit(1);
    }
    return path;
}
