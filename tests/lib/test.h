/* What every unit test includes: cmocka, and asserting what a span says. */
#ifndef CS_TEST_TEST_H
#define CS_TEST_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/span.h"

static inline void assert_span_at(struct span got, struct span want, const char *file, int line)
{
    if (got.p && span_eq(got, want))
        return;
    print_error("\"" SPAN_FMT "\" is not \"" SPAN_FMT "\"\n", SPAN_ARG(got), SPAN_ARG(want));
    _fail(file, line);
}

/* That a span is present and equals a C string. */
#define assert_span(got, want) assert_span_at((got), span_str(want), __FILE__, __LINE__)

#endif
