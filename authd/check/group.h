/* Which peer group a request belongs to: a pure function of its facts. */
#ifndef CS_AUTHD_CHECK_GROUP_H
#define CS_AUTHD_CHECK_GROUP_H

#include "authd/check/facts.h"
#include "authd/config.h"

bool group_matches(const struct group_match *m, const struct facts *f);
/* The first of the n groups that matches, or NULL. */
const struct group_conf *group_of(const struct group_conf *groups, size_t n, const struct facts *f);

#endif
