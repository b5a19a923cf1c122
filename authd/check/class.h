/* Ready classes of peer groups: one line of configuration sets what a browser, a desk phone or a
 * trunk should have to prove. What is written beside it wins where it is no weaker. */
#ifndef CS_AUTHD_CHECK_CLASS_H
#define CS_AUTHD_CHECK_CLASS_H

#include "authd/config.h"

/* From the check of a group's section: sets what is not written, and says what is weaker. */
void class_apply(struct conf_check *c, struct group_conf *g);

#endif
