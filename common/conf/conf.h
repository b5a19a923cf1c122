/* A YAML file becomes a struct. One table per section says of each key its type, place, default,
 * bounds and one sentence; reading, checking, the manual (conf_print) and the JSON Schema
 * (conf_schema) all walk that table.
 *
 *     struct redis_section {
 *         const char *socket;
 *         struct duration deadline;
 *     };
 *     struct daemon_conf {
 *         struct redis_section redis;
 *         struct span *realms;
 *         size_t n_realms;
 *     };
 *     static const struct conf_key redis_keys[] = {
 *         CONF_PATH("socket", struct redis_section, socket, "Unix socket of Redis.", .required =
 * true), CONF_DURATION("deadline", struct redis_section, deadline, "For one command.", .def = "2s",
 * .min = 10 * CONF_MS, .max = 1 * CONF_MINUTE), { 0 },
 *     };
 *     static const struct conf_section redis_section = {
 *         .size = sizeof(struct redis_section), .keys = redis_keys,
 *     };
 *     static const struct conf_key root_keys[] = {
 *         CONF_SECTION("redis", struct daemon_conf, redis, &redis_section, "Where data is kept."),
 *         CONF_STRS("realms", struct daemon_conf, realms, "Realms.", .def = "example.com",
 *                   .at_least = 1),
 *         { 0 },
 *     };
 *
 * The macros refuse at compile time a member whose type does not fit. A list needs two members, the
 * array and its count: TYPE *x and size_t n_x. */
#ifndef CS_CONF_CONF_H
#define CS_CONF_CONF_H

#include <stdio.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/util.h"

enum conf_type {
    CONF_T_BOOL,
    CONF_T_UINT,
    CONF_T_DURATION,
    CONF_T_SIZE,
    CONF_T_STR,
    CONF_T_PATH,
    CONF_T_ADDR,
    CONF_T_CIDR,
    CONF_T_ENUM,
    CONF_T_SET,
    CONF_T_SECTION,
    CONF_T_OPTION,
};

/* Units for min and max of durations (milliseconds) and sizes (bytes). */
#define CONF_MS     UINT64_C(1)
#define CONF_SECOND (1000 * CONF_MS)
#define CONF_MINUTE (60 * CONF_SECOND)
#define CONF_HOUR   (60 * CONF_MINUTE)
#define CONF_DAY    (24 * CONF_HOUR)
#define CONF_KIB    UINT64_C(1024)
#define CONF_MIB    (1024 * CONF_KIB)
#define CONF_GIB    (1024 * CONF_MIB)

struct conf_section;

/* A table of keys ends with { 0 }. */
struct conf_key {
    const char *name;
    const char *doc; /* one sentence */
    enum conf_type type;
    bool list;
    size_t at, n_at;                    /* offsets of the member and, for a list, of its count */
    size_t width;                       /* size of the member, of one element in a list */
    const char *const *names;           /* ENUM, SET: NULL at the end; the value is the index */
    const struct conf_section *section; /* SECTION, OPTION */

    /* What a table adds by hand: */
    const char *def;   /* as one would write it; a list's elements separated by commas; NULL: the
                          member stays zero */
    bool required;     /* must be written; excludes def */
    uint64_t min, max; /* UINT; DURATION in ms; SIZE in bytes; STR and PATH: length; max 0: none */
    uint16_t port;     /* ADDR: when none is written; 0: one must be written */
    size_t at_least, at_most; /* elements of a list; at_most 0: no bound */
    bool unique; /* STR and PATH lists, and sections by their first key: no repetition */
};

struct conf_check;
struct conf_section {
    size_t size; /* of the struct */
    const struct conf_key *keys;
    /* Runs when each key of this section was good by itself; says what is wrong between them by
     * conf_error(). Inner sections are checked first, the root last. May be NULL. */
    void (*check)(struct conf_check *c, void *section);
    /* Keys that are not in the table are left alone: for a tool that wants a part of a file that
     * is another's. */
    bool part;
};

