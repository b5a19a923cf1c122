/* What is measured of decisions, for each peer group: how many of each kind for each cause, and how
 * long they took. Metrics of the process (base/metric.h), so there is one of it. */
#ifndef CS_AUTHD_AUDIT_FIGURES_H
#define CS_AUTHD_AUDIT_FIGURES_H

#include "authd/audit/decision.h"
#include "authd/config.h"

/* conf is borrowed until figures_fini(). CS_ENOMEM. */
CS_CHECK int figures_init(const struct authd_conf *conf);
void figures_fini(void);
/* group: one of conf's, NULL where none matched. Without figures_init() nothing is counted. */
void figures_count(const struct authd_conf *conf, const struct group_conf *group,
                   const struct decision *d, struct mono began, struct mono now);

#endif
