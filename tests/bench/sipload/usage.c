#include "usage.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

/* Sum over the threads; 0 for a process that is gone. */
static int64_t process_ns(int pid)
{
    char path[300];
    int64_t sum = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        return 0;
    for (struct dirent *e; (e = readdir(tasks));) {
        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        int64_t ns = 0;
        snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, e->d_name);
        FILE *f = fopen(path, "re");
        if (f && fscanf(f, "%" SCNd64, &ns) == 1)
            sum += ns;
        if (f)
            fclose(f);
    }
    closedir(tasks);
    return sum;
}

void usage_begin(struct usage *u)
{
    for (size_t i = 0; i < u->n; i++)
        u->ns[i] = -process_ns(u->pid[i]);
}

void usage_end(struct usage *u)
{
    for (size_t i = 0; i < u->n; i++)
        u->ns[i] += process_ns(u->pid[i]);
}
