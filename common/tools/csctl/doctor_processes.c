/* The daemons as they run on this machine: which user, and how many files they may open. */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "greet.h"

/* Files that a daemon has open besides its phones: libraries' own, Redis, authd, listeners, logs.
 */
enum { FILES_APART = 256 };

struct process {
    pid_t pid;
    uid_t uid;
    uint64_t files; /* that it may open; 0: unknown, or any number */
    char name[32];
};

/* ---- /proc ---- */

/* The inode of the socket that is bound to this port, "" if none is. Tables have lines of
 * "sl local_address rem_address st ... uid timeout inode" (proc(5)). */
static void find_inode(const char *table, uint16_t port, bool listening, char inode[24])
{
    char line[512], local[64], state[8];
    FILE *f = fopen(table, "re");
    inode[0] = '\0';
    while (f && !inode[0] && fgets(line, sizeof(line), f)) {
        char found[24];
        if (sscanf(line, " %*[^:]: %63s %*s %7s %*s %*s %*s %*s %*s %23s", local, state, found) !=
            3)
            continue;
        const char *colon = strrchr(local, ':');
        if (colon && strtoul(colon + 1, NULL, 16) == port &&
            (!listening || strcmp(state, "0A") == 0))
            memcpy(inode, found, sizeof(found));
    }
    if (f)
        fclose(f);
}

static bool has_socket(const char *pid, const char *inode)
{
    char path[300], target[64], wanted[40];
    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    snprintf(wanted, sizeof(wanted), "socket:[%s]", inode);
    bool found = false;
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && !found && (e = readdir(dir));) {
        ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
        target[n < 0 ? 0 : n] = '\0';
        found = strcmp(target, wanted) == 0;
    }
    if (dir)
        closedir(dir);
    return found;
}

/* Who holds the port, 0 where that cannot be seen: only root sees the files of others. */
static pid_t holder_of(enum sip_transport transport, uint16_t port)
{
    static const char *const tables[2][2] = { { "/proc/net/udp", "/proc/net/udp6" },
                                              { "/proc/net/tcp", "/proc/net/tcp6" } };
    char inode[24] = "";
    pid_t pid = 0;
    const bool stream = transport != SIP_UDP;
    for (size_t i = 0; i < 2 && !inode[0]; i++)
        find_inode(tables[stream][i], port, stream, inode);
    DIR *dir = inode[0] ? opendir("/proc") : NULL;
    for (struct dirent *e; dir && !pid && (e = readdir(dir));) {
        if (isdigit((unsigned char)e->d_name[0]) && has_socket(e->d_name, inode))
            pid = (pid_t)strtol(e->d_name, NULL, 10);
    }
    if (dir)
        closedir(dir);
    return pid;
}

/* What stands behind a heading in a file of /proc, whose lines begin with them; NULL if none does.
 */
static const char *read_line(pid_t pid, const char *file, const char *heading, char *line, size_t n)
{
    char path[64];
    const char *found = NULL;
    const size_t len = strlen(heading);
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    FILE *f = fopen(path, "re");
    while (f && !found && fgets(line, (int)n, f))
        found = strncmp(line, heading, len) == 0 ? line + len + strspn(line + len, " \t") : NULL;
    if (f)
        fclose(f);
    return found;
}

static bool read_process(pid_t pid, struct process *out)
{
    char line[256];
    *out = (struct process){ .pid = pid };
    const char *name = read_line(pid, "status", "Name:", line, sizeof(line));
    if (!name)
        return false;
    span_copy(out->name, sizeof(out->name), span_of(name, strcspn(name, "\n")));
    const char *uid = read_line(pid, "status", "Uid:", line, sizeof(line));
    if (!uid)
        return false;
    out->uid = (uid_t)strtoul(uid, NULL, 10);
    const char *files = read_line(pid, "limits", "Max open files", line, sizeof(line));
    out->files = files ? strtoull(files, NULL, 10) : 0; /* 0 for "unlimited", too */
    return true;
}

/* ---- judging ---- */

static void check_process(struct doctor *d, const char *name, const struct process *p,
                          uint64_t wanted)
{
    if (strcmp(p->name, name) != 0) {
        finding(d, LEVEL_FAULT, "processes.other", "Stop it, or configure another port or socket.",
                "%s (pid %d) is where %s should be", p->name, (int)p->pid, name);
        return;
    }
    if (p->uid == 0)
        finding(d, LEVEL_FAULT, "processes.root",
                "Set user in its configuration, or start it as a user of its own.",
                "%s (pid %d) runs as root", name, (int)p->pid);
    else
        finding(d, LEVEL_FINE, "processes.root", NULL, "%s (pid %d) runs as uid %u", name,
                (int)p->pid, (unsigned)p->uid);
    if (!p->files)
        return;
    if (p->files < wanted)
        finding(d, LEVEL_WARNING, "processes.files",
                "Raise the limit where it is started (ulimit -n, LimitNOFILE, --ulimit nofile), or "
                "lower limits.connections.",
                "%s may open %llu files, but its configuration wants %llu", name,
                (unsigned long long)p->files, (unsigned long long)wanted);
    else
        finding(d, LEVEL_FINE, "processes.files", NULL, "%s may open %llu files", name,
                (unsigned long long)p->files);
}

void doctor_processes(struct doctor *d)
{
    struct process p;
    pid_t pid = 0;
    if (d->registrar) {
        const struct listener_conf *l = &d->registrar->listeners[0];
        pid = holder_of(l->transport, addr_port(&l->address));
        if (pid && read_process(pid, &p))
            check_process(d, "registrar", &p, d->registrar->limits.connections + FILES_APART);
    }
    pid = d->authd ? greet_pid(d->authd->listen.socket) : 0;
    if (pid && read_process(pid, &p))
        check_process(d, "authd", &p, FILES_APART);
}
