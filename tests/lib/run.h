/* Running a loop in a test until something has happened. */
#ifndef CS_TESTS_RUN_H
#define CS_TESTS_RUN_H

#include "net/loop.h"

/* Runs the loop until *done, at most ms milliseconds of real time. Returns *done. */
bool run_until(struct loop *l, const bool *done, unsigned ms);
/* The same until *counter >= n. */
bool run_until_count(struct loop *l, const size_t *counter, size_t n, unsigned ms);
/* Runs for so long. */
void run_for(struct loop *l, unsigned ms);
/* Runs until everything is closed, then loop_fini(); false when something stays open (a leak). */
bool run_down(struct loop *l);

/* A port of 127.0.0.1 that is free now, for UDP and TCP. */
unsigned free_port(void);

#endif
