/* The audit log: one line of JSON for each decision, with the same fields whatever the method, and
 * one for each change that an operator made and each alarm, in which decision, verdict and cause
 * are null. What a turn brought is written at its end, in one write. */
#ifndef CS_AUTHD_AUDIT_AUDIT_H
#define CS_AUTHD_AUDIT_AUDIT_H

#include "authd/audit/decision.h"
#include "authd/defence/ban.h"
#include "net/loop.h"

struct audit;

/* path NULL: stderr. The file is made with mode 0640 and appended to. */
CS_CHECK int audit_open(struct loop *l, const char *path, struct audit **out);
void audit_close(struct audit **a);
/* From now on the file is one day's: at midnight UTC it gets that day's name
 * (authd/audit/audit_days.h), and those of days that ended longer ago than keep are removed; so are
 * they at once, if they are there. Nothing of that to stderr, nor with keep 0. */
void audit_keep(struct audit *a, struct duration keep);
void audit_write(struct audit *a, const struct decision *d);
/* A ban that is put or lifted: what is "banned", "cooled_off" or "lifted". */
void audit_ban(struct audit *a, struct wall time, const char *what, const struct ban *b);

struct deed { /* of data, by an operator; absent where it does not apply */
    struct wall time;
    struct span what; /* "user created" */
    struct span by;   /* the name of the operator's token */
    struct span user, realm;
    struct span target; /* what else was changed: an address of record */
    struct span note;
};
void audit_deed(struct audit *a, const struct deed *c);

struct alarm { /* what an operator should look at; absent where it does not apply */
    struct wall time;
    struct span what; /* "source_drift" */
    struct span group, user, realm;
    const struct addr *source; /* NULL: none */
    struct span target;        /* what else it is about: a set, a network */
    struct span note;
};
void audit_alarm(struct audit *a, const struct alarm *alarm);

/* Everything that is written, as it is written. One follower at a time, NULL for none. */
struct audit_line { /* borrowed for the call; one of the four is set */
    const struct decision *decision;
    const struct deed *deed;
    const struct ban *ban;
    const struct alarm *alarm;
    struct span text; /* without its newline */
};
typedef void audit_follow_fn(void *arg, const struct audit_line *line);
void audit_follow(struct audit *a, audit_follow_fn *fn, void *arg);
/* After the file was moved away. On failure the old file stays in use. */
CS_CHECK int audit_reopen(struct audit *a);

#endif
