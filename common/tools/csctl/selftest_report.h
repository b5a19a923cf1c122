/* What `csctl selftest` tells of what it tried: rows as they come, JSON, and a report to be handed
 * on. */
#ifndef CS_TOOLS_SELFTEST_REPORT_H
#define CS_TOOLS_SELFTEST_REPORT_H

#include "selftest.h"

void report_head(void);
void report_begin(const char *step); /* on a terminal: it runs */
void report_row(const struct result *r);
void report_json(const struct result *results, size_t n, bool passed);
/* Markdown. EXIT_OK, or EXIT_USAGE when the file cannot be written, which was said. */
int report_write(const char *file, const struct selftest *t, const struct result *results,
                 size_t n);

#endif
