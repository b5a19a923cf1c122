#include "redis/reply.h"

#include <hiredis/hiredis.h>

/* hiredis calls these while it reads; the task says where in its array the new value belongs. */
static struct redis_reply *place(const redisReadTask *task)
{
    struct reply_reader *r = task->privdata;
    if (task->parent) {
        struct redis_reply *array = task->parent->obj;
        return (struct redis_reply *)&array->element[task->idx];
    }
    return arena_zalloc(&r->arena, sizeof(struct redis_reply));
}

static void *make_string(const redisReadTask *task, char *text, size_t n)
{
    struct reply_reader *r = task->privdata;
    struct redis_reply *reply = place(task);
    if (!reply)
        return NULL;
    reply->type = task->type == REDIS_REPLY_ERROR    ? REDIS_ERROR
                  : task->type == REDIS_REPLY_STATUS ? REDIS_STATUS
                                                     : REDIS_STRING;
    reply->str = arena_dup(&r->arena, span_of(text, n));
    return reply->str.p ? reply : NULL;
}

#if HIREDIS_MAJOR >= 1
static void *make_array(const redisReadTask *task, size_t n)
#else
static void *make_array(const redisReadTask *task, int n)
#endif
{
    struct reply_reader *r = task->privdata;
    struct redis_reply *reply = place(task);
    if (!reply || (size_t)n > REPLY_MAX / sizeof(*reply))
        return NULL;
    reply->type = REDIS_ARRAY;
    reply->n = (size_t)n;
    reply->element = arena_zalloc(&r->arena, reply->n * sizeof(*reply));
    return reply->element ? reply : NULL;
}

static void *make_integer(const redisReadTask *task, long long v)
{
    struct redis_reply *reply = place(task);
    if (reply) {
        reply->type = REDIS_INTEGER;
        reply->integer = v;
    }
    return reply;
}

static void *make_nil(const redisReadTask *task)
{
    struct redis_reply *reply = place(task);
    if (reply)
        reply->type = REDIS_NIL;
    return reply;
}

#if HIREDIS_MAJOR >= 1
/* RESP3, which nobody asked for. Without these functions hiredis would hand out a number in place
 * of a pointer. */
static void *refuse_double(const redisReadTask *task, double v, char *text, size_t n)
{
    (void)task, (void)v, (void)text, (void)n;
    return NULL;
}

static void *refuse_bool(const redisReadTask *task, int v)
{
    (void)task, (void)v;
    return NULL;
}
#endif

static void drop_object(void *obj)
{
    (void)obj; /* the arena's */
}

static redisReplyObjectFunctions functions = {
    .createString = make_string,
    .createArray = make_array,
    .createInteger = make_integer,
    .createNil = make_nil,
#if HIREDIS_MAJOR >= 1
    .createDouble = refuse_double,
    .createBool = refuse_bool,
#endif
    .freeObject = drop_object,
};

int reply_reader_init(struct reply_reader *r)
{
    arena_init(&r->arena, r->first, sizeof(r->first), REPLY_MAX);
    r->hi = redisReaderCreateWithFunctions(&functions);
    if (!r->hi)
        return CS_ENOMEM;
    r->hi->privdata = r;
    r->hi->maxbuf = REPLY_KEPT_BUFFER;
    return 0;
}

void reply_reader_fini(struct reply_reader *r)
{
    if (r->hi)
        redisReaderFree(r->hi);
    r->hi = NULL;
    arena_fini(&r->arena);
}

int reply_reader_feed(struct reply_reader *r, struct span in)
{
    if (r->hi->len - r->hi->pos > REPLY_MAX)
        return CS_ENOMEM;
    return redisReaderFeed(r->hi, in.p, in.n) == REDIS_OK ? 0 : CS_ENOMEM;
}

int reply_reader_next(struct reply_reader *r, const struct redis_reply **out)
{
    void *reply = NULL;
    *out = NULL;
    if (redisReaderGetReply(r->hi, &reply) != REDIS_OK)
        return r->hi->err == REDIS_ERR_OOM ? CS_ENOMEM : CS_EPROTO;
    *out = reply;
    return 0;
}

void reply_reader_drop(struct reply_reader *r)
{
    arena_fini(&r->arena);
    arena_init(&r->arena, r->first, sizeof(r->first), REPLY_MAX);
}
