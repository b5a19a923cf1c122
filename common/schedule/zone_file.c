#include "schedule/zone_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Names a file below the system's folder, and none elsewhere. */
static bool is_zone_name(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_digit(s.p[i]) && !ascii_alpha(s.p[i]) && !(s.p[i] && strchr("/_-+", s.p[i])))
            return false;
    }
    return s.n && s.p[0] != '/';
}

static int load_file(struct span name, struct arena *a, struct zone *out)
{
    enum { MAX_FILE = 64 * 1024 };
    char path[128];
    if (!is_zone_name(name))
        return CS_EPROTO;
    snprintf(path, sizeof(path), "/usr/share/zoneinfo/" SPAN_FMT, SPAN_ARG(name));
    char *text = arena_alloc(a, MAX_FILE);
    if (!text)
        return CS_ENOMEM;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, text, MAX_FILE);
    if (fd >= 0)
        close(fd);
    return n < 0 ? CS_ENOENT : zone_parse(span_of(text, (size_t)n), a, out);
}

int zone_load(struct span name, struct arena *a, struct zone *out)
{
    *out = (struct zone){ 0 };
    if (span_eq(name, SPAN("UTC")))
        return 0;
    return span_find(name, ',') >= 0 ? zone_rule_parse(name, &out->rule) : load_file(name, a, out);
}
