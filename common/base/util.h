/* The three macros everything uses. */
#ifndef CS_BASE_UTIL_H
#define CS_BASE_UTIL_H

#include <stddef.h>

#define CS_LEN(array)   (sizeof(array) / sizeof((array)[0]))
#define CS_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define CS_MAX(a, b)    ((a) > (b) ? (a) : (b))
#define CS_PRINTF(f, a) __attribute__((format(printf, f, a)))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
