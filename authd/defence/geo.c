#include "authd/defence/geo.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metric.h"

enum { FILE_MAX = 512 * 1024 * 1024 };

struct geo {
    struct loop *loop;
    const struct geo_conf *conf;
    MMDB_s db;
    bool open;
    struct stat seen; /* the file that was tried last */
    struct timer timer;
};

static const struct log lg = { .module = "geo" };

/* ---- the file ---- */

/* A copy in memory that nobody else can write to: the library maps what it reads, and a mapped file
 * that somebody cuts short kills who reads it. */
static int copy_of(const char *path, struct stat *st)
{
    int to = -1, err = 0;
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (from < 0)
        return -errno;
    if (fstat(from, st))
        err = -errno;
    else if (!S_ISREG(st->st_mode) || st->st_size == 0 || st->st_size > FILE_MAX)
        err = CS_EPROTO;
    if (!err) {
        to = memfd_create("countries", MFD_CLOEXEC);
        err = to < 0 ? -errno : 0;
    }
    for (off_t left = st->st_size; !err && left > 0;) {
        ssize_t n = sendfile(to, from, NULL, (size_t)left);
        if (n <= 0)
            err = n < 0 ? -errno : CS_EPROTO; /* shorter than it was */
        left -= n;
    }
    close(from);
    if (err && to >= 0)
        close(to);
    return err ? err : to;
}

static int load(struct geo *g)
{
    char path[32];
    MMDB_s db;
    struct stat st = { 0 };
    int fd = copy_of(g->conf->database, &st);
    g->seen = st;
    if (fd < 0)
        return fd;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    const int failed = MMDB_open(path, MMDB_MODE_MMAP, &db);
    close(fd); /* what is mapped stays */
    if (failed) {
        log_warn(&lg, "this is no database of countries", kv_str("file", g->conf->database),
                 kv_str("why", MMDB_strerror(failed)));
        return CS_EPROTO;
    }
    if (g->open)
        MMDB_close(&g->db);
    g->db = db;
    g->open = true;
    log_info(&lg, "countries are known", kv_str("file", g->conf->database),
             kv_u("built", db.metadata.build_epoch));
    metric_set(M_AUTHD_GEO_BUILT, 0, (int64_t)db.metadata.build_epoch);
    return 0;
}

static bool is_seen(const struct geo *g, const struct stat *st)
{
    return st->st_dev == g->seen.st_dev && st->st_ino == g->seen.st_ino &&
           st->st_size == g->seen.st_size && st->st_mtim.tv_sec == g->seen.st_mtim.tv_sec &&
           st->st_mtim.tv_nsec == g->seen.st_mtim.tv_nsec;
}

void geo_look(struct geo *g)
{
    struct stat st;
    if (stat(g->conf->database, &st) || is_seen(g, &st))
        return; /* what is away now may be on its way */
    int err = load(g);
    if (err)
        log_error(&lg, "countries stay as they were: the file cannot be used",
                  kv_str("file", g->conf->database), kv_err(err));
}

static void on_timer(struct timer *t)
{
    struct geo *g = container_of(t, struct geo, timer);
    geo_look(g);
    timer_start(g->loop, t, DURATION_S(GEO_LOOK_S));
}

int geo_open(struct loop *l, const struct geo_conf *conf, struct geo **out)
{
    struct geo *g = *out = calloc(1, sizeof(*g));
    if (!g)
        return CS_ENOMEM;
    g->loop = l;
    g->conf = conf;
    timer_init(&g->timer, on_timer);
    int err = load(g);
    if (err)
        geo_close(out);
    else
        timer_start(l, &g->timer, DURATION_S(GEO_LOOK_S));
    return err;
}

void geo_close(struct geo **gp)
{
    struct geo *g = *gp;
    *gp = NULL;
    if (!g)
        return;
    timer_stop(g->loop, &g->timer);
    if (g->open)
        MMDB_close(&g->db);
    free(g);
}

/* ---- asking ---- */

bool geo_spares(const struct geo *g, const struct addr *a)
{
    for (size_t i = 0; i < g->conf->n_exempt; i++) {
        if (cidr_contains(&g->conf->exempt[i], a))
            return true;
    }
    return a->sa.sa_family == AF_UNSPEC;
}

static bool code_at(MMDB_entry_s *entry, const char *section, char out[4])
{
    MMDB_entry_data_s d;
    if (MMDB_get_value(entry, &d, section, "iso_code", NULL) != MMDB_SUCCESS || !d.has_data ||
        d.type != MMDB_DATA_TYPE_UTF8_STRING || d.data_size != 2)
        return false;
    span_copy(out, 4, span_of(d.utf8_string, 2)); /* not a C string there */
    return true;
}

void geo_country(const struct geo *g, const struct addr *a, char out[4])
{
    int failed;
    out[0] = '\0';
    MMDB_lookup_result_s r = MMDB_lookup_sockaddr(&g->db, &a->sa, &failed);
    if (failed || !r.found_entry)
        return;
    if (!code_at(&r.entry, "country", out)) /* where it stands, else whose it is */
        (void)code_at(&r.entry, "registered_country", out);
}
