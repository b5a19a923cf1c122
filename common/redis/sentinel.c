#include "redis/sentinel.h"

#include <stdlib.h>

struct sentinel {
    struct guide *guide;
    struct span question[3];
    sentinel_fn *fn;
    void *arg;
};

/* [host, port] */
static const char *on_answer(void *arg, const struct addr *from, const struct redis_reply *reply)
{
    struct sentinel *s = arg;
    struct addr master;
    uint64_t port = 0;
    (void)from;
    if (reply->type == REDIS_NIL)
        return "the sentinel does not know this master";
    if (reply->type != REDIS_ARRAY || reply->n != 2 ||
        span_u64(reply->element[1].str, UINT16_MAX, &port) ||
        addr_parse_host(reply->element[0].str, (uint16_t)port, &master))
        return "the sentinel names no address (announce-hostnames must be off, and we must be "
               "allowed to ask)";
    s->fn(s->arg, &master);
    return NULL;
}

int sentinel_open(struct loop *l, const struct redis_conf *conf, sentinel_fn *fn, void *arg,
                  struct sentinel **out)
{
    const struct redis_sentinels *all = conf->sentinels;
    struct sentinel *s = calloc(1, sizeof(*s));
    *out = s;
    if (!s)
        return CS_ENOMEM;
    s->fn = fn;
    s->arg = arg;
    s->question[0] = SPAN("SENTINEL");
    s->question[1] = SPAN("GET-MASTER-ADDR-BY-NAME");
    s->question[2] = span_str(all->master);
    const struct redis_conf theirs = { .username = all->username,
                                       .password = all->password,
                                       .tls = conf->tls,
                                       .server_name = conf->server_name };
    const struct guide_kind kind = { .master = all->master,
                                     .role = "sentinel",
                                     .noun = "sentinel",
                                     .silence = "no sentinel names a master that serves us",
                                     .addrs = all->addrs,
                                     .n = all->n,
                                     .argc = 3,
                                     .argv = s->question };
    return guide_open(l, &theirs, &kind, on_answer, s, &s->guide);
}

void sentinel_close(struct sentinel **sp)
{
    struct sentinel *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    guide_close(&s->guide);
    free(s);
}

void sentinel_doubt(struct sentinel *s)
{
    guide_doubt(s->guide);
}
