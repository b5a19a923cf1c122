/* Random bytes from the kernel, fetched a page at a time. */
#ifndef CS_BASE_RAND_H
#define CS_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

/* Fills out; cannot fail (a kernel without randomness ends the process). Safe in any thread and
 * after fork. */
void rand_bytes(void *out, size_t n);
uint64_t rand_u64(void);
/* Uniform in [0, below); below > 0. */
uint64_t rand_below(uint64_t below);

#endif
