/* What csctl lint looks at in b2bua.yaml: by which listeners questions come to authd, and which
 * peer groups its trunks name, and whose it is. Apart from doctor.h, for both daemons have a struct
 * listener_conf.
 */
#ifndef CS_TOOLS_LINT_B2BUA_H
#define CS_TOOLS_LINT_B2BUA_H

#include "conf/conf.h"

struct b2bua_conf;
extern const struct conf_section b2bua_conf_section;

struct lint_listener { /* borrowed */
    struct span name;
    unsigned transport; /* as group_match.transports */
};
/* The i-th, of trunks, of desk phones and of their files; false: there are not so many. */
bool lint_b2bua_listener(const struct b2bua_conf *b, size_t i, struct lint_listener *out);
/* The peer group whose requests are the i-th trunk's; absent: it has none. False: there are not so
 * many trunks. */
bool lint_b2bua_group(const struct b2bua_conf *b, size_t i, struct span *out);
/* Whom it becomes; absent: it stays who started it. */
struct span lint_b2bua_user(const struct b2bua_conf *b);

#endif
