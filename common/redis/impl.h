/* The inside of the client, shared by the files of this folder: calls and entry points in redis.c,
 * RESP in resp.c, the connection in link.c, MULTI in atomic.c, WAIT in confirm.c, changes in
 * watch.c; all of a cluster's connections in cluster.c. */
#ifndef CS_REDIS_IMPL_H
#define CS_REDIS_IMPL_H

#include "base/log.h"
#include "net/stream.h"
#include "redis/redis.h"
#include "redis/reply.h"

struct cluster;
struct errand;
struct sentinel;

struct redis_call {
    struct list link;
    struct redis *r;
    redis_fn *fn; /* NULL: cancelled, or answered with NULL already */
    void *arg;
    bool late;    /* the deadline passed; it waits for its reply in order to keep the order */
    bool confirm; /* replicas must have it before it is answered */
    struct errand *errand;  /* of a cluster's client: how it is run; NULL: it is lost */
    bool collected;         /* one of a shared transaction: */
    size_t first, commands; /* which of its replies are this call's */
    size_t before;          /* replies that come before its own and tell nothing */
    struct mono sent;
    const struct redis_script *script; /* sent as EVALSHA; then, in case the server forgot it: */
    struct buf args;                /* what followed the script's name, encoded; kept for reuse */
    size_t argc;                    /* number of those arguments */
    struct arena memory;            /* of: */
    const struct redis_reply *kept; /* while replicas confirm */
};

struct redis {
    struct loop *loop;
    struct redis_conf conf; /* addr changes with the master when there are sentinels */
    char *unix_path, *username;
    const char *role;      /* what the server has to be: "master", "sentinel"; NULL: any */
    bool helper;           /* watches, or asks a sentinel: counts in no metric */
    struct stream *stream; /* NULL: waiting for the next attempt */
    struct reply_reader reader;
    struct list calls;     /* sent, in the order of their replies */
    struct list *fresh;    /* the first of calls that is not late; &calls: none */
    struct list lost;      /* to be answered with NULL in the next turn */
    struct list losing;    /* being answered with NULL now */
    struct list replied;   /* waiting for the WAIT that is under way */
    struct list confirmed; /* being answered now */
    struct list unused;
    size_t n_calls, n_unused;
    struct timer timer;      /* the next attempt, the end of the handshake, or fresh's deadline */
    struct timer lost_timer; /* answers lost */
    struct mono heard;
    unsigned backoff_ms;
    bool ready, closing;
    bool complained; /* of this outage, in the log */
    unsigned busy;   /* our frames on the stack below a callback of the owner */
    void (*on_ready)(void *arg, bool ready);
    void *on_ready_arg;
    struct list collected;   /* transactions of this turn, encoded in: */
    struct buf transactions; /* memory is our own */
    size_t n_transactions, n_commands;
    struct turn atomic_turn; /* sends them */
    struct list executed;    /* being answered now */
    struct turn wait_turn;   /* sends WAIT behind the writes of the turn */
    bool unconfirmed;        /* something was written that no WAIT follows yet */
    bool waiting; /* a WAIT is under way: Redis takes nothing else until it is answered */
    bool too_few; /* the last one was not confirmed */
    struct sentinel *sentinel; /* NULL: the server is always the same */
    struct cluster *cluster;   /* NULL: there is one server */
    bool masters_changed;      /* of the cluster, since we were ready last */
    bool found;                /* conf.addr is what a sentinel said */
    struct addr last;          /* where we were ready last */
    uint64_t generation;
    const char *watch_prefix; /* of a watcher, one or several; NULL else */
    redis_watch_fn *watch;
    void *watch_arg;
    struct log log;
};

enum { REDIS_BACKOFF_MIN = 20 /* ms */ };

/* ---- redis.c ---- */
/* What a client is beside its configuration: see the members of struct redis. */
struct redis_kind {
    const char *role;
    bool helper;
    bool complained;
    const char *watch_prefix;
    redis_watch_fn *watch;
    void *watch_arg;
};
CS_CHECK int redis_new(struct loop *l, const struct redis_conf *conf, const struct redis_kind *kind,
                       struct redis **out);
struct redis_call *redis_call_new(struct redis *r, redis_fn *fn, void *arg);
void redis_call_free(struct redis_call *c);
/* It was sent, and its reply comes after those of all others. */
void redis_call_push(struct redis *r, struct redis_call *c);
/* It will be answered with NULL. */
void redis_lose_later(struct redis *r, struct redis_call *c);
bool redis_can_send(const struct redis *r);
/* Answers all of calls with NULL. What joins meanwhile is not among them. */
void redis_calls_lose(struct redis *r, struct list *calls);
/* Every path from the loop into the client: busy++, ..., redis_leave(). */
void redis_leave(struct redis *r);
/* The answer to a call of a cluster's client, counted. */
void redis_call_end(struct redis_call *c, const struct redis_reply *reply);
/* One reply arrived. */
CS_CHECK int redis_answer(struct redis *r, const struct redis_reply *reply);

/* ---- resp.c ---- */
/* Each of these: all of it or nothing, and false then: the connection is closing. */
bool resp_send_one(struct redis *r, size_t argc, const struct span *argv);
/* MULTI, what resp_put() wrote, EXEC. */
bool resp_send_multi(struct redis *r, struct span commands);
/* At most this many bytes. */
size_t resp_size(size_t n, const struct redis_argv *commands);
void resp_put(struct buf *b, size_t n, const struct redis_argv *commands);
/* EVALSHA with the hash, or EVAL with the text; the call has the arguments. */
bool resp_send_script(struct redis *r, struct redis_call *c, struct span verb, struct span what);
/* Encodes what follows the script's name into the call, for EVALSHA and perhaps again for EVAL. */
bool resp_keep_args(struct redis_call *c, size_t n_keys, size_t argc, const struct span *argv);

/* ---- link.c ---- */
void link_attempt(struct redis *r);
/* The connection is of no use; its end leads to the next attempt. */
void link_give_up(struct redis *r, int reason);
/* The same, and says why, once in an outage. */
void link_complain(struct redis *r, const char *message, struct span detail);
/* A command of our own. */
void link_ask(struct redis *r, redis_fn *fn, size_t argc, const struct span *argv);
void link_set_ready(struct redis *r, bool ready);
bool reply_is(const struct redis_reply *reply, struct span error_prefix);
/* The server answers so when it serves reads from the past, or nothing. */
bool reply_cannot_serve(const struct redis_reply *reply);
/* A sentinel named the master. */
void link_follow(void *arg, const struct addr *master);

/* ---- watch.c ---- */
void watch_begin(struct redis *r);
/* Whether the reply tells of a change; the watcher was told then. */
bool watch_heard(struct redis *r, const struct redis_reply *reply);
/* Asks whether the server is still there. */
void watch_beat(struct redis *r);

/* ---- atomic.c ---- */
void atomic_init(struct redis *r);
/* What was not answered or not even sent joins the list. */
void atomic_close(struct redis *r, struct list *unanswered);
/* What was collected leaves now; what comes then is another transaction. */
void atomic_flush(struct redis *r);
void atomic_fini(struct redis *r);

/* ---- confirm.c ---- */
void confirm_init(struct redis *r);
/* What was just sent needs a WAIT behind it. */
void confirm_mark(struct redis *r, struct redis_call *c);
/* The connection is lost, and every WAIT with it. */
void confirm_reset(struct redis *r);
/* Keeps the reply until replicas confirmed; false when memory is exhausted. */
bool confirm_keep(struct redis *r, struct redis_call *c, const struct redis_reply *reply);

#endif
