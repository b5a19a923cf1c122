/* What is known of clients by their User-Agent. */
#ifndef CS_AUTHD_CLIENT_H
#define CS_AUTHD_CLIENT_H

#include "base/span.h"

/* Whether text is what the pattern says, in any case: * stands for any characters, ? for one. */
bool glob_matches(struct span pattern, struct span text);
/* The first pattern that matches, or absent. An absent User-Agent matches none. */
struct span client_pattern(const struct span *patterns, size_t n, struct span user_agent);

#endif
