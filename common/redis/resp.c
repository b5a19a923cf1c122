#include <stdlib.h>

#include "base/buf.h"
#include "redis/impl.h"

enum { HEADER = 24 /* "$18446744073709551615\r\n" and the like */ };

static size_t encoded_size(size_t argc, const struct span *argv)
{
    size_t n = 0;
    for (size_t i = 0; i < argc; i++)
        n += HEADER + argv[i].n + 2;
    return n;
}

static void put_count(struct buf *b, char type, size_t n)
{
    buf_putc(b, type);
    buf_u64(b, n);
    buf_lit(b, "\r\n");
}

static void put_arg(struct buf *b, struct span arg)
{
    put_count(b, '$', arg.n);
    buf_put(b, arg);
    buf_lit(b, "\r\n");
}

static void put_args(struct buf *b, size_t argc, const struct span *argv)
{
    for (size_t i = 0; i < argc; i++)
        put_arg(b, argv[i]);
}

size_t resp_size(size_t n, const struct redis_argv *commands)
{
    size_t size = 0;
    for (size_t i = 0; i < n; i++)
        size += HEADER + encoded_size(commands[i].argc, commands[i].argv);
    return size;
}

void resp_put(struct buf *b, size_t n, const struct redis_argv *commands)
{
    for (size_t i = 0; i < n; i++) {
        put_count(b, '*', commands[i].argc);
        put_args(b, commands[i].argc, commands[i].argv);
    }
}

bool resp_send_one(struct redis *r, size_t argc, const struct span *argv)
{
    const struct redis_argv command = { argc, argv };
    size_t size = resp_size(1, &command);
    char *room = stream_reserve(r->stream, size);
    if (!room)
        return false;
    struct buf b = buf_of(room, size);
    resp_put(&b, 1, &command);
    stream_wrote(r->stream, b.n);
    return true;
}

bool resp_send_multi(struct redis *r, struct span commands)
{
    const struct span begin = SPAN("*1\r\n$5\r\nMULTI\r\n"), end = SPAN("*1\r\n$4\r\nEXEC\r\n");
    size_t size = begin.n + commands.n + end.n;
    char *room = stream_reserve(r->stream, size);
    if (!room)
        return false;
    struct buf b = buf_of(room, size);
    buf_put(&b, begin);
    buf_put(&b, commands);
    buf_put(&b, end);
    stream_wrote(r->stream, b.n);
    return true;
}

bool resp_send_script(struct redis *r, struct redis_call *c, struct span verb, struct span what)
{
    size_t size = 3 * HEADER + verb.n + what.n + 4 + c->args.n;
    char *room = stream_reserve(r->stream, size);
    if (!room)
        return false;
    struct buf b = buf_of(room, size);
    put_count(&b, '*', 2 + c->argc);
    put_arg(&b, verb);
    put_arg(&b, what);
    buf_put(&b, buf_span(&c->args));
    stream_wrote(r->stream, b.n);
    return true;
}

bool resp_keep_args(struct redis_call *c, size_t n_keys, size_t argc, const struct span *argv)
{
    char digits[20];
    struct buf number = BUF_INIT(digits);
    buf_u64(&number, n_keys);
    size_t size = HEADER + number.n + 2 + encoded_size(argc, argv);
    if (size > c->args.cap) {
        char *p = realloc(c->args.p, size);
        if (!p)
            return false;
        c->args.p = p;
        c->args.cap = size;
    }
    c->args.n = 0;
    put_arg(&c->args, buf_span(&number));
    put_args(&c->args, argc, argv);
    c->argc = argc + 1;
    return true;
}
