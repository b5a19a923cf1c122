#include "usage.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/span.h"

struct spent {
    int64_t ns, waits, preempted;
};

static void add_thread(const char *task, struct spent *sum)
{
    char path[600], line[200];
    int64_t n = 0;
    snprintf(path, sizeof(path), "%s/schedstat", task);
    FILE *f = fopen(path, "re");
    if (f && fscanf(f, "%" SCNd64, &n) == 1)
        sum->ns += n;
    if (f)
        fclose(f);
    snprintf(path, sizeof(path), "%s/status", task);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "voluntary_ctxt_switches: %" SCNd64, &n) == 1)
            sum->waits += n;
        else if (sscanf(line, "nonvoluntary_ctxt_switches: %" SCNd64, &n) == 1)
            sum->preempted += n;
    }
    if (f)
        fclose(f);
}

/* Sum over the threads; 0 for a process that is gone. */
static struct spent spent_by(int pid)
{
    char path[300];
    struct spent sum = { 0 };
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        return sum;
    for (struct dirent *e; (e = readdir(tasks));) {
        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        snprintf(path, sizeof(path), "/proc/%d/task/%s", pid, e->d_name);
        add_thread(path, &sum);
    }
    closedir(tasks);
    return sum;
}

static int64_t own_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int usage_of(struct usage *u, const char *list)
{
    struct span rest = span_str(list);
    while (rest.p) {
        uint64_t pid;
        if (span_u64(span_cut(&rest, ','), INT32_MAX, &pid) != 0 || u->n == USAGE_PROCESSES)
            return CS_EPROTO;
        u->pid[u->n++] = (int)pid;
    }
    return 0;
}

void usage_begin(struct usage *u)
{
    for (size_t i = 0; i < u->n; i++) {
        struct spent s = spent_by(u->pid[i]);
        u->ns[i] = -s.ns;
        u->waits[i] = -s.waits;
        u->preempted[i] = -s.preempted;
    }
    u->own_ns = -own_ns();
}

void usage_end(struct usage *u)
{
    u->own_ns += own_ns();
    for (size_t i = 0; i < u->n; i++) {
        struct spent s = spent_by(u->pid[i]);
        u->ns[i] += s.ns;
        u->waits[i] += s.waits;
        u->preempted[i] += s.preempted;
    }
}
