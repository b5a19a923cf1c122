/* A growing run of bytes: what a stream has not read, not sent, not encrypted yet. Zero is empty.
 */
#ifndef CS_NET_BYTES_H
#define CS_NET_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct bytes {
    char *p; /* owned */
    size_t n, cap;
};

/* Room for n more behind what is there; false when memory is exhausted, and nothing changes. */
bool bytes_reserve(struct bytes *b, size_t n);
void bytes_free(struct bytes *b);

#endif
