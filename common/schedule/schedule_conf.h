/* Schedules as configuration writes them: for CONF_SECTIONS of struct schedule. */
#ifndef CS_SCHEDULE_SCHEDULE_CONF_H
#define CS_SCHEDULE_SCHEDULE_CONF_H

#include "conf/conf.h"
#include "schedule/schedule.h"

extern const struct conf_section schedule_section;

/* The one of that name; NULL when the name is absent or, which is said of the key, nobody's. */
const struct schedule *schedule_find(struct conf_check *c, const char *key,
                                     const struct schedule *all, size_t n, struct span name);

#endif
