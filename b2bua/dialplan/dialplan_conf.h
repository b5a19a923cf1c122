/* The section `dialplan` of a configuration. */
#ifndef CS_B2BUA_DIALPLAN_DIALPLAN_CONF_H
#define CS_B2BUA_DIALPLAN_DIALPLAN_CONF_H

#include "b2bua/dialplan/dialplan.h"
#include "conf/conf.h"

/* For CONF_SECTION("dialplan", struct x, dialplan, &dialplan_conf_section, ...), with a struct
 * dialplan dialplan, which is complete once the file was read. Time zones are read from
 * /usr/share/zoneinfo. */
extern const struct conf_section dialplan_conf_section;

/* From the check of the section that has both, the dial plan under key and the trunks: complains of
 * each trunk in the plan that is not known. */
void dialplan_check_trunks(struct conf_check *c, const char *key, const struct dialplan *plan,
                           bool (*known)(const void *arg, struct span name), const void *arg);

#endif
