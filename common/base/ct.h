/* Secrets: compared in constant time, wiped when released, never printed. */
#ifndef CS_BASE_CT_H
#define CS_BASE_CT_H

#include "base/span.h"

/* Time depends on the lengths only. */
bool ct_eq(struct span a, struct span b);
/* Cannot be optimised away. */
void ct_wipe(void *p, size_t n);

struct secret {
    unsigned char *p; /* owned; NULL: none */
    size_t n;
};

CS_CHECK int secret_set(struct secret *s, struct span value); /* wipes what was there */
void secret_fini(struct secret *s);
static inline struct span secret_span(const struct secret *s)
{
    return span_of(s->p, s->n);
}
/* Reads a file that holds one secret; a trailing newline is not part of it. Refuses (CS_EDENIED) a
 * file that others than owner and group may read, CS_ELIMIT above 64 KiB. */
CS_CHECK int secret_read_file(struct secret *s, const char *path);
/* Takes the value of an environment variable out of the environment, where it is wiped: neither
 * children nor /proc show it any more. CS_ENOENT if there is none. Before threads start. */
CS_CHECK int secret_take_env(struct secret *s, const char *name);

#endif