/* ---- keys ---- */
#define CONF_FITS_(cond)                                          \
    (0 * sizeof(struct {                                          \
         _Static_assert(cond, "the member does not fit the key"); \
         char c_;                                                 \
     }))
#define CONF_IS_(type, s, m) __builtin_types_compatible_p(__typeof__(((s *)0)->m), type)
#define CONF_ONE_(n, t, s, m, d, fits, ...)                                            \
    {                                                                                  \
        .name = (n), .doc = (d), .type = (t), .at = offsetof(s, m) + CONF_FITS_(fits), \
        .width = sizeof(((s *)0)->m) __VA_OPT__(, ) __VA_ARGS__                        \
    }
#define CONF_MANY_(n, t, s, m, d, fits, ...)                                                 \
    {                                                                                        \
        .name = (n), .doc = (d), .type = (t), .list = true,                                  \
        .at = offsetof(s, m) + CONF_FITS_((fits) && CONF_IS_(size_t, s, n_##m)),             \
        .n_at = offsetof(s, n_##m), .width = sizeof(*((s *)0)->m) __VA_OPT__(, ) __VA_ARGS__ \
    }

/* bool: true or false */
#define CONF_BOOL(n, s, m, d, ...) \
    CONF_ONE_(n, CONF_T_BOOL, s, m, d, CONF_IS_(bool, s, m), __VA_ARGS__)
/* unsigned, uint16_t, uint32_t, uint64_t, size_t, int: a decimal number that fits, at most max */
#define CONF_UINT(n, s, m, d, ...) \
    CONF_ONE_(n, CONF_T_UINT, s, m, d, sizeof(((s *)0)->m) <= 8, __VA_ARGS__)
#define CONF_UINTS(n, s, m, d, ...) \
    CONF_MANY_(n, CONF_T_UINT, s, m, d, sizeof(*((s *)0)->m) <= 8, __VA_ARGS__)
/* struct duration: 500ms, 30s, 5m, 1h, 2d */
#define CONF_DURATION(n, s, m, d, ...) \
    CONF_ONE_(n, CONF_T_DURATION, s, m, d, CONF_IS_(struct duration, s, m), __VA_ARGS__)
/* size_t: bytes, 64k, 32m, 1g (powers of 1024) */
#define CONF_SIZE(n, s, m, d, ...) \
    CONF_ONE_(n, CONF_T_SIZE, s, m, d, CONF_IS_(size_t, s, m), __VA_ARGS__)
/* struct span, followed by a NUL so that .p is a C string as well; absent without def */
#define CONF_STR(n, s, m, d, ...) \
    CONF_ONE_(n, CONF_T_STR, s, m, d, CONF_IS_(struct span, s, m), __VA_ARGS__)
#define CONF_STRS(n, s, m, d, ...) \
    CONF_MANY_(n, CONF_T_STR, s, m, d, CONF_IS_(struct span *, s, m), __VA_ARGS__)
/* const char *: a file name; a relative one is relative to the folder of the configuration file */
#define CONF_PATH(n, s, m, d, ...) \
    CONF_ONE_(n, CONF_T_PATH, s, m, d, CONF_IS_(const char *, s, m), __VA_ARGS__)
#define CONF_PATHS(n, s, m, d, ...) \
    CONF_MANY_(n, CONF_T_PATH, s, m, d, CONF_IS_(const char **, s, m), __VA_ARGS__)
/* struct addr: 192.0.2.1:5060, [2001:db8::1]:5060 */
#define CONF_ADDR(n, s, m, d, ...) \
    CONF_ONE_(n, CONF_T_ADDR, s, m, d, CONF_IS_(struct addr, s, m), __VA_ARGS__)
#define CONF_ADDRS(n, s, m, d, ...) \
    CONF_MANY_(n, CONF_T_ADDR, s, m, d, CONF_IS_(struct addr *, s, m), __VA_ARGS__)
/* struct cidr: 10.0.0.0/8, 2001:db8::/32, 192.0.2.1 */
#define CONF_CIDR(n, s, m, d, ...) \
    CONF_ONE_(n, CONF_T_CIDR, s, m, d, CONF_IS_(struct cidr, s, m), __VA_ARGS__)
#define CONF_CIDRS(n, s, m, d, ...) \
    CONF_MANY_(n, CONF_T_CIDR, s, m, d, CONF_IS_(struct cidr *, s, m), __VA_ARGS__)
/* an enum or int: one of names, in the order of the enum's values from 0 */
#define CONF_ENUM(n, s, m, names_, d, ...)                       \
    CONF_ONE_(n, CONF_T_ENUM, s, m, d, sizeof(((s *)0)->m) == 4, \
              .names = (names_)__VA_OPT__(, ) __VA_ARGS__)
#define CONF_ENUMS(n, s, m, names_, d, ...)                        \
    CONF_MANY_(n, CONF_T_ENUM, s, m, d, sizeof(*((s *)0)->m) == 4, \
               .names = (names_)__VA_OPT__(, ) __VA_ARGS__)
/* unsigned or uint64_t: a list of names, read into the bits 1 << index; order has no meaning */
#define CONF_SET(n, s, m, names_, d, ...)                                                   \
    CONF_ONE_(n, CONF_T_SET, s, m, d, CONF_IS_(unsigned, s, m) || CONF_IS_(uint64_t, s, m), \
              .names = (names_)__VA_OPT__(, ) __VA_ARGS__)
/* an embedded struct: has its defaults even when the section is not written */
#define CONF_SECTION(n, s, m, sec, d, ...) \
    CONF_ONE_(n, CONF_T_SECTION, s, m, d, true, .section = (sec)__VA_OPT__(, ) __VA_ARGS__)
/* a pointer to a struct: NULL when the section is not written */
#define CONF_OPTION(n, s, m, sec, d, ...)                                       \
    CONF_ONE_(n, CONF_T_OPTION, s, m, d, sizeof(((s *)0)->m) == sizeof(void *), \
              .section = (sec)__VA_OPT__(, ) __VA_ARGS__)
/* a list of structs */
#define CONF_SECTIONS(n, s, m, sec, d, ...) \
    CONF_MANY_(n, CONF_T_SECTION, s, m, d, true, .section = (sec)__VA_OPT__(, ) __VA_ARGS__)

/* ---- reading ---- */
enum { CONF_MAX_FILE = 1024 * 1024, CONF_MAX_DEPTH = 16 };

/* One error, complete and without a newline: `registrar.yaml:14: peer_groups[2].digest: ...`. */
typedef void conf_report_fn(void *arg, const char *line);

/* Fills *out, a struct of root->size, with memory from the arena (which the caller releases, also
 * after a failure). Reports everything that is wrong, not only the first; report NULL prints to
 * stderr. CS_ECONF when anything was reported (*out is all zero then). */
CS_CHECK int conf_load(const char *path, const struct conf_section *root, struct arena *a,
                       void *out, conf_report_fn *report, void *arg);
/* The same of text; name stands for the file in errors, and its folder for relative paths. */
CS_CHECK int conf_parse(struct span text, const char *name, const struct conf_section *root,
                        struct arena *a, void *out, conf_report_fn *report, void *arg);

/* The line where "peer_groups[2].digest.realm" stands in a file, or what is nearest above it; 0
 * when nothing of it does, or the file cannot be read. For tools that judge several files together.
 */
unsigned conf_line(const char *path, const char *key);

/* From a check: the line of key inside the section at hand, e.g. "expires.min" or "source[2]"; NULL
 * means the section itself. */
void conf_error(struct conf_check *c, const char *key, const char *fmt, ...) CS_PRINTF(3, 4);
/* From a check: whether key stands in the section at hand, or what is there is its default. */
bool conf_is_written(const struct conf_check *c, const char *key);
/* Memory that lives as long as the configuration, for what a check derives. */
struct arena *conf_arena(struct conf_check *c);

/* ---- showing ---- */
/* The manual: a YAML file with every key, its sentence, type, default and bounds as comments. */
void conf_print(FILE *f, const struct conf_section *root);
/* The same as JSON Schema, for editors. */
void conf_schema(FILE *f, const struct conf_section *root, const char *title);

#endif
