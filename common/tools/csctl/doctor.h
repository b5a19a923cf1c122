/* `csctl doctor`: looks at an installation from the machine it runs on, and says what a phone
 * outside will stumble over. It changes nothing. What its files share. */
#ifndef CS_TOOLS_DOCTOR_H
#define CS_TOOLS_DOCTOR_H

#include "authd/config.h"
#include "base/arena.h"
#include "csctl.h"
#include "lint_b2bua.h"
#include "net/loop.h"
#include "registrar/config.h"

/* A note is for those who wonder; a warning may be meant so; a fault is none's wish. */
enum level { LEVEL_FINE, LEVEL_NOTE, LEVEL_WARNING, LEVEL_FAULT, LEVEL_COUNT };

enum file { FILE_NONE, FILE_REGISTRAR, FILE_AUTHD, FILE_B2BUA, FILE_COUNT };

struct doctor {
    struct ctl *ctl;
    const char *file[FILE_COUNT]; /* that were read; NULL: none */
    unsigned at_line;             /* of the next finding, in this file: */
    enum file at_file;
    struct loop loop;
    struct arena arena;               /* of the configurations */
    struct registrar_conf *registrar; /* NULL: not looked at; so is authd */
    struct authd_conf *authd;
    struct b2bua_conf *b2bua;  /* NULL: not looked at */
    bool lan;                  /* phones are on the private network that is advertised */
    struct redis_settings ask; /* user and password_file to ask Redis with; absent: a daemon's */
    struct duration timeout;   /* of one question */
    json_t *findings;
    unsigned count[LEVEL_COUNT];
};

/* Adds a finding. check is its stable name; remedy says what to do, NULL where all is fine. */
void finding(struct doctor *d, enum level level, const char *check, const char *remedy,
             const char *fmt, ...) CS_PRINTF(5, 6);
/* The next finding is about this key of this configuration, "peer_groups[0].digest" for example. */
void finding_about(struct doctor *d, enum file file, const char *key, ...) CS_PRINTF(3, 4);
/* Begins, reads a configuration, and tells: all findings, and what to exit with. */
void doctor_begin(struct doctor *d, struct ctl *ctl);
/* NULL after findings that say what its daemon would refuse. */
void *doctor_load(struct doctor *d, enum file file, const char *path);
int doctor_end(struct doctor *d);
/* Lets the loop run until it has happened; false when the time was over before. */
bool doctor_wait(struct doctor *d, const bool *happened);

/* ---- the examinations, each in a file of its own ---- */
void doctor_files(struct doctor *d);
void doctor_listeners(struct doctor *d);
void doctor_names(struct doctor *d);
void doctor_processes(struct doctor *d);
void doctor_bans(struct doctor *d);
void doctor_redis(struct doctor *d);
void doctor_authd(struct doctor *d);
/* What both files say of the socket between the daemons; false when they differ. */
bool doctor_agreement(struct doctor *d);
/* How the files fit together; at least one of them was read. */
void lint_judge(struct doctor *d);

/* ---- what tests hold in hand ---- */

struct redis_facts {
    struct span info;       /* the answer to INFO; absent: it was refused */
    const json_t *settings; /* CONFIG GET, name to value; a name is missing where it was refused */
    bool open_to_all;       /* the default user needs no password */
    bool by_address;        /* over TCP, not a Unix socket */
    bool loopback;
    bool encrypted;
    unsigned wait; /* replicas that a write waits for */
    bool has_clock;
    int64_t ahead_ms; /* of our clock */
};
void doctor_judge_redis(struct doctor *d, const struct redis_facts *f);
/* The value of a line "name:value" of INFO; absent if there is none. */
struct span redis_info(struct span info, struct span name);

struct ping { /* what a listener answered */
    bool answered;
    unsigned status;
    int err;
};
/* A handshake of a WebSocket, at a listener for such. */
struct ping doctor_ask_ws(struct doctor *d, const struct listener_conf *l, const struct addr *to);

enum reach { REACH_ANYWHERE, REACH_LAN, REACH_HOST, REACH_NOWHERE };
/* Who can send to this address: loopback is for this host, RFC 1918, 4193, 6598 and link-local for
 * its network, and multicast, 0/8 and the like for nobody. */
enum reach addr_reach(const struct addr *a);

command_fn doctor, lint;

#endif
