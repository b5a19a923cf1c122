#include "lib/name_server.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/redis_server.h"
#include "lib/run.h"
#include "lib/tmp.h"

enum { ANSWERS_WITHIN = 10000 /* ms */ };

/* A question for the root's SOA. */
static const unsigned char question[] = { 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1 };

static bool answers(const struct addr *at)
{
    char reply[512];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct pollfd p = { .fd = fd, .events = POLLIN };
    bool ok = connect(fd, &at->sa, addr_len(at)) == 0 &&
              write(fd, question, sizeof(question)) == sizeof(question) && poll(&p, 1, 50) == 1 &&
              read(fd, reply, sizeof(reply)) > 12;
    close(fd);
    return ok;
}

static const char *write_conf(const struct name_server *s, const char *records)
{
    static const char soa[] = "$TTL 60\n. 60 IN SOA ns. root. 1 60 60 60 60\n. 60 IN NS ns.\n"
                              "ns. 60 IN A 127.0.0.1\n";
    size_t n = strlen(soa) + strlen(records);
    char conf[2048], *zone = malloc(n + 1);
    if (!zone)
        abort();
    snprintf(zone, n + 1, "%s%s", soa, records);
    tmp_file("root.zone", zone, n);
    free(zone);
    snprintf(
        conf, sizeof(conf),
        "server:\n ip-address: 127.0.0.1@%u\n username: \"\"\n zonesdir: \"%s\"\n"
        " pidfile: \"\"\n database: \"\"\n xfrdfile: \"%s/xfrd\"\n zonelistfile: \"%s/zones\"\n"
        " logfile: \"%s/nsd.log\"\n server-count: 1\n rrl-ratelimit: 0\n"
        "remote-control:\n control-enable: no\n"
        "zone:\n name: \".\"\n zonefile: root.zone\n",
        addr_port(&s->at), tmp_dir(), tmp_dir(), tmp_dir(), tmp_dir());
    return tmp_file("nsd.conf", conf, strlen(conf));
}

void name_server_start(struct name_server *s, const char *records)
{
    if (!addr_port(&s->at) && addr_parse(SPAN("127.0.0.1"), (uint16_t)free_port(), &s->at))
        abort();
    const char *conf = write_conf(s, records);
    s->pid = fork();
    if (s->pid == 0) {
        setenv("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/bin", 1);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        execlp("nsd", "nsd", "-d", "-c", conf, (char *)NULL);
        _exit(TEST_SKIPPED);
    }
    for (int waited = 0; waited < ANSWERS_WITHIN; waited += 50) {
        int status;
        if (answers(&s->at))
            return;
        if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
            if (WIFEXITED(status) && WEXITSTATUS(status) == TEST_SKIPPED) {
                puts("skipped: nsd is not installed");
                exit(TEST_SKIPPED);
            }
            break;
        }
        usleep(5000);
    }
    fprintf(stderr, "nsd does not start\n");
    exit(1);
}

void name_server_stop(struct name_server *s)
{
    kill(s->pid, SIGTERM);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}
