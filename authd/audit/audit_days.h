/* The days of a log file: FILE is today's, FILE.2026-11-20 another one's. All days are UTC's. */
#ifndef CS_AUTHD_AUDIT_AUDIT_DAYS_H
#define CS_AUTHD_AUDIT_AUDIT_DAYS_H

#include "base/clock.h"
#include "base/err.h"

/* The first millisecond of the day that t is in. */
struct wall audit_day(struct wall t);
/* FILE gets the name of this day, with .1, .2 and so on behind it where that is taken: nothing is
 * overwritten. Libuv's codes; UV_ENOENT when there is no such file. */
CS_CHECK int audit_day_ended(const char *file, struct wall day);
/* Removes files of days that ended longer ago than keep. Returns how many could not be. */
CS_CHECK unsigned audit_days_forget(const char *file, struct wall now, struct duration keep);

#endif
