#include "base/process.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int find_group(struct span group, gid_t *gid)
{
    char name[65];
    uint64_t number;
    if (group.n == 0 || group.n >= sizeof(name))
        return CS_ENOENT;
    if (span_u64(group, UINT32_MAX - 1, &number) == 0) {
        *gid = (gid_t)number;
        return 0;
    }
    span_copy(name, sizeof(name), group);
    const struct group *gr = getgrnam(name);
    if (!gr)
        return CS_ENOENT;
    *gid = gr->gr_gid;
    return 0;
}

int process_user(struct span text, uid_t *uid, gid_t *gid)
{
    char name[65];
    uint64_t number;
    struct span group = text;
    struct span user = span_cut(&group, ':');
    if (user.n == 0 || user.n >= sizeof(name))
        return CS_ENOENT;
    span_copy(name, sizeof(name), user);
    bool numeric = span_u64(user, UINT32_MAX - 1, &number) == 0;
    const struct passwd *pw = numeric ? getpwuid((uid_t)number) : getpwnam(name);
    if (!pw && !numeric)
        return CS_ENOENT;
    *uid = pw ? pw->pw_uid : (uid_t)number;
    *gid = pw ? pw->pw_gid : (gid_t)number;
    return group.p ? find_group(group, gid) : 0;
}

int process_become(struct span user)
{
    uid_t uid;
    gid_t gid;
    if (!user.p)
        return 0;
    int err = process_user(user, &uid, &gid);
    if (err)
        return err;
    if (geteuid() != 0)
        return geteuid() == uid ? 0 : CS_EDENIED;
    if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
        return -errno;
    return uid != 0 && setuid(0) == 0 ? CS_EDENIED : 0;
}

enum { WORDS = 2 };

static bool capabilities_read(struct __user_cap_data_struct data[WORDS])
{
    struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
    return syscall(SYS_capget, &h, data) == 0;
}

static int capabilities_write(const struct __user_cap_data_struct data[WORDS])
{
    struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
    return syscall(SYS_capset, &h, data) ? -errno : 0;
}

int process_become_with(struct span user, unsigned capability)
{
    struct __user_cap_data_struct had[WORDS] = { 0 }, only[WORDS] = { 0 };
    const unsigned word = capability / 32;
    const uint32_t bit = 1U << capability % 32;
    if (!capabilities_read(had) || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
        return -errno;
    int err = process_become(user);
    if (err)
        return err;
    only[word].permitted = only[word].effective = had[word].permitted & bit;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return capabilities_write(only);
}

void process_give_up(unsigned capability)
{
    struct __user_cap_data_struct had[WORDS] = { 0 };
    const unsigned word = capability / 32;
    const uint32_t bit = 1U << capability % 32;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, capability, 0, 0);
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (!capabilities_read(had))
        return;
    had[word].permitted &= ~bit;
    had[word].effective &= ~bit;
    had[word].inheritable &= ~bit;
    (void)capabilities_write(had);
}

void process_harden(void)
{
    struct rlimit files;
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}
