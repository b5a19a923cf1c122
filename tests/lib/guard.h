/* Text that ends at an unreadable page, so that a parser which reads one byte too far dies. */
#ifndef CS_TEST_GUARD_H
#define CS_TEST_GUARD_H

#include "base/span.h"

/* A copy of bytes whose last byte is the last that can be read. Lives until guard_release(). */
struct span guard_span(struct span bytes);
void guard_release(void);

#endif
