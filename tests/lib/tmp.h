/* A temporary directory of a test, removed with everything in it when the process exits. */
#ifndef CS_TESTS_TMP_H
#define CS_TESTS_TMP_H

#include <stddef.h>

/* One for the whole process, made at the first call. */
const char *tmp_dir(void);
/* The path of a file in it; the memory lives as long as the process. */
const char *tmp_path(const char *name);
/* Writes a file in it, and returns its path. */
const char *tmp_file(const char *name, const void *data, size_t n);

#endif
