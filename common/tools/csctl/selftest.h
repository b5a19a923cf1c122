/* `csctl selftest`: two phones of our own try out a running installation, step by step. */
#ifndef CS_TOOLS_SELFTEST_H
#define CS_TOOLS_SELFTEST_H

#include "csctl.h"
#include "desk_phone.h"
#include "phone.h"
#include "phone_media.h"

enum { SELFTEST_SEEN = 512, SELFTEST_STEPS = 128 };

enum outcome { STEP_SKIPPED, STEP_PASSED, STEP_FAILED };

/* What became of a step. */
struct result {
    const char *section, *step, *rule;
    enum outcome outcome;
    double ms;
    char seen[SELFTEST_SEEN];
};

struct selftest {
    struct loop *loop;
    struct phone_conf conf[2];
    struct duration timeout; /* of a step */
    struct span echo;        /* a number that says what it hears; absent: there is none */
    struct span device;      /* a desk phone's name; absent: there is none */
    struct addr sccp;        /* where it registers */
    /* From here on the scenario's: */
    struct phone *phone[2];
    struct phone *wrong;    /* the first phone with a wrong password */
    struct phone *stranger; /* a user that nobody knows */
    struct secret made_up;
    char nobody[32];
    struct ask reg[2], refused, call, other;
    struct phone_media media;
    struct desk_phone desk;
    char offer[2048]; /* of it */
    struct timer deadline;
    struct timer soon;
    bool late, unreachable, again;
    char seen[SELFTEST_SEEN]; /* what the step at hand saw */
};

struct step {
    const char *name, *rule; /* what the rule is of */
    bool (*run)(struct selftest *t);
    unsigned needs; /* bit i: step i of the same list must have passed */
    enum { STEP_ALWAYS, STEP_WITH_ECHO, STEP_WITH_DESK } only; /* where there is such a one */
};

/* Lists end with a NULL name. The first step says whether the server can be reached. */
extern const struct step selftest_steps[];
/* Credentials that are forged, for another request or malformed; and that the server still serves
 * the right ones. */
extern const struct step suite_steps[];

/* conf and timeout are set. On failure selftest_close() is still due. */
CS_CHECK int selftest_open(struct selftest *t);
void selftest_close(struct selftest *t);
/* Runs one step of the list and says in t->seen what it saw. passed: bits of the steps before. */
enum outcome selftest_step(struct selftest *t, const struct step *list, const struct step *s,
                           unsigned passed);

command_fn selftest;

#endif
