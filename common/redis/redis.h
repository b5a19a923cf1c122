/* A pipelined Redis client on our own connection; hiredis formats and reads (RESP2). Commands of a
 * turn leave in one write. One server now; every key has a hash tag already, so Cluster changes
 * nothing here. */
#ifndef CS_REDIS_REDIS_H
#define CS_REDIS_REDIS_H

#include "base/addr.h"
#include "base/ct.h"
#include "base/util.h"
#include "net/loop.h"

struct redis;
struct redis_call;

struct redis_conf {
    const char *unix_path; /* or NULL: */
    struct addr addr;
    const char *username;          /* NULL: none (ACL) */
    const struct secret *password; /* NULL: none; borrowed while the client lives */
    struct duration deadline;      /* for one command; 0 means 2 s */
};

enum redis_type { REDIS_NIL, REDIS_STRING, REDIS_STATUS, REDIS_INTEGER, REDIS_ARRAY, REDIS_ERROR };

struct redis_reply {
    enum redis_type type;
    int64_t integer;
    struct span str;                   /* STRING, STATUS, ERROR */
    const struct redis_reply *element; /* ARRAY: n of them */
    size_t n;
};

/* reply is borrowed for the call. NULL means that no answer came: not connected, the connection
 * broke, or the deadline passed; whether the command ran is then unknown. An error reply is not
 * NULL. */
typedef void redis_fn(void *arg, const struct redis_reply *reply);

CS_CHECK int redis_open(struct loop *l, const struct redis_conf *conf, struct redis **out);
/* Calls every pending fn with NULL, then closes. Sets *r to NULL. */
void redis_close(struct redis **r);
bool redis_is_ready(const struct redis *r);
/* When the server last said anything. */
struct mono redis_heard(const struct redis *r);
/* Called with true when the connection is usable, false when it is lost. */
void redis_on_ready(struct redis *r, void (*fn)(void *arg, bool ready), void *arg);

/* argv is copied. fn is called exactly once, never from inside this call, unless cancelled. Returns
 * NULL only when memory is exhausted (fn is not called then). The result may be ignored; it is
 * valid until fn is called, and serves redis_cancel(). */
struct redis_call *redis_command(struct redis *r, redis_fn *fn, void *arg, size_t argc,
                                 const struct span *argv);
#define redis_do(r, fn, arg, ...)                                                   \
    redis_command((r), (fn), (arg), CS_LEN(((const struct span[]){ __VA_ARGS__ })), \
                  (const struct span[]){ __VA_ARGS__ })
/* Up to four commands as one (MULTI, EXEC): all are run or none, and nobody's come between. reply
 * is EXEC's: an array of theirs, or an error when one of them was refused and so none was run. */
struct redis_argv {
    size_t argc;
    const struct span *argv;
};
#define REDIS_ARGV(...)                                                       \
    (struct redis_argv)                                                       \
    {                                                                         \
        CS_LEN(((const struct span[]){ __VA_ARGS__ })), (const struct span[]) \
        {                                                                     \
            __VA_ARGS__                                                       \
        }                                                                     \
    }
struct redis_call *redis_atomic(struct redis *r, redis_fn *fn, void *arg, size_t n,
                                const struct redis_argv *commands);
/* fn will not be called; the command may still run. */
void redis_cancel(struct redis_call *call);

/* A Lua script, declared once: static struct redis_script s = { .lua = "..." }. Runs as EVALSHA and
 * is loaded when the server does not know it. argv holds the KEYS, n_keys of them, then the ARGV.
 */
struct redis_script {
    const char *lua;
    char sha[41]; /* filled at first use */
};
struct redis_call *redis_script(struct redis *r, struct redis_script *script, redis_fn *fn,
                                void *arg, size_t n_keys, size_t argc, const struct span *argv);

/* ---- watching ---- */
/* key: one that somebody wrote or deleted; absent: anything may have changed (the connection was
 * made or lost, or all was flushed). */
typedef void redis_watch_fn(void *arg, struct span key);
/* A connection of its own that only hears of changes to keys with this prefix (CLIENT TRACKING in
 * broadcasting mode, redirected to itself, so that RESP2 serves). What was read before a change may
 * be kept while redis_is_ready() holds and until fn names it. redis_command() is not for it. */
CS_CHECK int redis_watch(struct loop *l, const struct redis_conf *conf, const char *prefix,
                         redis_watch_fn *fn, void *arg, struct redis **out);

#endif
