#include "authd/check/client.h"

bool glob_matches(struct span pattern, struct span text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, retry = 0;
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++; /* the last star may take more; none before it needs to */
            retry = t;
        } else if (p < pattern.n &&
                   (pattern.p[p] == '?' || ascii_lower(pattern.p[p]) == ascii_lower(text.p[t]))) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

struct span client_pattern(const struct span *patterns, size_t n, struct span user_agent)
{
    for (size_t i = 0; user_agent.p && i < n; i++) {
        if (glob_matches(patterns[i], user_agent))
            return patterns[i];
    }
    return SPAN_NULL;
}
