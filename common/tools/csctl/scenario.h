/* What the steps of `csctl selftest` have in common. */
#ifndef CS_TOOLS_SCENARIO_H
#define CS_TOOLS_SCENARIO_H

#include "selftest.h"

enum { LIFETIME = 300 }; /* of a registration, in seconds */

/* Lets the loop run until it has happened, or the step's time is over. */
bool until(struct selftest *t, const bool *happened);
CS_PRINTF(2, 3) void saw(struct selftest *t, const char *fmt, ...);
/* The next request, when the one before is of no interest any more. */
struct ask *next_ask(struct selftest *t);
/* Waits for the last answer; false when there is none. */
bool finished(struct selftest *t, const struct ask *a);
/* Waits for the last answer, which must be this one. */
bool answered(struct selftest *t, const struct ask *a, unsigned status);
/* Whatever is left of the call before. */
void hang_up_all(struct selftest *t);
bool answers(struct selftest *t);
struct span user_of(const struct selftest *t, unsigned who);
/* The phone ends a call of this dialog; ended shows that the other side got it. */
bool hangs_up(struct selftest *t, struct phone *p, struct dialog *d, const bool *ended);
/* Of what the phone says, until it has said all; its media are closed. */
bool all_comes_back(struct selftest *t);

/* Steps of a desk phone, which says what it hears. */
bool desk_registers(struct selftest *t);
bool desk_is_called(struct selftest *t);
bool desk_calls(struct selftest *t);

#endif
