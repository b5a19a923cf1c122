/* Replies, read by hiredis into our own structs in an arena. Known to redis.c alone. */
#ifndef CS_REDIS_REPLY_H
#define CS_REDIS_REPLY_H

#include "base/arena.h"
#include "redis/redis.h"

enum {
    REPLY_FIRST = 16 * 1024,         /* replies up to this size cost no malloc */
    REPLY_MAX = 64 * 1024 * 1024,    /* of one reply, in memory */
    REPLY_CHUNK = 16 * 1024,         /* hiredis moves the rest of its buffer after each reply */
    REPLY_KEPT_BUFFER = 1024 * 1024, /* what hiredis keeps when its buffer is empty */
};

struct reply_reader {
    struct redisReader *hi;
    struct arena arena; /* of the reply being read */
    _Alignas(max_align_t) char first[REPLY_FIRST];
};

CS_CHECK int reply_reader_init(struct reply_reader *r);
void reply_reader_fini(struct reply_reader *r);
/* Adds received bytes, at most REPLY_CHUNK at a time. */
CS_CHECK int reply_reader_feed(struct reply_reader *r, struct span in);
/* The next whole reply, valid until reply_reader_drop(); *out is NULL when there is none yet.
 * CS_EPROTO when this is not RESP, CS_ENOMEM when the reply is too large. */
CS_CHECK int reply_reader_next(struct reply_reader *r, const struct redis_reply **out);
void reply_reader_drop(struct reply_reader *r);

#endif
