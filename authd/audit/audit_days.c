#include "authd/audit/audit_days.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, DATE_LEN = sizeof("2026-11-20") - 1, SAME_DAY_MAX = 1000 };

static const struct log dlog = { .module = "audit" };

struct wall audit_day(struct wall t)
{
    return (struct wall){ t.ms - t.ms % DAY_MS };
}

int audit_day_ended(const char *file, struct wall day)
{
    char date[WALL_STRLEN], name[PATH_MAX];
    wall_format(day, date);
    for (unsigned i = 0; i < SAME_DAY_MAX; i++) {
        int n = snprintf(name, sizeof(name), i ? "%s.%.*s.%u" : "%s.%.*s", file, DATE_LEN, date, i);
        if (n < 0 || (size_t)n >= sizeof(name))
            return -ENAMETOOLONG;
        if (renameat2(AT_FDCWD, file, AT_FDCWD, name, RENAME_NOREPLACE) == 0)
            return 0;
        if (errno != EEXIST)
            return -errno;
    }
    return -EEXIST;
}

/* The day that ".2026-11-20" or ".2026-11-20.1" names, the end of a file's name. */
static bool day_of(const char *end, struct wall *day)
{
    struct tm tm = { 0 };
    char *rest =
        end[0] == '.' && strlen(end) > DATE_LEN ? strptime(end + 1, "%Y-%m-%d", &tm) : NULL;
    if (!rest || rest != end + 1 + DATE_LEN)
        return false;
    if (rest[0] == '.' && rest[1 + strspn(rest + 1, "0123456789")] != '\0')
        return false;
    if (rest[0] != '.' && rest[0] != '\0')
        return false;
    *day = (struct wall){ (int64_t)timegm(&tm) * 1000 };
    return true;
}

static bool is_old(const char *name, const char *base, struct wall now, struct duration keep)
{
    struct wall day;
    size_t n = strlen(base);
    return strncmp(name, base, n) == 0 && day_of(name + n, &day) &&
           now.ms - day.ms > keep.ms + DAY_MS;
}

unsigned audit_days_forget(const char *file, struct wall now, struct duration keep)
{
    const char *slash = strrchr(file, '/');
    const char *base = slash ? slash + 1 : file;
    char *folder = slash ? strndup(file, (size_t)(slash - file) + 1) : strdup(".");
    DIR *d = folder ? opendir(folder) : NULL;
    unsigned left = d ? 0 : 1;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!is_old(e->d_name, base, now, keep))
            continue;
        if (unlinkat(dirfd(d), e->d_name, 0) == 0)
            log_info(&dlog, "an audit log was removed, it is older than audit.keep",
                     kv_str("file", e->d_name));
        else
            left++;
    }
    if (d)
        closedir(d);
    free(folder);
    return left;
}
