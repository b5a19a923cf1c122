/* A pipelined Redis client on our own connection, plain or TLS; hiredis reads (RESP2). Commands of
 * a turn leave in one write. The server is always a master: one that is named, or the one that
 * sentinels name, which is followed through failovers; or it is all masters of a cluster, where
 * each command, script and transaction goes to the one that has its key, which begins with "cs:".
 * There the client is ready when each slot has a master and all of them are. */
#ifndef CS_REDIS_REDIS_H
#define CS_REDIS_REDIS_H

#include "base/addr.h"
#include "base/ct.h"
#include "base/util.h"
#include "net/loop.h"
#include "net/tls.h"

struct redis;
struct redis_call;

/* Who knows the master. */
struct redis_sentinels {
    const char *master; /* as they call it */
    const struct addr *addrs;
    size_t n;
    const char *username; /* NULL: none */
    const struct secret *password;
};

struct redis_conf {
    const char *unix_path;                   /* or NULL: */
    struct addr addr;                        /* or none: */
    const struct redis_sentinels *sentinels; /* NULL: none; borrowed while the client lives */
    const struct addr *cluster;              /* some of its nodes; NULL: none; borrowed, too */
    size_t n_cluster;
    const char *username;          /* NULL: none (ACL) */
    const struct secret *password; /* NULL: none; borrowed while the client lives */
    struct duration deadline;      /* for one command; 0 means 2 s */
    struct tls_context *tls;       /* NULL: plain; of servers and sentinels */
    const char *server_name;       /* that their certificates say; NULL: their address */
    unsigned wait;                 /* replicas that redis_confirm() asks for; 0: none */
    struct duration wait_timeout;  /* and how long it waits for them; less than deadline */
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

/* How many masters there were, one after the other: rises before on_ready(true) when a failover
 * has brought another one, which may lack what the last one had. 0 until the first is ready. */
uint64_t redis_generation(const struct redis *r);

/* The masters that serve together: 1, or those of a cluster, 0 while they are not known. */
size_t redis_masters(const struct redis *r);
/* What outlasts failovers of one of them: its first slot; 0 without a cluster. */
unsigned redis_master_slot(const struct redis *r, size_t master);
/* redis_command() without a key, to one of them; NULL also when it is not there. */
struct redis_call *redis_ask_master(struct redis *r, size_t master, redis_fn *fn, void *arg,
                                    size_t argc, const struct span *argv);

/* argv is copied. fn is called exactly once, never from inside this call, unless cancelled. Returns
 * NULL only when memory is exhausted (fn is not called then). The result may be ignored; it is
 * valid until fn is called, and serves redis_cancel(). */
struct redis_call *redis_command(struct redis *r, redis_fn *fn, void *arg, size_t argc,
                                 const struct span *argv);
#define redis_do(r, fn, arg, ...)                                                   \
    redis_command((r), (fn), (arg), CS_LEN(((const struct span[]){ __VA_ARGS__ })), \
                  (const struct span[]){ __VA_ARGS__ })
/* Commands as one (MULTI, EXEC): all are run or none, and nobody's come between. They leave at the
 * end of the turn, behind what redis_command() sends in it. Those of a turn share one transaction,
 * so that where Redis refuses one (no memory, no permission) it runs none. reply is an array of
 * theirs, or that error. */
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
/* To be called at once after one of redis_command(), redis_atomic() and redis_script(), whose
 * result (or NULL) it takes: fn gets its reply when conf.wait replicas have what was written (WAIT,
 * in the same write), and NULL when they do not in time. Errors are not held back, and without
 * conf.wait nothing is. */
void redis_confirm(struct redis_call *call);
/* fn will not be called; the command may still run. */
void redis_cancel(struct redis_call *call);
/* A redis_fn for commands whose answer nobody waits for. */
static inline void redis_ignore(void *arg, const struct redis_reply *reply)
{
    (void)arg;
    (void)reply;
}

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
/* A connection of its own that only hears of changes to keys with this prefix, or one of these with
 * a space between them (CLIENT TRACKING in broadcasting mode, redirected to itself, so that RESP2
 * serves). What was read before a change may
 * be kept while redis_is_ready() holds and until fn names it. redis_command() is not for it. */
CS_CHECK int redis_watch(struct loop *l, const struct redis_conf *conf, const char *prefix,
                         redis_watch_fn *fn, void *arg, struct redis **out);

#endif
