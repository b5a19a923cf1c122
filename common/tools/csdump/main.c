/* csdump: what a front and authd say to each other, a line a message. It stands between the two as
 * a proxy on a Unix socket, or reads what it recorded. It sees credentials pass; it prints none of
 * them (ipc_print() masks what proto/auth.proto calls _secret), but a recording holds the bytes as
 * they are and is made readable by its owner alone. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "dump.h"

static const char help[] =
    "Usage: csdump [FILE]\n"
    "       csdump --listen SOCKET --connect SOCKET [--record FILE] [--mode OCTAL]\n\n"
    "Prints messages of proto/auth.proto, one a line, with secrets masked.\n\n"
    "  FILE               a recording; standard input if it is - or not given\n"
    "  --listen SOCKET    where the front connects\n"
    "  --connect SOCKET   where authd listens\n"
    "  --record FILE      keep every frame as it was; holds secrets, mode 0600\n"
    "  --mode OCTAL       of the socket made by --listen (0600)\n"
    "  -h, --help\n\n"
    "authd sees csdump's uid: it must be among those that authd's listen.users names.\n"
    "Exit code: 0 done, 1 failed, 2 wrong usage.\n";

static int usage(const char *why)
{
    fprintf(stderr, "csdump: %s\n\n%s", why, help);
    return 2;
}

static int failed(const char *what, int err)
{
    fprintf(stderr, "csdump: %s: %s\n", what, cs_strerror(err));
    return 1;
}

/* ---- reading a recording ---- */

static int read_file(const char *name)
{
    static char space[2 * (RECORD_HEAD + 4 + IPC_MAX_FRAME)];
    bool standard = !name || strcmp(name, "-") == 0;
    FILE *f = standard ? stdin : fopen(name, "rb");
    size_t have = 0, got;
    int err = 0;
    if (!f)
        return failed(name, -errno);
    while (!err && (got = fread(space + have, 1, sizeof(space) - have, f)) > 0) {
        have += got;
        ptrdiff_t used = dump_records(span_of(space, have), stdout);
        if (used < 0) {
            err = (int)used;
            break;
        }
        have -= (size_t)used;
        memmove(space, space + used, have);
    }
    if (!err && ferror(f))
        err = -EIO;
    if (!err && have)
        err = CS_EPROTO; /* cut off inside a record */
    if (!standard)
        fclose(f);
    return err ? failed(standard ? "standard input" : name, err) : 0;
}

/* ---- live ---- */

static void on_signal(void *arg, int signum)
{
    struct loop *l = ((void **)arg)[0];
    struct proxy **p = ((void **)arg)[1];
    (void)signum;
    proxy_close(p);
    loop_stop(l);
}

static int run_proxy(const char *listen, const char *to, unsigned mode, const char *record)
{
    struct loop l;
    struct proxy *p = NULL;
    void *both[] = { &l, &p };
    FILE *f = NULL;
    if (record) {
        int fd = open(record, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        f = fd < 0 ? NULL : fdopen(fd, "wb");
        if (!f)
            return failed(record, -errno);
    }
    int err = loop_init(&l);
    if (err)
        return failed("loop", err);
    err = proxy_open(&l, listen, mode, to, f, &p);
    if (err) {
        failed(listen, err);
    } else {
        err = loop_signal(&l, SIGINT, on_signal, both);
        if (!err)
            err = loop_signal(&l, SIGTERM, on_signal, both);
        if (err)
            proxy_close(&p);
        loop_run(&l);
    }
    int closed = loop_fini(&l);
    if (f && fclose(f))
        err = failed(record, -errno);
    return err || closed ? 1 : 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "listen", required_argument, NULL, 'l' }, { "connect", required_argument, NULL, 'c' },
        { "record", required_argument, NULL, 'r' }, { "mode", required_argument, NULL, 'm' },
        { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
    };
    const char *listen = NULL, *to = NULL, *record = NULL;
    unsigned long mode = 0600;
    char *end;
    int o;
    while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (o) {
        case 'l':
            listen = optarg;
            break;
        case 'c':
            to = optarg;
            break;
        case 'r':
            record = optarg;
            break;
        case 'm':
            mode = strtoul(optarg, &end, 8);
            if (*end || mode > 0777)
                return usage("--mode wants octal digits, as in 0660");
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        default:
            return usage("unknown option, or one without its value");
        }
    }
    if (!listen && !to)
        return argc - optind > 1 || record ? usage("say one file") : read_file(argv[optind]);
    if (!listen || !to || argc > optind)
        return usage("live, it wants --listen and --connect, and no file");
    return run_proxy(listen, to, (unsigned)mode, record);
}
