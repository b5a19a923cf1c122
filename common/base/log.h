/* Structured logs on stderr: the message is constant, what varies is a field. Error means that an
 * operator must act; warn, that something was refused or lost; info, that something happened once;
 * debug, for developers. Secrets have no kv_ function. */
#ifndef CS_BASE_LOG_H
#define CS_BASE_LOG_H

#include "base/addr.h"
#include "base/span.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

struct kv {
    const char *key; /* NULL ends a list */
    enum { KV_SPAN, KV_U64, KV_I64, KV_BOOL, KV_ADDR } kind;
    union {
        struct span s;
        uint64_t u;
        int64_t i;
        const struct addr *a; /* borrowed for the call */
    };
};

/* What an object says of itself in each of its lines. Members are borrowed while it is used. */
struct log {
    const char *module;
    struct kv ctx[4]; /* up to three, then a NULL key */
};

static inline struct kv kv_s(const char *key, struct span s)
{
    return (struct kv){ .key = key, .kind = KV_SPAN, .s = s };
}
static inline struct kv kv_str(const char *key, const char *s)
{
    return (struct kv){ .key = key, .kind = KV_SPAN, .s = span_str(s) };
}
static inline struct kv kv_u(const char *key, uint64_t u)
{
    return (struct kv){ .key = key, .kind = KV_U64, .u = u };
}
static inline struct kv kv_i(const char *key, int64_t i)
{
    return (struct kv){ .key = key, .kind = KV_I64, .i = i };
}
static inline struct kv kv_b(const char *key, bool b)
{
    return (struct kv){ .key = key, .kind = KV_BOOL, .u = b };
}
static inline struct kv kv_addr(const char *key, const struct addr *a)
{
    return (struct kv){ .key = key, .kind = KV_ADDR, .a = a };
}
/* cs_strerror() as the field "error". */
struct kv kv_err(int err);

/* Set once before threads start; the default is info and text. */
void log_setup(enum log_level level, enum log_format format);
enum log_level log_level(void);
/* log may be NULL. fields ends with a NULL key. */
void log_write(enum log_level level, const struct log *log, const char *message,
               const struct kv *fields);

#define log_at(level, log, message, ...)                                                 \
    do {                                                                                 \
        if ((level) >= log_level())                                                      \
            log_write((level), (log), (message),                                         \
                      (const struct kv[]){ __VA_ARGS__ __VA_OPT__(, ){ .key = NULL } }); \
    } while (0)
#define log_debug(log, message, ...) log_at(LOG_DEBUG, log, message __VA_OPT__(, ) __VA_ARGS__)
#define log_info(log, message, ...)  log_at(LOG_INFO, log, message __VA_OPT__(, ) __VA_ARGS__)
#define log_warn(log, message, ...)  log_at(LOG_WARN, log, message __VA_OPT__(, ) __VA_ARGS__)
#define log_error(log, message, ...) log_at(LOG_ERROR, log, message __VA_OPT__(, ) __VA_ARGS__)

#endif
